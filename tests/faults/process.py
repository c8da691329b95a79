"""A process of a node, kept up by the harness."""

import asyncio
import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
_AGAIN = 0.1  # seconds before a process that died is started again
_PATIENCE = 90.0  # seconds in which a process that is to end has to have ended, however busy the machine
_SERVING = '"serving"'  # in its log


@dataclass
class Process:
    """One process of a node, started again whenever it dies while `kept`."""

    arguments: list[str]
    environment: dict[str, str]
    log: Path
    lives: list[dict[str, str]] = field(default_factory=list)
    """What is added to the environment of the next starts, one each."""
    kept: bool = True
    child: "asyncio.subprocess.Process | None" = None
    codes: list[int] = field(default_factory=list)
    """Exit codes of all ends."""
    _keeper: "asyncio.Task[None] | None" = None
    _served: int = 0
    """How often it had served before the present life."""

    async def start(self) -> None:
        """Start it, and keep it up."""
        self.kept = True
        await self._launch()
        self._keeper = asyncio.create_task(self._keep())

    async def _launch(self) -> None:
        environment = self.environment | (self.lives.pop(0) if self.lives else {})
        self.ports.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.child = await asyncio.create_subprocess_exec(
                *self.arguments, env=environment, cwd=ROOT, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )

    async def _keep(self) -> None:
        while self.child is not None:
            self.codes.append(await self.child.wait())
            if not self.kept:
                return
            await asyncio.sleep(_AGAIN)
            if self.kept:
                await self._launch()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to what runs now."""
        if self.child is not None and self.child.returncode is None:
            self.child.send_signal(number)

    @property
    def pid(self) -> int:
        """The process that runs now, or ran last."""
        return self.child.pid if self.child else 0

    def said(self, text: str) -> int:
        """How many lines of its log hold a text."""
        return self.log.read_text(encoding="utf-8", errors="replace").count(text) if self.log.exists() else 0

    @property
    def ports(self) -> Path:
        """Where it writes its ports down."""
        return Path(self.environment["ALLIANCE_PORTS_FILE"])

    def memory(self) -> int:
        """Bytes that it holds (resident); 0 where it does not run."""
        with suppress(OSError):
            return int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return 0

    async def metrics(self) -> str:
        """What its metrics port says."""
        port = json.loads(self.ports.read_text(encoding="utf-8"))["metrics"]
        return await asyncio.to_thread(lambda: urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode())

    def is_up(self) -> bool:
        """Whether it runs."""
        return self.child is not None and self.child.returncode is None

    def kill(self) -> None:
        """`kill -9`; it is started again."""
        self._served = self.said(_SERVING)
        self.send(signal.SIGKILL)

    async def serves(self) -> None:
        """Wait until the life that begins after a kill serves."""
        await until(lambda: self.said(_SERVING) > self._served, _PATIENCE)

    async def ended(self, times: int) -> None:
        """Wait until it has ended so many times."""
        await until(lambda: len(self.codes) >= times, _PATIENCE)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it for good."""
        self.kept = False
        self.send(signal.SIGCONT)
        self.send(number)
        if self.child is not None:
            try:
                await asyncio.wait_for(self.child.wait(), 15)
            except TimeoutError:
                self.kill()
                await self.child.wait()
        if self._keeper is not None:
            await self._keeper
