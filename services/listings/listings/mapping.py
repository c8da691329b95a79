"""Between messages and rows."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import round_pb2
from chassis.clock import parsed_date
from chassis.crypto import hex_digest
from chassis.errors import Violation
from chassis.etag import etag
from codes import regions
from listings.domain.names import DETAILS
from listings.domain.window import window
from listings.store import ListingRow, RoundRow

WRITABLE = (
    "bodies",
    "title",
    "description",
    "visibility",
    "region_codes",
    "industry_codes",
    "field_codes",
    "valid_from",
    "valid_to",
    "quantity",
    *dict.fromkeys(DETAILS.values()),
)
"""Fields that a revision may change."""
_PLATFORMS = ("name", "state", "etag", "create_time", "update_time", "publish_time", "contact")
_IDENTITY = ("issuer", "kind", "source", "external_key")


def written(message: pb.Listing) -> pb.Listing:
    """What the issuer wrote: the message without the fields that are the platform's to set."""
    bare = pb.Listing()
    bare.CopyFrom(message)
    for field in _PLATFORMS:
        bare.ClearField(field)  # type: ignore[arg-type]
    if bare.HasField("expert"):
        bare.expert.ClearField("person")
    bare.title = bare.title.strip()
    bare.quantity = bare.quantity or 1
    return bare


def keep_persons(message: pb.Listing, before: pb.Listing) -> None:
    """Leave the records of persons where they are: what the issuer writes says nothing of them."""
    message.contact = before.contact
    if message.HasField("expert"):
        message.expert.person = before.expert.person


def content_hash(bare: pb.Listing) -> str:
    """Hash of what the issuer wrote (hex SHA-256)."""
    return hex_digest(bare.SerializeToString(deterministic=True))


def row_of(
    message: pb.Listing, *, version: int, today: date, hashed: str, counts_on: date | None, published_at: datetime | None
) -> ListingRow:
    """The row of a listing in a new version; fills in the message's dates, etag and time of publication."""
    first, last = window(parsed_date(message.valid_from), parsed_date(message.valid_to), today)
    if message.state != pb.LISTING_STATE_DRAFT:  # a draft's open dates are filled in on the day it is published
        message.valid_from, message.valid_to = first.isoformat(), last.isoformat()
    if published_at is not None:
        message.publish_time.FromDatetime(published_at)
    message.etag = etag(version)
    return ListingRow(
        name=message.name,
        version=version,
        issuer=message.issuer,
        kind=message.kind,
        state=message.state,
        visibility=message.visibility,
        bodies=list(message.bodies),
        areas=sorted({area for code in message.region_codes for area in regions.path(code)}),
        source=message.source,
        external_key=message.external_key,
        content_hash=hashed,
        valid_from=first,
        valid_to=last,
        counts_on=counts_on,
        published_at=published_at,
        create_time=message.create_time.ToDatetime(tzinfo=UTC),
        update_time=message.update_time.ToDatetime(tzinfo=UTC),
        content=message.SerializeToString(deterministic=True),
    )


def message_of(row: ListingRow) -> pb.Listing:
    """The listing of a row; its etag is of the row's version, which a restore raises too."""
    message = pb.Listing.FromString(row.content)
    message.etag = etag(row.version)
    return message


def changed_fields(before: pb.Listing, after: pb.Listing) -> list[str]:
    """Names of the fields that a revision changed."""
    return [field for field in WRITABLE if getattr(before, field) != getattr(after, field)]


def identity_problems(before: pb.Listing, after: pb.Listing) -> list[Violation]:
    """Violations for fields that can't change once they are set."""
    return [
        Violation(field, "immutable", f"{field} 不能修改；请另行新建", f"{field} can't change; enter a new listing")
        for field in _IDENTITY
        if getattr(before, field) != getattr(after, field)
    ]


def round_message(row: RoundRow, counted: Sequence[tuple[int, int]]) -> round_pb2.Round:
    """The message of a round."""
    found = round_pb2.Round(
        name=row.name,
        body=row.body,
        kind=row.kind,  # type: ignore[arg-type]
        period=row.period,
        opens_on=row.opens_on.isoformat(),
        closes_on=row.closes_on.isoformat(),
        state=row.state,  # type: ignore[arg-type]
        etag=etag(row.version),
        counts=[round_pb2.RoundCount(kind=kind, listings=number) for kind, number in counted],  # type: ignore[arg-type]
    )
    found.create_time.FromDatetime(row.create_time)
    found.update_time.FromDatetime(row.update_time)
    return found
