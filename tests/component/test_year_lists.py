"""Lists of a year and what closed rounds hold, on a database of their own: compiled, frozen, told against the one before."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import true

from access.listeners import on_body
from access.visibility import Viewer
from alliance.listings.v1 import details_pb2
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance.registry.v1 import body_pb2, events_pb2, organization_pb2
from chassis.database import Tx
from chassis.errors import Invalid, NotFound, Precondition
from chassis.ids import resource
from listings import changes, references
from listings.changes import Change
from listings.domain.names import RoundChange, RoundKind, State
from listings.mapping import content_hash, message_of, written
from listings.rounds import changes as rounds
from listings.rounds import store
from listings.rounds.store import RoundRow, WantedEntries
from listings.rpc import Listings, saw
from listings.standing import Standing
from listings.store import get as listing_of
from tests.component.conftest import CAUSE, Probe

ENTERPRISE, UNIVERSITY, TASK_FORCE = (
    organization_pb2.ORG_TYPE_ENTERPRISE,
    organization_pb2.ORG_TYPE_UNIVERSITY,
    organization_pb2.ORG_TYPE_TASK_FORCE,
)


def noon(year: int, month: int, day: int) -> datetime:
    """Noon in Shanghai."""
    return datetime(year, month, day, 4, tzinfo=UTC)


class Body:
    """A formed body with members, in the probe's database."""

    def __init__(self, probe: Probe, kind: int) -> None:
        self.probe, self.kind, self.name = probe, kind, resource("bodies")

    async def formed(self, on: str = "2025-06-01") -> "Body":
        self.formed_on = on
        formed = (self.name, self.kind, body_pb2.BODY_STATE_FORMED, on)
        await self.probe.rows("INSERT INTO access_body VALUES ($1, '', $2, $3, $4, '', '', '{}')", *formed)
        return self

    async def suspended(self, on: str, until: str) -> "Body":
        """Suspended on a day and resumed on another, as it is heard from registry."""
        said = body_pb2.Body(name=self.name, kind=self.kind, state=body_pb2.BODY_STATE_FORMED, formed_on=self.formed_on)  # type: ignore[arg-type]
        said.suspended_on, said.resumed_on = on, until
        async with self.probe.database.transaction(CAUSE) as tx:
            await on_body(tx, cast(Any, SimpleNamespace(message=events_pb2.BodyEvent(body=said))))
        return self

    async def member(self, org_type: int) -> str:
        name = resource("organizations")
        await self.probe.rows("INSERT INTO access_organization VALUES ($1, '', $2, true, '', '')", name, org_type)
        await self.probe.rows(
            "INSERT INTO access_membership VALUES ($1, $2, $3, '{}', '2025-01-01', NULL)",
            *(f"{self.name}/memberships/{name[-12:]}", self.name, name),
        )
        return name

    async def sweep(self, at: datetime) -> None:
        while True:
            async with self.probe.database.transaction(CAUSE._replace(effective_at=at)) as tx:
                if not await rounds.sweep(tx):
                    return

    async def publish(self, at: datetime, issuer: str, kind: int, *, until: str = "2029-12-31", **details: Any) -> str:
        async with self.probe.database.transaction(CAUSE._replace(effective_at=at)) as tx:
            content = pb.Listing(issuer=issuer, kind=kind, title="某项", bodies=[self.name], quantity=1, **details)  # type: ignore[arg-type]
            content.visibility, content.valid_to = content.visibility or pb.VISIBILITY_PUBLIC, until
            (draft,) = await changes.save(tx, [changes.created(content, content_hash(content))])
            (row,) = await changes.save(tx, [changes.taken(draft, "publish", "published")])
            return row.name

    async def take(self, at: datetime, name: str, verb: str, past: str) -> None:
        async with self.probe.database.transaction(CAUSE._replace(effective_at=at)) as tx:
            row = await listing_of(tx, name, lock=True)
            assert row
            await changes.save(tx, [changes.taken(row, verb, past)])

    async def revise(self, at: datetime, name: str, *, leave: bool = False) -> None:
        """Another title, or out of every body."""
        async with self.probe.database.transaction(CAUSE._replace(effective_at=at)) as tx:
            row = await listing_of(tx, name, lock=True)
            assert row
            bare = written(message_of(row))
            if leave:
                bare.ClearField("bodies")
            else:
                bare.title = "改过的某项"
            fields = ["bodies" if leave else "title"]
            await changes.save(tx, [Change(row, bare, State.PUBLISHED, "revised", content_hash(bare), fields)])

    async def seen(self, viewer: Viewer, kind: RoundKind, period: str) -> set[str]:
        """What somebody sees of a closed round."""
        name = await self.round(kind, period)
        async with self.probe.database.transaction(CAUSE, read_only=True) as tx:
            return {row.listing for row in await store.entries(tx, WantedEntries(name), saw(viewer), "", 100)}

    async def rounds(self, kind: RoundKind) -> list[tuple[str, int]]:
        """Period and state."""
        query = "SELECT period, state FROM round WHERE body = $1 AND kind = $2 ORDER BY period"
        return [tuple(row) for row in await self.probe.rows(query, self.name, kind)]

    async def round(self, kind: RoundKind, period: str) -> str:
        query = "SELECT name FROM round WHERE body = $1 AND kind = $2 AND period = $3"
        return str((await self.probe.rows(query, self.name, kind, period))[0]["name"])

    async def compile(self, at: datetime, kind: RoundKind, period: str) -> None:
        async with self.probe.database.transaction(CAUSE._replace(effective_at=at)) as tx:
            row = await store.get_locked(tx, await self.round(kind, period))
            assert row
            await rounds.compile_now(tx, row)

    async def holds(self, kind: RoundKind, period: str) -> dict[str, int]:
        """Listing → what became of it."""
        name = await self.round(kind, period)
        async with self.probe.database.transaction(CAUSE, read_only=True) as tx:
            return {row.listing: row.change for row in await store.entries(tx, WantedEntries(name), true(), "", 100)}

    async def states(self, kind: RoundKind, period: str) -> dict[str, int]:
        """Listing → its state as it is frozen, which its content says too."""
        name = await self.round(kind, period)
        async with self.probe.database.transaction(CAUSE, read_only=True) as tx:
            found = await store.entries(tx, WantedEntries(name), true(), "", 100)
        assert [pb.Listing.FromString(row.content).state for row in found] == [row.state for row in found]
        return {row.listing: row.state for row in found}

    async def silent(self, kind: RoundKind, period: str) -> list[tuple[str, str]]:
        name = await self.round(kind, period)
        query = "SELECT organization, last_round FROM silence WHERE round = $1 ORDER BY organization"
        return [tuple(row) for row in await self.probe.rows(query, name)]


ADDED, REVISED, KEPT, REMOVED = (int(change) for change in RoundChange)


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


async def test_a_quarter_is_told_against_the_one_before_and_its_silent_members_are_noticed(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    speaking, silent, task_force = [await alliance.member(one) for one in (ENTERPRISE, UNIVERSITY, TASK_FORCE)]
    await alliance.sweep(noon(2026, 1, 6))
    kept = await alliance.publish(noon(2026, 1, 7), speaking, pb.LISTING_KIND_CASE)
    once = await alliance.publish(noon(2026, 1, 7), speaking, pb.LISTING_KIND_CASE)
    await alliance.sweep(noon(2026, 4, 1))
    assert await alliance.holds(RoundKind.QUARTERLY, "2026Q1") == {kept: ADDED, once: ADDED}
    assert await alliance.silent(RoundKind.QUARTERLY, "2026Q1") == [(silent, "")]
    with pytest.raises(Precondition, match="closes by itself"):
        await alliance.compile(noon(2026, 4, 2), RoundKind.QUARTERLY, "2026Q2")

    await alliance.revise(noon(2026, 4, 2), kept)
    new = await alliance.publish(noon(2026, 4, 2), silent, pb.LISTING_KIND_CASE)
    await alliance.sweep(noon(2026, 7, 1))
    assert await alliance.holds(RoundKind.QUARTERLY, "2026Q2") == {kept: REVISED, once: REMOVED, new: ADDED}
    assert await alliance.silent(RoundKind.QUARTERLY, "2026Q2") == []
    await alliance.sweep(noon(2026, 10, 1))
    assert [organization for organization, _ in await alliance.silent(RoundKind.QUARTERLY, "2026Q3")] == sorted(
        [speaking, silent]
    )
    assert task_force not in {one for one, _ in await alliance.silent(RoundKind.QUARTERLY, "2026Q3")}

    async def emitted(tx: Tx) -> list[str]:
        return list(await tx.sql.column("SELECT topic FROM event WHERE topic = $1", rounds.SILENCE_TOPIC))

    async with probe.database.transaction(CAUSE, read_only=True) as tx:
        assert len(await emitted(tx)) == 3
        row = await store.get(tx, await alliance.round(RoundKind.QUARTERLY, "2026Q2"))
        assert isinstance(row, RoundRow)
        (counted,) = (await store.counts(tx, [row.name]))[row.name]
        assert (counted.listings, counted.added, counted.revised, counted.removed) == (2, 1, 1, 1)


async def test_who_sees_what_a_closed_round_holds_is_frozen_too(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    member = await alliance.member(ENTERPRISE)
    await alliance.sweep(noon(2026, 1, 6))
    members_only: dict[str, Any] = {"visibility": pb.VISIBILITY_MEMBERS}
    left, stayed = [await alliance.publish(noon(2026, 1, 7), member, pb.LISTING_KIND_CASE, **members_only) for _ in range(2)]
    await alliance.sweep(noon(2026, 4, 1))
    await alliance.revise(noon(2026, 4, 2), left, leave=True)
    secretariat = Viewer(bodies_run=frozenset({alliance.name}))
    assert await alliance.seen(secretariat, RoundKind.QUARTERLY, "2026Q1") == {left, stayed}
    await alliance.sweep(noon(2026, 7, 1))
    assert await alliance.seen(secretariat, RoundKind.QUARTERLY, "2026Q2") >= {left}, "it left, and is told so"
    assert await alliance.seen(Viewer(bodies_run=frozenset({"bodies/another"})), RoundKind.QUARTERLY, "2026Q1") == set()


@pytest.mark.parametrize(
    ("suspended_on", "resumed_on", "opened", "noticed"),
    [
        ("2026-03-31", "2026-10-01", ["2026Q1", "2026Q4"], 1),
        ("2026-03-31", "2026-09-30", ["2026Q1", "2026Q3", "2026Q4"], 2),
        ("2026-04-01", "2026-10-01", ["2026Q1", "2026Q2", "2026Q4"], 2),
        ("", "", ["2026Q1", "2026Q2", "2026Q3", "2026Q4"], 3),  # nobody was there to open them
    ],
)
async def test_quarters_spent_suspended_are_not_made_up_for_and_nobody_was_silent_in_them(
    probe: Probe, suspended_on: str, resumed_on: str, opened: list[str], noticed: int
) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    silent = await alliance.member(UNIVERSITY)
    await alliance.sweep(noon(2026, 1, 6))
    await alliance.suspended(suspended_on, resumed_on)
    await alliance.sweep(noon(2026, 10, 2))
    assert [period for period, _ in await alliance.rounds(RoundKind.QUARTERLY)] == opened
    closed = [await alliance.silent(RoundKind.QUARTERLY, period) for period in opened[:-1]]
    assert closed == [[(silent, "")]] * noticed


@pytest.mark.parametrize(("resumed_on", "years"), [("2026-03-31", ["2026"]), ("2026-04-01", [])])
async def test_a_list_of_a_first_quarter_spent_suspended_is_passed_over(
    probe: Probe, resumed_on: str, years: list[str]
) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed("2025-06-01")
    await community.suspended("2025-12-31", resumed_on)
    await community.sweep(noon(2026, 6, 1))
    assert [period for period, _ in await community.rounds(RoundKind.TALENT_LIST)] == years
    async with probe.database.transaction(CAUSE._replace(effective_at=noon(2026, 6, 1)), read_only=True) as tx:
        assert await rounds.due(tx) == 0
    await community.sweep(noon(2027, 1, 1))
    assert [period for period, _ in await community.rounds(RoundKind.TALENT_LIST)] == [*years, "2027"]


async def test_what_was_taken_back_before_a_round_closes_does_not_stand_in_it_as_published(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    issuer, withdrawing, leaving = [await alliance.member(ENTERPRISE) for _ in range(3)]
    await alliance.sweep(noon(2026, 1, 6))

    async def published(by: str, **how: Any) -> str:
        return await alliance.publish(noon(2026, 1, 7), by, pb.LISTING_KIND_CASE, **how)

    stays, left_later, withdrawn_later, fulfilled = [await published(issuer) for _ in range(4)]
    ran_out = await published(issuer, until="2026-02-01")
    withdrawn, left = await published(withdrawing), await published(leaving)
    last, after = noon(2026, 3, 31), noon(2026, 4, 1)
    await alliance.take(last, fulfilled, "fulfil", "fulfilled")
    await alliance.take(last, withdrawn, "withdraw", "withdrawn")
    await alliance.revise(last, left, leave=True)
    await alliance.sweep(after)
    await alliance.take(after, withdrawn_later, "withdraw", "withdrawn")
    await alliance.revise(after, left_later, leave=True)

    frozen = {
        **dict.fromkeys((stays, left_later, withdrawn_later), State.PUBLISHED),
        fulfilled: State.FULFILLED,
        ran_out: State.EXPIRED,
        withdrawn: State.WITHDRAWN,
    }
    assert await alliance.states(RoundKind.QUARTERLY, "2026Q1") == frozen
    assert await alliance.silent(RoundKind.QUARTERLY, "2026Q1") == [(leaving, "")], "who withdrew had published"

    shown = frozen.keys() - {withdrawn}
    member = Viewer(organization=issuer, member_bodies=frozenset({alliance.name}))
    secretariat = Viewer(bodies_run=frozenset({alliance.name}))
    for viewer in (Viewer(), member):
        assert await alliance.seen(viewer, RoundKind.QUARTERLY, "2026Q1") == shown
    for viewer in (Viewer(organization=withdrawing), secretariat, Viewer(platform=True)):
        assert await alliance.seen(viewer, RoundKind.QUARTERLY, "2026Q1") == frozen.keys()
    await alliance.sweep(noon(2026, 7, 1))
    assert await alliance.seen(Viewer(), RoundKind.QUARTERLY, "2026Q2") == shown, "what is told to be out of it likewise"


async def test_who_has_nothing_so_far_is_told_by_what_still_names_the_body(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    member = await alliance.member(ENTERPRISE)
    await alliance.sweep(noon(2026, 1, 6))
    case = await alliance.publish(noon(2026, 1, 7), member, pb.LISTING_KIND_CASE)

    async def silent_so_far() -> list[str]:
        async with probe.database.transaction(CAUSE, read_only=True) as tx:
            row = await store.get(tx, await alliance.round(RoundKind.QUARTERLY, "2026Q1"))
            assert row
            return [one.organization for one in await rounds.silences(tx, row, noon(2026, 1, 8).date())]

    assert await silent_so_far() == []
    await alliance.revise(noon(2026, 1, 8), case, leave=True)
    assert await silent_so_far() == [member]


class _Eyes:
    """An authority by which every call is of one viewer."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer

    async def viewer(self, call: object, *, ask_owner: bool = False) -> Viewer:
        return self._viewer


async def test_a_published_list_is_read_by_whoever_sees_it_and_of_it_what_each_may_see(probe: Probe) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed()
    member = await community.member(ENTERPRISE)
    await community.sweep(noon(2026, 1, 2))
    job, intern = pb.LISTING_KIND_JOB_POSITION, pb.LISTING_KIND_INTERNSHIP
    public = await community.publish(noon(2026, 1, 3), member, job)
    training = await community.publish(noon(2026, 1, 3), member, intern)
    inside = await community.publish(noon(2026, 1, 3), member, job, visibility=pb.VISIBILITY_MEMBERS)
    await community.compile(noon(2026, 2, 1), RoundKind.TALENT_LIST, "2026")
    details = details_pb2.SupplyDemandList(round=await community.round(RoundKind.TALENT_LIST, "2026"))

    async def published(visibility: int) -> str:
        kind = pb.LISTING_KIND_TALENT_SUPPLY_DEMAND_LIST
        return await community.publish(noon(2026, 2, 2), member, kind, visibility=visibility, supply_demand_list=details)

    for_all, for_members = [await published(one) for one in (pb.VISIBILITY_PUBLIC, pb.VISIBILITY_MEMBERS)]
    await community.take(noon(2026, 2, 3), public, "withdraw", "withdrawn")

    async def read(viewer: Viewer, listing: str, **how: Any) -> list[str]:
        """All of it, page by page."""
        request, found = rpc.ListSupplyDemandEntriesRequest(listing=listing, page_size=1, **how), []
        async with probe.database.transaction(CAUSE, read_only=True) as tx:
            while True:
                call, service = cast(Any, SimpleNamespace(tx=tx)), Listings(cast(Any, _Eyes(viewer)), cast(Any, None))
                answer = await service.ListSupplyDemandEntries(call, request)
                found += [entry.listing.name for entry in answer.entries]
                if not answer.next_page_token:
                    return found
                request.page_token = answer.next_page_token

    anybody, belongs = Viewer(), Viewer(organization="organizations/b", member_bodies=frozenset({community.name}))
    assert await read(anybody, for_all) == [public, training], "what is frozen stays as it was"
    assert await read(belongs, for_all) == [public, training, inside]
    assert await read(belongs, for_members) == [public, training, inside]
    assert await read(anybody, for_all, kinds=[intern]) == [training]
    assert await read(anybody, for_all, changes=[KEPT]) == []
    with pytest.raises(NotFound):
        await read(anybody, for_members)
    with pytest.raises(Invalid, match="R43"):
        await read(anybody, training)
    await community.take(noon(2026, 2, 4), for_all, "withdraw", "withdrawn")
    with pytest.raises(NotFound):
        await read(anybody, for_all)


async def test_a_list_is_made_public_by_who_speaks_for_the_community(probe: Probe) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed()
    leads, secretariat, member = [await community.member(ENTERPRISE) for _ in range(3)]
    for name, role in ((leads, body_pb2.MEMBER_ROLE_LEAD_ENTERPRISE), (secretariat, body_pb2.MEMBER_ROLE_SECRETARIAT)):
        await probe.rows("UPDATE access_membership SET roles = ARRAY[$2::int] WHERE organization = $1", name, role)
    await community.sweep(noon(2026, 1, 2))
    await community.compile(noon(2026, 2, 1), RoundKind.TALENT_LIST, "2026")
    details = details_pb2.SupplyDemandList(round=await community.round(RoundKind.TALENT_LIST, "2026"))
    given = pb.Listing(kind=pb.LISTING_KIND_TALENT_SUPPLY_DEMAND_LIST, bodies=[community.name], supply_demand_list=details)
    standing = Standing(cast(Any, None))

    async def broken(issuer: str) -> list[str]:
        async with probe.database.transaction(CAUSE._replace(effective_at=noon(2026, 2, 2))) as tx:
            return [one.rule for one in await references.broken(tx, standing, given, issuer, given.kind)]

    assert [await broken(one) for one in (leads, secretariat, member)] == [[], [], ["R43"]]
