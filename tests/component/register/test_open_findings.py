"""What a formed body has open: what its facts, its council and the day make of the rules."""

import asyncio
from datetime import UTC, date, timedelta
from typing import Any

from alliance.registry.v1 import body_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_local.control import Platform
from chassis.clock import start_of_day
from tests import world
from tests.component.register.asking import CHAIR, ENTERPRISE, UNKNOWN, VIOLATED, history, membership, open_findings, write
from tests.component.register.days import today, turn_the_day
from tests.waiting import until

VICE = body_pb2.MEMBER_ROLE_VICE_CHAIR
PAPERS = {f"R13.{part}": UNKNOWN for part in range(1, 5)}
BOTH_UNKNOWN = {"R12": UNKNOWN, **PAPERS}


def test_a_fact_that_becomes_false_stays_open(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    assert open_findings(platform, body.name) == BOTH_UNKNOWN
    write(platform, body.name, secretariat_full_time_staff=0)
    assert open_findings(platform, body.name) == {"R12": VIOLATED, **PAPERS}
    write(platform, body.name, secretariat_full_time_staff=1, secretariat_space=True, secretariat_funding=True)
    assert open_findings(platform, body.name) == PAPERS


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


def change(platform: Platform, name: str, **fields: Any) -> body_pb2.Membership:
    request = rpc.UpdateMembershipRequest(membership=body_pb2.Membership(name=name, **fields), reason="调整")
    request.update_mask.paths.extend(fields)
    made: body_pb2.Membership = world.operator(platform).registry.UpdateMembership(request)
    return made


def day(joined: body_pb2.Membership, days: int) -> str:
    return (date.fromisoformat(joined.valid_from) + timedelta(days=days)).isoformat()


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


def test_a_seat_is_held_to_the_end_of_its_last_day(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    chair = membership(platform, body.name, CHAIR)
    world.operator(platform).registry.EndMembership(rpc.EndMembershipRequest(name=chair.name, reason="退出"))
    assert open_findings(platform, body.name) == BOTH_UNKNOWN
    asyncio.run(turn_the_day(platform, body.name))
    asyncio.run(until(lambda: "R11" in open_findings(platform, body.name)))
    assert open_findings(platform, body.name) == {"R11": VIOLATED, **BOTH_UNKNOWN}
    (newest, *_) = history(platform, body.name, "R11")
    assert newest.since_time.ToDatetime(tzinfo=UTC) == start_of_day(today(platform))
