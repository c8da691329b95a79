"""The matrix of faults × seeds: `python -m tests.faults.run [NUMBER …]`, or `make test-faults SEEDS=3`.

Each kind of platform that the faults need is brought up once and reused, one after the other; those that a fault leaves
different for each scenario. A scenario says fault, invariants and verdict in a line; a table at the end. Exit code 1 where any
invariant broke.
"""

import asyncio
import itertools
import logging
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from alliance_local.control import Platform, interruptible
from tests.faults import invariants, whole, world
from tests.faults.catalogue import FAULTS
from tests.faults.fault import Fault
from tests.faults.parts import PARTS, USED_UP

_number = itertools.count(1)
_console = Console(highlight=False)
_AT_MOST = 240.0  # seconds that a scenario may take
_HOLDS = "✓"


async def once(
    platform: Platform, folder: Path, fault: Fault, seed: int, broken: "dict[str, str] | None" = None
) -> dict[str, str]:
    """One scenario; returns what does not hold, by invariant. `broken` is what is broken on purpose, by side."""
    if fault.parts == "services":
        return await whole.broken(platform, fault.inject, seed)
    name = f"fault_{os.getpid()}_{next(_number)}"
    async with AsyncExitStack() as stack:
        proxies = await stack.enter_async_context(world.proxied(platform)) if fault.is_proxied else None
        made = await stack.enter_async_context(world.created(platform, folder, name, seed, broken, proxies))
        try:
            async with asyncio.timeout(_AT_MOST):
                await made.start()
                await made.flows()
                await fault.inject(made)
                return await invariants.broken(made)
        except TimeoutError:
            return {"L": "it comes to no end"}


def matrix(root: Path, faults: Sequence[Fault], seeds: int) -> bool:
    """All of them; prints as it goes, and says whether everything held."""
    verdicts = defaultdict[str, list[str]](list)
    for fault in faults:
        if missing := fault.missing():
            verdicts[fault.number] = [f"skipped: {missing}"] * seeds
    for name, up in PARTS.items():
        chosen = [fault for fault in faults if fault.parts == name and not fault.missing()]
        every = list(range(1, seeds + 1))
        rounds = [(fault, seed) for seed in every for fault in chosen]
        for number, group in enumerate([[one] for one in rounds] if name in USED_UP else [rounds] if rounds else []):
            with up(root / f"{name}-{number}") as platform:
                asyncio.run(_play(platform, root / "logs", group, verdicts))
    table = Table("fault", "", "invariants", *(f"seed {seed}" for seed in range(1, seeds + 1)))
    for fault in faults:
        table.add_row(fault.number, fault.title, fault.holds, *verdicts[fault.number])
    _console.print(table)
    return all(verdict == _HOLDS or verdict.startswith("skipped") for found in verdicts.values() for verdict in found)


async def _play(platform: Platform, folder: Path, group: Sequence[tuple[Fault, int]], verdicts: dict[str, list[str]]) -> None:
    for fault, seed in group:
        began = time.monotonic()
        broken = await once(platform, folder, fault, seed)
        said = "holds" if not broken else "; ".join(f"{letter}: {why}" for letter, why in broken.items())
        verdicts[fault.number].append("".join(broken) or _HOLDS)
        _console.print(f"{fault.number:>4}  {fault.title}  seed {seed}  {said}  {time.monotonic() - began:.0f} s")


def main() -> int:
    """Entry point."""
    interruptible()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that is away is what some scenarios are about
    chosen = [fault for fault in FAULTS if not sys.argv[1:] or fault.number in sys.argv[1:]]
    root = Path(tempfile.mkdtemp(prefix="alliance-faults-"))
    (root / "logs").mkdir()
    held = matrix(root, chosen, int(os.environ.get("SEEDS", "3")))
    print(f"journals and logs: {root / 'logs'}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
