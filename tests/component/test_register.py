"""The register: what a verification vouches for, whose keys are whose, and what a formed body has open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, date, timedelta
from typing import Any

import asyncpg
import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import body_pb2, organization_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_local.caller import Caller
from alliance_local.control import Platform
from alliance_local.postgres import Postgres
from chassis.clock import BusinessClock, SystemClock, business_date, start_of_day
from chassis.database import Cause, Database, Tx
from registry import bodies, changes, store
from registry.domain.limits import limits
from registry.judging import Judge
from registry.mapping.bodies import body_message, membership_row
from tests import world
from tests.waiting import until
from tests.world import Member

DEPARTMENT, TASK_FORCE = organization_pb2.ORG_TYPE_GOV_DEPARTMENT, organization_pb2.ORG_TYPE_TASK_FORCE
ENTERPRISE, UNIVERSITY = organization_pb2.ORG_TYPE_ENTERPRISE, organization_pb2.ORG_TYPE_UNIVERSITY
VERIFIED, UNVERIFIED = organization_pb2.VERIFICATION_STATE_VERIFIED, organization_pb2.VERIFICATION_STATE_UNVERIFIED
CHAIR, VICE, SECRETARIAT = body_pb2.MEMBER_ROLE_CHAIR, body_pb2.MEMBER_ROLE_VICE_CHAIR, body_pb2.MEMBER_ROLE_SECRETARIAT
VIOLATED, UNKNOWN = body_pb2.VERDICT_VIOLATED, body_pb2.VERDICT_CANNOT_BE_TOLD
PAPERS = {f"R13.{part}": UNKNOWN for part in range(1, 5)}
BOTH_UNKNOWN = {"R12": UNKNOWN, **PAPERS}


def update(caller: Caller, name: str, **fields: Any) -> organization_pb2.Organization:
    given = organization_pb2.Organization(name=name, **fields)
    request = rpc.UpdateOrganizationRequest(organization=given, reason="更正")
    request.update_mask.paths.extend(fields)
    made: organization_pb2.Organization = caller.registry.UpdateOrganization(request)
    return made


def verify(platform: Platform, name: str) -> None:
    world.operator(platform).registry.VerifyOrganization(rpc.VerifyOrganizationRequest(name=name, reason="已核验"))


def read(caller: Caller, name: str) -> organization_pb2.Organization:
    found: organization_pb2.Organization = caller.registry.GetOrganization(rpc.GetOrganizationRequest(name=name))
    return found


def verified(platform: Platform, org_type: int) -> Member:
    member = world.organization(platform, org_type)
    update(world.operator(platform), member.name, credit_code=world.credit_code())
    verify(platform, member.name)
    return member


def child(platform: Platform, parent: str, org_type: Any = TASK_FORCE) -> str:
    given = organization_pb2.Organization(display_name=world.unique("专班"), org_type=org_type, parent=parent)
    request = rpc.CreateOrganizationRequest(organization=given)
    return str(world.operator(platform).registry.CreateOrganization(request).name)


def refusal(call: Any, *arguments: Any, **more: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as refused:
        call(*arguments, **more)
    return refused.value


@pytest.mark.parametrize("field", ["display_name", "org_type", "credit_code", "parent"])
def test_a_change_of_what_was_verified_ends_the_verification(platform: Platform, field: str) -> None:
    member = verified(platform, ENTERPRISE)
    values = {
        "display_name": world.unique("改名"),
        "org_type": organization_pb2.ORG_TYPE_RESEARCH_INSTITUTE,
        "credit_code": world.credit_code(),
        "parent": world.organization(platform, ENTERPRISE).name,
    }
    assert update(member.caller, member.name, **{field: values[field]}).verification == UNVERIFIED


def test_a_change_of_anything_else_leaves_it(platform: Platform) -> None:
    member = verified(platform, ENTERPRISE)
    name = read(member.caller, member.name).display_name
    changed = update(member.caller, member.name, region_code="110105", industry_codes=["3973"], display_name=name)
    assert changed.verification == VERIFIED


def test_those_that_it_vouched_for_lose_theirs_with_it(platform: Platform) -> None:
    department, operator = verified(platform, DEPARTMENT), world.operator(platform)
    first, second, unverified = (child(platform, department.name) for _ in range(3))
    company = verified(platform, ENTERPRISE)
    update(operator, company.name, parent=department.name)
    for name in (first, second, company.name):
        verify(platform, name)
    before = {name: read(operator, name) for name in (first, second, unverified, company.name)}
    update(department.caller, department.name, display_name=world.unique("改名"))
    after = {name: read(operator, name) for name in before}
    assert [after[name].verification for name in (first, second, unverified)] == [UNVERIFIED] * 3
    assert after[first].etag != before[first].etag
    assert after[unverified] == before[unverified]
    assert after[company.name] == before[company.name], "a legal person is verified by its own code"
    assert "PARENT_NOT_VERIFIED" in str(refusal(verify, platform, first))


def test_a_parent_fits_when_it_is_set_and_when_it_is_verified(platform: Platform) -> None:
    operator, department = world.operator(platform), verified(platform, DEPARTMENT)
    company, university = world.organization(platform, ENTERPRISE), world.organization(platform, UNIVERSITY)
    college = organization_pb2.ORG_TYPE_SECONDARY_COLLEGE
    for wrong, org_type in ((company, TASK_FORCE), (university, TASK_FORCE), (company, college), (department, college)):
        assert "S0 附件2" in str(refusal(child, platform, wrong.name, org_type))
    task_force = child(platform, department.name)
    assert child(platform, university.name, college)
    assert "S0 附件2" in str(refusal(update, operator, task_force, parent=company.name))
    assert "S0 附件2" in str(refusal(update, operator, task_force, org_type=college))
    update(operator, department.name, org_type=ENTERPRISE)
    verify(platform, department.name)
    assert "PARENT_TYPE" in str(refusal(verify, platform, task_force))


def test_nobody_is_its_own_parent_nor_below_itself(platform: Platform) -> None:
    operator = world.operator(platform)
    first, second, third = (world.organization(platform, ENTERPRISE).name for _ in range(3))
    update(operator, second, parent=first)
    update(operator, third, parent=second)
    for parent in (first, second, third):
        assert refusal(update, operator, first, parent=parent).code() == grpc.StatusCode.INVALID_ARGUMENT
    update(operator, second, parent="")
    assert update(operator, first, parent=third).parent == third


def test_an_external_key_is_the_platforms_to_give(platform: Platform) -> None:
    member, key = world.organization(platform, ENTERPRISE), world.unique("key")
    denied = refusal(update, member.caller, member.name, external_key=key)
    assert denied.code() == grpc.StatusCode.PERMISSION_DENIED
    assert update(world.operator(platform), member.name, external_key=key).external_key == key
    assert update(member.caller, member.name, external_key=key, region_code="110105").external_key == key


def test_codes_and_keys_are_read_by_those_whom_they_concern(platform: Platform) -> None:
    member, key, code = world.organization(platform, ENTERPRISE), world.unique("key"), world.credit_code()
    operator = world.operator(platform)
    parent = world.organization(platform, ENTERPRISE).name
    update(operator, member.name, external_key=key, credit_code=code, parent=parent)
    body, elsewhere = world.alliance(platform), world.alliance(platform)
    world.join(platform, body.name, member)
    subs = {one.name: f"secretariat-{one.name[-12:]}" for one in (body, elsewhere)}
    for name, sub in subs.items():
        world.grant(platform, sub, access_pb2.ROLE_SECRETARIAT, body=name)
    stranger = world.organization(platform, ENTERPRISE)
    seen = {
        operator: True,
        member.caller: True,
        Caller(platform, subs[body.name]): True,
        Caller(platform, subs[elsewhere.name]): False,
        stranger.caller: False,
        Caller(platform, "newcomer", member.name): False,
        Caller(platform): False,
    }
    for caller, whole in seen.items():
        listed = caller.registry.ListOrganizations(
            rpc.ListOrganizationsRequest(display_name=read(operator, member.name).display_name)
        )
        batch = caller.registry.BatchGetOrganizations(rpc.BatchGetOrganizationsRequest(names=[member.name]))
        for found in (read(caller, member.name), listed.organizations[0], batch.organizations[0]):
            assert (found.external_key, found.credit_code) == ((key, code) if whole else ("", "")), caller.sub
            assert (found.name, found.parent) == (member.name, parent)
        by_key = caller.registry.ListOrganizations(rpc.ListOrganizationsRequest(external_key=key)).organizations
        assert [one.name for one in by_key] == ([member.name] if whole else []), caller.sub


def open_findings(platform: Platform, name: str) -> dict[str, int]:
    body = world.operator(platform).registry.GetBody(rpc.GetBodyRequest(name=name))
    return {one.rule: one.verdict for one in body.open_findings}


def write(platform: Platform, name: str, *paths: str, **facts: Any) -> body_pb2.Body:
    request = rpc.UpdateBodyRequest(body=body_pb2.Body(name=name, alliance=body_pb2.AllianceFacts(**facts)), reason="补充")
    request.update_mask.paths.extend(paths or [f"alliance.{fact}" for fact in facts])
    made: body_pb2.Body = world.operator(platform).registry.UpdateBody(request)
    return made


def test_a_fact_that_becomes_false_stays_open(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    assert open_findings(platform, body.name) == BOTH_UNKNOWN
    write(platform, body.name, secretariat_full_time_staff=0)
    assert open_findings(platform, body.name) == {"R12": VIOLATED, **PAPERS}
    write(platform, body.name, secretariat_full_time_staff=1, secretariat_space=True, secretariat_funding=True)
    assert open_findings(platform, body.name) == PAPERS


def membership(platform: Platform, body: str, role: Any) -> body_pb2.Membership:
    """The first that has a role and is not the secretariat."""
    listed = world.operator(platform).registry.ListMemberships(rpc.ListMembershipsRequest(parent=body)).memberships
    found: body_pb2.Membership = next(one for one in listed if role in one.roles and SECRETARIAT not in one.roles)
    return found


def change(platform: Platform, name: str, **fields: Any) -> body_pb2.Membership:
    request = rpc.UpdateMembershipRequest(membership=body_pb2.Membership(name=name, **fields), reason="调整")
    request.update_mask.paths.extend(fields)
    made: body_pb2.Membership = world.operator(platform).registry.UpdateMembership(request)
    return made


def day(joined: body_pb2.Membership, days: int) -> str:
    return (date.fromisoformat(joined.valid_from) + timedelta(days=days)).isoformat()


def test_a_council_that_loses_its_chair_says_so(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    chair = membership(platform, body.name, CHAIR)
    change(platform, chair.name, valid_from=day(chair, -2), valid_to=day(chair, -1))
    assert open_findings(platform, body.name) == {"R11": VIOLATED, **BOTH_UNKNOWN}
    world.join(platform, body.name, world.organization(platform, ENTERPRISE), CHAIR)
    assert open_findings(platform, body.name) == BOTH_UNKNOWN
    vice = membership(platform, body.name, VICE)
    change(platform, vice.name, roles=[body_pb2.MEMBER_ROLE_PARTICIPANT])
    assert open_findings(platform, body.name) == {"R11": VIOLATED, **BOTH_UNKNOWN}


def test_a_member_that_changes_nothing_of_that_makes_no_version_of_the_body(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    registry = world.operator(platform).registry
    before = registry.GetBody(rpc.GetBodyRequest(name=body.name))
    joined = world.join(platform, body.name, world.organization(platform, ENTERPRISE))
    after = registry.GetBody(rpc.GetBodyRequest(name=body.name))
    assert (after.update_time, after.etag) == (before.update_time, joined.etag)


def test_a_draft_has_nothing_open(platform: Platform) -> None:
    body = world.alliance(platform)
    world.join(platform, body.name, world.organization(platform, ENTERPRISE), CHAIR)
    assert open_findings(platform, body.name) == {}


@pytest.mark.parametrize("verb", ["Suspend", "Dissolve"])
def test_nobody_joins_a_body_that_is_suspended_or_dissolved(platform: Platform, verb: str) -> None:
    body, _ = world.formed_alliance(platform)
    registry, newcomer = world.operator(platform).registry, world.organization(platform, ENTERPRISE)
    getattr(registry, f"{verb}Body")(getattr(rpc, f"{verb}BodyRequest")(name=body.name, reason="整改"))
    refused = refusal(world.join, platform, body.name, newcomer)
    assert refused.code() == grpc.StatusCode.FAILED_PRECONDITION
    if verb == "Suspend":
        registry.ResumeBody(rpc.ResumeBodyRequest(name=body.name, reason="整改完成"))
        assert world.join(platform, body.name, newcomer)


def test_an_industry_written_otherwise_is_the_same_industry(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    industry = body.alliance.key_industry
    second, _ = world.formed_alliance(platform)
    for wording in ("{}产业", "{}行业", "{}领域", "{}产业行业领域", "{}产业链", "重点产业：{}", "{}（核心）", "“{}”"):
        assert "R10" in str(refusal(write, platform, second.name, key_industry=wording.format(industry))), wording
    assert write(platform, second.name, key_industry=f"{industry}设备产业").alliance.key_industry == f"{industry}设备产业"
    twisted = f" {industry[:2]}\u3000{industry[2:]} "
    assert "R10" in str(refusal(write, platform, second.name, key_industry=twisted))
    draft = body_pb2.Body(display_name=world.unique("联盟"), kind=body_pb2.BODY_KIND_ALLIANCE)
    draft.alliance.key_industry = twisted
    registry = world.operator(platform).registry
    made = registry.CreateBody(rpc.CreateBodyRequest(body=draft))
    assert made.alliance.key_industry == industry
    said = registry.CheckBody(rpc.CheckBodyRequest(name=made.name))
    assert next(one.verdict for one in said.findings if one.rule == "R10") == VIOLATED


def test_a_seat_is_held_to_the_end_of_its_last_day(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    chair = membership(platform, body.name, CHAIR)
    world.operator(platform).registry.EndMembership(rpc.EndMembershipRequest(name=chair.name, reason="退出"))
    assert open_findings(platform, body.name) == BOTH_UNKNOWN
    asyncio.run(_turn_the_day(platform, body.name))
    asyncio.run(until(lambda: "R11" in open_findings(platform, body.name)))
    assert open_findings(platform, body.name) == {"R11": VIOLATED, **BOTH_UNKNOWN}
    (newest, *_) = history(platform, body.name, "R11")
    assert newest.since_time.ToDatetime(tzinfo=UTC) == start_of_day(_today(platform))


async def _turn_the_day(platform: Platform, body: str, days: int = 1) -> None:
    """As it is days after, on which nobody has looked at the body."""
    registry = await asyncpg.connect(Postgres(platform.state).url("registry", "registry"))
    async with registry.transaction():
        for statement in (
            "UPDATE membership SET valid_from = valid_from - $2::int, valid_to = valid_to - $2::int WHERE body = $1",
            "UPDATE body_finding SET since = since - make_interval(days => $2::int) WHERE body = $1",
            "UPDATE body_check SET checked_on = checked_on - $2::int WHERE body = $1",
        ):
            await registry.execute(statement, body, days)
    await registry.close()


def _today(platform: Platform) -> date:
    now = world.operator(platform).registry.CheckBody(rpc.CheckBodyRequest(name=world.alliance(platform).name)).check_time
    return business_date(now.ToDatetime(tzinfo=UTC))


def test_what_the_calendar_changes_is_dated_with_the_day_however_late_somebody_looks(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    chair = membership(platform, body.name, CHAIR)
    world.operator(platform).registry.EndMembership(rpc.EndMembershipRequest(name=chair.name, reason="退出"))
    asyncio.run(_turn_the_day(platform, body.name, days=4))
    asyncio.run(until(lambda: "R11" in open_findings(platform, body.name)))
    turned = start_of_day(_today(platform) - timedelta(days=3))  # the day after the last of the seat, three days ago
    for at, verdict in ((turned - timedelta(seconds=1), body_pb2.VERDICT_SATISFIED), (turned, VIOLATED)):
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
        for at, verdict in ((turned - timedelta(seconds=1), body_pb2.VERDICT_SATISFIED), (turned, VIOLATED)):
            kept = [body_pb2.RuleFinding.FromString(one.content) for one in await store.findings_at(tx, body.name, at)]
            assert next(one.verdict for one in kept if one.rule == "R11") == verdict


@asynccontextmanager
async def _undone(database: Database) -> AsyncIterator[Tx]:
    """A transaction of which nothing stays."""
    with suppress(_UndoneError):
        async with database.transaction(Cause("tester")) as tx:
            yield tx
            raise _UndoneError


class _UndoneError(Exception):
    pass


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


def said(platform: Platform, body: str, rule: str, at: Timestamp | None = None) -> body_pb2.RuleFinding:
    """What a rule says of a body, or said at a time."""
    found = world.operator(platform).registry.CheckBody(rpc.CheckBodyRequest(name=body, check_time=at)).findings
    one: body_pb2.RuleFinding = next(one for one in found if one.rule == rule)
    return one


def history(platform: Platform, body: str, rule: str) -> list[body_pb2.RuleFinding]:
    """All that a rule said, the newest first, asked for one by one."""
    registry = world.operator(platform).registry
    found, token = list[body_pb2.RuleFinding](), ""
    while True:
        page = registry.ListFindings(rpc.ListFindingsRequest(parent=body, rule=rule, page_size=1, page_token=token))
        found += page.findings
        token = page.next_page_token
        if not token:
            return found


def test_what_was_said_can_be_asked_for_later(platform: Platform) -> None:
    body = world.alliance(platform)
    assert said(platform, body.name, "R12").verdict == VIOLATED
    world.join(platform, body.name, world.organization(platform, ENTERPRISE), SECRETARIAT)
    write(platform, body.name, secretariat_full_time_staff=1)
    write(platform, body.name, secretariat_space=True, secretariat_funding=True)
    write(platform, body.name, key_industry=world.unique("产业"))
    newest, third, second, first = history(platform, body.name, "R12")
    assert [one.verdict for one in (first, second, third, newest)] == [VIOLATED, UNKNOWN, UNKNOWN, body_pb2.VERDICT_SATISFIED]
    assert list(third.missing) == ["secretariat_space", "secretariat_funding"]
    assert list(second.missing) == ["secretariat_full_time_staff", *third.missing]
    for one in (first, second, third, newest):
        assert said(platform, body.name, "R12", one.since_time) == one
        assert (one.rule_version, one.severity) == ("2", body_pb2.SEVERITY_REQUIRED)
    before = Timestamp(seconds=first.since_time.seconds - 1)
    asked = world.operator(platform).registry.CheckBody(rpc.CheckBodyRequest(name=body.name, check_time=before))
    assert (list(asked.findings), asked.body_version) == ([], 0)


def test_nobody_knows_what_will_be_said(platform: Platform) -> None:
    body, operator = world.alliance(platform), world.operator(platform).registry
    now = operator.CheckBody(rpc.CheckBodyRequest(name=body.name)).check_time
    later = Timestamp(seconds=now.seconds + 3600)
    with pytest.raises(grpc.RpcError, match="still to come"):
        operator.CheckBody(rpc.CheckBodyRequest(name=body.name, check_time=later))
    assert operator.CheckBody(rpc.CheckBodyRequest(name=body.name, check_time=now)).check_time == now


def test_the_bodies_of_an_organization_hear_of_its_changes(platform: Platform) -> None:
    """Two provinces, until one of the members moves."""
    given = body_pb2.Body(display_name=world.unique("共同体"), kind=body_pb2.BODY_KIND_COMMUNITY)
    operator = world.operator(platform)
    body = operator.registry.CreateBody(rpc.CreateBodyRequest(body=given))
    for region in ("110000", "120000"):
        mover = world.organization(platform, ENTERPRISE)
        update(operator, mover.name, region_code=region)
        world.join(platform, body.name, mover)
    assert history(platform, body.name, "R18.1")[0].verdict == body_pb2.VERDICT_SATISFIED
    update(operator, mover.name, region_code="110105")
    asyncio.run(until(lambda: history(platform, body.name, "R18.1")[0].verdict == VIOLATED))
    assert history(platform, body.name, "R18.1")[0].facts["provinces"] == "1"


async def test_what_changes_while_a_body_is_looked_at_has_it_looked_at_again(platform: Platform) -> None:
    body, company = world.alliance(platform), world.organization(platform, ENTERPRISE)
    world.join(platform, body.name, company)
    system, judge = SystemClock(), Judge(limits({}))
    database = Database(platform.database_url("registry"), system=system, business=BusinessClock(system))

    async def change() -> None:
        async with database.transaction(Cause("tester")) as tx:
            await store.outdate_members(tx, company.name)

    async with database.transaction(Cause("tester")) as tx:
        await judge.look(tx, body)
        changing = asyncio.create_task(change())
        done, _ = await asyncio.wait([changing], timeout=0.5)
        assert not done, "it would be taken for looked at, by what was read before"
    await changing
    await database.close()


def pilot(platform: Platform, institution: str, major: str, **facts: Any) -> body_pb2.Body:
    """A draft of a pilot unit."""
    given = body_pb2.Body(
        display_name=world.unique("试点"),
        kind=body_pb2.BODY_KIND_PILOT_UNIT,
        pilot_unit=body_pb2.PilotUnitFacts(institution=institution, major_code=major, call_year=2026, **facts),
    )
    made: body_pb2.Body = world.operator(platform).registry.CreateBody(rpc.CreateBodyRequest(body=given))
    return made


def test_an_institution_has_two_pilots_of_two_majors_in_a_call(platform: Platform) -> None:
    registry = world.operator(platform).registry
    university = verified(platform, UNIVERSITY)
    first, again, second, third = (
        pilot(platform, university.name, major) for major in ("080901", "080901", "080902", "080903")
    )
    registry.FormBody(rpc.FormBodyRequest(name=first.name, reason="遴选确定"))
    assert "R21.2" in str(refusal(registry.FormBody, rpc.FormBodyRequest(name=again.name)))
    registry.FormBody(rpc.FormBodyRequest(name=second.name, reason="遴选确定"))
    assert "R21.2" in str(refusal(registry.FormBody, rpc.FormBodyRequest(name=third.name)))
    changed = body_pb2.Body(name=second.name, pilot_unit=body_pb2.PilotUnitFacts(major_code="080901"))
    request = rpc.UpdateBodyRequest(body=changed, reason="更正")
    request.update_mask.paths.append("pilot_unit.major_code")
    assert "R21.2" in str(refusal(registry.UpdateBody, request))
    later = pilot(platform, university.name, "080901")
    next_call = body_pb2.Body(name=later.name, pilot_unit=body_pb2.PilotUnitFacts(call_year=2027))
    request = rpc.UpdateBodyRequest(body=next_call, reason="下一年度")
    request.update_mask.paths.append("pilot_unit.call_year")
    registry.UpdateBody(request)
    assert registry.FormBody(rpc.FormBodyRequest(name=later.name)).state == body_pb2.BODY_STATE_FORMED


def test_a_pilot_is_run_by_a_college_of_its_own_institution(platform: Platform) -> None:
    university, other = verified(platform, UNIVERSITY), verified(platform, UNIVERSITY)
    college = organization_pb2.ORG_TYPE_SECONDARY_COLLEGE
    for parent, verdict in ((university, body_pb2.VERDICT_SATISFIED), (other, VIOLATED)):
        own = child(platform, parent.name, college)
        body = pilot(platform, university.name, "080901", college=own)
        assert said(platform, body.name, "R21.1").verdict == VIOLATED, "anybody can name a parent"
        verify(platform, own)
        assert said(platform, body.name, "R21.1").verdict == verdict
    for one in (verified(platform, ENTERPRISE), world.organization(platform, UNIVERSITY)):
        assert said(platform, pilot(platform, one.name, "080901").name, "R21.1").verdict == VIOLATED


def test_a_support_unit_is_a_verified_legal_person(platform: Platform) -> None:
    company = world.organization(platform, ENTERPRISE)
    given = body_pb2.Body(
        display_name=world.unique("支撑"),
        kind=body_pb2.BODY_KIND_SUPPORT_UNIT,
        support_unit=body_pb2.SupportUnitFacts(unit=company.name),
    )
    body = world.operator(platform).registry.CreateBody(rpc.CreateBodyRequest(body=given))
    assert said(platform, body.name, "R25.1").verdict == VIOLATED
    update(world.operator(platform), company.name, credit_code=world.credit_code())
    verify(platform, company.name)
    assert said(platform, body.name, "R25.1").verdict == body_pb2.VERDICT_SATISFIED


@pytest.mark.parametrize("field", ["institution", "college"])
def test_whom_a_pilot_names_is_in_the_register(platform: Platform, field: Any) -> None:
    nobody = world.organization(platform, UNIVERSITY).name[:-4] + "ffff"
    given = body_pb2.Body(
        display_name=world.unique("试点"),
        kind=body_pb2.BODY_KIND_PILOT_UNIT,
        pilot_unit={field: nobody},  # type: ignore[arg-type]
    )
    registry = world.operator(platform).registry
    assert nobody in str(refusal(registry.CreateBody, rpc.CreateBodyRequest(body=given)))
