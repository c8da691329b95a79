"""Whether everything that services and topics keep equals what its owner has: the end of every recovery.

Each comparison is one of sets, straight out of the databases and the topics, past the platform's own code.
"""

from collections import Counter
from collections.abc import Collection
from itertools import chain, product
from typing import Any

import asyncpg
from aiokafka import ConsumerRecord, TopicPartition

from access.register import body_of, body_row
from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import matching_service_pb2
from alliance.registry.v1 import body_pb2
from alliance_local.control import Platform
from chassis import topics
from chassis.clock import SystemClock, business_date
from chassis.record import Record
from chassis.statements import Row
from matching.domain.life import match_name
from matching.domain.pairs import LEAST_THRESHOLD, is_demand
from matching.domain.score import judge
from matching.embedding import Bundled, key_of
from matching.index import near
from matching.mapping import entry_of
from matching.settings import MatchingSettings
from reporting.mapping import fact_row, naming_rows
from reporting.store import fact, naming
from tests import world
from tests.records import everything, of_all

_HEARS = ("listings", "matching", "reporting", "notify")
_PROJECTIONS = {
    "organization": "name, display_name, org_type, verified, parent, region_code",
    "membership": "name, body, organization, roles, valid_from, valid_to",
    "access_grant": "name, principal, role, organization, body, active",
}
_BEST: int = MatchingSettings.model_fields["match_best"].default
_COUNTED = ("registry.body", "registry.membership", "listings.listing", "listings.round", "matching.match")


async def differences(platform: Platform) -> list[str]:
    """What differs, a line each; empty where all is equal."""
    kept = await _kept(platform)
    return [
        *[one for service in _HEARS for one in await _register(platform, service)],
        *[one for topic in topics.load().all for one in await _topic(platform, topic, kept[topic.name])],
        *await _facts(platform),
        *await _index(platform),
        *await _matches(platform),
    ]


async def rows(platform: Platform, service: str, query: str, *values: object) -> list[Row]:
    """Rows of a service's database."""
    connection = await asyncpg.connect(platform.database_url(service, owner=True))
    try:
        return list(await connection.fetch(query, *values, record_class=Row))
    finally:
        await connection.close()


async def records(platform: Platform, topic: topics.Topic) -> list["ConsumerRecord[bytes, bytes]"]:
    """All that a topic holds."""
    return await everything(platform.kafka("admin"), topic.name, range(topic.partitions))


async def _kept(platform: Platform) -> dict[str, list["ConsumerRecord[bytes, bytes]"]]:
    """Topic → all that it holds."""
    found: dict[str, list[ConsumerRecord[bytes, bytes]]] = {topic.name: [] for topic in topics.load().all}
    places = [TopicPartition(topic.name, number) for topic in topics.load().all for number in range(topic.partitions)]
    for one in await of_all(platform.kafka("admin"), places):
        found[one.topic].append(one)
    return found


async def _register(platform: Platform, service: str) -> list[str]:
    """The register's projection against the register."""
    found: list[str] = []
    for table, columns in _PROJECTIONS.items():
        kept = table if table.startswith("access_") else f"access_{table}"
        mine = await rows(platform, service, f"SELECT {columns} FROM {kept}")  # noqa: S608
        owners = await rows(platform, "registry", f"SELECT {columns} FROM {table}")  # noqa: S608
        found += _apart(f"{service}.{kept}", {repr(one) for one in mine}, {repr(one) for one in owners})
    bodies = {body_row(row) for row in await rows(platform, service, "SELECT * FROM access_body")}
    owners = await rows(platform, "registry", "SELECT content FROM body")
    return found + _apart(
        f"{service}.access_body", bodies, {body_of(body_pb2.Body.FromString(row["content"])) for row in owners}
    )


async def _topic(platform: Platform, topic: topics.Topic, kept: "Collection[ConsumerRecord[bytes, bytes]]") -> list[str]:
    """A topic's last record of each key against the owner's event store."""
    query = "SELECT DISTINCT ON (key) key, version, payload FROM event WHERE topic = $1 ORDER BY key, version DESC"
    owners = {row["key"]: (row["version"], row["payload"]) for row in await rows(platform, topic.owner, query, topic.name)}
    # Compaction forgets a key that was taken off.
    last = {one.key.decode(): (_version(one), one.value) for one in kept}
    return _apart(topic.name, *(_with_content(some) for some in (last, owners)))


async def _facts(platform: Platform) -> list[str]:
    """Reporting's facts, and the bodies that they name, against the events of their owners."""
    found: list[str] = []
    for one in _COUNTED:
        owner, aggregate = one.split(".")
        events = await _events(platform, owner, topics.load().named(f"alliance.internal.{one}.v1"))
        expected = {fact: map(fact_row, events), naming: chain.from_iterable(map(naming_rows, events))}
        for table, made in expected.items():
            query = f"SELECT {', '.join(table.columns.keys())} FROM {table.name} WHERE aggregate = $1"  # noqa: S608
            mine = {tuple(row) for row in await rows(platform, "reporting", query, aggregate)}
            owners = {tuple(row.model_dump().values()) for row in made}
            found += _apart(f"reporting.{table.name} {aggregate}", mine, owners)
    return found


async def _events(platform: Platform, owner: str, topic: topics.Topic) -> list[Record]:
    """All that the owner has said on a topic and still stands by."""
    query = "SELECT id, key, version, type, payload, recorded_at FROM event WHERE topic = $1 AND type NOT LIKE '%.restored.%'"
    return [
        Record(topic.name, 0, 0, key, version, kind, str(id_), at, topic.message_class().FromString(payload), "")
        for id_, key, version, kind, payload, at in await rows(platform, owner, query, topic.name)
    ]


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
    """Matches against an oracle: every pair of published listings, judged from scratch by the owner's rows.

    A listing that fits more others than one change may bring it is proposed to the best of them only.
    """
    published = await rows(platform, "listings", "SELECT version, content FROM listing WHERE state = 2")
    vectors = {row["key"]: row["vector"] for row in await rows(platform, "matching", "SELECT key, vector FROM vector")}
    entries = [entry_of(listing_pb2.Listing.FromString(row["content"]), row["version"]) for row in published]
    entries = [one.measured(vectors[key_of(Bundled.name, one.passage)]) for one in entries]
    fitting, partners = dict[str, int](), Counter[str]()
    pairs = []
    for one, other in product(entries, entries):
        demand, supply = one.facts, other.facts
        if not is_demand(demand.kind) or is_demand(supply.kind):
            continue
        pairs.append((demand, supply))
        verdict = judge(demand, supply, business_date(SystemClock().now()), near(one, other))
        if not verdict.broken and verdict.score >= LEAST_THRESHOLD:
            fitting[match_name(demand.name, supply.name)] = verdict.score
            partners.update((demand.name, supply.name))
    few = {match_name(d.name, s.name) for d, s in pairs if max(partners[d.name], partners[s.name]) <= _BEST}
    known = {row["name"]: row for row in await rows(platform, "matching", "SELECT name, state, score FROM match")}
    proposed = {(name, row["score"]) for name, row in known.items() if row["state"] == "PROPOSED"}
    active = {name for name, row in known.items() if row["state"] in ("PROPOSED", "ACCEPTED")}
    return [
        *_apart("matching's open matches", active, active & fitting.keys()),
        *_apart("matching's matches", known.keys() & fitting.keys() & few, fitting.keys() & few),
        *_apart("matching's scores", proposed, {(name, fitting.get(name, 0)) for name, _ in proposed}),
    ]


def _version(record: "ConsumerRecord[bytes, bytes]") -> int:
    return int(dict(record.headers)["ce_sequence"])


def _with_content(last: dict[str, tuple[int, bytes | None]]) -> set[tuple[str, tuple[int, bytes | None]]]:
    return {(key, state) for key, state in last.items() if state[1] is not None}


def _apart(what: str, kept: Collection[Any], owners: Collection[Any]) -> list[str]:
    lost, invented = set(owners) - set(kept), set(kept) - set(owners)
    found = [f"{what}: {len(lost)} missing, {str(next(iter(lost)))[:200]}"] if lost else []
    return found + ([f"{what}: {len(invented)} too many, {str(next(iter(invented)))[:200]}"] if invented else [])


_KINDS = (listing_pb2.LISTING_KIND_JOB_POSITION, listing_pb2.LISTING_KIND_TALENT_SUPPLY)
