"""What is said of a body changes with what it is judged by beside itself and its members, and is kept the same moment."""

import asyncpg
import pytest

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import body_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_local.control import Platform
from alliance_local.postgres import Postgres
from tests import world
from tests.applying import begun, called, college_of, major_of, pilot, placed, take
from tests.component.register.asking import (
    DEPARTMENT,
    ENTERPRISE,
    SATISFIED,
    UNIVERSITY,
    VIOLATED,
    child,
    history,
    update,
    verify,
    write,
)
from tests.waiting import until


async def kept(platform: Platform, body: str, rule: str, *verdicts: int) -> None:
    """What a rule said of a body comes to be this, the newest first."""
    await until(lambda: [one.verdict for one in history(platform, body, rule)][: len(verdicts)] == list(verdicts))


def renamed(platform: Platform, body: str) -> str:
    name = world.unique("改名联盟")
    request = rpc.UpdateBodyRequest(body=body_pb2.Body(name=body, display_name=name), reason="改名")
    request.update_mask.paths.append("display_name")
    world.operator(platform).registry.UpdateBody(request)
    return name


async def test_the_task_force_and_the_lead_departments_that_an_alliance_names(platform: Platform) -> None:
    department, body = world.organization(platform, DEPARTMENT), world.alliance(platform)
    write(platform, body.name, lead_departments=[department.name])
    await kept(platform, body.name, "R10.3", VIOLATED)
    world.verified(platform, department)
    await kept(platform, body.name, "R10.3", SATISFIED, VIOLATED)
    write(platform, body.name, task_force=(force := child(platform, department.name)))
    await kept(platform, body.name, "R10.3", VIOLATED, SATISFIED)
    verify(platform, force)
    await kept(platform, body.name, "R10.3", SATISFIED, VIOLATED)


async def test_the_institution_and_the_college_that_a_pilot_names(platform: Platform) -> None:
    body, university = pilot(platform)
    await kept(platform, body.name, "R21.1", SATISFIED)
    update(world.operator(platform), university.name, display_name=world.unique("改名大学"))  # no longer verified
    await kept(platform, body.name, "R21.1", VIOLATED, SATISFIED)
    verify(platform, university.name)
    college = college_of(platform, university)
    given = body_pb2.Body(name=body.name, pilot_unit=body_pb2.PilotUnitFacts(college=college.name))
    change = rpc.UpdateBodyRequest(body=given, reason="更换学院")
    change.update_mask.paths.append("pilot_unit.college")
    world.operator(platform).registry.UpdateBody(change)
    await kept(platform, body.name, "R21.1", SATISFIED, VIOLATED)
    update(world.operator(platform), college.name, org_type=ENTERPRISE)
    await kept(platform, body.name, "R21.1", VIOLATED, SATISFIED)


async def test_another_alliance_of_the_key_industry(platform: Platform) -> None:
    stands, _ = world.formed_alliance(platform)
    shared = stands.alliance.key_industry
    body = world.alliance(platform)
    write(platform, body.name, key_industry=shared)
    await kept(platform, body.name, "R10", VIOLATED)
    name = renamed(platform, stands.name)
    await until(
        lambda: name in history(platform, body.name, "R10")[0].message.zh + str(history(platform, body.name, "R10")[0])
    )
    write(platform, stands.name, key_industry=world.unique("产业"))
    await kept(platform, body.name, "R10", SATISFIED)
    write(platform, stands.name, key_industry=shared)
    await kept(platform, body.name, "R10", VIOLATED, SATISFIED)
    world.operator(platform).registry.DissolveBody(rpc.DissolveBodyRequest(name=stands.name, reason="合并"))
    await kept(platform, body.name, "R10", SATISFIED, VIOLATED)


async def test_another_pilot_of_the_major(platform: Platform) -> None:
    university = placed(platform, UNIVERSITY, "110000")
    call = called(platform, placed(platform, ENTERPRISE, "110000"), pb.PROGRAMME_PILOT)
    first, second = (major_of(platform, university, "080901") for _ in range(2))
    await kept(platform, first, "R21.2", SATISFIED)
    made = begun(university, call, body=second)
    take(university, made.name, "submit", "SEALED_FORM", "PLATFORM_RECEIPT")
    await kept(platform, first, "R21.2", VIOLATED, SATISFIED)
    take(university, made.name, "withdraw", reason="不再申报")
    await kept(platform, first, "R21.2", SATISFIED, VIOLATED)


@pytest.mark.parametrize("dissolved", [False, True])
async def test_a_body_that_ended_meanwhile_keeps_what_was_said_at_its_end(platform: Platform, dissolved: bool) -> None:
    body, _ = world.formed_alliance(platform)
    before = history(platform, body.name, "R10")
    if dissolved:
        world.operator(platform).registry.DissolveBody(rpc.DissolveBodyRequest(name=body.name, reason="合并"))
        before = history(platform, body.name, "R10")
    registry = await asyncpg.connect(Postgres(platform.state).url("registry", "registry"))
    try:
        await registry.execute("INSERT INTO body_outdated (body) VALUES ($1)", body.name)

        async def taken() -> bool:
            return not await registry.fetchval("SELECT count(*) FROM body_outdated WHERE body = $1", body.name)

        await until(taken)
    finally:
        await registry.close()
    assert history(platform, body.name, "R10") == before
