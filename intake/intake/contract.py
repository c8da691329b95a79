"""What the contract says of a listing's fields (alliance.common.v1.field): which a table may fill, their names and codes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from google.protobuf.descriptor import Descriptor, EnumValueDescriptor, FieldDescriptor

from alliance.common.v1 import field_pb2
from alliance.listings.v1 import listing_pb2
from codes import education, fields, industries, majors, occupations, regions

KEY = "external_key"
_NOT_MAPPED = {"etag", "issuer", "kind", "source", KEY}  # the last four are told by the import's options and the mapping
_TOP = (
    *("title", "description", "visibility", "bodies", "region_codes", "industry_codes", "field_codes"),
    *("valid_from", "valid_to", "quantity"),
)


class Codes(Protocol):
    """A code table, as its module offers it."""

    @property
    def entries(self) -> Callable[[], list[tuple[str, str]]]:
        """Every code with its name."""

    @property
    def shown(self) -> Callable[[str], str]:
        """A code as it is shown, with its name."""


TABLES: Mapping[int, tuple[str, Codes]] = {
    field_pb2.CODE_TABLE_REGIONS: ("行政区划 GB/T 2260", regions),
    field_pb2.CODE_TABLE_INDUSTRIES: ("国民经济行业 GB/T 4754", industries),
    field_pb2.CODE_TABLE_FIELDS: ("重点领域", fields),
    field_pb2.CODE_TABLE_EDUCATION: ("学历 GB/T 4658", education),
    field_pb2.CODE_TABLE_MAJORS: ("专业目录", majors),
    field_pb2.CODE_TABLE_OCCUPATIONS: ("职业分类大典 2022", occupations),
}
"""Table → its Chinese name, and its module."""
COLLECTIONS: Mapping[int, str] = {
    field_pb2.TEXT_FORMAT_BODY: "bodies",
    field_pb2.TEXT_FORMAT_ORGANIZATION: "organizations",
    field_pb2.TEXT_FORMAT_LISTING: "listings",
    field_pb2.TEXT_FORMAT_ROUND: "rounds",
}
"""Format of a resource name → its collection."""


@dataclass(frozen=True)
class Column:
    """A field as a column of a table."""

    path: str
    leaf: FieldDescriptor
    known: field_pb2.Field

    @property
    def zh(self) -> str:
        """Its heading."""
        return self.known.zh

    @property
    def is_required(self) -> bool:
        """Whether an import refuses a row without it."""
        return self.known.required or self.path == KEY


def known(leaf: FieldDescriptor) -> field_pb2.Field:
    """What the contract says of a field."""
    found: field_pb2.Field = leaf.GetOptions().Extensions[field_pb2.field]
    return found


def label(value: EnumValueDescriptor) -> str:
    """Chinese name of a value."""
    return str(value.GetOptions().Extensions[field_pb2.zh])


def kind_label(kind: int) -> str:
    """Chinese name of a kind."""
    return label(listing_pb2.ListingKind.DESCRIPTOR.values_by_number[kind])


def details(kind: int) -> str:
    """Name of the field that holds a kind's details."""
    name = listing_pb2.ListingKind.Name(kind).removeprefix("LISTING_KIND_").lower()  # type: ignore[arg-type]
    return name if name in listing_pb2.Listing.DESCRIPTOR.fields_by_name else "supply_demand_list"


@cache
def columns(kind: int) -> tuple[Column, ...]:
    """Everything of a listing of a kind that its issuer fills in, in the order of a table's columns."""
    key, prefix = listing_pb2.Listing.DESCRIPTOR.fields_by_name[KEY], f"{details(kind)}."
    paths = (*_TOP, *(path for path in leaves() if path.startswith(prefix)))
    return (Column(KEY, key, known(key)), *(Column(path, leaves()[path], known(leaves()[path])) for path in paths))


@cache
def leaves() -> Mapping[str, FieldDescriptor]:
    """What a mapping may fill: path → field."""
    return dict(_under(listing_pb2.Listing.DESCRIPTOR))


def _under(message: Descriptor, prefix: str = "") -> Iterator[tuple[str, FieldDescriptor]]:
    for one in message.fields:
        if known(one).output_only or (not prefix and one.name in _NOT_MAPPED):
            continue
        if one.message_type:
            yield from _under(one.message_type, f"{prefix}{one.name}.")
        else:
            yield f"{prefix}{one.name}", one
