"""Between messages and rows."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from access.register import OrganizationRow
from access.visibility import Viewer
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from chassis.clock import parsed_date
from chassis.crypto import hex_digest
from chassis.errors import Violation
from chassis.etag import etag
from codes import regions
from listings.domain.bases import Base, Side
from listings.domain.names import DETAILS, Kind, OrgType, State
from listings.domain.window import window
from listings.store import ListingRow

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
_SETS = ("bodies", "region_codes", "industry_codes", "field_codes")
_SETS_OF_DETAILS = frozenset({"majors", "occupation_codes", "sharing"})
"""Fields that say the same in any order: codes and names. What an issuer lists in words stays in its order."""
_DATES = frozenset({"valid_from", "valid_to"})
_PLATFORMS = ("name", "state", "etag", "create_time", "update_time", "publish_time")
_IDENTITY = ("issuer", "kind", "source", "external_key")


def written(message: pb.Listing) -> pb.Listing:
    """What the issuer wrote: the message without the fields that are the platform's to set."""
    bare = pb.Listing()
    bare.CopyFrom(message)
    for field in _PLATFORMS:
        bare.ClearField(field)  # type: ignore[arg-type]
    leave_persons(bare)
    bare.title = bare.title.strip()
    bare.quantity = bare.quantity or 1
    return bare


def keep_persons(message: pb.Listing, before: pb.Listing) -> None:
    """Leave the records of persons where they are: what the issuer writes says nothing of them."""
    message.contact = before.contact
    if message.HasField("expert"):
        message.expert.person = before.expert.person


def leave_persons(message: pb.Listing) -> None:
    """Take out what refers to persons: nobody outside can make anything of it."""
    message.ClearField("contact")
    if message.HasField("expert"):
        message.expert.ClearField("person")


def content_hash(bare: pb.Listing) -> str:
    """Hash of what the issuer wrote (hex SHA-256), the same in whatever order its sets are."""
    return hex_digest(_in_order(bare).SerializeToString(deterministic=True))


def _in_order(message: pb.Listing) -> pb.Listing:
    ordered = pb.Listing()
    ordered.CopyFrom(message)
    for field in _SETS:
        getattr(ordered, field).sort()
    if name := ordered.WhichOneof("details"):
        details = getattr(ordered, name)
        for field in _SETS_OF_DETAILS.intersection(details.DESCRIPTOR.fields_by_name):
            getattr(details, field).sort()
    return ordered


def row_of(
    message: pb.Listing, *, version: int, today: date, hashed: str, counts_on: date | None, published_at: datetime | None
) -> ListingRow:
    """The row of a listing in a new version; fills in the message's dates, etag and time of publication."""
    first, last = _window(message, today)
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
        list_year=message.industry_challenge.list_year,
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


def shown(message: pb.Listing, viewer: Viewer) -> pb.Listing:
    """The listing as the viewer sees it: who stands behind it is referred to for its issuer, as on the public topic."""
    if not viewer.acts_for(message.issuer):
        leave_persons(message)
    return message


def changed_fields(before: pb.Listing, after: pb.Listing) -> list[str]:
    """Names of the fields in which two contents differ."""
    before, after = _in_order(before), _in_order(after)
    return [field for field in WRITABLE if getattr(before, field) != getattr(after, field)]


def revised_fields(row: ListingRow, bare: pb.Listing, today: date) -> list[str]:
    """Names of the fields that a revision changes today: open dates of what is published are filled in, and may come to those
    that are there.
    """
    before = written(message_of(row))
    fields = changed_fields(before, bare)
    if row.state != State.PUBLISHED or _DATES.isdisjoint(fields):
        return fields
    dated = pb.Listing()
    dated.CopyFrom(bare)
    first, last = _window(bare, today)
    dated.valid_from, dated.valid_to = first.isoformat(), last.isoformat()
    return changed_fields(before, dated)


def _window(message: pb.Listing, today: date) -> tuple[date, date]:
    return window(Kind(message.kind), parsed_date(message.valid_from), parsed_date(message.valid_to), today)


def identity_problems(before: pb.Listing, after: pb.Listing) -> list[Violation]:
    """Violations for fields that can't change once they are set."""
    return [
        Violation(field, "immutable", f"{field} 不能修改；请另行新建", f"{field} can't change; enter a new listing")
        for field in _IDENTITY
        if getattr(before, field) != getattr(after, field)
    ]


def base_of(message: pb.Listing, known: Mapping[str, OrganizationRow]) -> Base:
    """A practice base as the target counts it, by the organizations that are known. A college is its university."""
    details, host = message.practice_base, known.get(message.issuer)
    sharing = {_school(known[name]): known[name].org_type for name in details.sharing if name in known}
    return Base(message.name, host.org_type if host else 0, list(sharing.values()), parsed_date(details.in_use_since))


def _school(one: OrganizationRow) -> str:
    return one.parent if one.org_type == OrgType.SECONDARY_COLLEGE and one.parent else one.name


def target_message(side: Side) -> rpc.PracticeBaseTarget:
    """How far one side of an alliance is."""
    return rpc.PracticeBaseTarget(in_use=side.in_use, coming=side.coming, reached=side.reached)
