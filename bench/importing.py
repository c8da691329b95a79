"""Import from CSV and from a workbook, rows a second: `alliance listing import`, from its first row to its last receipt.

Registry and listings run, and nothing that hears of the rows. Every turn imports the same postings for an organization of its
own, so that all are new. The floor is COPY of the very rows that an import left (listings, events, places in the queue; 500
listings in one transaction, as the import's chunks are), out of this process' memory. It leaves out: reading and mapping the
file, gRPC, every check, encoding, receipts, and the relay that publishes meanwhile. The floor of a workbook (with shared
texts, as Excel writes it) reads it too, by the same reader, in a bare loop before COPY. CPU is that of the service, its relay
among it; on the other side that of this process.
"""

import asyncio
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from alliance.registry.v1 import organization_pb2
from alliance_cli import rows
from alliance_local.clock import Clocks
from alliance_local.control import Platform
from bench import ground, postings
from bench.ground import Ground
from bench.measure import Metric, Result, Taken, Watch, cpu, interleaved, say
from tests import world

SERVICES = ("registry", "listings")
CSV = Metric("import from CSV", "rows/s", lambda taken: taken.rate, goal=0.4, at_least=True)
XLSX = Metric("import from .xlsx", "rows/s", lambda taken: taken.rate, goal=0.5, at_least=True)
_ROWS = 5_000  # a turn
_CHUNK = 500
_QUERIES = {
    "listing": "SELECT * FROM listing WHERE issuer = $1 ORDER BY name",
    "event": "SELECT e.* FROM event e JOIN listing l ON l.name = e.key WHERE l.issuer = $1 ORDER BY e.id",
}


async def ours(platform: Platform, file: Path, folder: Path) -> Taken:
    """A turn of the command line and the service."""
    _, taken = await _imported(platform, file, folder)
    return taken


async def _imported(platform: Platform, file: Path, folder: Path) -> tuple[str, Taken]:
    """Import a file for a new organization; its name, and what that took."""
    employer = await asyncio.to_thread(world.organization, platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    await asyncio.to_thread(_settle, platform)
    pid = int(platform.parts()["listings"]["pid"])
    before = cpu(pid)
    said = await asyncio.to_thread(postings.hold, platform, employer, file, folder)
    return employer.name, Taken(said["accepted"], said["seconds"], cpu(pid) - before)


def _settle(platform: Platform) -> None:
    """Wait until nothing is left to do, the relay's work among it."""
    with Clocks(platform, SERVICES) as clocks:
        clocks.settle(60)


@dataclass(frozen=True)
class _Left:
    """What an import left: columns and rows a table, in the order in which it wrote them."""

    columns: dict[str, list[str]]
    rows: dict[str, list[tuple[Any, ...]]]

    @classmethod
    async def read(cls, platform: Platform, issuer: str) -> "_Left":
        """Read it out of the service's database."""
        connection = await asyncpg.connect(platform.database_url("listings"))
        found = {table: await connection.fetch(query, issuer) for table, query in _QUERIES.items()}
        await connection.close()
        columns = {table: list(rows[0].keys()) for table, rows in found.items()}
        return cls(columns, {table: [tuple(row) for row in rows] for table, rows in found.items()})


async def floor(platform: Platform, left: _Left, file: Path) -> Taken:
    """A turn of COPY, into empty tables; a workbook is read before."""
    listings, events = left.rows["listing"], left.rows["event"]
    each = -(-len(events) * _CHUNK // len(listings))
    async with ground.store(platform, "import") as store:
        watch, copy = Watch(), store.connection.copy_records_to_table
        if rows.is_workbook(file):
            for _ in rows.lines(file):
                pass
        for number in range(-(-len(listings) // _CHUNK)):
            some = events[number * each : (number + 1) * each]
            async with store.connection.transaction():
                chunk = listings[number * _CHUNK : (number + 1) * _CHUNK]
                await copy("listing", records=chunk, columns=left.columns["listing"])
                await copy("event", records=some, columns=left.columns["event"])
                await copy("outbox", records=[(event[0], event[2]) for event in some], columns=("event_id", "key"))
        return watch.taken(len(listings))


async def run(given: Ground) -> list[Result]:
    """Measure."""
    platform = given.platform
    results = []
    with tempfile.TemporaryDirectory(prefix="alliance-bench-") as name:
        folder = Path(name)
        for metric, file in ((CSV, folder / "postings.csv"), (XLSX, folder / "postings.xlsx")):
            say(f"{given.some(_ROWS):,} {postings.write(file, given.some(_ROWS))}")
            issuer, _ = await _imported(platform, file, folder)
            left = await _Left.read(platform, issuer)
            sides = (partial(floor, platform, left, file), partial(ours, platform, file, folder))
            results.append(await interleaved(metric, *sides, given.rounds))
    return results
