"""How a foreign file's columns become a listing: one YAML file a source.

    source: postings            # part of each row's identity
    key: job_id                 # column that holds the row's own key
    fields:
      title: title                                             # column → field
      visibility: {value: VISIBILITY_PUBLIC}                   # the same for every row
      region_codes: {column: [district, city], lookup: region} # first column that finds something
      quantity: {column: headcount, number: true}              # first whole number in the text: 招3人, 1,200, 1.5万
      job_position.salary.min: {column: pay, number: true}     # lower end, CNY a month: 8000, 8-12k, 1.5-2万·13薪, 20-30万/年
      job_position.salary.max: {column: pay, number: true}     # upper end
      job_position.skills: {column: keywords, split: "，,、"}
      job_position.education_code: {column: education, values: {不限: ""}, lookup: education}

`values` replaces whole cells before anything else. The file has to have every column that is named here.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from alliance.listings.v1 import listing_pb2
from codes import education, industries, regions
from intake import amounts
from intake.errors import UnmappedError, WrongError

Row = dict[str, str]
"""Heading → text of the cell; empty cells are "" or left out."""

_OPTIONS = {"column": str | list, "value": object, "lookup": str, "split": str, "number": bool, "values": dict}
_PLATFORMS = {"name", "state", "etag", "create_time", "update_time", "publish_time"}
_IMPORTS = {"issuer", "kind", "source", "external_key"}  # told by the import's options, `source` and `key`
_HEADINGS_AGAIN = WrongError("又是表头，不是数据；请删去此行", "headings again; leave it out")
_INTEGER = re.compile(r"-?\d+", re.ASCII)


@dataclass(frozen=True)
class Rule:
    """How one field is filled."""

    leaf: FieldDescriptor
    columns: tuple[str, ...] = ()
    value: Any = None
    lookup: str = ""
    split: str = ""
    number: bool = False
    values: dict[str, str] = field(default_factory=dict)

    def apply(self, name: str, row: Row) -> Any:
        """The field's value, or None to leave it empty; raises `UnmappedError`."""
        if not self.columns:
            return self.value
        cells = {column: self._replaced(row.get(column, "").strip()) for column in self.columns}
        filled = {column: cell for column, cell in cells.items() if cell}
        if not filled:
            return None
        try:
            return self.read(list(filled.values()))
        except WrongError as error:
            column = list(filled)[-1 if self.lookup else 0]
            raise UnmappedError(name, column, filled[column], error) from error

    def read(self, cells: list[str]) -> Any:
        """The value that cells stand for, None for none; raises `WrongError` that says what is wrong with them."""
        if self.split:
            return [part.strip() for part in re.split(f"[{re.escape(self.split)}]", cells[0]) if part.strip()]
        if self.lookup:
            return _fitting(self.leaf, _looked_up(self.lookup, cells))
        if self.number:
            number = _number(self.leaf, cells[0])
            return None if number is None else _fitting(self.leaf, number)
        return _fitting(self.leaf, cells[0])

    def _replaced(self, cell: str) -> str:
        return self.values.get(cell, cell)


@dataclass(frozen=True)
class Mapping:
    """A source's mapping."""

    source: str
    key: str
    rules: dict[str, Rule]
    file: Path | None = None
    """Where it was read; None for a built-in one."""

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
        except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
            raise WrongError(f"映射文件有误：{error}", f"the mapping is wrong: {error}") from error

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

    def listing(self, row: Row) -> listing_pb2.Listing:
        """The listing of a row; raises `UnmappedError` naming the first cell that has no meaning."""
        key = row.get(self.key, "")
        if all(row.get(column) == column for column in self.columns):
            raise UnmappedError("external_key", self.key, key, _HEADINGS_AGAIN)
        fields: dict[str, Any] = {"external_key": key}
        for name, rule in self.rules.items():
            if "." in name:  # details are there also where none of their cells says anything
                fields.setdefault(name.split(".")[0], {})
            value = rule.apply(name, row)
            if value not in (None, "", []):
                _put(fields, name.split("."), value)
        return json_format.ParseDict(fields, listing_pb2.Listing())


def _rule(name: str, given: Any) -> Rule:
    if (leaf := _leaves().get(name)) is None:
        raise _unknown(name, _leaves())
    options = {"column": given} if isinstance(given, str) else given
    if not isinstance(options, dict):
        raise WrongError("须写明 column 或 value", "name a column or a value")
    for option, chosen in options.items():
        if option not in _OPTIONS:
            raise _unknown(option, _OPTIONS)
        if not isinstance(chosen, _OPTIONS[option]):
            raise WrongError(f"{option}: {chosen} 的写法不对", f"{option}: {chosen} is not written as it has to be")
    if ("column" in options) is ("value" in options):
        raise WrongError("须写明 column 或 value，二者取一", "name either a column or a value")
    if "value" in options:
        return Rule(leaf, value=_fitting(leaf, options["value"]))
    column = options["column"]
    rule = Rule(
        leaf,
        columns=tuple(map(str, column)) if isinstance(column, list) else (str(column),),
        lookup=options.get("lookup", ""),
        split=options.get("split", ""),
        number=options.get("number", False),
        values={str(cell): "" if meant is None else str(meant) for cell, meant in options.get("values", {}).items()},
    )
    _check(rule)
    return rule


def _check(rule: Rule) -> None:
    """Raises `WrongError` where its cells could never become the field's value."""
    if rule.lookup and rule.lookup not in _LOOKUPS:
        raise _unknown(rule.lookup, _LOOKUPS).at("lookup")
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


@cache
def _leaves() -> dict[str, FieldDescriptor]:
    """What a mapping may fill: path → field."""
    return dict(_under(listing_pb2.Listing.DESCRIPTOR))


def _under(message: Descriptor, prefix: str = "") -> Iterator[tuple[str, FieldDescriptor]]:
    for one in message.fields:
        if not prefix and one.name in _PLATFORMS | _IMPORTS:
            continue
        if one.message_type:
            yield from _under(one.message_type, f"{prefix}{one.name}.")
        else:
            yield f"{prefix}{one.name}", one


def _is_text(leaf: FieldDescriptor) -> bool:
    return leaf.cpp_type == FieldDescriptor.CPPTYPE_STRING


def _fitting(leaf: FieldDescriptor, value: Any) -> Any:
    """The value as its field takes it; raises `WrongError` that says what the field takes."""
    if not leaf.is_repeated:
        return _single(leaf, value)
    return [_single(leaf, one) for one in (value if isinstance(value, list) else [value])]


def _single(leaf: FieldDescriptor, value: Any) -> Any:
    if leaf.enum_type:
        known = [one.name for one in leaf.enum_type.values if one.number]
        if value not in known:
            raise _unknown(value, known)
        return value
    if _is_text(leaf):
        if isinstance(value, date):  # as YAML reads 2026-12-31
            return value.isoformat()
        if not isinstance(value, str):
            raise WrongError("须是文字；请加引号", "it has to be text; put it in quotes")
        return value
    most = 2 ** (31 if leaf.cpp_type == FieldDescriptor.CPPTYPE_INT32 else 63) - 1
    if not _INTEGER.fullmatch(str(value)) or abs(int(value)) > most:
        raise WrongError(f"须是不超过 {most} 的整数", f"it has to be a whole number up to {most}")
    return int(value)


def _number(leaf: FieldDescriptor, cell: str) -> int | None:
    if leaf.name == "quantity":
        return amounts.quantity(cell)
    if leaf.containing_type != listing_pb2.SalaryRange.DESCRIPTOR:
        return amounts.count(cell)
    ends = amounts.pay(cell)
    return ends[leaf.name == "max"] if ends else None


def _looked_up(lookup: str, cells: list[str]) -> str:
    code = _LOOKUPS[lookup](cells)
    if not code:
        raise WrongError(
            "对不上代码表；请改正，或在映射的 values 中写明", "it is in no code table; mend it, or add it to `values`"
        )
    return code


def _unknown(given: object, known: Iterable[str]) -> WrongError:
    nearest = ", ".join(get_close_matches(str(given), known, cutoff=0))
    return WrongError(f"没有“{given}”；相近的有 {nearest}", f"there is no {given!r}; the nearest are {nearest}")


def _put(fields: dict[str, Any], path: list[str], value: Any) -> None:
    for step in path[:-1]:
        fields = fields.setdefault(step, {})
    fields[path[-1]] = value


def _region(cells: list[str]) -> str:
    """Code of the narrowest place named; a place whose name stands more than once must lie in a wider one named."""
    wider = regions.find(cells[-1])
    for cell in cells:
        found = [code for code in regions.find(cell) if not wider or regions.within(code, wider[0])]
        if found:
            return found[0]
    return ""


_LOOKUPS: dict[str, Callable[[list[str]], str]] = {
    "region": _region,
    "education": lambda cells: education.find(cells[0]),
    "industry": lambda cells: next(iter(industries.find(cells[0])), ""),
}
