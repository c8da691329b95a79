"""Protobuf ↔ domain."""

import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import fields
from datetime import date
from typing import Any, cast

from alliance.common.v1 import field_pb2, text_pb2
from alliance.listings.v1 import events_pb2 as listing_events_pb2
from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import events_pb2, match_pb2, matching_service_pb2
from chassis.errors import Invalid, Violation
from chassis.etag import etag
from chassis.record import MAX_KEY, Record
from codes import NoCodeError, education, industries, majors, occupations, regions
from matching.domain import remote, seniority, skills, text
from matching.domain.alike import Decided, Like, highest
from matching.domain.counterfactual import Alternative
from matching.domain.facts import Facts
from matching.domain.gap import Asked
from matching.domain.life import CLOSED, IN_WORDS, DeclineReason, Match, State, Verb
from matching.domain.pairs import is_demand, is_graded, is_skilled
from matching.domain.passage import Passage
from matching.domain.score import Part
from matching.domain.seniority import EXPERIENCED_YEARS, Seniority
from matching.domain.shares import share_of
from matching.domain.skills import Skill
from matching.entry import Entry, Gone

QUERY = 200
"""Characters of a query, at most."""
_EXCERPT = 80  # characters of a description that a hit shows
_MATCH, _PART = (tuple(one.name for one in fields(kind)) for kind in (Match, Part))
_WRITTEN = ("majors", "skills", "named", "prose")  # of the details, beside codes
_NAMED = ("positions", "courses", "facilities", "deliverables", "capabilities")  # by kind: what it names beside codes
_DECLINE = "DECLINE_REASON_"
_DECLINES = "、".join(
    f"{one.name.removeprefix(_DECLINE)} {one.GetOptions().Extensions[field_pb2.zh]}"
    for one in match_pb2.DeclineReason.DESCRIPTOR.values
    if one.number
)
_OUTCOMES: dict[int, Verb] = {
    matching_service_pb2.MATCH_OUTCOME_FULFILLED: Verb.FULFILLED,
    matching_service_pb2.MATCH_OUTCOME_FAILED: Verb.FAILED,
}


class UnstorableError(Exception):
    """A listing that holds what no table takes; `str()` says which field."""


def is_published(listing: listing_pb2.Listing) -> bool:
    """Whether it counts: one of a kind that a later release has is no partner of any, and not found. That release has another
    `INDEX_VERSION`, and builds its index anew.
    """
    return listing.state == listing_pb2.LISTING_STATE_PUBLISHED and listing.kind in listing_pb2.ListingKind.values()


def became(listing: listing_pb2.Listing) -> str:
    """The word of `life.CLOSED` for what became of one that is not published (any more)."""
    state = listing_pb2.ListingState.DESCRIPTOR.values_by_number.get(listing.state)
    word = state.name.removeprefix("LISTING_STATE_") if state else ""
    return word if word in CLOSED else "UNKNOWN"


def published_in(record: Record) -> listing_pb2.Listing | None:
    """The listing of a record of its topic, where it is published."""
    listing = _listing_in(record)
    return listing if listing and is_published(listing) else None


def gone_in(record: Record) -> Gone | None:
    """What became of the listing of a record that is not published; None for a draft, which never was."""
    listing = _listing_in(record)
    if record.restored_to is not None:  # it may never have been published, or never have been
        return Gone(record.version, "WITHDRAWN")
    if listing and listing.state != listing_pb2.LISTING_STATE_DRAFT:
        return Gone(record.version, became(listing))
    return None


def _listing_in(record: Record) -> listing_pb2.Listing | None:
    event = cast(listing_events_pb2.ListingEvent | None, record.message)
    return event.listing if event else None


def entry_of(listing: listing_pb2.Listing, version: int) -> Entry:
    """What the index keeps of a published listing; codes that the tables do not hold are left out, and in place of a region's
    that is there no more stands the one that it lay in.

    Raises `UnstorableError` where its matches could not be stored: its partners would fail with it.
    """
    details = _details(listing)
    _refuse_unstorable(listing, details)
    labels = [*details["majors"], *details["skills"], *details["named"], details["technology"]]
    kind = listing_pb2.ListingKind.Name(listing.kind).removeprefix("LISTING_KIND_")
    prose = _prose(listing, kind, details["prose"])
    facts = Facts(
        name=listing.name,
        version=version,
        issuer=listing.issuer,
        bodies=tuple(listing.bodies),
        kind=kind,
        visibility=listing.visibility,
        regions=() if _is_remote(listing.title, kind) else _places(listing.region_codes),
        industries=tuple(filter(industries.exists, listing.industry_codes)),
        occupations=tuple(filter(occupations.exists, details["occupations"])),
        quantity=max(1, listing.quantity),
        valid_from=date.fromisoformat(listing.valid_from) if listing.valid_from else date.min,
        valid_to=date.fromisoformat(listing.valid_to) if listing.valid_to else date.max,
        majors=details["majors"],
        skills=details["skills"],
        technology=details["technology"],
        education=_education(listing.title, kind, details),
        seniority=_seniority(listing.title, kind, details),
        told=_told(listing, kind, details["prose"]),
        words=text.weigh(listing.title, labels, prose),
    )
    # What two occupations have in common, words have too: by words, and by meaning, a listing is found.
    named = [name for code in facts.occupations for name in occupations.groups(code)]
    beneath = "\n".join(filter(None, [*labels, *dict.fromkeys(named), *prose]))
    return Entry(facts, _shown(listing).SerializeToString(), listing.source, listing.title, Passage.of(listing.title, beneath))


def _prose(listing: listing_pb2.Listing, kind: str, details: Iterable[str]) -> list[str]:
    """Texts as their words and meanings count: where skills count, without what is said not to be needed, or to be lacked."""
    told = [listing.description, *details]
    return [skills.affirmed(one, is_demand=is_demand(kind)) for one in told] if is_skilled(kind) else told


def _shown(listing: listing_pb2.Listing) -> listing_pb2.Listing:
    """What a search shows of it: whom it refers to is no business of this service's."""
    bare = listing_pb2.Listing()
    bare.CopyFrom(listing)
    bare.ClearField("contact")
    if bare.HasField("expert"):
        bare.expert.ClearField("person")
    return bare


def _refuse_unstorable(listing: listing_pb2.Listing, details: Mapping[str, Any]) -> None:
    """As `chassis.record` refuses keys and headers: names within what indexes take, no NUL in what comes into a match."""
    named = {"name": [listing.name], "issuer": [listing.issuer], "bodies": listing.bodies, "source": [listing.source]}
    for field, names in named.items():
        if any(len(name.encode()) > MAX_KEY for name in names):
            raise UnstorableError(f"{field} is no resource name")
    written = {
        **{field: details[field] for field in _WRITTEN},
        "title": [listing.title],
        "description": [listing.description],
        "field": [details["technology"]],
    }
    for field, texts in {**named, **written}.items():
        if any("\0" in text for text in texts):
            raise UnstorableError(f"{field} holds a NUL")


def _told(listing: listing_pb2.Listing, kind: str, prose: Iterable[str]) -> tuple[Skill, ...]:
    if not is_skilled(kind):
        return ()
    read = skills.asked if is_demand(kind) else skills.offered
    return read(listing.title, [listing.description, *prose])


def _education(title: str, kind: str, details: Mapping[str, Any]) -> str:
    """What a demand's field or title asks for, whichever is higher; what a supply states, else its title, else its majors."""
    stated = [details["education"]] if education.exists(details["education"]) else []
    if not is_graded(kind):
        return "".join(stated)
    titled = seniority.educations(title)
    if is_demand(kind):
        return max([*stated, *titled[:1]], key=education.level, default="")
    led_to = filter(None, map(majors.education, details["major_codes"]))
    return next(iter([*stated, *titled[-1:]]), "") or max(led_to, key=education.level, default="")


def _places(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(area[-1] for code in codes if (area := regions.path(code))))


def _is_remote(title: str, kind: str) -> bool:
    """Whether it is a post that is done from anywhere."""
    return is_graded(kind) and is_demand(kind) and remote.is_remote(title)


def _seniority(title: str, kind: str, details: Mapping[str, Any]) -> Seniority:
    """What a demand asks for, by its title, else by its years; what a supply brings."""
    if not is_graded(kind):
        return Seniority.UNSAID
    if not is_demand(kind):
        return seniority.offered(title)
    asked = seniority.asked(title)
    years = details["experience_years"] or 0
    return Seniority.EXPERIENCED if asked is Seniority.UNSAID and years >= EXPERIENCED_YEARS else asked


def _details(listing: listing_pb2.Listing) -> dict[str, Any]:
    """The typed details under names that all kinds share; empty where a kind has none."""
    branch = listing.WhichOneof("details")
    one = getattr(listing, branch) if branch else None

    def given(name: str) -> Any:
        return getattr(one, name, "")

    return {
        "majors": tuple(majors.label(one) for one in given("majors")),
        "skills": tuple(given("skills")),
        "named": tuple(one for name in _NAMED for one in given(name)),
        "technology": given("field"),
        "education": given("education_code"),
        "occupations": [*given("occupation_codes"), *filter(None, [given("occupation_code")])],
        "major_codes": tuple(given("majors")),
        "experience_years": given("experience_years"),
        "prose": [given(name) for name in ("problem", "goals", "acceptance", "content", "cooperation")],
    }


def message_of(match: Match) -> match_pb2.Match:
    """The contract's match."""
    message = match_pb2.Match(
        name=match.name,
        demand=match.demand,
        supply=match.supply,
        demand_version=match.demand_version,
        supply_version=match.supply_version,
        demand_issuer=match.demand_issuer,
        supply_issuer=match.supply_issuer,
        bodies=match.bodies,
        state=match_pb2.MatchState.Value(f"MATCH_STATE_{match.state}"),
        score=match.score,
        parts=[part_message(part) for part in match.parts],
        gaps=match.gaps,
        algorithm_version=match.algorithm_version,
        demand_accepted=match.demand_accepted,
        supply_accepted=match.supply_accepted,
        reason=match.reason,
        decline_reason=decline_value(match.decline_reason),
        filled=match.filled,
        demand_kind=_kind_value(match.demand_kind),
        supply_kind=_kind_value(match.supply_kind),
        etag=etag(match.version),
    )
    message.create_time.FromDatetime(match.create_time)
    message.update_time.FromDatetime(match.update_time)
    return message


def _kind_value(kind: str) -> listing_pb2.ListingKind.ValueType:
    return listing_pb2.ListingKind.Value(f"LISTING_KIND_{kind}") if kind else listing_pb2.LISTING_KIND_UNSPECIFIED


def kinds_of(match: match_pb2.Match) -> list[str]:
    """The kinds of a match's demand and supply; empty where it does not say them."""
    kinds = filter(None, (match.demand_kind, match.supply_kind))
    return [listing_pb2.ListingKind.Name(kind).removeprefix("LISTING_KIND_") for kind in kinds]


def alike_of(like: Like, found: Decided) -> matching_service_pb2.AlikeMatches:
    """The message of what became of matches like one."""
    message = matching_service_pb2.AlikeMatches(
        demand_kind=_kind_value(like.demand_kind),
        supply_kind=_kind_value(like.supply_kind),
        lowest=like.lowest,
        highest=highest(like.lowest),
        decided=found.decided,
        accepted=found.accepted,
    )
    kinds = (message.demand_kind, message.supply_kind)
    scores = f"{message.lowest}–{message.highest}"
    message.text.zh = (
        f"同类匹配（{' ↔ '.join(map(_kind_zh, kinds))}，得分 {scores}）中，双方已表态 {found.decided} 项，"
        f"其中双方均接受 {found.accepted} 项；不影响得分"
    )
    message.text.en = (
        f"of {found.decided} matches of these kinds with a score of {scores} that were decided,"
        f" {found.accepted} were accepted by both sides; no score depends on it"
    )
    return message


def _kind_zh(kind: int) -> str:
    value = listing_pb2.ListingKind.DESCRIPTOR.values_by_number[kind]
    return str(value.GetOptions().Extensions[field_pb2.zh])


def part_message(part: Part) -> match_pb2.ScorePart:
    return match_pb2.ScorePart(
        feature=part.feature,
        weight=part.weight,
        value=part.value,
        contribution=part.contribution,
        reason=text_pb2.LocalizedText(zh=part.zh, en=part.en),
    )


def row_of(match: Match) -> dict[str, Any]:
    """The match as values of its table's columns."""
    values = {name: getattr(match, name) for name in _MATCH}
    return {
        **values,
        "share": share_of(match.demand),
        "bodies": list(match.bodies),
        "gaps": list(match.gaps),
        "parts": [{name: getattr(part, name) for name in _PART} for part in match.parts],
    }


def match_of(row: Any) -> Match:
    """The match of a row of its table."""
    values = {name: getattr(row, name) for name in _MATCH}
    parts = json.loads(row.parts) if isinstance(row.parts, str) else row.parts  # as the driver gives them, or SQLAlchemy
    return Match(
        **{
            **values,
            "state": State(row.state),
            "decline_reason": DeclineReason(row.decline_reason),
            "bodies": tuple(row.bodies),
            "gaps": tuple(row.gaps),
            "parts": tuple(Part(**part) for part in parts),
        }
    )


def states_of(states: Iterable[int]) -> list[State]:
    """States asked for in a list; unset ones are passed over."""
    names = (match_pb2.MatchState.Name(cast(Any, state)).removeprefix("MATCH_STATE_") for state in states if state)
    return [State(name) for name in names]


def outcome_of(outcome: int) -> Verb:
    """The outcome of a completed match; raises `Invalid` where none is named."""
    if outcome not in _OUTCOMES:
        raise Invalid(
            [Violation("outcome", "required", "请说明结果：达成或未达成", "say what came of it: fulfilled or failed")]
        )
    return _OUTCOMES[outcome]


def filled_of(outcome: int, quantity: int) -> int:
    """How many a completed match filled, one where it is not said; raises `Invalid` where that can't be."""
    if quantity < 0:
        text = ("对接完成的数量不能小于 1；不填按 1 计", "what was filled is 1 at least; left out, it is 1")
        raise Invalid([Violation("quantity", "least", *text)])
    if quantity and outcome == matching_service_pb2.MATCH_OUTCOME_FAILED:
        text = (
            "未达成的匹配不能填写数量；请清空，或将结果改为达成",
            "what failed filled nothing; clear it, or say that it is fulfilled",
        )
        raise Invalid([Violation("quantity", "outcome", *text)])
    return quantity or 1


def over(wanted: int, left: int, listing: str) -> Violation:
    """More was filled than is left of a listing."""
    return Violation(
        "quantity",
        "left",
        f"{listing} 尚余 {max(0, left)}，不能对接完成 {wanted}；请改填数量，或先由其发布单位修订数量",
        f"{max(0, left)} are left of {listing}, {wanted} can't be filled; correct it, or have its issuer revise it first",
    )


def declined_of(why: int, words: str) -> tuple[DeclineReason, str]:
    """Why a match is declined, by the list and in words; raises `Invalid` where neither says enough."""
    if why not in match_pb2.DeclineReason.values():
        zh = f"没有编号为 {why} 的婉拒原因；可用：{_DECLINES}"
        raise Invalid([Violation("decline_reason", "known", zh, f"there is no such reason; known: {_DECLINES}")])
    reason = decline_of(why)
    if reason in IN_WORDS:
        zh, en = "请填写婉拒原因，或从清单中选择", "say why it is declined, or choose from the list"
        return reason, required("reason", words, f"{zh}：{_DECLINES}", f"{en}: {_DECLINES}")
    return reason, words.strip()


def decline_of(number: int) -> DeclineReason:
    """The domain's reason of the contract's; one that is not known by now is not said."""
    found = match_pb2.DeclineReason.DESCRIPTOR.values_by_number.get(number)
    return DeclineReason(found.name.removeprefix(_DECLINE)) if found and number else DeclineReason.UNSPECIFIED


def decline_value(why: DeclineReason) -> match_pb2.DeclineReason.ValueType:
    """The contract's reason of the domain's."""
    return match_pb2.DeclineReason.Value(f"{_DECLINE}{why.name}")


def required(field: str, value: str, zh: str, en: str) -> str:
    """The value without outer spaces; raises `Invalid` with the fix where it is empty."""
    if not value.strip():
        raise Invalid([Violation(field, "required", zh, en)])
    return value.strip()


def area_of(given: str, field: str) -> str:
    """The GB/T 2260 code of a region that is asked for; raises `Invalid` with the nearest one where it is none."""
    try:
        return regions.read(given) if given else ""
    except NoCodeError as error:
        raise Invalid([Violation(field, "GB/T 2260", error.zh, error.en)]) from error


def query_problems(query: str, field: str) -> list[Violation]:
    """What is wrong with a query's length: a search costs the more the more words it has."""
    if len(query) <= QUERY:
        return []
    zh = f"检索词有 {len(query)} 字，最多 {QUERY} 字；请删减"
    return [Violation(field, "length", zh, f"the query has {len(query)} characters, {QUERY} at most; shorten it")]


def hit_of(entry: Entry, relevance: float, sought: Set[str]) -> matching_service_pb2.SearchHit:
    """The message of a listing found, with where the words stand that it was looked for by."""
    listing = listing_pb2.Listing.FromString(entry.listing)
    hit = matching_service_pb2.SearchHit(listing=listing, relevance=relevance)
    part = text.excerpt(listing.description, sought, _EXCERPT) if sought else ""
    for field, told in (("title", listing.title), ("description", part)):
        if found := text.spans(told, sought):
            spans = [matching_service_pb2.Span(start=start, end=end) for start, end in found]
            hit.highlights.add(field=field, text=told, spans=spans)
    return hit


def facets_of(found: Mapping[str, Iterable[tuple[str, int]]]) -> list[matching_service_pb2.FacetCount]:
    """The messages of counted values."""
    return [
        matching_service_pb2.FacetCount(facet=facet, value=f"LISTING_KIND_{value}" if facet == "kind" else value, count=count)
        for facet, values in found.items()
        for value, count in values
    ]


def alternative_of(one: Alternative) -> matching_service_pb2.MatchAlternative:
    """The message of what would change a verdict."""
    found = matching_service_pb2.MatchAlternative(feature=one.feature, score=one.score)
    found.text.zh, found.text.en = one.zh, one.en
    return found


def skill_of(one: Asked) -> matching_service_pb2.AskedSkill:
    """The message of a skill that is asked for."""
    return matching_service_pb2.AskedSkill(
        skill=one.written,
        demand=matching_service_pb2.SkillDemand.Value(f"SKILL_DEMAND_{one.level.name}"),
        is_offered=one.is_offered,
        is_lacking=one.is_lacking,
    )


def step_of(row: Any) -> match_pb2.MatchStep:
    """A step of a match's life out of the event store."""
    event = events_pb2.MatchEvent.FromString(row.payload)
    step = match_pb2.MatchStep(
        event_id=str(row.id),
        verb=row.type.split(".")[-2],
        state=event.match.state,
        on_behalf_of=row.on_behalf_of,
        reason=event.match.reason or row.reason,
        decline_reason=event.match.decline_reason,
    )
    step.effective_at.FromDatetime(row.effective_at)
    return step
