"""A table in the platform's own form: a column a field, named in Chinese, for every kind of listing.

Its first line holds the fields' paths (hidden in a spreadsheet) and its second the Chinese names, or its only line of headings
has the Chinese names; both are recognised without any mapping. A row with `EXAMPLE` for a key is passed over.
"""

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from functools import partial

from alliance.listings.v1 import listing_pb2
from intake import contract
from intake.cells import items, unknown
from intake.contract import KEY, Column
from intake.errors import WrongError
from intake.mapping import Mapping, Rule

SOURCE = "template"
"""Source of rows of a template where none is named."""
EXAMPLE = "示例行，导入时跳过"
"""Key of the example row."""
RECEIPT = ("导入结果", "信息编号", "导入问题")
"""Headings of what receipts add to a table."""
SHOWN = ("name", "issuer", "source", "state", "publish_time")
"""Fields that an export shows beside the columns and an import passes over."""


def shown_columns() -> list[Column]:
    """The columns of `SHOWN`."""
    fields = listing_pb2.Listing.DESCRIPTOR.fields_by_name
    return [Column(path, fields[path], contract.known(fields[path])) for path in SHOWN]


def is_template(headings: Sequence[str]) -> bool:
    """Whether a table has the platform's own form, by its first line."""
    return KEY in headings or _zh(KEY) in headings


def mapping(kind: int, headings: Sequence[str], source: str, issuer: str) -> Mapping:
    """How a template's columns become listings of a kind; `issuer` is the one that the import is for.

    Raises `WrongError` for a column that is none of the kind's, and for a required one that is not there.
    """
    by_path = KEY in headings
    columns = {column.path if by_path else column.zh: column for column in contract.columns(kind)}
    passed = {column.path if by_path else column.zh for column in shown_columns()} | set(RECEIPT)
    for heading in headings:
        if heading and heading not in columns and heading not in passed:
            raise _no_column(heading, kind, columns)
    if missing := [one.zh for heading, one in columns.items() if one.is_required and heading not in headings]:
        listed = "、".join(missing)
        raise WrongError(f"缺少必填的列：{listed}；请补上", f"columns that are required are missing: {listed}; add them")
    rules = {column.path: _rule(heading, column) for heading, column in columns.items() if heading in headings}
    key = KEY if by_path else _zh(KEY)
    del rules[KEY]
    stated = {(path if by_path else _zh(path)): (path, value) for path, value in (("issuer", issuer), ("source", source))}
    return Mapping(source, key, rules, no_data=frozenset({EXAMPLE, _zh(KEY)}), stated=stated)


def _zh(path: str) -> str:
    return contract.known(listing_pb2.Listing.DESCRIPTOR.fields_by_name[path]).zh


def _rule(heading: str, column: Column) -> Rule:
    return Rule(column.leaf, (heading,), split=partial(items, column.leaf) if column.leaf.is_repeated else None)


def _no_column(heading: str, kind: int, columns: MappingOf[str, Column]) -> WrongError:
    near, kind_zh = unknown(heading, columns), contract.kind_label(kind)
    return WrongError(
        f"{kind_zh}的表中{near.zh}；请改正或删去此列，或用映射导入",
        f"in a table of {kind_zh} {near.en}; mend or delete the column, or import it by a mapping",
    )
