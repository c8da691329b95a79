"""Whether everything that services and topics keep equals what its owner has: the end of every recovery.

Each comparison is one of sets, straight out of the databases and the topics, past the platform's own code.
"""

from collections.abc import Collection
from typing import Any

import asyncpg
from aiokafka import ConsumerRecord

from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import matching_service_pb2
from alliance_local.control import Platform
from chassis import topics
from tests import world
from tests.records import everything

_HEARS = ("listings", "matching", "reporting", "notify")
_PROJECTIONS = {
    "organization": "name, display_name, org_type, verified, parent, region_code",
    "body": "name, display_name, kind, state, key_industry",
    "membership": "name, body, organization, roles, valid_from, valid_to",
    "access_grant": "name, principal, role, organization, body, active",
}
_OPEN = "SELECT demand, supply FROM match WHERE state IN ('PROPOSED', 'ACCEPTED')"
_COUNTED = ("registry.body", "registry.membership", "listings.listing", "listings.round", "matching.match")


async def differences(platform: Platform) -> list[str]:
    """What differs, a line each; empty where all is equal."""
    return [
        *[one for service in _HEARS for one in await _register(platform, service)],
        *[one for topic in topics.load().all for one in await _topic(platform, topic)],
        *await _facts(platform),
        *await _index(platform),
        *await _matches(platform),
    ]


async def rows(platform: Platform, service: str, query: str, *values: object) -> list[asyncpg.Record]:
    """Rows of a service's database."""
    connection = await asyncpg.connect(platform.database_url(service, owner=True))
    try:
        return list(await connection.fetch(query, *values))
    finally:
        await connection.close()


async def records(platform: Platform, topic: topics.Topic) -> list["ConsumerRecord[bytes, bytes]"]:
    """All that a topic holds."""
    return await everything(platform.kafka("admin"), topic.name, range(topic.partitions))


async def _register(platform: Platform, service: str) -> list[str]:
    """The register's projection against the register."""
    found: list[str] = []
    for table, columns in _PROJECTIONS.items():
        kept = table if table.startswith("access_") else f"access_{table}"
        mine = await rows(platform, service, f"SELECT {columns} FROM {kept}")  # noqa: S608
        owners = await rows(platform, "registry", f"SELECT {columns} FROM {table}")  # noqa: S608
        found += _apart(f"{service}.{kept}", {repr(one) for one in mine}, {repr(one) for one in owners})
    return found


async def _topic(platform: Platform, topic: topics.Topic) -> list[str]:
    """A topic's last record of each key against the owner's event store."""
    query = "SELECT DISTINCT ON (key) key, version, payload FROM event WHERE topic = $1 ORDER BY key, version DESC"
    owners = {row["key"]: (row["version"], row["payload"]) for row in await rows(platform, topic.owner, query, topic.name)}
    # Compaction forgets a key that was taken off.
    last = {one.key.decode(): (_version(one), one.value) for one in await records(platform, topic)}
    kept, expected = (_with_content(some) for some in (last, owners))
    return _apart(topic.name, kept, expected)


async def _facts(platform: Platform) -> list[str]:
    """Reporting's facts against the events of their owners."""
    found: list[str] = []
    for one in _COUNTED:
        owner, aggregate = one.split(".")
        mine = await rows(platform, "reporting", "SELECT event_id FROM fact WHERE aggregate = $1", aggregate)
        query = "SELECT id::text FROM event WHERE topic = $1 AND type NOT LIKE '%.restored.%'"
        owners = await rows(platform, owner, query, f"alliance.internal.{one}.v1")
        found += _apart(f"reporting.fact {aggregate}", {row["event_id"] for row in mine}, {row["id"] for row in owners})
    return found


async def _index(platform: Platform) -> list[str]:
    """What a search finds, and in which version, against what is published."""
    query = "SELECT name, version FROM listing WHERE state = 2 AND kind = ANY($1)"
    published = {(row["name"], f'"{row["version"]}"') for row in await rows(platform, "listings", query, _KINDS)}
    operator, found = world.operator(platform), set[tuple[str, str]]()
    for kind in _KINDS:
        request = matching_service_pb2.SearchListingsRequest(kinds=[kind], page_size=1000)
        while True:
            answer = operator.matching.SearchListings(request)
            found |= {(hit.listing.name, hit.listing.etag) for hit in answer.hits}
            if not answer.next_page_token:
                break
            request.page_token = answer.next_page_token
    return _apart("matching's index", found, published)


async def _matches(platform: Platform) -> list[str]:
    """Open matches against the listings that are published."""
    published = {row["name"] for row in await rows(platform, "listings", "SELECT name FROM listing WHERE state = 2")}
    matched = {name for row in await rows(platform, "matching", _OPEN) for name in (row["demand"], row["supply"])}
    return [f"an open match of {name}, which is not published" for name in sorted(matched - published)[:3]]


def _version(record: "ConsumerRecord[bytes, bytes]") -> int:
    return int(dict(record.headers)["ce_sequence"])


def _with_content(last: dict[str, tuple[int, bytes | None]]) -> set[tuple[str, tuple[int, bytes | None]]]:
    return {(key, state) for key, state in last.items() if state[1] is not None}


def _apart(what: str, kept: Collection[Any], owners: Collection[Any]) -> list[str]:
    lost, invented = set(owners) - set(kept), set(kept) - set(owners)
    found = [f"{what}: {len(lost)} missing, {str(next(iter(lost)))[:200]}"] if lost else []
    return found + ([f"{what}: {len(invented)} too many, {str(next(iter(invented)))[:200]}"] if invented else [])


_KINDS = (listing_pb2.LISTING_KIND_JOB_POSITION, listing_pb2.LISTING_KIND_TALENT_SUPPLY)
