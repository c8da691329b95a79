"""`python -m bench [NAME …]`: measure, on a platform of its own, and end with one table. Without names, everything.

No figure is asserted: it exits with 1 only where something could not be measured.
"""

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import uvloop

from alliance_local.control import Platform, interruptible, temporary
from alliance_local.state import SERVICES
from bench import ack, command, consume, freshness, history, importing, peer, relay, replicas, start
from bench.ground import Ground
from bench.measure import Result, console, machine, say, summary
from chassis import telemetry

TRACES = "0.1"  # share of the traces that are recorded


@dataclass(frozen=True)
class Bench:
    """One benchmark and the services that have to run for it."""

    run: Callable[[Ground], Coroutine[None, None, list[Result]]]
    services: tuple[str, ...] = ()


BENCHES = {
    "relay": Bench(relay.run),
    "ack": Bench(ack.run),
    "consume": Bench(consume.run),
    "command": Bench(command.run),
    "start": Bench(start.run),
    "history": Bench(history.run),
    "peer": Bench(peer.run),
    "replicas": Bench(replicas.run),
    "import": Bench(importing.run, importing.SERVICES),
    "freshness": Bench(freshness.run, SERVICES),
}


@contextmanager
def _platform(services: tuple[str, ...]) -> Iterator[Platform]:
    """A platform of PostgreSQL, Kafka and some services."""
    environment = {"ALLIANCE_LOCAL_SERVICES": ",".join(services)}
    with (
        tempfile.TemporaryDirectory(prefix="alliance-bench-") as folder,
        temporary(Path(folder) / "state", say, sinks=False, **environment) as platform,
    ):
        yield platform


def main() -> None:
    """Measure what was chosen."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual number of items")
    given = parser.parse_args()
    if unknown := set(given.names) - set(BENCHES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    interruptible()
    os.environ["ALLIANCE_TRACE_RATIO"] = TRACES  # of the services that are started
    telemetry.setup("bench", None, None, float(TRACES))
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it says at every try that a new topic has no leader yet
    say(machine())
    chosen, results, failed = given.names or list(BENCHES), list[Result](), list[str]()
    for services, names in groupby(chosen, lambda name: BENCHES[name].services):
        with _platform(services) as platform:
            for name in names:
                try:
                    results += uvloop.run(BENCHES[name].run(Ground(platform, given.rounds, given.scale)))
                except Exception:  # the others are measured all the same
                    console.print_exception()
                    failed.append(name)
    summary(results, f"python -m bench {' '.join(sys.argv[1:])}")
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
