"""How a foreign file's columns become a listing: one YAML file a source.

    source: postings            # part of each row's identity
    key: job_id                 # column that holds the row's own key
    fields:
      title: title                                             # column → field
      visibility: {value: VISIBILITY_PUBLIC}                   # the same for every row
      region_codes: {column: [district, city], lookup: region} # first column that finds something
      quantity: {column: headcount, number: true}              # first whole number in the text
      job_position.skills: {column: keywords, split: "，,、"}
      job_position.education_code: {column: education, values: {不限: ""}, lookup: education}

`values` replaces whole cells before anything else.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import typer
import yaml
from google.protobuf import json_format

from alliance.listings.v1 import listing_pb2
from alliance_cli.rows import Row
from alliance_cli.session import t
from codes import education, industries, regions

_NUMBER = re.compile(r"^-?\d+|\d+", re.ASCII)
_MOST = 2**31 - 1  # of a whole number in the contract


@dataclass(frozen=True)
class UnmappedError(Exception):
    """A cell that the mapping cannot turn into its field's value."""

    field: str
    column: str
    text: str


@dataclass(frozen=True)
class Rule:
    """How one field is filled."""

    columns: tuple[str, ...] = ()
    value: Any = None
    lookup: str = ""
    split: str = ""
    number: bool = False
    values: dict[str, str] | None = None

    def apply(self, field: str, row: Row) -> Any:
        """The field's value, or None to leave it empty; raises `UnmappedError`."""
        if not self.columns:
            return self.value
        cells = [self._replaced(row.get(column, "").strip()) for column in self.columns]
        filled = [cell for cell in cells if cell]
        if not filled:
            return None
        if self.lookup:
            return self._looked_up(field, filled)
        if self.number:
            return self._counted(field, filled[0])
        if self.split:
            return [part.strip() for part in re.split(f"[{re.escape(self.split)}]", filled[0]) if part.strip()]
        return filled[0]

    def _replaced(self, cell: str) -> str:
        return (self.values or {}).get(cell, cell)

    def _counted(self, field: str, cell: str) -> int | None:
        found = _NUMBER.search(cell)
        number = int(found.group()) if found else None
        if number is not None and number > _MOST:
            raise UnmappedError(field, self.columns[0], cell)
        return number

    def _looked_up(self, field: str, cells: list[str]) -> Any:
        code = _LOOKUPS[self.lookup](cells)
        if not code:
            raise UnmappedError(field, self.columns[-1], cells[-1])
        return [code] if field.endswith("codes") else code


@dataclass(frozen=True)
class Mapping:
    """A source's mapping."""

    source: str
    key: str
    rules: dict[str, Rule]

    @classmethod
    def load(cls, text: str) -> "Mapping":
        """Read a mapping file, or a built-in mapping by its name."""
        path = Path(text)
        built_in = resources.files("alliance_cli").joinpath("mappings", f"{text}.yaml")
        if path.exists():
            content = path.read_text(encoding="utf-8")
        elif built_in.is_file():
            content = built_in.read_text(encoding="utf-8")
        else:
            raise typer.BadParameter(t(f"没有映射文件 {text}", f"no mapping {text}"))
        try:
            read = yaml.safe_load(content)
            rules = {field: _rule(given) for field, given in read["fields"].items()}
            return cls(str(read["source"]), str(read["key"]), rules)
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise typer.BadParameter(t(f"映射文件有误：{error}", f"the mapping is wrong: {error}")) from error

    def listing(self, row: Row) -> listing_pb2.Listing:
        """The listing of a row; raises `UnmappedError` naming the first cell that has no meaning."""
        fields: dict[str, Any] = {"external_key": row.get(self.key, "")}
        for field, rule in self.rules.items():
            if "." in field:  # details are there also where none of their cells says anything
                fields.setdefault(field.split(".")[0], {})
            value = rule.apply(field, row)
            if value not in (None, "", []):
                _put(fields, field.split("."), value)
        return json_format.ParseDict(fields, listing_pb2.Listing())


def _rule(given: Any) -> Rule:
    if isinstance(given, str):
        return Rule(columns=(given,))
    column = given.pop("column", ())
    lookup = given.get("lookup", "")
    if lookup and lookup not in _LOOKUPS:
        raise ValueError(f"lookup: {lookup}")
    return Rule(columns=(column,) if isinstance(column, str) else tuple(column), **given)


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
