"""The matrix of faults × seeds: `python -m tests.faults.run [NUMBER …]`, or `make test-faults SEEDS=3` (or `SEEDS=4-5`).

Each kind of platform that the faults need is brought up once and reused, one after the other; those that a fault leaves
different for each scenario. A scenario says fault, invariants and verdict in a line; a table at the end. Exit code 1 where any
invariant broke.
"""

import asyncio
import itertools
import logging
import os
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase

from rich.console import Console
from rich.table import Table

from alliance_local.control import Platform, interruptible
from tests.faults import invariants, whole, world
from tests.faults.catalogue import FAULTS
from tests.faults.fault import Fault
from tests.faults.parts import PARTS, USED_UP
from tests.faults.proxies import proxied

_number = itertools.count(1)
_console = Console(highlight=False)
_AT_MOST = 240.0  # seconds that a scenario may take
_HOLDS = "✓"


@dataclass(frozen=True)
class Verdict:
    """What does not hold, by invariant ("?" where that is not known), and how long recoveries took."""

    broken: dict[str, str]
    recovered: str = ""

    @property
    def letters(self) -> str:
        """For the table."""
        return "".join(self.broken) or _HOLDS


async def once(platform: Platform, folder: Path, fault: Fault, seed: int, broken: "dict[str, str] | None" = None) -> Verdict:
    """One scenario. `broken` is what is broken on purpose, by side."""
    if fault.parts == "services":
        return Verdict(await whole.broken(platform, fault.inject, seed))
    name = f"fault_{os.getpid()}_{next(_number)}"
    async with AsyncExitStack() as stack:
        proxies = await stack.enter_async_context(proxied(platform)) if fault.is_proxied else None
        made = await stack.enter_async_context(world.created(platform, folder, name, seed, broken, proxies))
        try:
            async with asyncio.timeout(_AT_MOST):
                await made.start()
                await made.flows()
                await fault.inject(made)
                found = await invariants.broken(made)
        except TimeoutError as error:
            found = {"?": f"it comes to no end: {_place(error)}"} | ({"R": ", ".join(made.wrong)} if made.wrong else {})
    return Verdict(found, ", ".join(f"{what} {took:.1f} s of {within:.0f}" for what, took, within in made.recoveries))


def _place(error: BaseException) -> str:
    """What was waited for in vain: the deepest line of this folder."""
    frames = [*traceback.extract_tb(error.__traceback__), *traceback.extract_tb((error.__cause__ or error).__traceback__)]
    ours = [f"{Path(one.filename).name}:{one.lineno}" for one in frames if Path(one.filename).parent == Path(__file__).parent]
    return ours[-1]


def matrix(root: Path, faults: Sequence[Fault], seeds: Sequence[int]) -> bool:
    """All of them; prints as it goes, and says whether everything held."""
    verdicts = {(fault.number, seed): f"skipped: {fault.missing()}" for fault in faults for seed in seeds}
    for name, up in PARTS.items():
        chosen = [fault for fault in faults if fault.parts == name and not fault.missing()]
        rounds = [(fault, seed) for seed in seeds for fault in chosen]
        for number, group in enumerate([[one] for one in rounds] if name in USED_UP else [rounds] if rounds else []):
            verdicts |= {(fault.number, seed): "?" for fault, seed in group}
            try:
                with up(root / f"{name}-{number}") as platform:
                    asyncio.run(_play(platform, root / "logs", group, verdicts))
            except Exception:  # the others are played all the same
                _console.print_exception()
    table = Table("fault", "", "invariants", *(f"seed {seed}" for seed in seeds))
    for fault in faults:
        found = (verdicts[fault.number, seed] for seed in seeds)
        table.add_row(fault.number, fault.title, fault.holds, *found)
    _console.print(table)
    return all(verdict == _HOLDS or verdict.startswith("skipped") for verdict in verdicts.values())


async def _play(
    platform: Platform, folder: Path, group: Sequence[tuple[Fault, int]], verdicts: dict[tuple[str, int], str]
) -> None:
    for fault, seed in group:
        began = time.monotonic()
        try:
            verdict = await once(platform, folder, fault, seed)
        except Exception as error:
            _console.print_exception()
            verdict = Verdict({"?": f"the harness failed: {error!r}"})
        verdicts[fault.number, seed] = verdict.letters
        said = "; ".join(f"{letter}: {why}" for letter, why in verdict.broken.items()) or f"{fault.holds} hold"
        took = f"{time.monotonic() - began:.0f} s"
        _console.print(f"{fault.number:>4}  {fault.title}  seed {seed}  {said}  {took}  {verdict.recovered}")


def chosen_faults(wanted: Sequence[str]) -> list[Fault]:
    """The faults with these numbers, all where none is named; ends with a word about a number that there is not."""
    numbers = [fault.number for fault in FAULTS]
    for one in wanted:
        if one not in numbers:
            near = [number for number in numbers if number.rstrip(ascii_lowercase) == one]
            sys.exit(f"FAULTS: no fault {one}; {'it comes as' if near else 'there are'} {', '.join(near or numbers)}")
    return [fault for fault in FAULTS if not wanted or fault.number in wanted]


def chosen_seeds(text: str) -> range:
    """The first so many seeds, or those of a range; ends with a word about a text that is neither."""
    found = re.fullmatch(r"(?:([1-9]\d*)-)?([1-9]\d*)", text, re.ASCII)
    seeds = range(int(found[1] or 1), int(found[2]) + 1) if found else range(0)
    if not seeds:
        sys.exit(f"SEEDS: {text!r} is neither a number of seeds (3 has 1, 2 and 3) nor a range of them (4-5)")
    return seeds


def main() -> int:
    """Entry point."""
    interruptible()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that is away is what some scenarios are about
    faults, seeds = chosen_faults(sys.argv[1:]), chosen_seeds(os.environ.get("SEEDS", "3"))
    root = Path(tempfile.mkdtemp(prefix="alliance-faults-"))
    (root / "logs").mkdir()
    held = matrix(root, faults, seeds)
    print(f"journals and logs: {root / 'logs'}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
