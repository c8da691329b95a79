"""How a foreign file's columns become a listing: one YAML file a source.

    source: postings            # part of each row's identity
    key: job_id                 # column that holds the row's own key
    fields:
      title: title                                             # column → field
      visibility: {value: VISIBILITY_PUBLIC}                   # the same for every row
      region_codes: {column: [district, city], lookup: region} # narrowest place named, refused where there are several
      quantity: {column: headcount, number: true}              # first whole number in the text: 招3人, 1,200, 1.5万
      job_position.salary.min: {column: pay, number: true}     # lower end, CNY a month: 8000, 8-12k, 1.5-2万·13薪, 20-30万/年
      job_position.salary.max: {column: pay, number: true}     # upper end
      job_position.skills: {column: keywords, split: "，,、"}
      job_position.education_code: {column: education, values: {不限: ""}, lookup: education}

Of several columns with a `lookup`, what is none of its names (高新区) gives way to the next; a row without any is refused.
`values` replaces whole cells before anything else. The file has to have every column that is named here. Without any of these
options a cell is read as in a template: choices by their Chinese names too, 是/否, dates like 2026/1/31, bodies and
organizations by name.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from google.protobuf.descriptor import FieldDescriptor

from alliance.listings.v1 import listing_pb2
from codes import education, industries, regions
from intake import amounts
from intake.cells import Names, Rounded, Unsettled, as_given, fitting, unknown
from intake.contract import KEY, leaves
from intake.errors import UnmappedError, WrongError

Row = dict[str, str]
"""Heading → text of the cell; empty cells are "" or left out."""

_OPTIONS = {"column": str | list, "value": object, "lookup": str, "split": str, "number": bool, "values": dict}
_INDEX = re.compile(r"\[.*?\]")
_HEADINGS_AGAIN = WrongError("又是表头，不是数据；请删去此行", "headings again; leave it out")


MAX_CELL = 20_000
"""Characters of a cell; no field takes more."""
_SHOWN = 20
_UNSETTLED = WrongError(
    "公式没有计算结果，或结果有误；请将原文件在表格软件中打开、重算并保存后再导入，或在此改填数值",
    "a formula without a result, or with an error; open, recalculate and save the file it stood in, or write the value here",
)
_ROUNDED = WrongError(
    "数字超过 15 位，表格软件已丢失末几位；请将该列设为文本，再填写完整的值",
    "a number of more than 15 digits, the last of which the spreadsheet has lost; make the column text and write it whole",
)
_TOO_LONG = WrongError(f"超过 {MAX_CELL} 字；请删减", f"longer than {MAX_CELL} characters; shorten it")


@dataclass(frozen=True)
class Rule:
    """How one field is filled."""

    leaf: FieldDescriptor
    columns: tuple[str, ...] = ()
    value: Any = None
    lookup: str = ""
    split: Callable[[str], list[str]] | None = None
    number: bool = False
    values: dict[str, str] = field(default_factory=dict)
    shown: str = ""
    """What people call its column, where not by its heading."""

    def apply(self, name: str, row: Row, names: Names) -> Any:
        """The field's value, or None to leave it empty; raises `UnmappedError`."""
        if not self.columns:
            return self.value
        for column in self.columns:
            if isinstance(cell := row.get(column, ""), Unsettled):
                raise UnmappedError(name, column, cell, _unsettled(cell), self.shown)
        cells = {column: self._cell(row.get(column, "")) for column in self.columns}
        filled = {column: cell for column, cell in cells.items() if cell.strip()}
        if not filled:
            return None
        for column, cell in filled.items():
            if len(cell) > MAX_CELL:
                raise UnmappedError(name, column, f"{cell[:_SHOWN]}…", _TOO_LONG, self.shown)
        try:
            return self.read(list(filled.values()), names)
        except WrongError as error:
            *others, column = self._wrong(filled)
            raise UnmappedError(name, column, filled[column], error, self.shown, others) from error

    def _wrong(self, filled: dict[str, str]) -> list[str]:
        """Columns of the cells that can't be read, the widest place last: it alone where each could be by itself."""
        if not self.lookup:
            return [next(iter(filled))]
        return [column for column, cell in filled.items() if not _is_in(self.lookup, cell)] or [list(filled)[-1]]

    def read(self, cells: list[str], names: Names = as_given) -> Any:
        """The value that cells stand for, None for none; raises `WrongError` that says what is wrong with them."""
        if self.split:
            return fitting(self.leaf, self.split(cells[0]), names)
        if self.lookup == "region" and all(map(regions.is_anywhere, cells)):
            return None  # no region is anywhere
        if self.lookup:
            return fitting(self.leaf, _looked_up(self.lookup, cells))
        if self.number:
            number = _number(self.leaf, cells[0])
            return None if number is None else fitting(self.leaf, number)
        return fitting(self.leaf, cells[0], names)

    def _cell(self, text: str) -> str:
        return self.values.get(text.strip(), text if self.split else text.strip())  # a line break at the end separates too


@dataclass(frozen=True)
class Mapping:
    """A source's mapping.

    Attributes:
        key: the column of the rows' own keys.
        rules: path of a field → how it is filled.
        file: where it was read; None for a built-in one and for a template.
        no_data: keys of rows that are no data: a template's example.
    """

    source: str
    key: str
    rules: dict[str, Rule]
    file: Path | None = None
    no_data: frozenset[str] = frozenset()

    @classmethod
    def load(cls, text: str) -> "Mapping":
        """Read a mapping file, or a built-in mapping by its name; raises `WrongError` for one that can't be right."""
        path = Path(text)
        built_in = resources.files("intake").joinpath("mappings", f"{text}.yaml")
        if not path.exists() and not built_in.is_file():
            raise WrongError(f"没有映射文件 {text}", f"no mapping {text}")
        try:
            content = (path if path.exists() else built_in).read_text(encoding="utf-8")
            return replace(cls.parse(yaml.safe_load(content)), file=path if path.exists() else None)
        except WrongError as error:
            raise WrongError(f"映射文件有误：{error.zh}", f"the mapping is wrong: {error.en}") from error
        except UnicodeDecodeError as error:
            raise WrongError("映射文件不是 UTF-8；请另存为 UTF-8", "the mapping is not in UTF-8; save it as UTF-8") from error
        except OSError as error:
            raise WrongError(
                f"映射文件 {text} 打不开；请核对权限", f"the mapping {text} can't be opened; check its permissions"
            ) from error
        except yaml.YAMLError as error:
            raise _no_yaml(error) from error

    @classmethod
    def parse(cls, read: Any) -> "Mapping":
        """The mapping that a YAML file holds; raises `WrongError` naming the key that is wrong."""
        if not isinstance(read, dict) or not all(read.get(key) for key in ("source", "key", "fields")):
            raise WrongError("须有 source、key、fields", "it has to have source, key and fields")
        if not isinstance(read["fields"], dict):
            raise WrongError("fields：须是“字段: 列”", "fields: has to be field: column")
        rules = {}
        for name, given in read["fields"].items():
            try:
                rules[str(name)] = _rule(str(name), given)
            except WrongError as error:
                raise error.at(f"fields.{name}") from error
        if len(details := {name.split(".")[0] for name in rules if "." in name}) > 1:
            listed = ", ".join(sorted(details))
            raise WrongError(f"fields：一类信息只有一种细目，这里有 {listed}", f"fields: details of one kind, not of {listed}")
        return cls(str(read["source"]), str(read["key"]), rules)

    @property
    def columns(self) -> list[str]:
        """Every column that it names, once."""
        return list(dict.fromkeys((self.key, *(column for rule in self.rules.values() for column in rule.columns))))

    def passes_over(self, row: Row) -> bool:
        """Whether a row is no data."""
        return row.get(self.key, "").strip() in self.no_data

    def columns_of(self, path: str) -> list[str]:
        """The columns that fill a field or what lies in it; its path is as refusals name it, `bodies[0]` among them."""
        path = _INDEX.sub("", path)
        if path == KEY:
            return [self.key]
        return [
            column
            for name, rule in self.rules.items()
            if name == path or name.startswith(f"{path}.")
            for column in rule.columns
        ]

    def listing(self, row: Row, names: Names = as_given) -> listing_pb2.Listing:
        """The listing of a row; raises `UnmappedError` naming the first cell that has no meaning."""
        found, unread = self.read(row, names)
        if unread:
            raise unread[0]
        return found

    def read(self, row: Row, names: Names = as_given) -> tuple[listing_pb2.Listing, list[UnmappedError]]:
        """What can be read of a row's listing, and what is wrong with each field that can't.

        Raises `UnmappedError` for a row that is none at all.
        """
        if all(row.get(column) == column for column in self.columns):
            raise UnmappedError(KEY, self.key, row.get(self.key, ""), _HEADINGS_AGAIN)
        key = row.get(self.key, "")
        fields: dict[str, Any] = {KEY: key.strip()}  # blanks around it would make it another row's
        unread: list[UnmappedError] = []
        if isinstance(key, Unsettled):
            fields[KEY] = ""
            unread.append(UnmappedError(KEY, self.key, key, _unsettled(key)))
        for name, rule in self.rules.items():
            if "." in name:  # details are there also where none of their cells says anything
                fields.setdefault(name.split(".")[0], {})
            try:
                value = rule.apply(name, row, names)
            except UnmappedError as error:
                unread.append(error.plain())
                continue
            if value not in (None, "", []):
                _put(fields, name.split("."), value)
        return listing_pb2.Listing(**fields), unread


def _unsettled(cell: Unsettled) -> WrongError:
    return _ROUNDED if isinstance(cell, Rounded) else _UNSETTLED


def _no_yaml(error: yaml.YAMLError) -> WrongError:
    """Says where a mapping file is no YAML: what the parser says is in English alone."""
    if (mark := getattr(error, "problem_mark", None)) is None:  # of characters alone it says no line
        return WrongError("映射文件含有控制字符；请删去", "the mapping holds control characters; take them out")
    line = mark.line + 1
    return WrongError(
        f"映射文件第 {line} 行不是 YAML；请核对缩进、冒号和引号",
        f"the mapping is no YAML in line {line}; look at its indents, colons and quotes",
    )


def _rule(name: str, given: Any) -> Rule:
    if (leaf := leaves().get(name)) is None:
        raise unknown(name, leaves())
    options = {"column": given} if isinstance(given, str) else given
    if not isinstance(options, dict):
        raise WrongError("须写明 column 或 value", "name a column or a value")
    for option, chosen in options.items():
        if option not in _OPTIONS:
            raise unknown(option, _OPTIONS)
        if not isinstance(chosen, _OPTIONS[option]):
            raise WrongError(f"{option}: {chosen} 的写法不对", f"{option}: {chosen} is not written as it has to be")
    if ("column" in options) is ("value" in options):
        raise WrongError("须写明 column 或 value，二者取一", "name either a column or a value")
    if "value" in options:
        return Rule(leaf, value=fitting(leaf, options["value"]))
    column = options["column"]
    rule = Rule(
        leaf,
        columns=tuple(map(str, column)) if isinstance(column, list) else (str(column),),
        lookup=options.get("lookup", ""),
        split=partial(_parts, options["split"]) if "split" in options else None,
        number=options.get("number", False),
        values={str(cell): "" if meant is None else str(meant) for cell, meant in options.get("values", {}).items()},
    )
    _check(rule)
    return rule


def _check(rule: Rule) -> None:
    """Raises `WrongError` where its cells could never become the field's value."""
    if rule.lookup and rule.lookup not in _LOOKUPS:
        raise unknown(rule.lookup, _LOOKUPS).at("lookup")
    if rule.split and not (rule.leaf.is_repeated and _is_text(rule.leaf)):
        raise WrongError("split 只用于多值字段", "split is for fields that hold several values")
    if rule.number and (_is_text(rule.leaf) or rule.leaf.enum_type):
        raise WrongError("number 只用于数字字段", "number is for fields that hold a number")
    for cell, meant in rule.values.items():
        try:
            if meant:
                rule.read([meant])
        except WrongError as error:
            raise error.at(f"values.{cell}: {meant}") from error


def _is_text(leaf: FieldDescriptor) -> bool:
    return leaf.cpp_type == FieldDescriptor.CPPTYPE_STRING


def _number(leaf: FieldDescriptor, cell: str) -> int | None:
    if leaf.name == "quantity":
        return amounts.quantity(cell)
    if leaf.containing_type != listing_pb2.SalaryRange.DESCRIPTOR:
        return amounts.count(cell)
    ends = amounts.pay(cell)
    return ends[leaf.name == "max"] if ends else None


def _parts(separators: str, cell: str) -> list[str]:
    return [part.strip() for part in re.split(f"[{re.escape(separators)}]", cell) if part.strip()]


def _looked_up(lookup: str, cells: list[str]) -> str:
    code = _LOOKUPS[lookup](cells)
    if not code:
        raise WrongError(
            "对不上代码表；请改正，或在映射的 values 中写明", "it is in no code table; mend it, or add it to `values`"
        )
    return code


def _is_in(lookup: str, cell: str) -> bool:
    with suppress(WrongError):
        return bool(_LOOKUPS[lookup]([cell]))
    return False


def _put(fields: dict[str, Any], path: list[str], value: Any) -> None:
    for step in path[:-1]:
        fields = fields.setdefault(step, {})
    fields[path[-1]] = value


def _region(cells: list[str]) -> str:
    """Code of the narrowest place named; a place whose name stands more than once must lie in a wider one named."""
    wider = regions.find(cells[-1])
    _require_one_place(cells[-1], wider)
    for cell in cells:
        if found := regions.find(cell, wider[0] if wider else ""):
            _require_one_place(cell, found)
            return found[0]
    return ""


def _require_one_place(name: str, found: Sequence[str]) -> None:
    """The widest is meant: 朝阳 is a city, and districts elsewhere."""
    widest = [code for code in found if len(regions.prefix(code)) == len(regions.prefix(found[0]))]
    if len(widest) <= 1:
        return
    places = "、".join(f"{code} {regions.full_name(code)}" for code in widest)
    raise WrongError(
        f"“{name}”不止一处：{places}；请写代码，或在映射中加上所在省、市的列",
        f"there is more than one {name!r}: {places}; write the code, or map the column of its province or city, too",
    )


_LOOKUPS: dict[str, Callable[[list[str]], str]] = {
    "region": _region,
    "education": lambda cells: education.find(cells[0]),
    "industry": lambda cells: next(iter(industries.find(cells[0])), ""),
}
