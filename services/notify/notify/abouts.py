"""What a record of each topic tells: whom it concerns, who may know of it, and the facts that messages name."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from typing import Any, cast

from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from alliance.common.v1 import field_pb2
from alliance.listings.v1 import events_pb2 as listings_events
from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import events_pb2 as matching_events
from alliance.matching.v1 import match_pb2, review_pb2, search_pb2
from alliance.registry.v1 import application_pb2
from alliance.registry.v1 import events_pb2 as registry_events
from alliance.registry.v1.application_pb2 import ApplicationState, Programme
from alliance.reporting.v1 import events_pb2 as reporting_events
from alliance.reporting.v1 import report_pb2
from chassis import topics, vault
from chassis.clock import SHANGHAI
from chassis.record import Record
from notify.domain.events import ENDS, SHARED_PROGRAMMES, About, Audience, known_patterns
from notify.shown import SHOWN, resource_of, shown

_REASONS = 3  # parts of a score that a message names

TOPICS = (
    "alliance.internal.registry.organization.v1",
    "alliance.internal.registry.body.v1",
    "alliance.internal.registry.membership.v1",
    "alliance.internal.listings.listing.v1",
    "alliance.internal.listings.round.v1",
    "alliance.internal.listings.feed.v1",
    "alliance.internal.listings.silence.v1",
    "alliance.internal.listings.booking.v1",
    "alliance.internal.matching.match.v1",
    "alliance.internal.matching.review.v1",
    "alliance.internal.matching.search.v1",
    "alliance.internal.reporting.deadline.v1",
    "alliance.internal.reporting.report.v1",
    "alliance.internal.registry.call.v1",
    "alliance.internal.registry.application.v1",
)
"""What can be subscribed to."""


def subscribable() -> frozenset[str]:
    """Every event type and pattern that a subscription may name."""
    declared = [topics.load().named(name) for name in TOPICS]
    return known_patterns([topic.type_of(verb) for topic in declared for verb in SHOWN[topic.name].verbs.split()])


def about(record: Record) -> About:
    """What notify needs to know of a record."""
    return _ABOUT[record.topic](record)


def told(record: Record, about: About, *, whole: bool) -> tuple[About, dict[str, Any]]:
    """What is told of a record, `whole` to its owners: the event with what texts name, and the content of webhooks. Both are
    made of what is handed out of it (`shown`).
    """
    left = shown(record, whole=whole)
    return replace(about, facts=_ABOUT[left.topic](left).facts), _content(left)


def _content(record: Record) -> dict[str, Any]:
    """The resource of a record as a webhook carries it: no record of a person is referred to."""
    message = cast(Any, record.message)
    resource = MessageToDict(getattr(message, resource_of(message)), preserving_proto_field_name=True)
    return {"subject": record.key, "version": record.version, "resource": _without_persons(resource)}


def _without_persons(value: Any) -> Any:
    """A resource without what refers to records of persons (a contact, an expert, a candidate), wherever that stands in it."""
    if isinstance(value, dict):
        return {name: _without_persons(one) for name, one in value.items() if not _is_persons(one)}
    if isinstance(value, list):
        return [_without_persons(one) for one in value if not _is_persons(one)]
    return value


def _is_persons(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(f"{vault.COLLECTION}/")


def _listing(record: Record) -> About:
    listing = cast(listings_events.ListingEvent, record.message).listing
    return About(
        record.id,
        record.type,
        record.key,
        frozenset({listing.issuer}),
        frozenset(listing.bodies),
        listing.kind,
        Audience.VIEWERS,
        listing.issuer,
        listing.visibility,
        listing.HasField("publish_time") and (listing.state == listing_pb2.LISTING_STATE_PUBLISHED or record.type in ENDS),
        frozenset({listing.issuer}),
        {"title": listing.title, "issuer": listing.issuer, "valid_to": listing.valid_to},
    )


def _match(record: Record) -> About:
    match = cast(matching_events.MatchEvent, record.message).match
    best = sorted(match.parts, key=lambda part: -part.contribution)[:_REASONS]
    facts = {
        "score": str(match.score),
        "state": match_pb2.MatchState.Name(match.state).removeprefix("MATCH_STATE_"),
        "reason": match.reason,
        "why": "；".join(part.reason.zh for part in best),
        "why_en": "; ".join(part.reason.en for part in best),
    }
    sides = frozenset({match.demand_issuer, match.supply_issuer})
    return About(record.id, record.type, record.key, sides, frozenset(match.bodies), audience=Audience.SIDES, facts=facts)


def _review(record: Record) -> About:
    review = cast(review_pb2.ReviewEvent, record.message).review
    facts = {
        "match": review.match.name,
        "organization": review.organization,
        "reason": review.reason,
        "finding": review.finding,
        "due_on": review.due_on,
    }
    sides = frozenset({review.match.demand_issuer, review.match.supply_issuer})
    bodies = frozenset(review.match.bodies)
    return About(record.id, record.type, record.key, sides, bodies, audience=Audience.SIDES, facts=facts)


def _search(record: Record) -> About:
    """What met a search is told as the listing's, so that it is told to nobody who may see the listing no more."""
    search = cast(search_pb2.SavedSearchEvent, record.message).search
    owner, facts = frozenset({search.organization}), {"search": search.display_name}
    if record.verb != "met":
        return About(record.id, record.type, record.key, owner, audience=Audience.SIDES, facts=facts)
    found = search.latest
    return About(
        record.id,
        record.type,
        found.listing,
        owner,
        frozenset(found.bodies),
        found.kind,
        Audience.SEEKERS,
        found.issuer,
        found.visibility,
        shown=True,
        facts={**facts, "title": found.title, "issuer": found.issuer},
    )


def _organization(record: Record) -> About:
    own = frozenset({record.key})
    return About(record.id, record.type, record.key, own, audience=Audience.EVERYBODY, owners=own)


def _body(record: Record) -> About:
    body = cast(registry_events.BodyEvent, record.message).body
    if body.formed_on:
        audience, whose = Audience.EVERYBODY, frozenset[str]()
    else:  # a draft, also one that was dissolved: its members', and theirs for whom it is made
        audience, whose = Audience.MEMBERS, frozenset({body.pilot_unit.institution or body.support_unit.unit}) - {""}
    return About(record.id, record.type, record.key, whose, frozenset({record.key}), audience=audience)


def _membership(record: Record) -> About:
    membership = cast(registry_events.MembershipEvent, record.message).membership
    body = record.key.split("/memberships/")[0]
    organizations = frozenset({membership.organization})
    return About(record.id, record.type, record.key, organizations, frozenset({body}), audience=Audience.SIDES)


def _round(record: Record) -> About:
    body = cast(listings_events.RoundEvent, record.message).round.body
    return About(record.id, record.type, record.key, bodies=frozenset({body}), audience=Audience.MEMBERS)


def _feed(record: Record) -> About:
    feed = cast(listings_events.FeedEvent, record.message).feed
    facts = {
        "title": feed.display_name,
        "since": _told(feed.silent_since_time) if feed.HasField("silent_since_time") else "",
        "why": feed.last_error.zh or "没有新的记录",
        "why_en": feed.last_error.en or "no new record",
    }
    return About(record.id, record.type, record.key, frozenset({feed.issuer}), audience=Audience.SIDES, facts=facts)


def _silence(record: Record) -> About:
    silence = cast(listings_events.SilenceEvent, record.message).silence
    facts = {"organization": silence.organization, "body": silence.body, "period": silence.period}
    sides = frozenset({silence.organization})
    return About(record.id, record.type, record.key, sides, frozenset({silence.body}), audience=Audience.SIDES, facts=facts)


def _told(instant: Timestamp) -> str:
    return f"{instant.ToDatetime(tzinfo=UTC).astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _booking(record: Record) -> About:
    booking = cast(listings_events.BookingEvent, record.message).booking
    facts = {
        "organization": booking.organization,
        "equipment": booking.equipment,
        "begins": _told(booking.begin_time),
        "ends": _told(booking.end_time),
        "reason": booking.reason,
    }
    sides = frozenset({booking.organization, booking.issuer})
    return About(record.id, record.type, record.key, sides, audience=Audience.SIDES, facts=facts)


def _deadline(record: Record) -> About:
    deadline = cast(reporting_events.DeadlineEvent, record.message).deadline
    facts = {
        "title": deadline.title.zh,
        "title_en": deadline.title.en,
        "period": deadline.period,
        "due_on": deadline.due_on,
        "body": deadline.body,
        "state": report_pb2.DeadlineState.Name(deadline.state).removeprefix("DEADLINE_STATE_"),
    }
    bodies = frozenset({deadline.body})
    return About(record.id, record.type, record.key, bodies=bodies, audience=Audience.STEERING, facts=facts)


def _report(record: Record) -> About:
    """A draft of it is its secretariat's; what was submitted is told to its recipients (R56), as far as they are known."""
    report = cast(reporting_events.ReportEvent, record.message).report
    facts = {"period": report.period, "revision": str(report.revision), "body": report.body}
    is_sent = report.state == report_pb2.REPORT_STATE_SUBMITTED
    recipients = frozenset(one.organization for one in report.recipients if is_sent) - {""}
    bodies = frozenset({report.body})
    return About(record.id, record.type, record.key, recipients, bodies, audience=Audience.RECIPIENTS, facts=facts)


def _call(record: Record) -> About:
    call = cast(registry_events.CallEvent, record.message).call
    facts = {
        "programme": _zh(Programme, call.programme),
        "programme_en": _en(Programme, "PROGRAMME_", call.programme),
        "year": str(call.year),
        "authority": call.authority,
        "opens_on": call.opens_on or "…",
        "closes_on": call.closes_on or "另行通知",
        "closes_on_en": call.closes_on or "further notice",
    }
    return About(record.id, record.type, record.key, frozenset({call.authority}), audience=Audience.EVERYBODY, facts=facts)


def _application(record: Record) -> About:
    application = cast(registry_events.ApplicationEvent, record.message).application
    return About(
        record.id,
        record.type,
        record.key,
        _parties(application),
        frozenset({application.body} - {""}),
        audience=Audience.SHARED if int(application.programme) in SHARED_PROGRAMMES else Audience.PARTIES,
        issuer=application.applicant,
        owners=frozenset({application.authority}),
        facts=_application_facts(application),
        variant=_variant(application) if record.type.split(".")[-2] == "stepped" else "",
    )


def _parties(application: application_pb2.Application) -> frozenset[str]:
    """Who applies and decides, and whoever took or was named by a step and has not been released since."""
    named: list[tuple[str, str]] = []
    for step in application.steps:
        named += [(step.organization, step.actor), (step.named_organization, step.named_principal)]
        named = [one for one in named if not set(step.released).intersection(one)]
    return frozenset({application.applicant, application.authority, *(organization for organization, _ in named)}) - {""}


def _application_facts(application: application_pb2.Application) -> dict[str, str]:
    facts = {
        "title": application.display_name,
        "programme": _zh(Programme, application.programme),
        "programme_en": _en(Programme, "PROGRAMME_", application.programme),
        "state": _zh(ApplicationState, application.state),
        "state_en": _en(ApplicationState, "APPLICATION_STATE_", application.state),
        "applicant": application.applicant,
        "due_on": application.due_on,
        "due_title": application.due_title.zh,
        "due_title_en": application.due_title.en,
        "until": f"请于 {application.due_on} 前" if application.due_on else "请",
        "until_en": f" by {application.due_on}" if application.due_on else "",
    }
    if application.steps:
        last = application.steps[-1]
        facts |= {
            "step": last.title.zh,
            "step_en": last.title.en,
            "by": last.organization or "平台",
            "by_en": last.organization or "the platform",
            "because": f"原因：{last.reason}。" if last.reason else "",
            "because_en": f" Reason: {last.reason}." if last.reason else "",
        }
    return facts


def _variant(application: application_pb2.Application) -> str:
    """How the newest step reads: handed back to the applicant, ended by a last day, decided, or only taken."""
    last = application.steps[-1]
    if last.step in _HANDED_BACK:
        return "returned"
    if last.state == application_pb2.APPLICATION_STATE_LAPSED:
        return "lapsed"
    before = application.steps[-2].state if len(application.steps) > 1 else application_pb2.APPLICATION_STATE_DRAFT
    return "decided" if last.state != before and last.state in _DECIDED else ""


_HANDED_BACK = ("return", "rework")
_DECIDED = frozenset(
    ApplicationState.Value(f"APPLICATION_STATE_{name}")
    for name in (
        *("QUALIFIED", "REPORTED", "RUNNING", "WARNED", "CULTIVATED", "CERTIFIED"),
        *("PUBLISHED", "COMPLETED", "REJECTED", "REMOVED"),
    )
)


def _zh(enum: Any, number: int) -> str:
    """The Chinese name of an enum's value, as the contract has it."""
    return str(enum.DESCRIPTOR.values_by_number[number].GetOptions().Extensions[field_pb2.zh])


def _en(enum: Any, prefix: str, number: int) -> str:
    return str(enum.Name(number)).removeprefix(prefix).lower().replace("_", " ")


_ABOUT: dict[str, Callable[[Record], About]] = dict(
    zip(
        TOPICS,
        (
            *(_organization, _body, _membership, _listing, _round, _feed, _silence, _booking, _match, _review, _search),
            *(_deadline, _report, _call, _application),
        ),
        strict=True,
    )
)
