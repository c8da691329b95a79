"""Starting, stopping and asking the local platform; what the commands, the demo and the tests use."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alliance_local import processes
from alliance_local.issuer import Issuer
from alliance_local.kafka import Kafka
from alliance_local.postgres import Postgres
from alliance_local.state import State
from chassis.kafka import KafkaAccess

_STOP = 60.0  # seconds that a stop may take
_TOLD = 20  # lines of progress that a failed start is told with
_ORPHANS = 5.0  # seconds in which the children of a killed supervisor end


class StartError(Exception):
    """The platform did not come up; says where to look."""


class Platform:
    """A local platform by its state folder."""

    def __init__(self, state: State) -> None:
        self.state = state

    def up(self, say: Callable[[str], None], *, sinks: bool = False, **environment: str) -> bool:
        """Bring it up and wait until all is healthy; False where it was up. Raises `StartError`."""
        if self.running():
            return False
        self.end_orphans()
        self.state.root.mkdir(parents=True, exist_ok=True)
        progress = self.state.root / "progress.log"
        progress.unlink(missing_ok=True)
        more = {**environment, **({"ALLIANCE_LOCAL_SINKS": "1"} if sinks else {})}
        with self.state.log("supervisor").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "alliance_local.supervisor"],
                env={**os.environ, "ALLIANCE_STATE_DIR": str(self.state.root), **more},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._follow(progress, child, say)
        return True

    def down(self) -> bool:
        """Stop it; False where it was not up."""
        pid = self._supervisor() if self.running() else None
        if pid is None:
            self.end_orphans()
            return False
        started = processes.started_at(pid)
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP
        while processes.is_same(pid, started) and time.monotonic() < deadline:
            time.sleep(0.05)
        processes.end(pid, started)
        self.end_orphans()
        return True

    def reset(self) -> None:
        """Stop it and forget everything; downloads are kept."""
        self.down()
        shutil.rmtree(self.state.sockets, ignore_errors=True)
        shutil.rmtree(self.state.root, ignore_errors=True)

    def running(self) -> bool:
        """Whether a supervisor has the folder. One that was just killed holds the lock until its last thread ended."""
        deadline = time.monotonic() + _ORPHANS
        while self._locked():
            if self._supervisor() or time.monotonic() > deadline:
                return True
            time.sleep(0.02)
        return False

    def _supervisor(self) -> int | None:
        """The supervisor's pid; None where the recorded one has ended."""
        recorded = self.state.read("status.json").get("supervisor", {"pid": 0, "started": ""})
        return int(recorded["pid"]) if processes.is_same(recorded["pid"], recorded["started"]) else None

    def _locked(self) -> bool:
        lock = self.state.root / "supervisor.lock"
        if not lock.exists():
            return False
        with lock.open("r+") as opened:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def end_orphans(self) -> None:
        """End what a killed supervisor left; the kernel has killed most of it already."""
        parts = self.parts().values()
        deadline = time.monotonic() + _ORPHANS
        for one in parts:
            processes.end(one["pid"], one["started"])
        while any(processes.is_same(one["pid"], one["started"]) for one in parts) and time.monotonic() < deadline:
            time.sleep(0.05)

    def parts(self) -> dict[str, dict[str, Any]]:
        """Part → state, pid, since, restarts."""
        found: dict[str, dict[str, Any]] = self.state.read("status.json").get("parts", {})
        return found

    def port(self, part: str) -> int:
        """The port of a part."""
        return int(self.state.read("ports.json")[part])

    def target(self, service: str) -> str:
        """The gRPC address of a service."""
        return f"127.0.0.1:{self.port(service)}"

    def token(self, sub: str, org: str = "") -> str:
        """A token of the local issuer."""
        return Issuer(self.state.folder("issuer")).mint(sub, org)

    def database_url(self, service: str, *, owner: bool = False) -> str:
        """The URL of a service's database."""
        return Postgres(self.state).url(service, f"{service}_owner" if owner else service)

    def kafka(self, user: str) -> KafkaAccess:
        """How a Kafka user reaches the brokers."""
        return Kafka(self.state, self.state.read("ports.json"), "production").access(user)

    def kill(self, part: str) -> None:
        """`kill -9` of a part; the supervisor starts it again."""
        os.kill(self.parts()[part]["pid"], signal.SIGKILL)

    def _follow(self, progress: Path, child: "subprocess.Popen[bytes]", say: Callable[[str], None]) -> None:
        """Tell the supervisor's progress until it is ready. Raises `StartError`."""
        told = deque[str](maxlen=_TOLD)
        for line in _lines(progress, child):
            if line.endswith("  ready"):
                return
            told.append(line)
            say(line)
        logs = self.state.root / "logs"
        error = StartError(f"启动失败，日志在 {logs} · it did not come up, logs in {logs}")
        error.add_note("\n".join(told))
        raise error


def _lines(file: Path, child: "subprocess.Popen[bytes]") -> Iterator[str]:
    """Lines as they are written, until the child ends."""
    place = 0
    while True:
        ended = child.poll() is not None
        if file.exists():
            content = file.read_text(encoding="utf-8")
            complete = content[place : content.rfind("\n") + 1]
            place += len(complete)
            yield from complete.splitlines()
        if ended:
            return
        time.sleep(0.05)


@contextmanager
def temporary(root: Path, say: Callable[[str], None], *, sinks: bool = True, **environment: str) -> Iterator[Platform]:
    """A platform of its own in a folder, for tests; stopped at the end, its state kept."""
    platform = Platform(State(root))
    try:
        platform.up(say, sinks=sinks, **environment)
        yield platform
    finally:
        platform.down()


def interruptible() -> None:
    """Let SIGTERM and SIGINT end this process as Ctrl-C does, so that it stops the platform that it brought up."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what it starts in the background ignore it
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
