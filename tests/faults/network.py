"""Faults of the network between the nodes and their parts."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path

from aiokafka.protocol.produce import ProduceResponse_v7

from tests.faults.fault import PART, SERVICE
from tests.faults.process import Process
from tests.faults.proxy import FETCH, PRODUCE
from tests.faults.world import World
from tests.waiting import until

HALF_OPEN = 50.0
"""Seconds in which half-open connections are given up, and others have taken their places. PostgreSQL: 20 s for a statement
and as long to cancel it, 30 s until the server frees the locks; Kafka: 15 s until the watchdog sees it."""
_SILENT, _WATCH = 45.0, 5.0  # seconds that a consumer may be silent, and between two looks of its watchdog
_REBUILT = "starting over"  # in the log where clients are given up
_OUT_OF_ORDER = 45  # Kafka's code of a wrong sequence number
_HOST, _GUEST = "10.213.7.1", "10.213.7.2"


async def slow_lines(world: World) -> None:
    """Latency, then a slow drip; events flow, only later."""
    for one in world.proxies.both:
        one.delay = world.random.uniform(0.02, 0.1)
    await world.takes("event under latency", 20, world.flows())
    await world.load(3.0)
    for one in world.proxies.both:
        one.delay, one.drip = 0.0, world.random.randint(300, 1500)
    await world.takes("event by drips", 20, world.flows())
    await world.load(3.0)
    for one in world.proxies.both:
        one.drip = 0
    await world.recovers("network", SERVICE)


async def cut_answers(world: World) -> None:
    """Every connection is reset in the middle of an answer."""
    for one in world.proxies.both:
        one.cut = lambda: world.random.randint(1, 12_000)
    await world.load(8.0)
    for one in world.proxies.both:
        one.cut = None
    await world.recovers("network", PART + SERVICE)


async def swallowed_lines(world: World) -> None:
    """Half-open connections: nothing comes through any more, and nobody says so."""
    for one in world.proxies.both:
        one.swallow()
    await world.recovers("network", HALF_OPEN)


async def dropped_packets(world: World) -> None:
    """The same in the kernel: packets are dropped while the other side forgets the connections."""
    with _namespace() as name:
        for proxy, port in ((world.proxies.kafka, world.proxies.port), (world.proxies.database, 5432)):
            await proxy.listen((_HOST, port))
        for process, service in ((world.writer, world.writing), (world.reader, world.reading)):
            await _moved(process, name, world.database(service))
        await world.flows()
        with _drops(name):
            for one in world.proxies.both:
                one.reset()  # the RST that says so is dropped, too
            await world.load(2.0)
        await world.recovers("network", HALF_OPEN)
        await world.reader.stop()  # nothing of the namespace outlives it
        await world.writer.stop()
    world.reader.arguments = world.reader.arguments[4:]
    world.reader.environment["ALLIANCE_DATABASE_URL"] = world.database(world.reading)
    await world.reader.start()


async def _moved(process: Process, namespace: str, url: str) -> None:
    """Start a process anew inside a network namespace, from where it reaches the proxies by TCP alone."""
    process.arguments = ["ip", "netns", "exec", namespace, *process.arguments]
    process.environment["ALLIANCE_DATABASE_URL"] = url.partition("?")[0].replace("@/", f"@{_HOST}:5432/")
    ends = len(process.codes)
    process.kill()
    await process.ended(ends + 1)


@contextmanager
def _namespace() -> Iterator[str]:
    """A network namespace with one line to here; `localhost`, as which the broker is known, is here in it."""
    name = f"fault{os.getpid()}"
    hosts = Path("/etc/netns") / name / "hosts"
    hosts.parent.mkdir(parents=True)
    hosts.write_text(f"{_HOST} localhost\n", encoding="utf-8")
    _ip("netns", "add", name)
    try:
        _ip("link", "add", name, "type", "veth", "peer", "name", "out", "netns", name)
        _ip("addr", "add", f"{_HOST}/30", "dev", name)
        _ip("link", "set", name, "up")
        for arguments in (
            ("addr", "add", f"{_GUEST}/30", "dev", "out"),
            ("link", "set", "out", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", name, *arguments)
        yield name
    finally:
        with suppress(subprocess.CalledProcessError):
            _ip("link", "del", name)
        _ip("netns", "del", name)
        hosts.unlink()
        hosts.parent.rmdir()


@contextmanager
def _drops(name: str) -> Iterator[None]:
    """Both ends of the line drop every packet: queues that hold none."""
    ends = (("-n", name), "out"), ((), name)
    for where, device in ends:
        _run("tc", *where, "qdisc", "replace", "dev", device, "root", "pfifo", "limit", "0")
    try:
        yield
    finally:
        for where, device in ends:
            _run("tc", *where, "qdisc", "del", "dev", device, "root")


def _ip(*arguments: str) -> None:
    _run("ip", *arguments)


def _run(*arguments: str) -> None:
    subprocess.run(arguments, check=True, capture_output=True)


async def silent_consumer(world: World) -> None:
    """The reader's fetches never arrive, while its group and its lag are well: the watchdog builds it anew."""
    rebuilt = world.reader.said(_REBUILT)
    world.proxies.kafka.swallowed = {FETCH}
    watched = until(lambda: world.reader.said(_REBUILT) > rebuilt, 2 * _SILENT)
    await world.takes("watchdog", _SILENT + 2 * _WATCH, watched)
    world.proxies.kafka.swallowed = set()
    await world.recovers("consumer", SERVICE)


async def wedged_producer(world: World) -> None:
    """The broker answers that sequence numbers are wrong: the relay builds producers until one is right."""
    rebuilt = world.writer.said(_REBUILT)
    world.proxies.kafka.altered = _out_of_order
    await world.load(5.0)
    world.proxies.kafka.altered = None
    if world.writer.said(_REBUILT) == rebuilt:
        world.wrong.append("no producer was given up")
    await world.recovers("relay", SERVICE)


def _out_of_order(kind: int, answer: bytes) -> bytes:
    """An answer to a Produce request that refuses every batch for its sequence number; others as they are."""
    if kind != PRODUCE:
        return answer
    said = ProduceResponse_v7.decode(BytesIO(answer[8:]))
    topics = [
        (topic, [(partition, _OUT_OF_ORDER, *more) for partition, _, *more in partitions]) for topic, partitions in said.topics
    ]
    content: bytes = answer[4:8] + ProduceResponse_v7(topics, said.throttle_time_ms).encode()
    return len(content).to_bytes(4, "big") + content
