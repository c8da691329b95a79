"""Ten times as many calls as a node works on at once: those beyond are shed, and nobody waits long."""

import asyncio
import json
import time
import uuid
from collections import Counter
from typing import cast

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from grpc_status import rpc_status

from alliance.notify.v1 import notify_pb2, notify_service_pb2, notify_service_pb2_grpc
from chassis.limit import HOLD
from tests.faults import node
from tests.faults.fault import SERVICE
from tests.faults.world import World
from tests.waiting import until

CALL = 0.1  # seconds that each call takes while it holds its transaction
BOUND = 1.5
"""Seconds that 99 of 100 answers have to come in. At most `node.MOST_CALLS` = 20 calls are worked on, by some eight of the
pool's ten connections: a call that is accepted waits for two others, 0.3 s in all; the last of 180 that are shed is held back
for 0.7 s. The rest is for 200 answers on a busy machine. Without shedding the last of 200 waits for 25 others, 2.5 s."""
STORM_BOUND = HOLD + 2.0
"""Seconds that 99 of 100 answers have to come in while callers never wait: the longest that a refusal is held back, and the
time that so many calls take to be accepted on a busy machine."""
STORM_SHARE = 0.4
"""Share of the calls a second, as few callers have them, that many callers still have. Refusals take an eighth of the CPU by
themselves, callers in this process some more, and the machine may be a busy one."""
_FEW, _MANY = node.MOST_CALLS // 2, 20 * node.MOST_CALLS  # callers
_CALM, _STORM = 3.0, 6.0  # seconds
_TIMES = 10
_WAVES = 3
_EXPECTED = {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}


class Caller:
    """Calls a node's command, and says in the journal what was answered."""

    def __init__(self, world: World, channel: grpc.aio.Channel) -> None:
        self._world = world
        self.random = world.random
        self._stub = notify_service_pb2_grpc.NotifyServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {world.platform.token('tester')}"),)
        self.retry_hints = 0
        """Refusals that said when to try again."""

    async def call(self, key: str, identifier: str = "", timeout: float = 30.0) -> grpc.StatusCode:
        """Write the next version of a key; the same identifier writes once."""
        subscription = notify_pb2.Subscription(organization=key)
        request = notify_service_pb2.CreateSubscriptionRequest(
            subscription=subscription, request_id=identifier or str(uuid.uuid4())
        )
        try:
            answer = await self._stub.CreateSubscription(request, timeout=timeout, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            status = rpc_status.from_call(cast(grpc.Call, error))
            self.retry_hints += status is not None and any(one.Is(RetryInfo.DESCRIPTOR) for one in status.details)
            return error.code()
        self._world.acknowledge(answer.name, int(answer.etag))
        return grpc.StatusCode.OK


async def overload(world: World) -> None:
    """Waves of calls, each of ten times the configured concurrency at once."""
    world.writer.lives = [{"FAULT_CALL": str(CALL)}]
    world.writer.kill()
    await world.writer.ended(1)
    target = await writer_target(world)
    took: list[float] = []
    codes: Counter[grpc.StatusCode] = Counter()
    async with grpc.aio.insecure_channel(target) as channel:
        caller = Caller(world, channel)

        async def one(number: int) -> None:
            began = time.monotonic()
            codes[await caller.call(f"keys/called-{number}")] += 1
            took.append(time.monotonic() - began)

        for _ in range(_WAVES):
            await asyncio.gather(*(one(number) for number in range(_TIMES * node.MOST_CALLS)))
    judge(world, took, codes)
    await world.recovers("service", SERVICE)


async def storm(world: World) -> None:
    """Callers who come again at once, few and then many, with calls that need the CPU: as many are served as before."""
    target = await writer_target(world)
    async with grpc.aio.insecure_channel(target) as channel:
        caller = Caller(world, channel)
        calm, _ = await _closed_loop(caller, _FEW, _CALM)
        codes, took = await _closed_loop(caller, _MANY, _STORM)
    judge(world, took, codes, STORM_BOUND)
    before, after = calm[grpc.StatusCode.OK] / _CALM, codes[grpc.StatusCode.OK] / _STORM
    if after < STORM_SHARE * before:
        world.wrong.append(f"{after:.0f} calls a second are served in a storm, {before:.0f} without")
    if caller.retry_hints != codes[grpc.StatusCode.RESOURCE_EXHAUSTED]:
        world.wrong.append(f"{caller.retry_hints} of the refusals say when to try again")
    await world.recovers("service", SERVICE)


async def _closed_loop(caller: Caller, callers: int, seconds: float) -> "tuple[Counter[grpc.StatusCode], list[float]]":
    """What so many callers are answered, and after how many seconds each time, who call again as soon as they are."""
    codes: Counter[grpc.StatusCode] = Counter()
    took: list[float] = []
    end = time.monotonic() + seconds

    async def one(number: int) -> None:
        while (began := time.monotonic()) < end:
            codes[await caller.call(f"keys/called-{number}")] += 1
            took.append(time.monotonic() - began)

    await asyncio.gather(*(one(number) for number in range(callers)))
    return codes, took


def judge(world: World, took: list[float], codes: "Counter[grpc.StatusCode]", bound: float = BOUND) -> None:
    """Compare answers and their times with what was promised."""
    p99 = sorted(took)[len(took) * 99 // 100]
    world.recoveries.append(("p99 of all answers", p99, bound))
    if not codes[grpc.StatusCode.RESOURCE_EXHAUSTED] or not codes.keys() <= _EXPECTED:
        world.wrong.append(f"answers: { ({code.name: count for code, count in codes.items()}) }")


async def writer_target(world: World) -> str:
    """The gRPC address of the writer that runs now."""
    ports = world.writer.ports
    await until(lambda: ports.exists() and world.writer.is_up(), 20)
    return f"127.0.0.1:{json.loads(ports.read_text(encoding='utf-8'))['grpc']}"
