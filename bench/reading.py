"""`python -m bench.reading [--listings N] [--small N]`: lists and checks at two sizes, by filter, with the plan of each.

`ListListings` by each of its filters, first pages and deep ones, and `CheckBody` of bodies with a thousand members; at 10,000
listings and 1,000 organizations, then at a million and 100,000, on the running services of a platform of its own. Every call
asks for another value, so that nobody is served what was just read. What stands in the tables is put there by COPY as
the services would have written it; no event is published of it.
"""

import argparse
import asyncio
import csv
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import asyncpg
from rich.table import Table
from sqlalchemy.dialects import postgresql

from access.visibility import Viewer, sees
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance.registry.v1 import body_pb2, organization_pb2
from alliance.registry.v1 import registry_service_pb2 as registry
from alliance_local.caller import Caller
from alliance_local.control import Platform, temporary
from bench import postings
from bench.measure import console, machine, say
from chassis import paging
from chassis.ids import resource
from codes import regions
from listings.domain.names import State
from listings.mapping import content_hash, row_of
from listings.store import ListingRow, Wanted, listing, paged
from registry.mapping.organizations import organization_row
from tests import world

_CALLS = 300
_WARM = 20
_ISSUED = 200  # listings an issuer
_BODIES = 200
_MEMBERS = 1_000
_TEXTS = 5_000  # postings that titles and descriptions are of
_KINDS = (pb.LISTING_KIND_JOB_POSITION,) * 900 + (pb.LISTING_KIND_INTERNSHIP,) * 99 + (pb.LISTING_KIND_CASE,)
_STATES = (State.PUBLISHED,) * 6 + (State.EXPIRED,) * 3 + (State.WITHDRAWN,)
_COLUMNS = tuple(field.name for field in fields(ListingRow))
_NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
_PART = 50_000
_CHECK = "a check of a body"


@dataclass
class Held:
    """What stands in the tables: names to ask for."""

    issuers: list[str]
    bodies: list[str]
    keys: list[str]
    middle: str = ""
    """A listing in the middle of all, for deep pages."""


@dataclass
class Asked:
    """A kind of question: how it is put, in values that differ from call to call."""

    name: str
    put: Callable[[random.Random], Any]
    call: str = "listings"


def _texts(folder: Path) -> list[dict[str, str]]:
    file = folder / "postings.csv"
    say(f"texts: {postings.write(file, _TEXTS)}")
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def _listings(count: int, held: Held, texts: Sequence[dict[str, str]], seed: int) -> Iterator[tuple[Any, ...]]:
    """Rows as the service writes them; texts of real postings in turn, everything else drawn by the seed."""
    drawn = random.Random(seed)  # noqa: S311 - a benchmark
    counties = [f"{code:06}" for code in range(110_000, 660_000) if regions.exists(f"{code:06}")]
    issuers = cycle(held.issuers)
    for number, text in zip(range(count), cycle(texts), strict=False):
        kind, state = drawn.choice(_KINDS), drawn.choice(_STATES)
        message = pb.Listing(
            name=resource("listings"),
            issuer=next(issuers),
            kind=kind,
            state=int(state),  # type: ignore[arg-type]
            title=f"{text['title'][:80]} {number}",
            description=text["description"][:600],
            visibility=pb.VISIBILITY_PUBLIC if number % 10 else pb.VISIBILITY_MEMBERS,
            region_codes=[drawn.choice(counties)],
            bodies=[drawn.choice(held.bodies)] if number % 5 == 0 else [],
            source=f"source-{drawn.randrange(50)}" if number % 100 else "rare",
            external_key=f"{seed}-{number}",
            quantity=1,
            valid_from="2026-01-01",
            valid_to="2026-12-31",
        )
        message.create_time.FromDatetime(_NOW)
        message.update_time.FromDatetime(_NOW)
        row = row_of(
            message, version=2, today=date(2026, 3, 2), hashed=content_hash(message), counts_on=None, published_at=_NOW
        )
        held.keys.append(message.external_key)
        if number == count // 2:
            held.middle = message.name
        yield tuple(getattr(row, name) for name in _COLUMNS)


async def _copy(url: str, table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]], count: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        entered = 0
        while part := list(islice(rows, _PART)):
            await connection.copy_records_to_table(table, records=part, columns=columns)
            entered += len(part)
            say(f"{table}: {entered:,} of {count:,}")
        await connection.execute(f"VACUUM ANALYZE {table}")
    finally:
        await connection.close()


def _organizations(count: int) -> Iterator[tuple[Any, ...]]:
    for number in range(count):
        given = organization_pb2.Organization(
            name=resource("organizations"), display_name=f"虚构单位{number}", org_type=organization_pb2.ORG_TYPE_ENTERPRISE
        )
        row = organization_row(given, 1, _NOW)
        yield tuple(row.model_dump().values())


async def _members(platform: Platform, body: str, organizations: Sequence[str]) -> None:
    """Let organizations be members of a body, as many as there are."""
    roles = [body_pb2.MEMBER_ROLE_PARTICIPANT]
    rows = [
        (f"{body}/memberships/{one.rpartition('/')[2]}", 1, body, one, roles, date(2026, 1, 1), None, _NOW, _NOW)
        for one in organizations
    ]
    columns = ("name", "version", "body", "organization", "roles", "valid_from", "valid_to", "create_time", "update_time")
    connection = await asyncpg.connect(platform.database_url("registry", owner=True))
    try:
        await connection.copy_records_to_table("membership", records=rows, columns=columns)
    finally:
        await connection.close()


def _questions(held: Held, checked: Sequence[str]) -> list[Asked]:
    def listed(**of: Callable[[random.Random], Any]) -> Callable[[random.Random], Any]:
        return lambda drawn: rpc.ListListingsRequest(**{name: value(drawn) for name, value in of.items()})

    def some_city(drawn: random.Random) -> str:
        return f"{drawn.choice(('1101', '3201', '4401', '5101'))}00"

    def kind(one: int) -> Callable[[random.Random], list[int]]:
        return lambda _: [one]

    provinces = [f"{number}0000" for number in range(11, 66) if regions.exists(f"{number}0000")]
    return [
        Asked("no filter", listed()),
        Asked("kind, 90 % of all", listed(kinds=kind(pb.LISTING_KIND_JOB_POSITION))),
        Asked("kind, 0.1 % of all", listed(kinds=kind(pb.LISTING_KIND_CASE))),
        Asked("state", listed(states=lambda _: [pb.LISTING_STATE_EXPIRED])),
        Asked("issuer", listed(issuer=lambda drawn: drawn.choice(held.issuers))),
        Asked("body", listed(body=lambda drawn: drawn.choice(held.bodies))),
        Asked("region, a province", listed(region_code=lambda drawn: drawn.choice(provinces))),
        Asked("region, a city", listed(region_code=some_city)),
        Asked("region and rare kind", listed(region_code=some_city, kinds=kind(pb.LISTING_KIND_CASE))),
        Asked("body and kind", listed(body=lambda drawn: drawn.choice(held.bodies), kinds=kind(pb.LISTING_KIND_INTERNSHIP))),
        Asked("source, 2 % of all", listed(source=lambda drawn: f"source-{drawn.randrange(50)}")),
        Asked("source, 1 % of all", listed(source=lambda _: "rare")),
        Asked("source that there is not", listed(source=lambda drawn: f"none-{drawn.random()}")),
        Asked("external key", listed(external_key=lambda drawn: drawn.choice(held.keys))),
        Asked("no filter, from the middle on", lambda _: _from(held.middle, rpc.ListListingsRequest())),
        Asked("body, from the middle on", lambda drawn: _from(held.middle, _of_body(drawn.choice(held.bodies)))),
        Asked(_CHECK, lambda drawn: registry.CheckBodyRequest(name=drawn.choice(checked)), "registry"),
    ]


def _of_body(name: str) -> rpc.ListListingsRequest:
    return rpc.ListListingsRequest(body=name)


def _from(name: str, request: rpc.ListListingsRequest) -> rpc.ListListingsRequest:
    request.page_token = paging.encode(request, [name])
    return request


async def _indexes(url: str, request: rpc.ListListingsRequest, held: Held) -> str:
    """The indexes in the plan of what an anonymous caller asks for."""
    wanted = Wanted(
        kinds=request.kinds,
        states=request.states or [State.PUBLISHED],
        issuer=request.issuer,
        body=request.body,
        area=request.region_code,
        source=request.source,
        external_key=request.external_key,
    )
    c = listing.c
    visible = sees(Viewer(), issuer=c.issuer, bodies=c.bodies, visibility=c.visibility, state=c.state)
    statement = paged(wanted, visible, held.middle if request.page_token else None, 51)
    text = str(statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))  # type: ignore[no-untyped-call]
    connection = await asyncpg.connect(url)
    try:
        plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {text}")
    finally:
        await connection.close()
    found = re.findall(r'"Index Name": "(\w+)"', plan)
    return ", ".join(found) or "no index"


def _measured(platform: Platform, asked: Asked, seed: int) -> tuple[float, float]:
    """p50 and p99 in ms."""
    caller, delays = world.operator(platform), list[float]()
    drawn = random.Random(seed)  # noqa: S311 - a benchmark
    method = caller.registry.CheckBody if asked.call == "registry" else Caller(platform).listings.ListListings
    for number in range(_WARM + _CALLS):
        request = asked.put(drawn)
        began = time.perf_counter()
        method(request)
        if number >= _WARM:
            delays.append(1000 * (time.perf_counter() - began))
    cuts = statistics.quantiles(delays, n=100, method="inclusive")
    return cuts[49], cuts[98]


def _bodies(platform: Platform, count: int) -> list[str]:
    return [world.alliance(platform).name for _ in range(count)]


async def _fill(platform: Platform, held: Held, size: int, organizations: int, texts: Sequence[dict[str, str]]) -> None:
    seed = len(held.keys)
    missing = size - len(held.keys)
    held.issuers[:] = [resource("organizations") for _ in range(max(10, size // _ISSUED))]
    rows = _listings(missing, held, texts, seed)
    await _copy(platform.database_url("listings", owner=True), "listing", _COLUMNS, rows, missing)
    columns = tuple(organization_row(organization_pb2.Organization(), 1, _NOW).model_dump())
    await _copy(
        platform.database_url("registry", owner=True), "organization", columns, _organizations(organizations), organizations
    )


async def _names(platform: Platform, count: int) -> list[str]:
    connection = await asyncpg.connect(platform.database_url("registry", owner=True))
    try:
        return [row[0] for row in await connection.fetch("SELECT name FROM organization ORDER BY random() LIMIT $1", count)]
    finally:
        await connection.close()


def main() -> None:
    """Measure at both sizes, and print them side by side."""
    parser = argparse.ArgumentParser(prog="python -m bench.reading", description=__doc__)
    parser.add_argument("--listings", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=10_000)
    given = parser.parse_args()
    say(machine())
    found: dict[str, list[tuple[float, float]]] = {}
    plans: dict[str, str] = {}
    with (
        tempfile.TemporaryDirectory(prefix="alliance-bench-") as folder,
        temporary(Path(folder) / "state", say, sinks=False, ALLIANCE_LOCAL_SERVICES="registry,listings") as platform,
    ):
        texts = _texts(Path(folder))
        held = Held([], [resource("bodies") for _ in range(_BODIES)], [])
        for size in (given.small, given.listings):
            asyncio.run(_fill(platform, held, size, size // 10, texts))
            checked = _bodies(platform, 20)
            for body in checked:
                asyncio.run(_members(platform, body, asyncio.run(_names(platform, min(_MEMBERS, size // 10)))))
            for asked in _questions(held, checked):
                found.setdefault(asked.name, []).append(_measured(platform, asked, size))
                if asked.call == "listings":
                    request = asked.put(random.Random(1))  # noqa: S311 - a benchmark
                    plans[asked.name] = asyncio.run(_indexes(platform.database_url("listings", owner=True), request, held))
                say(f"{size:,}: {asked.name}: p50 {found[asked.name][-1][0]:.1f}, p99 {found[asked.name][-1][1]:.1f} ms")
    sizes = (f"{size:,}: p50, p99 ms" for size in (given.small, given.listings))
    table = Table("asked for", *sizes, "growth of p50", "indexes, at the larger")
    for name, figures in found.items():
        (small, _), (large, _) = figures
        table.add_row(name, *(f"{p50:.1f}, {p99:.1f}" for p50, p99 in figures), f"{large / small:.1f} ×", plans.get(name, ""))
    console.print(table)


if __name__ == "__main__":
    main()
