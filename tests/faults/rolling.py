"""Rolling kills: `python -m tests.faults.rolling [--seconds 300] [--every 10] [--seed 1]`, or `make test-faults-rolling`.

Writer, reader, broker and database are killed with `kill -9` in turn while commands come in at half of the rate that the whole
chain was measured to take, whatever is answered; a command whose answer got lost is sent again with the same id. Prints
how long events took from their commit to their effect, and a verdict an invariant. Exit code 1 where one broke.
"""

import argparse
import asyncio
import logging
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, pairwise
from pathlib import Path
from typing import NamedTuple

import grpc

from alliance_local.control import Platform, interruptible
from tests.faults import invariants
from tests.faults.node import KEYS, MOST_CALLS
from tests.faults.overload import Caller
from tests.faults.parts import one
from tests.faults.world import World, created
from tests.waiting import until

GOAL = 15.0  # seconds in which 99 of 100 events have their effect
_MEASURED = 10.0  # seconds of full load
_ANSWER = 5.0  # seconds after which a command is sent again
_AGAIN, _PAUSE = 0.2, 5.0  # seconds before that, doubled each time, and the most
_STALL = 5.0  # seconds without an effect that are told
_LAST = 90.0  # seconds in which the last commands have to be answered
_OPTIONS = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]
_PROMISES = {
    "L": "every acknowledged event has its effect exactly once",
    "P": "nothing is on the topic that was not committed",
    "O": "effects of a key are in the order of its versions",
    "S": "the last record of a key is its highest version",
    "C": "every effect caused one event, which is on its topic, in order",
    "R": f"99 of 100 events have their effect within {GOAL:.0f} s",
}


class _Kill(NamedTuple):
    at: datetime
    part: str


async def rolling(platform: Platform, folder: Path, seconds: float, every: float, seed: int) -> bool:
    """The whole run; says whether everything held."""
    async with created(platform, folder, f"rolling_{seed}", seed) as world:
        world.writer.environment["FAULT_RATE"] = "0.01"  # it is called instead
        port = _free_port()
        world.writer.environment["ALLIANCE_GRPC_LISTEN"] = f"127.0.0.1:{port}"
        await world.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS) as channel:
            caller = Caller(world, channel)
            await _written(caller, "keys/first")
            rate = await _capacity(world, caller)
            print(f"capacity {rate:.0f} events/s from command to effect; load {rate / 2:.0f} commands/s for {seconds:.0f} s")
            before, kills = len(await _delays(world)), list[_Kill]()
            await asyncio.gather(_load(caller, rate / 2, seconds), _kills(world, every, seconds, kills))
        broken = await invariants.broken(world)
        await _stalls(world, kills)
        return _verdict(broken, (await _delays(world))[before:])


async def _capacity(world: World, caller: Caller) -> float:
    """Events a second that the chain takes, from the command to the effect."""
    began, ending = time.monotonic(), time.monotonic() + _MEASURED

    async def worker(number: int) -> None:
        while time.monotonic() < ending:
            await _written(caller, f"keys/called-{number}")

    await asyncio.gather(*(worker(number) for number in range(MOST_CALLS)))
    written = len(world.acknowledged())
    await until(lambda: _effects(world, written))
    return written / (time.monotonic() - began)


async def _effects(world: World, least: int) -> bool:
    (row,) = await world.rows(world.reading, "SELECT count(*) FROM effect")
    return bool(row["count"] >= least)


async def _load(caller: Caller, rate: float, seconds: float) -> None:
    """An open loop: commands begin when their time has come, whatever became of those before."""
    began, under_way = time.monotonic(), set()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(began + number / rate - time.monotonic())
        task = asyncio.create_task(_written(caller, f"keys/called-{number % KEYS}"))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    async with asyncio.timeout(_LAST):
        await asyncio.gather(*under_way)


async def _written(caller: Caller, key: str) -> None:
    """One command, sent until it is answered."""
    identifier = str(uuid.uuid4())
    for tries in count():
        if await caller.call(key, identifier, _ANSWER) is grpc.StatusCode.OK:
            return
        await asyncio.sleep(
            min(_AGAIN * 2**tries, _PAUSE) * caller.random.uniform(1, 2)
        )  # all at once would keep it overloaded


async def _kills(world: World, every: float, seconds: float, kills: list[_Kill]) -> None:
    ending = time.monotonic() + seconds
    for part in _turns(world):
        await asyncio.sleep(every * world.random.uniform(0.8, 1.2))
        if time.monotonic() > ending:
            return
        kills.append(_Kill(datetime.now(UTC), part))
        print(f"kill -9 {part}")
        if part in ("writer", "reader"):
            getattr(world, part).kill()
        else:
            world.platform.kill(part)


def _turns(world: World) -> Iterator[str]:
    for _ in count():
        yield from world.random.sample(("writer", "reader", "kafka", "postgres"), 4)


async def _delays(world: World) -> list[float]:
    """Seconds from each event to its effect, in the order of the events."""
    recorded = await world.rows(world.writing, "SELECT id::text, recorded_at FROM event ORDER BY recorded_at")
    done = {row["event_id"]: row["at"] for row in await world.rows(world.reading, "SELECT event_id, at FROM effect")}
    return [(done[row["id"]] - row["recorded_at"]).total_seconds() for row in recorded if row["id"] in done]


async def _stalls(world: World, kills: Sequence[_Kill]) -> None:
    """Prints where nothing had an effect for long, and what had been killed before."""
    at = [row["at"] for row in await world.rows(world.reading, "SELECT at FROM effect ORDER BY at")]
    for last, following in pairwise(at):
        if (pause := (following - last).total_seconds()) >= _STALL:
            before = [f"{one.part} {(last - one.at).total_seconds():+.1f} s" for one in kills if one.at < following][-4:]
            print(f"no effect for {pause:.1f} s from {last:%H:%M:%S} on; killed by then: {', '.join(before)}")


def _verdict(broken: dict[str, str], delays: Sequence[float]) -> bool:
    ordered = sorted(delays)
    p50, p99 = (ordered[len(ordered) * share // 100] for share in (50, 99))
    print(f"{len(ordered)} events; commit to effect: p50 {p50:.2f} s, p99 {p99:.2f} s, max {ordered[-1]:.2f} s")
    if p99 > GOAL:
        broken["R"] = f"p99 {p99:.1f} s"
    for letter, promise in _PROMISES.items():
        print(f"{letter}  {promise}: {broken.get(letter, 'holds')}")
    return not broken


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.rolling")
    parser.add_argument("--seconds", type=float, default=300.0, help="how long commands come in")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two kills, about")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    interruptible()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that is away is what this is about
    root = Path(tempfile.mkdtemp(prefix="alliance-faults-"))
    (root / "logs").mkdir()
    with one(root / "parts") as platform:
        held = asyncio.run(rolling(platform, root / "logs", chosen.seconds, chosen.every, chosen.seed))
    print(f"journals and logs: {root / 'logs'}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
