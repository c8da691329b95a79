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

EXAMPLE = "示例行，导入时跳过"
"""Key of the example row."""
RECEIPT = ("导入结果", "导入后编号", "导入问题")
"""Headings of what receipts add to a table."""
EXTRAS = ("name", "issuer", "source", "state", "publish_time")
"""Fields that an export shows behind the columns. An import takes issuer and source to be the ones that it is for and the
name to be that of the listing that a row without a key is."""


def extras() -> list[Column]:
    """The columns of `EXTRAS`."""
    return [_column(path) for path in EXTRAS]


def is_template(headings: Sequence[str]) -> bool:
    """Whether a table has the platform's own form, by its first line."""
    return KEY in headings or KEY_HEADING in headings


def source(kind: int) -> str:
    """Source of the rows of a template of a kind, where none is named: of each kind its own, since all count rows 1, 2, 3."""
    return f"template:{listing_pb2.ListingKind.Name(kind).removeprefix('LISTING_KIND_').lower()}"  # type: ignore[arg-type]


def mapping(kind: int, headings: Sequence[str]) -> Mapping:
    """How a template's columns become listings of a kind.

    Raises `WrongError` for a column that is none of the kind's, and for a required one that is not there.
    """
    by_path = KEY in headings
    columns = {column.path if by_path else column.zh: column for column in contract.columns(kind)}
    more = {column.path if by_path else column.zh: column for column in extras()}
    for heading in headings:
        if heading and heading not in columns and heading not in more and heading not in RECEIPT:
            raise _no_column(heading, kind, columns)
    if missing := [one.zh for heading, one in columns.items() if one.is_required and heading not in headings]:
        listed = "、".join(missing)
        raise WrongError(f"缺少必填的列：{listed}；请补上", f"columns that are required are missing: {listed}; add them")
    taken = {heading: one for heading, one in (columns | more).items() if heading in headings and one.path not in _NOT_TAKEN}
    rules = {column.path: _rule(heading, column) for heading, column in taken.items()}
    return Mapping(source(kind), KEY if by_path else KEY_HEADING, rules, no_data=frozenset({EXAMPLE, KEY_HEADING}))


def _column(path: str) -> Column:
    leaf = listing_pb2.Listing.DESCRIPTOR.fields_by_name[path]
    return Column(path, leaf, contract.known(leaf))


KEY_HEADING = _column(KEY).zh
_NOT_TAKEN = {KEY, "state", "publish_time"}  # the id tells which listing a row without a key is


def _rule(heading: str, column: Column) -> Rule:
    return Rule(
        column.leaf,
        (heading,),
        split=partial(items, column.leaf) if column.leaf.is_repeated else None,
        shown=column.zh,
    )


def _no_column(heading: str, kind: int, columns: MappingOf[str, Column]) -> WrongError:
    near, kind_zh = unknown(heading, columns), contract.kind_label(kind)
    return WrongError(
        f"{kind_zh}的表中{near.zh}；请改正或删去此列，或用映射导入",
        f"in a table of {kind_zh} {near.en}; mend or delete the column, or import it by a mapping",
    )
