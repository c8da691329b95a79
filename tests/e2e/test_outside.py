"""An outside subscriber that comes late: after compaction has removed records, and with a tombstone on the topic."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import resources
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from google.protobuf.json_format import MessageToDict

from alliance.listings.v1 import listing_pb2, listings_service_pb2
from alliance.registry.v1 import organization_pb2
from alliance_demo import outside
from alliance_local.caller import Caller
from alliance_local.control import Platform
from alliance_local.kafka import OUTSIDE
from chassis import topics
from chassis.kafka import partition_of
from tests import world
from tests.records import everything
from tests.world import Member

_TOPIC = "alliance.public.listing.v1"
_SEGMENT = 1.1  # seconds after which the test profile begins a new segment; only closed ones are compacted
_REVISIONS = 4
_LEFT = 2  # records of a key after compaction: the newest closed one, and one in the segment that is being written


@pytest.fixture
def issuer(platform: Platform) -> Member:
    return world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)


def _partition(name: str) -> int:
    return partition_of(name, topics.load().named(_TOPIC).partitions)


async def _records(platform: Platform, partition: int) -> list[tuple[int, str, bytes | None]]:
    """Offset, key and value of what a partition holds."""
    found = await everything(platform.kafka(OUTSIDE), _TOPIC, [partition])
    return [(one.offset, one.key.decode() if one.key else "", one.value) for one in found]


def _revisions(issuer: Member, name: str) -> Iterator[None]:
    """Revise a listing, one segment after the other."""
    for number in count(1):
        listing = listing_pb2.Listing(name=name, title=world.unique(f"第 {number} 版"))
        request = listings_service_pb2.UpdateListingRequest(listing=listing, reason="补充")
        request.update_mask.paths.append("title")
        issuer.caller.listings.UpdateListing(request)
        time.sleep(_SEGMENT)
        yield


async def test_its_state_is_what_everybody_sees(platform: Platform, issuer: Member, tmp_path: Path) -> None:
    revised = world.publish(issuer, world.job(issuer.name, "封装工程师"))
    withdrawn = world.publish(issuer, world.job(issuer.name, "测试工程师"))
    reason = "名额已满"
    issuer.caller.listings.WithdrawListing(listings_service_pb2.WithdrawListingRequest(name=withdrawn.name, reason=reason))
    revisions = _revisions(issuer, revised.name)
    for _ in range(_REVISIONS):
        next(revisions)
    partition = _partition(revised.name)
    deadline = time.monotonic() + 30
    while len([key for _, key, _ in await _records(platform, partition) if key == revised.name]) > _LEFT:
        assert time.monotonic() < deadline, "compaction removes older records"
        next(revisions)
    world.settle(platform)
    tombstones = [key for _, key, value in await _records(platform, _partition(withdrawn.name)) if value is None]
    assert withdrawn.name in tombstones
    found = _subscriber(platform, tmp_path)[_TOPIC]
    assert found == _shown(Caller(platform))
    assert revised.name in found
    assert withdrawn.name not in found


async def test_it_finds_public_topics_only(platform: Platform) -> None:
    consumer = AIOKafkaConsumer(**platform.kafka(OUTSIDE).options())
    await consumer.start()
    try:
        assert await consumer.topics() == {
            topic.name for topic in topics.load().all if topic.name.startswith("alliance.public.")
        }
    finally:
        await consumer.stop()


def _shown(anybody: Caller) -> dict[str, Any]:
    """What an anonymous list shows."""
    request = listings_service_pb2.ListListingsRequest(page_size=1000)
    shown: dict[str, Any] = {}
    while True:
        answer = anybody.listings.ListListings(request)
        shown |= {one.name: MessageToDict(one, preserving_proto_field_name=True) for one in answer.listings}
        if not answer.next_page_token:
            return shown
        request.page_token = answer.next_page_token


def _subscriber(platform: Platform, folder: Path) -> dict[str, dict[str, Any]]:
    """The state of a program that has the published contract and credentials, and runs without our packages."""
    for name in ("descriptors.binpb", "asyncapi.yaml"):
        (folder / name).write_bytes(resources.files("alliance").joinpath(name).read_bytes())
    access = platform.kafka(OUTSIDE)
    credentials = {"bootstrap": access.bootstrap, "username": access.username, "password": access.password}
    (folder / "credentials.json").write_text(json.dumps(credentials), encoding="utf-8")
    command = [sys.executable, "-I", str(Path(outside.__file__)), str(folder)]
    answer = subprocess.run(command, check=True, capture_output=True, timeout=60)
    found: dict[str, dict[str, Any]] = json.loads(answer.stdout)
    return found
