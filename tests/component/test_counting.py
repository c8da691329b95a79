"""What is counted now and then, on each service's own tables and by its lesser role; connections in use."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY, Gauge

import listings.metrics
import listings.store
import notify.metrics
import notify.store
import registry.metrics
import registry.store
import reporting.metrics
import reporting.store
from alliance.matching.v1.matching_service_pb2 import AcceptMatchRequest
from alliance.registry.v1.organization_pb2 import ORG_TYPE_UNIVERSITY
from alliance_local.control import Platform
from chassis.clock import BusinessClock, SystemClock
from chassis.counting import counting, grouped, show
from chassis.database import Cause, Database
from listings.domain.names import Kind, State
from registry.domain.names import BodyKind, BodyState
from tests import world
from tests.metrics import metric
from tests.waiting import running, until

_COUNTS: dict[str, tuple[Gauge, str, tuple[Callable[[Any], object], ...], str]] = {
    "registry": (registry.metrics.BODIES, registry.store.BODIES, (BodyKind, BodyState), "body"),
    "listings": (listings.metrics.LISTINGS, listings.store.LISTINGS, (Kind, State), "listing"),
    "reporting": (reporting.metrics.DEADLINES, reporting.store.DEADLINES, (str, str), "deadline"),
    "notify": (
        notify.metrics.OPEN,
        notify.store.OPEN,
        (notify.store.OPEN_STATES.__getitem__,),
        "delivery WHERE state IN (1, 3)",
    ),
}


def _database(platform: Platform, service: str) -> Database:
    system = SystemClock()
    return Database(platform.database_url(service), system=system, business=BusinessClock(system), use=f"test of {service}")


@pytest.mark.parametrize("service", _COUNTS)
async def test_every_row_is_in_a_group_that_has_a_name(platform: Platform, service: str) -> None:
    gauge, statement, kinds, table = _COUNTS[service]
    database = _database(platform, service)
    async with database.alone() as sql:
        found = grouped([tuple(row) for row in await sql.rows(statement)], kinds)
        assert sum(found.values()) == await sql.value(f"SELECT count(*) FROM {table}")  # noqa: S608 - written above
    assert all(len(labels) == len(kinds) and "unknown" not in labels for labels in found)
    show(gauge, found, frozenset())  # takes as many labels
    await database.close()


async def test_the_gauge_says_how_many_there_are(platform: Platform) -> None:
    world.alliance(platform)
    gauge, statement, kinds, _ = _COUNTS["registry"]
    database = _database(platform, "registry")
    show(gauge, {}, frozenset({("alliance", "draft")}))
    async with running(counting(database, gauge, statement, *kinds)):
        await until(lambda: metric("alliance_bodies", kind="alliance", state="draft") > 0)
    await database.close()


async def test_what_an_alliance_has_is_counted(platform: Platform) -> None:
    """Each listing and match once, whatever happened to it; by what people call the alliance."""
    body, council = await asyncio.to_thread(world.formed_alliance, platform)
    employer, school = council[0], await asyncio.to_thread(world.organization, platform, ORG_TYPE_UNIVERSITY)
    await asyncio.to_thread(world.join, platform, body.name, school)
    title, bodies = world.unique("封装"), (body.name,)
    demand = await asyncio.to_thread(world.publish, employer, world.job(employer.name, title, bodies))
    supply = await asyncio.to_thread(world.publish, school, world.talent(school.name, title, bodies))
    match = await asyncio.to_thread(world.matched, employer, demand.name, supply.name)
    for one in (employer, school):
        await asyncio.to_thread(one.caller.matching.AcceptMatch, AcceptMatchRequest(name=match.name, organization=one.name))
    database = _database(platform, "reporting")

    def counted() -> dict[str, float]:
        labels = {"body": body.name, "name": body.display_name}
        figures = ("demands", "supplies", "proposed", "accepted", "fulfilled")
        found = {one: REGISTRY.get_sample_value("alliance_body_figures", {**labels, "figure": one}) for one in figures}
        return {figure: number for figure, number in found.items() if number is not None}

    async def is_told() -> bool:
        async with database.alone() as sql:
            rows = [tuple(row) for row in await sql.rows(reporting.store.ALLIANCES)]
        show(reporting.metrics.ALLIANCES, grouped(rows, (str, str, str)), frozenset())
        return counted() == {"demands": 1, "supplies": 1, "proposed": 1, "accepted": 1}

    await until(is_told)
    await database.close()


async def test_connections_in_use_are_seen_and_waited_for(platform: Platform) -> None:
    database = _database(platform, "listings")
    name = {"pool": "test of listings"}
    waited = metric("alliance_database_wait_seconds_count", **name)
    assert metric("alliance_database_connections", **name) == 0
    async with database.transaction(Cause("tester"), read_only=True):
        assert metric("alliance_database_connections", **name) == 1
        async with database.alone():
            assert metric("alliance_database_connections", **name) == 2
    assert metric("alliance_database_connections", **name) == 0
    assert REGISTRY.get_sample_value("alliance_database_connections_limit", name) == 10
    assert metric("alliance_database_wait_seconds_count", **name) == waited + 2
    await database.close()
