"""What the rules said of a body: kept, dated with the day or the change that made it so, and asked for later."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, timedelta

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from alliance.registry.v1 import body_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_local.control import Platform
from chassis.clock import BusinessClock, SystemClock, business_date, start_of_day
from chassis.database import Cause, Database, Tx
from registry import bodies, changes, checks, store
from registry.domain.limits import limits
from registry.judging import Judge
from registry.mapping.bodies import body_message, membership_row
from tests import world
from tests.component.register.asking import (
    CHAIR,
    ENTERPRISE,
    SATISFIED,
    SECRETARIAT,
    UNKNOWN,
    VIOLATED,
    history,
    membership,
    open_findings,
    said,
    update,
    write,
)
from tests.component.register.days import today, turn_the_day
from tests.waiting import until


def test_what_was_said_can_be_asked_for_later(platform: Platform) -> None:
    body = world.alliance(platform)
    assert said(platform, body.name, "R12").verdict == VIOLATED
    world.join(platform, body.name, world.organization(platform, ENTERPRISE), SECRETARIAT)
    write(platform, body.name, secretariat_full_time_staff=1)
    write(platform, body.name, secretariat_space=True, secretariat_funding=True)
    write(platform, body.name, key_industry=world.unique("产业"))
    newest, third, second, first = history(platform, body.name, "R12")
    assert [one.verdict for one in (first, second, third, newest)] == [VIOLATED, UNKNOWN, UNKNOWN, SATISFIED]
    assert list(third.missing) == ["secretariat_space", "secretariat_funding"]
    assert list(second.missing) == ["secretariat_full_time_staff", *third.missing]
    for one in (first, second, third, newest):
        assert said(platform, body.name, "R12", one.since_time) == one
        assert (one.rule_version, one.severity) == ("2", body_pb2.SEVERITY_REQUIRED)
    before = Timestamp(seconds=first.since_time.seconds - 1)
    early = rpc.CheckBodyRequest(name=body.name, check_time=before)
    with pytest.raises(grpc.RpcError, match="entered at") as refused:
        world.operator(platform).registry.CheckBody(early)
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND


def test_nobody_knows_what_will_be_said(platform: Platform) -> None:
    body, operator = world.alliance(platform), world.operator(platform).registry
    now = operator.CheckBody(rpc.CheckBodyRequest(name=body.name)).check_time
    later = Timestamp(seconds=now.seconds + 3600)
    with pytest.raises(grpc.RpcError, match="still to come"):
        operator.CheckBody(rpc.CheckBodyRequest(name=body.name, check_time=later))
    assert operator.CheckBody(rpc.CheckBodyRequest(name=body.name, check_time=now)).check_time == now


def test_a_body_that_was_dissolved_says_when_and_why_and_what_it_said_before(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    registry = world.operator(platform).registry
    before = registry.CheckBody(rpc.CheckBodyRequest(name=body.name))
    dissolved = registry.DissolveBody(rpc.DissolveBodyRequest(name=body.name, reason="合并到虚构示例联盟"))
    ended = dissolved.update_time
    for at in (None, ended):
        found = registry.CheckBody(rpc.CheckBodyRequest(name=body.name, check_time=at))
        assert {one.verdict for one in found.findings} == {body_pb2.VERDICT_NOT_APPLICABLE}
        assert {one.rule for one in found.findings} == {one.rule for one in before.findings}
        for one in found.findings:
            assert str(business_date(ended.ToDatetime(tzinfo=UTC))) in one.message.zh
            assert "合并到虚构示例联盟" in one.message.en
            assert one.since_time == ended
        assert found.body_version > before.body_version
    asked = rpc.CheckBodyRequest(name=body.name, check_time=before.check_time)
    assert [one.verdict for one in registry.CheckBody(asked).findings] == [one.verdict for one in before.findings]
    assert registry.ListFindings(rpc.ListFindingsRequest(parent=body.name)).findings[0].since_time == ended


def test_a_rule_that_a_kind_does_not_have_is_told_apart_from_one_of_which_nothing_was_said(platform: Platform) -> None:
    body, registry = world.alliance(platform), world.operator(platform).registry
    assert registry.ListFindings(rpc.ListFindingsRequest(parent=body.name, rule="R10")).findings
    for rule in ("R99", "R14"):
        with pytest.raises(grpc.RpcError, match="there are R10"):
            registry.ListFindings(rpc.ListFindingsRequest(parent=body.name, rule=rule))


def test_what_the_calendar_changes_is_dated_with_the_day_however_late_somebody_looks(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    chair = membership(platform, body.name, CHAIR)
    world.operator(platform).registry.EndMembership(rpc.EndMembershipRequest(name=chair.name, reason="退出"))
    asyncio.run(turn_the_day(platform, body.name, days=4))
    asyncio.run(until(lambda: "R11" in open_findings(platform, body.name)))
    turned = start_of_day(today(platform) - timedelta(days=3))  # the day after the last of the seat, three days ago
    for at, verdict in ((turned - timedelta(seconds=1), SATISFIED), (turned, VIOLATED)):
        stamp = Timestamp()
        stamp.FromDatetime(at)
        assert said(platform, body.name, "R11", stamp).verdict == verdict
    (newest, *_) = history(platform, body.name, "R11")
    assert newest.since_time.ToDatetime(tzinfo=UTC) == turned


@pytest.mark.parametrize("change", ["rename", "join", "dissolve"])
async def test_a_change_takes_no_day_from_what_the_calendar_changed_before_it(platform: Platform, change: str) -> None:
    """Three days on, before a sweep: none of it is committed, so that the platform's own never sees those days."""
    body, _ = world.formed_alliance(platform)
    chair, newcomer = membership(platform, body.name, CHAIR), world.organization(platform, ENTERPRISE)
    world.operator(platform).registry.EndMembership(rpc.EndMembershipRequest(name=chair.name, reason="退出"))
    system, judge = SystemClock(), Judge(limits({}))
    later = BusinessClock(system, timedelta(days=3))
    database = Database(platform.database_url("registry"), system=system, business=later)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        tx = await stack.enter_async_context(_undone(database))
        row = await changes.locked_body(tx, body.name)
        if change == "rename":
            message = body_message(row)
            message.display_name = world.unique("联盟")
            await bodies.save(tx, judge, message, row.version + 1, "updated")
        elif change == "join":
            given = body_pb2.Membership(name=f"{body.name}/memberships/later", organization=newcomer.name, roles=[CHAIR])
            joined = membership_row(given, body.name, 0, business_date(tx.now), tx.now)
            await judge.turn(tx, row)
            await changes.save_membership(tx, row, joined, "created")
            await judge.renew(tx, row, row.version)
        else:
            await bodies.dissolve(tx, judge, row)
        turned = start_of_day(business_date(system.now()) + timedelta(days=1))
        for at, verdict in ((turned - timedelta(seconds=1), SATISFIED), (turned, VIOLATED)):
            kept = [body_pb2.RuleFinding.FromString(one.content) for one in await checks.findings_at(tx, body.name, at)]
            assert next(one.verdict for one in kept if one.rule == "R11") == verdict


async def test_a_membership_to_the_last_day_of_all_ends_on_no_day(platform: Platform) -> None:
    body, company = world.alliance(platform), world.organization(platform, ENTERPRISE)
    system = SystemClock()
    database = Database(platform.database_url("registry"), system=system, business=BusinessClock(system))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        tx = await stack.enter_async_context(_undone(database))
        row, today = await changes.locked_body(tx, body.name), business_date(tx.now)
        given = body_pb2.Membership(name=f"{body.name}/memberships/last", organization=company.name, roles=[CHAIR])
        given.valid_to = "9999-12-31"
        await changes.save_membership(tx, row, membership_row(given, body.name, 0, today, tx.now), "created")
        assert await store.membership_days(tx, body.name) == [today]


@asynccontextmanager
async def _undone(database: Database) -> AsyncIterator[Tx]:
    """A transaction of which nothing stays."""
    with suppress(_UndoneError):
        async with database.transaction(Cause("tester")) as tx:
            yield tx
            raise _UndoneError


class _UndoneError(Exception):
    pass


def test_the_bodies_of_an_organization_hear_of_its_changes(platform: Platform) -> None:
    """Two provinces, until one of the members moves."""
    given = body_pb2.Body(display_name=world.unique("共同体"), kind=body_pb2.BODY_KIND_COMMUNITY)
    operator = world.operator(platform)
    body = operator.registry.CreateBody(rpc.CreateBodyRequest(body=given))
    for region in ("110000", "120000"):
        mover = world.organization(platform, ENTERPRISE)
        update(operator, mover.name, region_code=region)
        world.join(platform, body.name, mover)
    assert history(platform, body.name, "R18.1")[0].verdict == SATISFIED
    update(operator, mover.name, region_code="110105")
    asyncio.run(until(lambda: history(platform, body.name, "R18.1")[0].verdict == VIOLATED))
    assert history(platform, body.name, "R18.1")[0].facts["provinces"] == "1"


async def test_what_changes_while_a_body_is_looked_at_has_it_looked_at_again(platform: Platform) -> None:
    """The change waits for nobody, and is heard of by whoever looks once it is committed, and not before."""
    body, company = world.alliance(platform), world.organization(platform, ENTERPRISE)
    world.join(platform, body.name, company)
    system, judge = SystemClock(), Judge(limits({}))
    database = Database(platform.database_url("registry"), system=system, business=BusinessClock(system))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        looking = await stack.enter_async_context(_undone(database))
        await changes.locked_body(looking, body.name)
        await judge.look(looking, body)
        changing = await stack.enter_async_context(_undone(database))
        await checks.outdate(changing, [company.name])
        assert body.name not in await checks.take_outdated(looking, 1000), "not committed"
        assert body.name in await checks.take_outdated(changing, 1000)
