"""Child processes that end with their supervisor, and whose leftovers a later start can find and end."""

import asyncio
import ctypes
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Command:
    """How a part is started. `user` is a system user to run as (root only); `stop` the signal that ends it gracefully."""

    arguments: Sequence[str | Path]
    environment: Mapping[str, str]
    log: Path
    user: str | None = None
    stop: signal.Signals = signal.SIGTERM
    patience: float = 15.0


async def start(command: Command) -> asyncio.subprocess.Process:
    """Start a child; the kernel kills it when this process ends, however it ends."""
    another: dict[str, Any] = {"user": command.user, "group": command.user} if command.user else {}  # uvloop knows neither
    with command.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *map(str, command.arguments),
            env=dict(command.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            **another,
            start_new_session=True,  # a Ctrl-C at the terminal is the supervisor's to handle
            preexec_fn=partial(_die_with_parent, os.getpid()),
        )


async def run(command: Command) -> int:
    """Run a child to its end; returns its exit code."""
    return await (await start(command)).wait()


async def stop(child: asyncio.subprocess.Process, command: Command) -> None:
    """End a child, by force where it takes longer than its patience."""
    with suppress(ProcessLookupError):
        child.send_signal(command.stop)
    try:
        await asyncio.wait_for(child.wait(), command.patience)
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def started_at(pid: int) -> str:
    """When a process began, in the kernel's ticks; "" where there is none. With the pid it names one process for good."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]


def is_same(pid: int, started: str) -> bool:
    """Whether the process that was started then is still there."""
    return bool(started) and started_at(pid) == started


def memory(pid: int, *, children: bool = True) -> int:
    """Proportional memory of a process and its children, MiB; of itself alone without `children`."""
    total = 0
    for one in [pid, *(_children(pid) if children else ())]:
        with suppress(OSError):
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text(encoding="utf-8")
            total += next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
    return total // 1024


def end(pid: int, started: str) -> None:
    """Kill a leftover, if it is the very process that was recorded."""
    if is_same(pid, started):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def environment(**more: str) -> dict[str, str]:
    """What a child sees of the environment: nothing but what it needs, OpenTelemetry's variables, and the share of traces."""
    wanted = ("PATH", "HOME", "LANG", "TZDIR", "ALLIANCE_TRACE_RATIO")
    kept = {name: value for name, value in os.environ.items() if name in wanted or name.startswith("OTEL_")}
    return {"PYTHONUNBUFFERED": "1", **kept, **more}


def _die_with_parent(parent: int) -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the kernel was told
        os._exit(1)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            direct = [int(one) for one in (task / "children").read_text(encoding="utf-8").split()]
            found += [*direct, *(deeper for one in direct for deeper in _children(one))]
    return found
