"""The supervisor: starts the real parts in order, gates each on its health, restarts what dies, ends all with itself.

`python -m alliance_local.supervisor`; one a state folder. Options by environment: `ALLIANCE_LOCAL_SERVICES` (comma list),
`ALLIANCE_LOCAL_SINKS=1`, `ALLIANCE_LOCAL_RESTORED` (comma list of services whose database was restored to an earlier point),
`ALLIANCE_LOCAL_BROKERS` (1, 3; 0 for as many as the data have, one at first), `ALLIANCE_LOCAL_PROXY=1` (a listener of the one
broker that is to be reached through a proxy; see `kafka.PROXY_PORTS`), `ALLIANCE_LOCAL_OBSERVE=1` (with the observers that are
installed; see `observing`),
`ALLIANCE_TOPICS_PROFILE` (production, test).
"""

import asyncio
import fcntl
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from alliance_local import kafka, observing, ports, postgres, processes
from alliance_local.issuer import AUDIENCE, ISSUER, Issuer, write_token
from alliance_local.kafka import Kafka
from alliance_local.postgres import Postgres
from alliance_local.processes import Command
from alliance_local.state import SERVICES, SINKS, State

OPERATOR = "operator"
"""Principal that gets the first platform grant."""
_REFRESH = 1200.0  # seconds between new service tokens; they hold an hour
_BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds before each restart in a row
_STEADY = 30.0  # seconds after which a restart counts as the first again
_START = 180.0  # seconds that a part may take to be healthy; matching waits for the broker, too
_SET = "ALLIANCE_SET_"  # of the supervisor's environment: a setting of every service


class Part:
    """One supervised process."""

    def __init__(self, name: str, command: Command) -> None:
        self.name = name
        self.command = command
        self.child: asyncio.subprocess.Process | None = None
        self.restarts = 0
        self.state = "starting"
        self.since = time.time()


@dataclass(frozen=True)
class Wanted:
    """What is to be started; `restored` are services whose database was put back to an earlier point."""

    services: tuple[str, ...]
    sinks: tuple[str, ...]
    observers: tuple[str, ...]
    restored: tuple[str, ...]
    broker_ports: tuple[str, ...]
    profile: str


class Supervisor:
    """Everything of one state folder."""

    def __init__(self, state: State, wanted: Wanted) -> None:
        self._state = state
        self._services = wanted.services
        self._sinks = wanted.sinks
        self._observers = wanted.observers
        self._restored = wanted.restored
        self._broker_ports = wanted.broker_ports
        self._profile = wanted.profile
        self._parts: dict[str, Part] = {}
        self._began = time.monotonic()
        self._progress: TextIO = (state.root / "progress.log").open("w", encoding="utf-8", buffering=1)
        self._stopping = asyncio.Event()

    async def run(self) -> int:
        """Run until SIGTERM; returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        try:
            if await self._unless_stopped(self._start()):
                self._say("ready")
                await self._unless_stopped(_first(self._refresh(), *(self._keep(part) for part in self._parts.values())))
        except Exception as error:
            self._say(f"failed: {error}")
            return 1
        finally:
            await self._stop()
        self._say("stopped")
        return 0

    async def _unless_stopped(self, work: Awaitable[None]) -> bool:
        """Do the work; False where a signal ended it."""
        doing = asyncio.ensure_future(work)
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if doing.done():
            await doing
            return True
        doing.cancel()
        await asyncio.wait({doing})
        return False

    async def _start(self) -> None:
        self._end_leftovers()
        self._record()
        names = [*self._broker_ports, *self._services, *(f"{one}_metrics" for one in self._services), *SINKS, *self._observers]
        self._ports = ports.assign(self._state, names)
        self._issuer = Issuer(self._state.folder("issuer"))
        self._write_tokens()
        self._postgres = Postgres(self._state)
        self._kafka = Kafka(self._state, self._ports, self._profile)
        # Services need the database to begin with; the broker they wait for by themselves.
        self._broker = asyncio.create_task(self._start_kafka())
        beside = (*map(self._start_sink, self._sinks), *map(self._start_observer, self._observers))
        await _all(self._start_services(), self._broker, *beside)

    async def _start_services(self) -> None:
        await self._start_postgres()
        await _all(*(self._start_service(one) for one in self._services))

    async def _start_postgres(self) -> None:
        async with _Step(self, "postgres"):
            await self._postgres.prepare()
            child = await self._launch(Part("postgres", self._postgres.command()))
            await self._in_time("postgres", postgres.wait_ready(self._postgres, child))
            await self._postgres.provide(SERVICES)
            self._healthy("postgres")
        outdated = [one for one in self._services if not await self._postgres.is_current(one)]
        if outdated:
            await self._migrate(outdated)

    async def _migrate(self, services: list[str]) -> None:
        async with _Step(self, "migrations"):
            owners = [(one, self._postgres.url(one, f"{one}_owner")) for one in services]
            environment = processes.environment(ALLIANCE_MIGRATIONS=json.dumps(owners))
            log = self._state.log("migrations")
            command = Command([sys.executable, "-m", "alliance_local.migrations"], environment, log)
            if code := await processes.run(command):
                raise RuntimeError(f"migrations ended with {code}, see {log}")

    async def _start_kafka(self) -> None:
        await self._kafka.prepare()
        await _all(*(self._start_broker(node) for node in self._kafka.nodes))
        async with _Step(self, "topics"):
            await self._kafka.provide()

    async def _start_broker(self, node: str) -> None:
        async with _Step(self, node):
            child = await self._launch(Part(node, self._kafka.command(node)))
            await self._in_time(node, kafka.wait_ready(self._kafka, node, child))
            self._healthy(node)

    async def _start_sink(self, name: str) -> None:
        file = self._state.folder("received") / f"{name}.jsonl"
        arguments: list[str | Path] = [sys.executable, "-m", "alliance_local.sinks", name, str(self._ports[name]), file]
        await self._launch(Part(name, Command(arguments, processes.environment(), self._state.log(name))))
        self._healthy(name)

    async def _start_observer(self, name: str) -> None:
        async with _Step(self, name):
            child = await self._launch(Part(name, observing.command(name, self._state, self._ports)))
            await self._in_time(name, observing.wait_listening(name, self._ports[name], child))
            self._healthy(name)

    async def _start_service(self, name: str) -> None:
        if name in self._restored:
            await self._fence(name)
        async with _Step(self, name):
            arguments = [sys.executable, "-m", name, "serve"]
            command = Command(arguments, self._environment(name), self._state.log(name))
            await self._launch(Part(name, command))
            await self._in_time(name, self._until_serving(name))

    async def _fence(self, name: str) -> None:
        """Before a service serves on a database that was restored; needs its topics."""
        await asyncio.shield(self._broker)
        async with _Step(self, f"{name} restore-fence"):
            arguments = [sys.executable, "-m", name, "restore-fence", "alliance local up --restored"]
            command = Command(arguments, self._environment(name), self._state.log(name))
            if code := await processes.run(command):
                raise RuntimeError(f"restore-fence ended with {code}, see {command.log}")

    def _environment(self, name: str) -> dict[str, str]:
        """The settings of a service."""
        access = self._kafka.access(name)
        settings = {
            "DATABASE_URL": self._postgres.url(name, name),
            "KAFKA_BOOTSTRAP": access.bootstrap,
            "KAFKA_SECURITY": access.security,
            "KAFKA_USERNAME": access.username or "",
            "KAFKA_PASSWORD": access.password or "",
            "GRPC_LISTEN": f"127.0.0.1:{self._ports[name]}",
            "METRICS_LISTEN": f"127.0.0.1:{self._ports[f'{name}_metrics']}",
            "REGISTRY_TARGET": f"127.0.0.1:{self._ports['registry']}" if "registry" in self._ports else "",
            "LISTINGS_TARGET": f"127.0.0.1:{self._ports['listings']}" if "listings" in self._ports else "",
            "JWKS_FILE": str(self._issuer.jwks_file),
            "TOKEN_ISSUER": ISSUER,
            "TOKEN_AUDIENCE": AUDIENCE,
            "SERVICE_TOKEN_FILE": str(self._token_file(name)),
            "BOOTSTRAP_ADMIN_SUB": OPERATOR,
            "TRACE_FILE": str(self._state.folder("traces") / f"{name}.jsonl"),
            "TICK_SECONDS": "0.2",
            "OBJECTS_URL": self._state.folder("objects").as_uri(),
            "FEED_MAPPINGS": str(self._state.folder("mappings")),
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(self._ports["smtp"]),
            "SMTP_STARTTLS": "false",
            # The demo's receiver is on this machine; elsewhere private targets stay refused.
            "ALLOW_PRIVATE_TARGETS": "true" if self._sinks else "false",
        }
        if observing.COLLECTOR in self._observers:
            settings["OTLP_ENDPOINT"] = f"http://127.0.0.1:{self._ports[observing.COLLECTOR]}"
        chosen = {key.removeprefix(_SET): value for key, value in os.environ.items() if key.startswith(_SET)}
        bucket = {key: value for key, value in os.environ.items() if key.startswith("AWS_") and "OBJECTS_URL" in chosen}
        return processes.environment(**bucket, **{f"ALLIANCE_{key}": value for key, value in (settings | chosen).items()})

    async def _until_serving(self, name: str) -> None:
        """Wait until a service's health says SERVING."""
        part = self._parts[name]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self._ports[name]}") as channel:
            check: Any = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]  # made at run time
            while part.child and part.child.returncode is None:
                with suppress(grpc.aio.AioRpcError):
                    answer = await check(health_pb2.HealthCheckRequest(), timeout=1)
                    if answer.status == health_pb2.HealthCheckResponse.SERVING:
                        self._healthy(name)
                        return
                await asyncio.sleep(0.1)
        raise RuntimeError(f"{name} ended with {part.child and part.child.returncode}, see {part.command.log}")

    async def _in_time(self, name: str, ready: Awaitable[None]) -> None:
        """Wait until a part is ready. Raises RuntimeError where that takes too long."""
        try:
            await asyncio.wait_for(ready, _START)
        except TimeoutError:
            log = self._parts[name].command.log
            raise RuntimeError(f"{name} is not healthy after {_START:.0f} s, see {log}") from None

    async def _launch(self, part: Part) -> asyncio.subprocess.Process:
        part.child = await processes.start(part.command)
        part.state, part.since = "starting", time.time()
        self._parts[part.name] = part
        self._record()
        return part.child

    async def _keep(self, part: Part) -> None:
        """Start a part again whenever it ends."""
        again = 0
        while part.child is not None:
            code = await part.child.wait()
            again = 0 if time.time() - part.since > _STEADY else again + 1
            delay = _BACKOFF[min(again, len(_BACKOFF) - 1)]
            part.restarts += 1
            part.state = "restarting"
            self._record()
            self._say(f"{part.name}: ended with {code}; again in {delay:.1f} s")
            await asyncio.sleep(delay)
            await self._launch(part)
            if part.name in self._services:
                with suppress(RuntimeError):
                    await self._in_time(part.name, self._until_serving(part.name))
            else:
                self._healthy(part.name)

    async def _stop(self) -> None:
        """Services first, then the brokers, then the database and who looks on, to whom services that end send their last."""
        brokers = [name for name in self._parts if name in kafka.nodes(kafka.MOST)]
        database = [name for name in self._parts if name == "postgres"]
        observers = [name for name in self._parts if name in self._observers]
        services = [name for name in self._parts if name not in (*brokers, *database, *observers)]
        for group in (services, brokers, (*database, *observers)):
            await asyncio.gather(*(self._end(name) for name in group))
        self._parts.clear()
        self._record()

    async def _end(self, name: str) -> None:
        part = self._parts[name]
        if part.child and part.child.returncode is None:
            await processes.stop(part.child, part.command)

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(_REFRESH)
            self._write_tokens()

    def _write_tokens(self) -> None:
        for name in SERVICES:
            write_token(self._token_file(name), self._issuer.mint(f"service:{name}"))

    def _token_file(self, name: str) -> Path:
        return self._state.root / "tokens" / f"{name}.jwt"

    def _end_leftovers(self) -> None:
        """Children of a supervisor that was killed and that outlived it."""
        for one in self._state.read("status.json").get("parts", {}).values():
            processes.end(one["pid"], one["started"])

    def _healthy(self, name: str) -> None:
        self._parts[name].state = "healthy"
        self._record()

    def _record(self) -> None:
        parts = {
            part.name: {
                "state": part.state,
                "pid": part.child.pid,
                "started": processes.started_at(part.child.pid),
                "since": part.since,
                "restarts": part.restarts,
            }
            for part in self._parts.values()
            if part.child
        }
        me = os.getpid()
        supervisor = {"pid": me, "started": processes.started_at(me)}
        self._state.write("status.json", {"supervisor": supervisor, "parts": parts})

    def _say(self, text: str) -> None:
        self._progress.write(f"{time.monotonic() - self._began:6.1f} s  {text}\n")


class _Step:
    """A step of the start, told with its time."""

    def __init__(self, supervisor: Supervisor, name: str) -> None:
        self._supervisor = supervisor
        self._name = name
        self._began = time.monotonic()

    async def __aenter__(self) -> None:
        self._supervisor._say(f"{self._name} …")

    async def __aexit__(self, _kind: object, error: BaseException | None, _: object) -> None:
        said = f"failed: {type(error).__name__} {error}" if error else "ready"
        self._supervisor._say(f"{self._name} {said} ({time.monotonic() - self._began:.1f} s)")


async def _first(*work: Coroutine[Any, Any, None]) -> None:
    """Do things side by side until one of them ends or fails; none of these should."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        for task in tasks:
            task.cancel()


async def _all(*work: Awaitable[None]) -> None:
    """Do things side by side; the first that fails ends the others."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def main() -> int:
    """Entry point; exits 3 where another supervisor has the folder."""
    state = State.default()
    state.root.mkdir(parents=True, exist_ok=True)
    lock = (state.root / "supervisor.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return 3
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it says at every try that the broker isn't up yet
    chosen = os.environ.get("ALLIANCE_LOCAL_SERVICES")
    services = SERVICES if chosen is None else tuple(one for one in chosen.split(",") if one)
    sinks = SINKS if os.environ.get("ALLIANCE_LOCAL_SINKS") else ()
    observers = observing.found() if os.environ.get("ALLIANCE_LOCAL_OBSERVE") else ()
    restored = tuple(one for one in os.environ.get("ALLIANCE_LOCAL_RESTORED", "").split(",") if one)
    brokers = int(os.environ.get("ALLIANCE_LOCAL_BROKERS", "0")) or kafka.made_with(state) or 1
    broker_ports = (*kafka.ports(brokers), *(kafka.PROXY_PORTS if os.environ.get("ALLIANCE_LOCAL_PROXY") else ()))
    profile = os.environ.get("ALLIANCE_TOPICS_PROFILE", "production")
    return asyncio.run(Supervisor(state, Wanted(services, sinks, observers, restored, broker_ports, profile)).run())


if __name__ == "__main__":
    sys.exit(main())
