"""Between messages, records and rows."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, cast

from alliance.listings.v1 import events_pb2 as listings_events
from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import events_pb2 as matching_events
from alliance.matching.v1 import match_pb2
from alliance.registry.v1 import events_pb2 as registry_events
from alliance.reporting.v1 import report_pb2 as pb
from alliance.reporting.v1 import reporting_service_pb2 as rpc
from chassis import topics
from chassis.clock import business_date
from chassis.etag import etag
from chassis.record import Record
from reporting.domain.deadlines import RULES, State
from reporting.domain.figures import Figure, side_of
from reporting.store import DeadlineRow, FactRow, NamingRow, ReportRow, RevisionRow, SourceRow

_RULES = {rule.id: rule for rule in RULES}


def fact_row(record: Record) -> FactRow:
    """The fact of a record; its business date is that of its taking effect."""
    effective = _effective(record)
    aggregate = topics.load().named(record.topic).aggregate
    row = FactRow(
        event_id=record.id,
        event_type=record.type,
        aggregate=aggregate,
        verb=record.verb,
        subject=record.key,
        version=record.version,
        kind=0,
        counts=False,
        accepted=False,
        valid_from=None,
        valid_to=None,
        effective_at=effective,
        business_date=business_date(effective),
    )
    if fill := _FILL.get(aggregate):
        fill(row, record)
    return row


def naming_rows(record: Record) -> list[NamingRow]:
    """The bodies that a record's event names, each once."""
    message = cast(Any, record.message)
    aggregate = topics.load().named(record.topic).aggregate
    effective = _effective(record)
    side = _side(record.verb, message.listing) if aggregate == "listing" else ""
    return [
        NamingRow(
            event_id=record.id,
            body=body,
            aggregate=aggregate,
            side=side,
            effective_at=effective,
            business_date=business_date(effective),
        )
        for body in sorted(set(_BODIES[aggregate](record)))
    ]


def _effective(record: Record) -> datetime:
    effective: datetime = cast(Any, record.message).meta.effective_at.ToDatetime(tzinfo=UTC)
    return effective


def _side(verb: str, listing: listing_pb2.Listing) -> str:
    return (side_of(listing.kind) or "") if _counts(verb, listing) else ""


def _counts(verb: str, listing: listing_pb2.Listing) -> bool:
    """Drafts are revised too: only what is published counts."""
    return verb in ("published", "revised") and listing.state == listing_pb2.LISTING_STATE_PUBLISHED


def _membership(row: FactRow, record: Record) -> None:
    membership = cast(registry_events.MembershipEvent, record.message).membership
    row.valid_from = date.fromisoformat(membership.valid_from)
    row.valid_to = date.fromisoformat(membership.valid_to) if membership.valid_to else None


def _listing(row: FactRow, record: Record) -> None:
    listing = cast(listings_events.ListingEvent, record.message).listing
    row.kind, row.counts = listing.kind, _counts(record.verb, listing)


def _match(row: FactRow, record: Record) -> None:
    match = cast(matching_events.MatchEvent, record.message).match
    row.accepted = match.state == match_pb2.MATCH_STATE_ACCEPTED


_FILL: dict[str, Callable[[FactRow, Record], None]] = {"membership": _membership, "listing": _listing, "match": _match}
_BODIES: dict[str, Callable[[Record], Iterable[str]]] = {
    "body": lambda record: [record.key],
    "membership": lambda record: [record.key.split("/memberships/")[0]],
    "listing": lambda record: cast(listings_events.ListingEvent, record.message).listing.bodies,
    "round": lambda record: [cast(listings_events.RoundEvent, record.message).round.body],
    "match": lambda record: cast(matching_events.MatchEvent, record.message).match.bodies,
}


def deadline_message(row: DeadlineRow) -> pb.Deadline:
    """The deadline of a row."""
    rule = _RULES[row.rule]
    message = pb.Deadline(
        name=row.name,
        body=row.body,
        rule=row.rule,
        clause=rule.clause,
        period=row.period,
        opens_on=row.opens_on.isoformat(),
        due_on=row.due_on.isoformat(),
        state=pb.DeadlineState.Value(f"DEADLINE_STATE_{row.state}"),
        closed_late=row.closed_late,
        closed_by_event=row.closed_by_event,
        etag=etag(row.version),
    )
    message.title.zh, message.title.en = rule.zh, rule.en
    message.create_time.FromDatetime(row.create_time)
    message.update_time.FromDatetime(row.update_time)
    return message


def states_of(states: Sequence[int]) -> list[State]:
    """States asked for in a list."""
    return [State(pb.DeadlineState.Name(cast(Any, one)).removeprefix("DEADLINE_STATE_")) for one in states if one]


def figure_json(figure: Figure) -> dict[str, Any]:
    """What a revision keeps of a figure."""
    one = figure.definition
    return {
        "id": one.id,
        "zh": one.zh,
        "en": one.en,
        "unit": one.unit,
        "how_zh": one.how_zh,
        "how_en": one.how_en,
        "value": figure.value,
    }


def figure_message(kept: dict[str, Any]) -> pb.Figure:
    """The figure that a revision keeps."""
    message = pb.Figure(id=kept["id"], value=kept["value"], unit=kept["unit"])
    message.label.zh, message.label.en = kept["zh"], kept["en"]
    message.definition.zh, message.definition.en = kept["how_zh"], kept["how_en"]
    return message


def report_message(row: ReportRow, of: RevisionRow) -> pb.Report:
    """A revision of a report."""
    message = pb.Report(
        name=row.name,
        body=row.body,
        kind=cast(Any, row.kind),
        period=row.period,
        revision=of.revision,
        state=pb.REPORT_STATE_SUBMITTED if of.submitted else pb.REPORT_STATE_COMPILED,
        figures=[figure_message(kept) for kept in of.figures],
        recipients=[pb.Recipient(**kept) for kept in of.recipients],
        amendment_reason=of.amendment_reason,
        workbook_sha256=of.workbook_sha256,
        etag=etag(row.version),
    )
    message.cutoff_time.FromDatetime(of.cutoff_time)
    if of.submit_time is not None:
        message.submit_time.FromDatetime(of.submit_time)
    message.create_time.FromDatetime(row.create_time)
    message.update_time.FromDatetime(row.update_time)
    return message


def source_message(row: SourceRow) -> rpc.FigureSource:
    """An event behind a figure."""
    message = rpc.FigureSource(
        event_id=row.event_id,
        event_type=row.event_type,
        subject=row.subject,
        version=row.version,
        amount=row.amount,
    )
    message.effective_at.FromDatetime(row.effective_at)
    return message
