"""Reporting: every figure is the sum of its sources, and each source one event of the period."""

import itertools
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alliance.listings.v1 import listing_pb2
from chassis import topics
from chassis.clock import start_of_day
from reporting.domain.figures import DEFINITIONS, DEMANDS, SUPPLIES, Fact, Side, figures, side_of

FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)
_number = itertools.count(1)


def fact(aggregate: str, verb: str, subject: str, day: date = FIRST, **more: Any) -> Fact:
    return Fact(
        event_id=f"e{next(_number):06}",
        event_type=f"alliance.x.{aggregate}.{verb}.v1",
        aggregate=aggregate,
        verb=verb,
        subject=subject,
        version=1,
        effective_at=start_of_day(day),
        business_date=day,
        **more,
    )


def values(*facts: Fact) -> dict[str, int]:
    return {figure.definition.id: figure.value for figure in figures(facts, FIRST, LAST)}


def test_listings_count_by_kind_and_in_total() -> None:
    found = values(
        fact("listing", "created", "listings/a", kind=5),
        fact("listing", "published", "listings/a", kind=5, counts=True),
        fact("listing", "revised", "listings/a", kind=5, counts=True),
        fact("listing", "revised", "listings/b", LAST, kind=6, counts=True),
        fact("listing", "published", "listings/c", kind=7, counts=True),
        fact("listing", "revised", "listings/d", kind=7, counts=False),
    )
    assert (found["listings.demand.published"], found["listings.supply.published"]) == (2, 1)
    assert (found["listings.job_position.published"], found["listings.internship.published"]) == (1, 1)


def test_only_the_period_counts() -> None:
    outside = (date(2025, 12, 31), date(2026, 4, 1))
    found = values(*(fact("listing", "published", f"listings/{day}", day, kind=5, counts=True) for day in outside))
    assert not any(found.values())


def test_a_match_is_accepted_once_both_sides_have() -> None:
    found = values(
        fact("match", "proposed", "matches/a"),
        fact("match", "accepted", "matches/a", accepted=False),
        fact("match", "accepted", "matches/b", accepted=False),
        fact("match", "accepted", "matches/b", accepted=True),
        fact("match", "started", "matches/b"),
        fact("match", "fulfilled", "matches/b"),
        fact("match", "declined", "matches/c"),
        fact("match", "failed", "matches/d"),
    )
    verbs = ("proposed", "accepted", "started", "fulfilled", "failed", "declined")
    assert [found[f"matches.{verb}"] for verb in verbs] == [1] * 6


def test_a_match_that_is_proposed_again_counts_once() -> None:
    assert values(*(fact("match", "proposed", "matches/a") for _ in range(2)))["matches.proposed"] == 1


def test_members_are_those_whose_membership_is_valid_on_the_last_day() -> None:
    def member(name: str, valid_from: date, valid_to: date | None = None, day: date = FIRST) -> Fact:
        return fact("membership", "created", f"bodies/x/memberships/{name}", day, valid_from=valid_from, valid_to=valid_to)

    earlier = date(2025, 6, 1)
    found = values(
        member("old", earlier, day=earlier),
        member("new", FIRST),
        member("new on the last day", LAST),
        member("ends on the last day", earlier, LAST),
        member("ended the day before", earlier, date(2026, 3, 30)),
        member("begins the day after", date(2026, 4, 1)),
        member("left", earlier, day=earlier),
        member("left", earlier, date(2026, 2, 1), day=date(2026, 2, 1)),
    )
    assert (found["members.total"], found["members.new"]) == (4, 2)


def test_an_end_that_is_told_after_the_period_does_not_count_in_it() -> None:
    joined = fact("membership", "created", "bodies/x/memberships/a", valid_from=FIRST)
    ended = fact("membership", "ended", "bodies/x/memberships/a", date(2026, 4, 1), valid_from=FIRST, valid_to=FIRST)
    assert values(joined, ended)["members.total"] == 1


_facts = st.builds(
    fact,
    st.sampled_from(["listing", "match", "membership", "body"]),
    st.sampled_from(["created", "published", "revised", "proposed", "accepted", "started", "fulfilled", "ended"]),
    st.sampled_from(["x/1", "x/2", "x/3", "x/4"]),
    st.dates(date(2025, 11, 1), date(2026, 5, 1)),
    kind=st.integers(0, 30),
    counts=st.booleans(),
    accepted=st.booleans(),
    valid_from=st.dates(date(2025, 1, 1), date(2026, 6, 1)),
    valid_to=st.none() | st.dates(date(2025, 1, 1), date(2026, 6, 1)),
)


@given(st.lists(_facts, max_size=30))
def test_a_figure_is_the_sum_of_its_sources(facts: list[Fact]) -> None:
    facts.sort(key=lambda one: one.effective_at)
    known = {one.event_id for one in facts}
    found = figures(facts, FIRST, LAST)
    for figure in found:
        assert figure.value == sum(source.amount for source in figure.sources)
        ids = [source.fact.event_id for source in figure.sources]
        assert len(set(ids)) == len(ids)
        assert known.issuperset(ids)
    by_id = {figure.definition.id: figure.value for figure in found}
    assert by_id["listings.demand.published"] >= max(by_id[f"listings.{name}.published"] for name, *_ in DEMANDS.values())
    assert by_id["members.new"] <= by_id["members.total"]


def test_definitions_are_whole() -> None:
    assert len({one.id for one in DEFINITIONS}) == len(DEFINITIONS)
    assert all(one.zh and one.en and one.unit and one.how_zh and one.how_en for one in DEFINITIONS)


def test_kinds_are_those_of_the_contract() -> None:
    for kind, (name, *_) in (DEMANDS | SUPPLIES).items():
        assert listing_pb2.ListingKind.Name(kind) == f"LISTING_KIND_{name.upper()}"  # type: ignore[arg-type]
    assert (side_of(5), side_of(7), side_of(12), side_of(0)) == (Side.DEMAND, Side.SUPPLY, None, None)


def test_matches_are_counted_by_verbs_of_the_contract() -> None:
    verbs = {one.id.removeprefix("matches.") for one in DEFINITIONS if one.id.startswith("matches.")}
    assert verbs < set(topics.load().named("alliance.internal.matching.match.v1").types)
