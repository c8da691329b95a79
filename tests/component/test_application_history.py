"""What is said of an application over time: kept with the day, the applicant or the rules that change it, until its end."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1 import body_pb2, organization_pb2, registry_service_pb2
from alliance_local.control import Platform
from chassis.clock import BusinessClock, SystemClock, business_date, start_of_day
from chassis.database import Cause, Database, Tx
from registry import changes, checks, store
from registry.applications import store as rows
from registry.applications.judging import ApplicationJudge
from registry.applications.store import ApplicationRow
from registry.domain.limits import limits
from registry.judging import Judge
from registry.mapping.organizations import organization_message
from registry.store import OrganizationRow
from tests import world
from tests.applying import COLLEGE, DEPARTMENT, ENTERPRISE, UNIVERSITY, begun, called, placed, take
from tests.world import Member

SATISFIED, VIOLATED = body_pb2.VERDICT_SATISFIED, body_pb2.VERDICT_VIOLATED
NOT_APPLICABLE = body_pb2.VERDICT_NOT_APPLICABLE
_MICROSECOND = timedelta(microseconds=1)


def _said(member: Member, name: str, at: datetime | None = None) -> dict[str, Any]:
    request = rpc.CheckApplicationRequest(name=name)
    if at is not None:
        request.check_time.FromDatetime(at)
    return {one.rule: one.verdict for one in member.caller.applications.CheckApplication(request).findings}


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)


def _is_of(platform: Platform, organization: str, org_type: Any) -> datetime:
    """Enter an organization's type; returns when it was."""
    given = organization_pb2.Organization(name=organization, org_type=org_type)
    request = registry_service_pb2.UpdateOrganizationRequest(organization=given, reason="变更类型")
    request.update_mask.paths.append("org_type")
    return _time(world.operator(platform).registry.UpdateOrganization(request).update_time)


def _adjustment(platform: Platform) -> tuple[Member, pb.Application]:
    """A vocational school's new major without an enterprise (R26)."""
    school, commission = placed(platform, COLLEGE, "110000"), placed(platform, DEPARTMENT, "110000")
    facts = pb.MajorAdjustmentFacts(change=pb.MAJOR_CHANGE_NEW, major_code="460301", practice_hours_percent=55)
    facts.deep_cooperation_enterprises = 0
    return school, begun(school, called(platform, commission, pb.PROGRAMME_MAJOR_ADJUSTMENT), major_adjustment=facts)


def _intake(platform: Platform, full_in_days: int) -> tuple[Member, pb.Application, date]:
    """An intake whose three years on the front line (R28) are full so many days from now; and that day."""
    employer, university = placed(platform, ENTERPRISE, "110000"), placed(platform, UNIVERSITY, "110000")
    full = business_date(datetime.now(UTC)) + timedelta(days=full_in_days)
    since = full.replace(year=full.year - 3, day=min(full.day, 28))
    full = since.replace(year=full.year)
    facts = pb.EmployeeIntakeFacts(front_line_since=since.isoformat())
    call = called(platform, university, pb.PROGRAMME_EMPLOYEE_INTAKE)
    return employer, begun(employer, call, employee_intake=facts), full


@asynccontextmanager
async def _later(platform: Platform, day: date) -> AsyncIterator[Tx]:
    """A transaction at noon of a day that is still to come, of which nothing stays."""
    system = SystemClock()
    ahead = start_of_day(day) + timedelta(hours=12) - system.now()
    database = Database(platform.database_url("registry"), system=system, business=BusinessClock(system, ahead))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        stack.enter_context(suppress(_UndoneError))
        tx = await stack.enter_async_context(database.transaction(Cause("tester")))
        yield tx
        raise _UndoneError


class _UndoneError(Exception):
    pass


async def _kept(tx: Tx, name: str, at: datetime) -> dict[str, body_pb2.RuleFinding]:
    found = [body_pb2.RuleFinding.FromString(one.content) for one in await checks.findings_at(tx, name, at)]
    return {one.rule: one for one in found}


def test_what_the_type_of_the_applicant_changes_is_kept_with_it(platform: Platform) -> None:
    school, made = _adjustment(platform)
    assert _said(school, made.name)["R26"] == VIOLATED
    changed = _is_of(platform, school.name, UNIVERSITY)
    verdicts = [_said(school, made.name, at)["R26"] for at in (changed - _MICROSECOND, changed)]
    assert verdicts == [VIOLATED, NOT_APPLICABLE]
    assert _said(school, made.name)["R26"] == NOT_APPLICABLE
    back = _is_of(platform, school.name, COLLEGE)
    assert [_said(school, made.name, at)["R26"] for at in (back - _MICROSECOND, back)] == [NOT_APPLICABLE, VIOLATED]


def test_what_was_said_of_an_application_at_its_end_stays(platform: Platform) -> None:
    school, made = _adjustment(platform)
    ended = take(school, made.name, "withdraw", reason="不再申报")
    changed = _is_of(platform, school.name, UNIVERSITY)
    for at in (_time(ended.update_time), changed, None):
        assert _said(school, made.name, at)["R26"] == VIOLATED


async def test_what_a_day_changes_is_kept_from_its_beginning(platform: Platform) -> None:
    _, made, full = _intake(platform, 9)
    judge = ApplicationJudge(Judge(limits({})))
    async with _later(platform, full - timedelta(days=1)) as tx:
        assert made.name not in await rows.turning(tx, business_date(tx.now), 1000)
    async with _later(platform, full + timedelta(days=2)) as tx:
        assert made.name in await rows.turning(tx, business_date(tx.now), 1000)
        while await judge.sweep(tx):
            pass
        turned = start_of_day(full)
        before, after = await _kept(tx, made.name, turned - _MICROSECOND), await _kept(tx, made.name, turned)
        assert (before["R28"].verdict, after["R28"].verdict) == (VIOLATED, SATISFIED)
        assert _time(after["R28"].since_time) == turned
        row = await store.get(tx, ApplicationRow, made.name)
        assert row is not None
        assert [one.rule for one in await judge.said(tx, made)] == ["R28"]
        assert row.version == 1, "a day is no change of the application"


async def test_a_change_takes_no_day_from_what_the_calendar_changed_before_it(platform: Platform) -> None:
    """Of the applicant as of the application, before the sweep has come by."""
    employer, made, full = _intake(platform, 9)
    judge = ApplicationJudge(Judge(limits({})))
    async with _later(platform, full + timedelta(days=2)) as tx:
        organization = await store.get(tx, OrganizationRow, employer.name)
        assert organization is not None
        judged = await judge.turn_of(tx, employer.name)
        assert [row.name for row in judged] == [made.name]
        message = organization_message(organization)
        message.org_type = UNIVERSITY
        await changes.save_organization(tx, message, organization.version + 1, "updated")
        for row in judged:
            await judge.renew(tx, row)
        turned = start_of_day(full)
        for at, verdict in ((turned - _MICROSECOND, VIOLATED), (turned, SATISFIED), (tx.now, SATISFIED)):
            assert (await _kept(tx, made.name, at))["R28"].verdict == verdict


async def test_what_other_thresholds_say_is_kept_from_when_they_are_in_force(platform: Platform) -> None:
    _, made, full = _intake(platform, -9)
    stricter = ApplicationJudge(Judge(limits({"front_line_years": 4})))
    async with _later(platform, full + timedelta(days=12)) as tx:
        await stricter.begin(tx)
        while await stricter.sweep(tx):
            pass
        before, now = await _kept(tx, made.name, tx.now - _MICROSECOND), await _kept(tx, made.name, tx.now)
        assert (before["R28"].verdict, now["R28"].verdict) == (SATISFIED, VIOLATED)
        assert "front_line_years=4" in now["R28"].rule_version
        await stricter.begin(tx)
        assert not await rows.turning(tx, business_date(tx.now), 1000), "nothing is looked at twice by the same rules"
