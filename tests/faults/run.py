"""The matrix of faults × seeds on one reused platform: `python -m tests.faults.run [NUMBER …]`, or `make test-faults SEEDS=3`.

Each scenario says fault, invariants and verdict in a line; a table at the end. Exit code 1 where any invariant broke.
"""

import asyncio
import itertools
import logging
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from alliance_local.control import Platform, temporary
from tests.faults import invariants, world
from tests.faults.scenarios import FAULTS, Fault

_number = itertools.count(1)
_AT_MOST = 240.0  # seconds that a scenario may take
PARTS_ONLY = {"ALLIANCE_LOCAL_SERVICES": ""}
"""Environment of a platform of PostgreSQL and Kafka alone."""


async def once(
    platform: Platform, folder: Path, fault: Fault, seed: int, broken: "dict[str, str] | None" = None
) -> dict[str, str]:
    """One scenario; returns what does not hold, by invariant. `broken` is what is broken on purpose, by side."""
    name = f"fault_{os.getpid()}_{next(_number)}"
    async with world.created(platform, folder, name, seed, broken) as made:
        try:
            async with asyncio.timeout(_AT_MOST):
                await made.start()
                await made.flows()
                await fault.inject(made)
                return await invariants.broken(made)
        except TimeoutError:
            return {"L": "it comes to no end"}


async def matrix(platform: Platform, folder: Path, faults: list[Fault], seeds: int) -> bool:
    """All of them; prints as it goes, and says whether everything held."""
    console, verdicts = Console(), defaultdict[str, list[str]](list)
    for seed in range(1, seeds + 1):
        for fault in faults:
            began = time.monotonic()
            broken = await once(platform, folder, fault, seed)
            said = "holds" if not broken else "; ".join(f"{letter}: {why}" for letter, why in broken.items())
            verdicts[fault.number].append("✓" if not broken else "".join(broken))
            console.print(
                f"{fault.number:>4}  {fault.title}  seed {seed}  {said}  {time.monotonic() - began:.0f} s", highlight=False
            )
    table = Table("fault", "", "invariants", *(f"seed {seed}" for seed in range(1, seeds + 1)))
    for fault in faults:
        table.add_row(fault.number, fault.title, fault.holds, *verdicts[fault.number])
    console.print(table)
    return all(verdict == "✓" for found in verdicts.values() for verdict in found)


def main() -> int:
    """Entry point."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that is away is what some scenarios are about
    chosen = [fault for fault in FAULTS if not sys.argv[1:] or fault.number in sys.argv[1:]]
    root = Path(tempfile.mkdtemp(prefix="alliance-faults-"))
    with temporary(root, print, sinks=False, **PARTS_ONLY) as platform:
        held = asyncio.run(matrix(platform, root / "logs", chosen, int(os.environ.get("SEEDS", "3"))))
    print(f"journals and logs: {root / 'logs'}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
