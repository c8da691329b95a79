"""Lists of a year on a database of their own: compiled or closed by themselves, frozen, told against the one before."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest

from access.register import Owner
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance.registry.v1 import body_pb2
from chassis.errors import Precondition
from listings import changes, references
from listings.domain.names import RoundKind, State
from listings.mapping import content_hash
from listings.rounds import changes as rounds
from listings.rounds import store
from listings.rpc import Listings
from listings.standing import Standing
from listings.store import get as listing_of
from tests.component.conftest import CAUSE, Probe
from tests.component.rounds.bodies import ADDED, ENTERPRISE, REMOVED, REVISED, UNIVERSITY, Body, noon


async def test_the_lists_of_a_community_are_compiled_with_what_is_valid_that_day(probe: Probe) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed()
    await community.sweep(noon(2026, 1, 5))
    lists = (RoundKind.TALENT_LIST, RoundKind.TECH_LIST)
    assert [await community.rounds(kind) for kind in lists] == [[("2026", 1)], [("2026", 1)]]

    member = await community.member(ENTERPRISE)
    job = await community.publish(noon(2025, 12, 1), member, pb.LISTING_KIND_JOB_POSITION, job_position=pb.JobPosition())
    gone = await community.publish(noon(2026, 1, 6), member, pb.LISTING_KIND_JOB_POSITION, job_position=pb.JobPosition())
    await community.take(noon(2026, 1, 7), gone, "withdraw", "withdrawn")
    tech = await community.publish(noon(2026, 1, 6), member, pb.LISTING_KIND_TECH_DEMAND, tech_demand=pb.TechDemand())
    await community.publish(noon(2026, 1, 6), member, pb.LISTING_KIND_CASE)

    await community.compile(noon(2026, 2, 1), RoundKind.TALENT_LIST, "2026")
    late = await community.publish(noon(2026, 2, 2), member, pb.LISTING_KIND_INTERNSHIP, internship=pb.Internship(weeks=8))
    assert await community.holds(RoundKind.TALENT_LIST, "2026") == {job: ADDED}
    assert await community.rounds(RoundKind.TALENT_LIST) == [("2026", 2)]
    assert await community.rounds(RoundKind.TECH_LIST) == [("2026", 1)]
    with pytest.raises(Precondition, match="frozen"):
        await community.compile(noon(2026, 2, 3), RoundKind.TALENT_LIST, "2026")

    await community.sweep(noon(2026, 3, 31))
    assert await community.rounds(RoundKind.TECH_LIST) == [("2026", 1)], "its last day is in time"
    await community.sweep(noon(2026, 4, 1))
    assert await community.holds(RoundKind.TECH_LIST, "2026") == {tech: ADDED}
    assert await community.silent(RoundKind.TECH_LIST, "2026") == [], "the lists of a community bind nobody"

    await community.sweep(noon(2027, 1, 1))
    await community.revise(noon(2027, 1, 2), job)
    await community.compile(noon(2027, 1, 3), RoundKind.TALENT_LIST, "2027")
    assert await community.holds(RoundKind.TALENT_LIST, "2027") == {job: REVISED, late: ADDED}
    assert await community.holds(RoundKind.TALENT_LIST, "2026") == {job: ADDED}, "what is frozen stays as it was"


@pytest.mark.parametrize("at", [noon(2026, 4, 1), noon(2027, 3, 1)], ids=["the day after", "much later"])
async def test_a_list_that_closes_by_itself_holds_what_was_valid_on_its_last_day(probe: Probe, at: datetime) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed()
    member = await community.member(ENTERPRISE)
    await community.sweep(noon(2026, 1, 5))

    async def held(kind: int) -> list[str]:
        """Those that belong to the list, of listings of a kind at both sides of both ends of what is valid."""
        for window in ({"until": "2026-03-30"}, {"valid_from": "2026-04-01"}):
            await community.publish(noon(2026, 1, 6), member, kind, **window)
        windows = ({"until": "2026-03-31"}, {"until": "2026-04-01"}, {"valid_from": "2026-03-31"})
        return [await community.publish(noon(2026, 1, 6), member, kind, **window) for window in windows]

    jobs, demands = await held(pb.LISTING_KIND_JOB_POSITION), await held(pb.LISTING_KIND_TECH_DEMAND)
    await community.sweep(at)
    assert await community.holds(RoundKind.TALENT_LIST, "2026") == dict.fromkeys(jobs, ADDED)
    assert await community.holds(RoundKind.TECH_LIST, "2026") == dict.fromkeys(demands, ADDED)
    assert await community.states(RoundKind.TALENT_LIST, "2026") == dict.fromkeys(jobs, State.PUBLISHED), "on that day"


async def test_a_list_compiled_before_what_ran_out_is_let_expire_does_not_hold_it(probe: Probe) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed()
    member, job = await community.member(ENTERPRISE), pb.LISTING_KIND_JOB_POSITION
    await community.sweep(noon(2026, 1, 5))
    await community.publish(noon(2026, 1, 6), member, job, until="2026-01-31")
    last = await community.publish(noon(2026, 1, 6), member, job, until="2026-02-01")
    await community.compile(noon(2026, 2, 1), RoundKind.TALENT_LIST, "2026")
    assert await community.holds(RoundKind.TALENT_LIST, "2026") == {last: ADDED}


@pytest.mark.parametrize(("formed_on", "years"), [("2026-03-31", ["2026"]), ("2026-04-01", [])])
async def test_a_community_formed_after_the_first_quarter_begins_next_year(
    probe: Probe, formed_on: str, years: list[str]
) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed(formed_on)
    await community.sweep(noon(2026, 6, 1))
    assert [period for period, _ in await community.rounds(RoundKind.TALENT_LIST)] == years
    await community.sweep(noon(2027, 1, 1))
    assert [period for period, _ in await community.rounds(RoundKind.TALENT_LIST)] == [*years, "2027"]


async def test_the_challenges_of_a_year_and_the_enterprises_without_one(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed()
    asking, silent, university = [await alliance.member(one) for one in (ENTERPRISE, ENTERPRISE, UNIVERSITY)]
    await alliance.sweep(noon(2025, 7, 1))

    async def challenge(at: datetime, issuer: str, year: int) -> str:
        details = pb.IndustryChallenge(list_year=year)
        return await alliance.publish(at, issuer, pb.LISTING_KIND_INDUSTRY_CHALLENGE, industry_challenge=details)

    old = await challenge(noon(2025, 8, 1), asking, 2025)
    solved = await challenge(noon(2025, 8, 1), silent, 2025)
    await alliance.take(noon(2025, 9, 1), solved, "fulfil", "fulfilled")
    withdrawn = await challenge(noon(2025, 8, 1), university, 2025)
    await alliance.take(noon(2025, 9, 1), withdrawn, "withdraw", "withdrawn")
    await alliance.sweep(noon(2026, 1, 1))
    assert await alliance.holds(RoundKind.CHALLENGE_LIST, "2025") == {old: ADDED, solved: ADDED}
    assert await alliance.silent(RoundKind.CHALLENGE_LIST, "2025") == [], "a university has none to publish"

    async def silent_so_far(at: datetime) -> list[str]:
        async with probe.database.transaction(CAUSE._replace(effective_at=at), read_only=True) as tx:
            row = await store.get(tx, await alliance.round(RoundKind.CHALLENGE_LIST, "2026"))
            assert row
            return [one.organization for one in await rounds.silences(tx, row, at.date())]

    assert await silent_so_far(noon(2026, 4, 30)) == sorted([asking, silent])
    new = await challenge(noon(2026, 5, 1), asking, 2026)
    assert await silent_so_far(noon(2026, 5, 2)) == [silent], "an open list knows what it will hold"
    await alliance.sweep(noon(2027, 1, 1))
    held = await alliance.holds(RoundKind.CHALLENGE_LIST, "2026")
    assert held == {new: ADDED, old: REMOVED, solved: REMOVED}
    last = await alliance.round(RoundKind.CHALLENGE_LIST, "2025")
    assert await alliance.silent(RoundKind.CHALLENGE_LIST, "2026") == [(silent, last)]


async def test_a_challenge_is_for_a_year_whose_list_still_takes_it_in(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed()
    other = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed()
    member = await alliance.member(ENTERPRISE)
    await alliance.sweep(noon(2026, 1, 2))
    details = pb.IndustryChallenge(list_year=2026)
    kind = pb.LISTING_KIND_INDUSTRY_CHALLENGE
    listed = await alliance.publish(noon(2026, 2, 1), member, kind, industry_challenge=details)

    async def refused(at: datetime, year: int, *bodies: Body, known: str = "") -> list[str]:
        """What is said in English of a challenge of a year."""
        given = pb.Listing(bodies=[body.name for body in bodies], industry_challenge=pb.IndustryChallenge(list_year=year))
        async with probe.database.transaction(CAUSE._replace(effective_at=at)) as tx:
            row = await listing_of(tx, known) if known else None
            found = await references.broken(tx, Standing(cast(Any, None)), given, member, kind, row)
        assert {(one.field, one.rule) for one in found} <= {("industry_challenge.list_year", "R39")}
        return [one.en for one in found]

    last, after = noon(2026, 12, 31), noon(2027, 1, 1)
    assert await refused(last, 2026, alliance, other) == [], "the last day is in time"
    assert await refused(after, 2027, alliance) == []
    for bodies in ((), (alliance,)):
        (said,) = await refused(after, 2026, *bodies)
        assert "choose 2027 or a later year" in said
    await alliance.compile(last, RoundKind.CHALLENGE_LIST, "2026")
    (said,) = await refused(last, 2026, alliance, other)
    assert alliance.name in said
    assert other.name not in said
    assert await refused(last, 2026, other) == [], "its list is open"
    assert await refused(last, 2027, alliance) == []

    assert await refused(after, 2026, alliance, known=listed) == [], "what its list holds may be revised"
    async with probe.database.transaction(CAUSE._replace(effective_at=after)) as tx:
        call, service = (
            cast(Any, SimpleNamespace(tx=tx, cause=CAUSE)),
            Listings(cast(Any, None), Standing(Owner(grpc.aio.insecure_channel("localhost:1")))),
        )
        revised = rpc.UpdateListingRequest(listing=pb.Listing(name=listed, title="改过的某题"))
        revised.update_mask.paths.append("title")
        assert (await service.UpdateListing(call, revised)).title == "改过的某题"
    (said,) = await refused(after, 2026, alliance, other, known=listed)
    assert "2026" in said, "it is for another list now"
    async with probe.database.transaction(CAUSE._replace(effective_at=last)) as tx:
        content = pb.Listing(issuer=member, kind=kind, title="某题", bodies=[other.name], industry_challenge=details)
        (draft,) = await changes.save(tx, [changes.created(content, content_hash(content))])
    assert await refused(last, 2026, other, known=draft.name) == []
    assert await refused(after, 2026, other, known=draft.name) != [], "it was not published in time"
