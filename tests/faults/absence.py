"""A part is away for a while: what callers are told, and how long commands go on."""

import asyncio
import os
import signal
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import grpc

from tests.faults.fault import PART, broker_answers, database_answers
from tests.faults.overload import Caller, writer_target
from tests.faults.world import World
from tests.waiting import until

_AWAY = 3.0  # seconds
_PAUSE = 0.02  # seconds between two calls
_BOUND = 300  # events that may wait
_LOOK = 2.0  # seconds in which the service has looked at its outbox, which it does every second
_PATIENCE = 30.0  # seconds in which the outbox has to be full, and to be empty again


async def database_away(world: World) -> None:
    """PostgreSQL is ended again and again: each call is answered UNAVAILABLE at once, with a hint when to try again."""
    codes, hints = await _called(world, lambda: _kept_down(world))
    if codes.keys() - {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE} or codes[grpc.StatusCode.UNAVAILABLE] < 10:
        world.wrong.append(f"answers: { ({code.name: count for code, count in codes.items()}) }")
    if hints != codes[grpc.StatusCode.UNAVAILABLE]:
        world.wrong.append(f"{codes[grpc.StatusCode.UNAVAILABLE]} refusals, and {hints} hints when to try again")
    await until(lambda: database_answers(world), _PATIENCE)
    await world.recovers("database", PART)


async def broker_away(world: World) -> None:
    """Kafka does not answer: calls go on until the outbox is full, are refused then, and go on when it is empty again."""
    world.writer.lives = [{"ALLIANCE_OUTBOX_MAX_ROWS": str(_BOUND)}]
    world.writer.kill()
    await world.writer.ended(1)
    await world.flows()
    broker = world.platform.parts()["kafka"]["pid"]
    os.kill(broker, signal.SIGSTOP)
    try:
        codes, hints = await _called(world, lambda: _until_refused(world))
    finally:
        os.kill(broker, signal.SIGCONT)
    if not codes[grpc.StatusCode.OK] or codes.keys() - {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}:
        world.wrong.append(f"answers: { ({code.name: count for code, count in codes.items()}) }")
    if not hints:
        world.wrong.append("nobody was told when to try again")
    await until(lambda: broker_answers(world), _PATIENCE)
    await world.recovers("broker", PART)
    await until(lambda: _has_room(world), _PATIENCE)
    await asyncio.sleep(_LOOK)
    codes, _ = await _called(world, lambda: asyncio.sleep(1.0))
    if codes.keys() != {grpc.StatusCode.OK}:
        world.wrong.append("calls are refused although nothing waits")


async def _called(world: World, meanwhile: Callable[[], Awaitable[None]]) -> tuple["Counter[grpc.StatusCode]", int]:
    """Call one after the other while something goes on; the answers, and how many said when to try again."""
    codes = Counter[grpc.StatusCode]()
    async with grpc.aio.insecure_channel(await writer_target(world)) as channel:
        caller = Caller(world, channel)
        task = asyncio.ensure_future(meanwhile())
        while not task.done():
            codes[await caller.call(f"keys/called-{uuid.uuid4()}")] += 1
            await asyncio.sleep(_PAUSE)
        await task
    return codes, caller.retry_hints


async def _kept_down(world: World) -> None:
    """An immediate stop whenever the supervisor has started it again."""
    end = time.monotonic() + _AWAY
    while time.monotonic() < end:
        with suppress(OSError, KeyError):
            os.kill(world.platform.parts()["postgres"]["pid"], signal.SIGQUIT)
        await asyncio.sleep(0.1)


async def _until_refused(world: World) -> None:
    """Until so many events wait, and the service has looked at them; the writers of the world itself ask nobody."""

    async def is_full() -> bool:
        return not await _has_room(world)

    await until(is_full, _PATIENCE)
    await asyncio.sleep(_LOOK)


async def _has_room(world: World) -> bool:
    (row,) = await world.rows(world.writing, "SELECT count(*) FROM outbox")
    return int(row["count"]) <= _BOUND
