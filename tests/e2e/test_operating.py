"""What operators have in their hands: dead letters on the command line, and metrics."""

import asyncio
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from alliance.matching.v1 import match_pb2, matching_service_pb2, statistics_service_pb2
from alliance.registry.v1 import organization_pb2
from alliance_local.control import Platform
from alliance_local.state import SERVICES
from matching.domain.alike import highest, lowest
from tests import world
from tests.e2e.program import NOT_FOUND, REFUSED, USAGE, Alliance, Here

_TOPIC = "alliance.internal.registry.grant.v1"
_WHY = "试验：无法解析的记录"
_METRICS = (
    "alliance_outbox_rows",
    "alliance_outbox_oldest_seconds",
    "alliance_relay_lag_seconds",
    "alliance_consumer_lag_records",
    "alliance_consumer_batch_records",
    "alliance_consumer_records_total",
    "alliance_consumer_version_gaps_total",
    "alliance_dead_letter_retries_total",
    "alliance_dead_letters",
    "alliance_client_rebuilds_total",
    "alliance_rpc_shed_total",
    "alliance_rpc_limit",
    "alliance_handler_seconds",
)


async def _produced(platform: Platform, key: str) -> None:
    """A record that nobody can read, of a key of its own."""
    producer = AIOKafkaProducer(**platform.kafka("admin").options(), acks="all")
    async with producer:
        await producer.send_and_wait(_TOPIC, b"\xff\xff", key=key.encode(), headers=[("ce_sequence", b"1")])


def test_dead_letters_are_judged_by_hand(platform: Platform, tmp_path: Path) -> None:
    name = f"grants/{uuid4()}"
    asyncio.run(_produced(platform, name))
    alliance = Here(platform, tmp_path)
    alliance("login", world.OPERATOR)

    def listed(service: str = "", **more: str) -> list[dict[str, Any]]:
        options = [one for option, value in more.items() for one in (f"--{option}", value)]
        found: list[dict[str, Any]] = alliance.json("dlq", "list", *filter(None, [service]), "--key", name, *options)
        return found

    open_ones = world.until(lambda: found if len(found := listed()) == len(SERVICES) - 1 else None, 30)
    assert {one["group"].split(".")[0] for one in open_ones} == {"listings", "matching", "reporting", "notify"}
    (one,) = listed("listings")
    assert (one["key"], one["topic"], "undecodable" in one["reason"]) == (name, _TOPIC, True)
    assert listed("listings", why="no such reason") == []
    shown = alliance.json("dlq", "show", "listings", one["id"])
    assert [header["name"] for header in shown["headers"]] == ["ce_sequence"]
    assert "2 字节  b'\\xff\\xff'" in alliance("dlq", "show", "listings", one["id"]), "what is to be judged can be seen"

    foreseen = alliance.json("dlq", "replay", "listings", one["id"], "--reason", _WHY, "--dry-run")
    assert foreseen["ids"] == [one["id"]]
    assert "actions" not in alliance.json("dlq", "show", "listings", one["id"]), "a dry run does nothing"
    alliance("dlq", "replay", "listings", one["id"], "--reason", _WHY)
    for service in ("listings", "matching", "reporting", "notify"):
        assert len(alliance.json("dlq", "drop", service, "--key", name, "--reason", _WHY, "--dry-run")["ids"]) == 1
        assert len(alliance.json("dlq", "drop", service, "--key", name, "--reason", _WHY)["ids"]) == 1
        assert alliance.json("dlq", "drop", service, "--key", name, "--reason", _WHY).get("ids", []) == []
        alliance("dlq", "drop", service, str(uuid4()), "--reason", _WHY, code=NOT_FOUND)
    assert listed() == []
    (gone,) = listed("listings", state="dropped")
    actions = alliance.json("dlq", "show", "listings", gone["id"])["actions"]
    assert [(action["action"], action["actor"], action["reason"]) for action in actions] == [
        ("replay", world.OPERATOR, _WHY),
        ("drop", world.OPERATOR, _WHY),
    ]
    assert "--all" in alliance("dlq", "drop", "listings", "--reason", _WHY, code=2), "nobody drops everything by leaving out"
    alliance("dlq", "show", "listings", "no-id", code=REFUSED)


def test_every_metric_has_a_name_and_says_what_it_is(platform: Platform) -> None:
    for service in SERVICES:
        lines = _metrics(platform, service)
        said = {line.split(" ", 3)[2]: line.split(" ", 3)[3] for line in lines if line.startswith("# HELP alliance_")}
        assert all(said.get(name) for name in _METRICS), (service, [name for name in _METRICS if name not in said])
        assert all(" · " in text for text in said.values()), "in both languages"


def _metrics(platform: Platform, service: str) -> list[str]:
    url = f"http://127.0.0.1:{platform.port(f'{service}_metrics')}/metrics"
    text: str = urlopen(url, timeout=10).read().decode()
    return text.splitlines()


def test_how_fresh_proposals_are_is_counted_for_each_published_listing(platform: Platform) -> None:
    member = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    world.settle(platform)
    (count, before), began = _freshness(platform), time.monotonic()
    world.publish(member, world.job(member.name, "封装工程师"))
    world.until(lambda: _freshness(platform)[0] > count)
    assert 0 < _freshness(platform)[1] - before < time.monotonic() - began


def test_what_becomes_of_matches_is_counted_by_their_score(platform: Platform) -> None:
    employer = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    college = world.organization(platform, organization_pb2.ORG_TYPE_UNIVERSITY)
    world.settle(platform)
    before = _steps(platform)
    title = world.unique("封装")
    demand = world.publish(employer, world.job(employer.name, title))
    supply = world.publish(college, world.talent(college.name, title))
    match = world.matched(employer, demand.name, supply.name)
    decline = matching_service_pb2.DeclineMatchRequest(
        name=match.name, organization=college.name, decline_reason=match_pb2.DECLINE_REASON_FILLED, reason="人数不符"
    )
    college.caller.matching.DeclineMatch(decline)
    asked = statistics_service_pb2.GetAcceptanceRequest(organization=college.name)
    counted = {one.reason: one.count for one in college.caller.statistics.GetAcceptance(asked).declines}
    assert counted == {match_pb2.DECLINE_REASON_FILLED: 1}
    low = lowest(match.score)
    for verb in ("proposed", "declined"):
        label = f'{{band="{low}-{highest(low)}",verb="{verb}"}}'
        assert _steps(platform).get(label, 0) > before.get(label, 0)


def _steps(platform: Platform) -> dict[str, float]:
    """Labels → steps of matches so far."""
    found = [line.removeprefix("alliance_matching_steps_total") for line in _metrics(platform, "matching")]
    return {label: float(value) for line in found if line.startswith("{") for label, value in [line.rsplit(" ", 1)]}


def _freshness(platform: Platform) -> tuple[float, float]:
    """How many were measured, and their sum in seconds."""
    samples = dict(line.rsplit(" ", 1) for line in _metrics(platform, "matching") if not line.startswith("#"))
    count, total = (float(samples[f"alliance_matching_freshness_seconds_{part}"]) for part in ("count", "sum"))
    return count, total


def test_psql_has_the_database_of_a_service_in_each_role(platform: Platform, tmp_path: Path) -> None:
    alliance, who = Alliance(platform, tmp_path), ("--", "-Atc", "SELECT current_database() || ' ' || current_user")
    assert alliance("local", "psql", "notify", *who).split() == ["notify", "notify"]
    assert alliance("local", "psql", "notify", "--owner", *who).split() == ["notify", "notify_owner"]
    assert alliance("local", "psql", "notify", "--superuser", *who).split() == ["notify", "postgres"]
    listed = alliance(
        "local", "psql", "notify", "--superuser", "--program", "pg_dump", "--", "--schema-only", "--table=outbox"
    )
    assert "CREATE TABLE public.outbox" in listed
    alliance("local", "psql", "nobody", code=USAGE)
