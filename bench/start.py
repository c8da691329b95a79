"""Start of one service (listings), warm: from the start of its process until its health says SERVING.

The floor is an empty grpc.aio server with health, after the same imports; both are started by the same interpreter, from
caches that the round before has filled. It leaves out: the offset of the business clock (a question to the database), the
metrics' port, and the connections of consumers and relay that are begun meanwhile.
"""

import time
from functools import partial

from bench import ground
from bench.ground import Ground, Store
from bench.measure import Metric, Result, Taken, cpu, interleaved
from bench.process import serving

METRIC = Metric("start of one service", "ms", lambda taken: 1000 * taken.seconds, goal=1.5)


async def _started(given: Ground, store: Store, *arguments: str) -> Taken:
    """A turn: one start."""
    async with serving(given.platform, store, *arguments) as server:
        return Taken(1, time.monotonic() - server.began, cpu(server.pid))


async def run(given: Ground) -> list[Result]:
    """Measure."""
    async with ground.store(given.platform, "start") as store:
        floor = partial(_started, given, store, "bench.serving", "empty")
        ours = partial(_started, given, store, "listings", "serve")
        return [await interleaved(METRIC, floor, ours, given.rounds)]
