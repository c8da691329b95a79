"""Running a service: `python -m <service> serve | migrate | topics | replay TOPIC REASON | restore-fence REASON`.

`migrate` brings its database up to date, `topics` creates what the broker lacks, `replay` sets up a job that the serving
processes work off (`chassis.replay`), `restore-fence` comes before serving on a database that was put back.
`serve` starts gRPC server, consumers, relay, dead-letter worker, housekeeping and the service's own tasks in one
TaskGroup. SIGTERM drains: no new calls, those under way end, consumers leave their groups, the relay gives its lease back.
"""

import asyncio
import json
import logging
import os
import pwd
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import uvloop
from aiokafka.errors import KafkaError
from prometheus_client import disable_created_metrics, start_http_server
from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.engine import make_url

from alliance.admin.v1 import admin_service_pb2, personal_data_service_pb2
from chassis import deadletter, housekeeping, jobs, logs, metrics, pauses, rebuild, refusals, telemetry, topics
from chassis.admin import Admin, PersonalData
from chassis.auth import Tokens
from chassis.clock import BusinessClock, Clock, SystemClock
from chassis.consumer import Consumers
from chassis.database import Cause, Database, why
from chassis.errors import Unavailable
from chassis.handling import Handling
from chassis.kafka import KafkaAccess
from chassis.limit import Limit
from chassis.relay import Relay
from chassis.rpc import Pipeline
from chassis.server import Probes, Server
from chassis.service import Context, Offer, Service, Task
from chassis.settings import ServiceSettings
from chassis.tls import Files, FilesError, Watched
from chassis.told import Told

log = logging.getLogger(__name__)
PLUMBING = 3  # connections of their own for relay, leases and housekeeping: they must not wait behind calls
_PAUSE = 1.0  # seconds before a task that failed is begun again
_FENCED = 30.0  # seconds after which a fence that is waited for is told again


def run(service: Service) -> None:
    """Entry point of a service's `__main__`; exits 2 for wrong arguments or settings, and says which."""
    logs.setup(service.name, "INFO")  # what a command comes to is always told
    arguments = _arguments(service.name, sys.argv[1:])
    try:
        settings = service.settings(service=service.name)
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            log.error(f"ALLIANCE_{name}: {problem['msg']}" if name else problem["msg"])
        sys.exit(2)
    except SettingsError as error:  # what is no JSON where it has to be
        log.error(f"{error}: {error.__cause__}")
        sys.exit(2)
    if arguments.command == "serve":
        logs.setup(service.name, settings.log_level)
    try:
        uvloop.run(_COMMANDS[arguments.command](service, settings, arguments))
    except _EndedError as error:
        log.error(str(error))
        sys.exit(1)
    except FilesError as error:
        log.error(str(error))
        sys.exit(2)
    except Exception:
        log.exception("ended")
        sys.exit(1)


class _EndedError(Exception):
    """A command can't do what it is to do, for a reason that it tells."""


class _Parser(ArgumentParser):
    """Says what is wrong as usual on a terminal, and elsewhere in one line of the log."""

    def error(self, message: str) -> NoReturn:
        """See `ArgumentParser`."""
        if not sys.stderr.isatty():
            log.error("参数有误 · wrong arguments: %s", message, extra={"usage": " ".join(self.format_usage().split())})
            sys.exit(2)
        super().error(message)


def _arguments(service: str, given: list[str]) -> Namespace:
    """What is to be run; exits 2 for anything else."""
    parser = _Parser(prog=f"python -m {service}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve")
    migrate = commands.add_parser("migrate", help="迁移数据库 · bring the database to its newest revision, as its owner")
    migrate.add_argument("--patience", type=float, default=0.0, metavar="SECONDS", help="等待数据库 · wait for a database; 0")
    made = commands.add_parser("topics", help="建立主题 · create the topics that the broker lacks")
    made.add_argument("--profile", default="production", choices=topics.load().profiles, help="topics.yaml")
    made.add_argument("--replicas", type=int, default=1, help="副本数 · replicas of each; 1")
    made.add_argument("--acls", action="store_true", help="并授权 · grant the services their rights, too")
    login = "以何用户：含 username、password 两个文件的目录 · as whom: a folder with the files username and password"
    made.add_argument("--login", type=Path, metavar="FOLDER", help=login)
    replay = commands.add_parser("replay", help="重放主题 · publish a topic of this service again")
    replay.add_argument("topic", metavar="TOPIC", choices=[topic.name for topic in topics.load().owned_by(service)])
    fence = commands.add_parser("restore-fence", help="恢复栅栏 · before it serves on a database that was put back")
    for one in (replay, fence):
        one.add_argument("reason", metavar="REASON", help="为何 · why, for the record")
        one.add_argument(
            "--actor",
            metavar="WHO",
            default=f"operator:{_user()}",
            help="谁；默认为本机用户 · who, for the record; this machine's user where not given",
        )
    return parser.parse_args(given)


def _user() -> str:
    """The operating system's user; its number where it has no name, as in a container."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


async def _migrate(service: Service, settings: ServiceSettings, asked: Namespace) -> None:
    from chassis.migrate import IncompatibleError, migrate  # not needed, and slow to load, where the service serves

    owner = settings.migration_database_url or settings.database_url
    role = make_url(settings.database_url.get_secret_value()).username or service.name
    try:
        await migrate(owner.get_secret_value(), service.migrations, role, settings.database_ca_file, asked.patience)
    except IncompatibleError as error:
        raise _EndedError(error) from error


async def _topics(service: Service, settings: ServiceSettings, asked: Namespace) -> None:
    from chassis import provision

    granted = provision.rights() if asked.acls else ()
    access = KafkaAccess.of(settings)
    try:
        access = access.as_user_of(asked.login) if asked.login else access
    except (OSError, UnicodeDecodeError) as error:
        raise _EndedError(f"用户名和口令读不到 · username and password can't be read: {error}") from error
    try:
        made = await provision.provide(access, asked.profile, asked.replicas, granted)
    except (KafkaError, OSError) as error:
        raise _no_kafka(error) from error
    log.info("新建主题 %d 个 · %d topics were created", len(made), len(made), extra={"topics": made})


def _no_kafka(error: Exception) -> _EndedError:
    return _EndedError(f"Kafka 不可用或拒绝 · the broker is away, or refuses: {refusals.why(error)}")


async def _replay(service: Service, settings: ServiceSettings, asked: Namespace) -> None:
    context = _context(settings)
    try:
        async with context.database.transaction(Cause(asked.actor, reason=asked.reason)) as tx:
            job = await jobs.start(tx, "replay", asked.topic, asked.reason)
    except Unavailable as error:
        raise _EndedError(error) from error
    finally:
        await context.database.close()
    log.info("作业 %s 已登记 · job %s is set up; alliance jobs list %s", job, job, service.name)


async def _fence(service: Service, settings: ServiceSettings, asked: Namespace) -> None:
    from chassis.fence import Fence, ServingError

    cause = Cause(asked.actor, reason=asked.reason)
    context = _context(settings)
    listens = service.parts(context).listens()
    try:
        await _read_clock(context)
        access = KafkaAccess.of(settings)
        done = await Fence(service.name, context.database, access, listens, service.aggregates, cause).set_up()
    except (ServingError, Unavailable) as error:
        raise _EndedError(error) from error
    except (KafkaError, OSError) as error:
        raise _no_kafka(error) from error
    finally:
        await context.database.close()
        await context.plumbing.close()
    log.info(
        "%d 个聚合已越过恢复点，%d 个键已从主题移除 · "
        "%d aggregates are beyond the restored point, %d keys were taken off topics",
        *(done.raised, done.removed, done.raised, done.removed),
    )


def _context(settings: ServiceSettings) -> Context:
    system = SystemClock()
    clock = BusinessClock(system)
    database, plumbing = (
        _database(settings, system, clock, pool, use)
        for pool, use in ((settings.database_pool, "calls"), (PLUMBING, "plumbing"))
    )
    return Context(settings, database, clock, system, plumbing)


def _database(settings: ServiceSettings, system: Clock, clock: BusinessClock, pool: int, use: str) -> Database:
    url, ca_file = settings.database_url.get_secret_value(), settings.database_ca_file
    return Database(url, system=system, business=clock, pool=pool, ca_file=ca_file, use=use)


async def _serve(service: Service, settings: ServiceSettings, _: Namespace) -> None:
    telemetry.setup(
        service.name, settings.otlp_endpoint, settings.trace_file, settings.trace_ratio, service.version, settings.slot
    )
    if files := Files.of(settings):
        files.read()
    context = _context(settings)
    running = _Running(service, context)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        await running.serve(stopping)
    finally:
        await context.database.close()
        await context.plumbing.close()


_COMMANDS: dict[str, Callable[[Service, ServiceSettings, Namespace], Coroutine[Any, Any, None]]] = {
    "serve": _serve,
    "migrate": _migrate,
    "topics": _topics,
    "replay": _replay,
    "restore-fence": _fence,
}


class _Running:
    """One running service."""

    def __init__(self, service: Service, context: Context) -> None:
        settings: ServiceSettings = context.settings
        plumbing = context.plumbing
        self._service = service
        self._context = context
        self._parts = service.parts(context)
        access = KafkaAccess.of(settings)
        self._outbox = housekeeping.Outbox(plumbing, settings)
        self._relay = Relay(service.name, plumbing, access)
        context.database.woken = plumbing.woken
        self._handlings = [
            Handling(service.name, listen, context.database, settings.retry_delays) for listen in self._parts.listens()
        ]
        self._consumers = Consumers(service.name, settings.slot, access, plumbing, self._handlings)
        self._rebuilds = rebuild.Worker(service.name, context.database, access, self._handlings)
        self._letters = deadletter.Worker(context.database, {one.group: one for one in self._handlings})
        self._limit = Limit(settings.grpc_max_concurrent)
        self._probes = Probes()
        self._files = Files.of(settings)
        self._server = Server(
            self._pipeline(),
            self._offers(),
            with_reflection=settings.profile != "production",
            files=self._files,
            probes=self._probes,
        )

    async def serve(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping` is set; then drain."""
        settings = self._context.settings
        await self._probes.start(settings.probes_listen)
        await _read_clock(self._context)
        await _fence_finished(self._context)
        port = await self._server.start(settings.grpc_listen)
        self._announce(port)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_kept_up(task)) for task in self._tasks()]
            telling = group.create_task(_tell_health(self._consumers, self._server, port))
            await stopping.wait()
            log.info("draining")
            telling.cancel()
            await asyncio.wait({telling})  # nothing is said of health after the server has said that it drains
            await self._server.stop()
            for task in tasks:
                task.cancel()
        for stop in (self._consumers.stop, self._relay.stop):
            with suppress(Unavailable):
                await stop()
        await self._probes.stop()
        log.info("stopped")

    def _pipeline(self) -> Pipeline:
        settings: ServiceSettings = self._context.settings
        return Pipeline(
            self._context.database,
            Tokens(settings.jwks_file, settings.token_issuer, settings.token_audience),
            self._parts.authoriser(),
            self._limit,
            self._outbox.accepting,
        )

    def _offers(self) -> list[Offer]:
        admin = Admin(self._service.name, self._parts, self._consumers, self._handlings)
        return [
            *self._parts.offers(),
            Offer(admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"], admin),
            Offer(
                personal_data_service_pb2.DESCRIPTOR.services_by_name["PersonalDataService"],
                PersonalData(self._parts.papers()),
            ),
        ]

    def _tasks(self) -> list[Task]:
        return [
            self._relay.run,
            self._consumers.run,
            self._letters.run,
            self._rebuilds.run,
            self._outbox.watch,
            lambda: housekeeping.hourly(self._context.plumbing, self._parts.papers()),
            lambda: housekeeping.loop_lag(self._limit),
            lambda: housekeeping.due_work(self._context.database, self._parts.due_work),
            *self._parts.tasks(),
            *([Watched(self._files).run] if self._files else []),
        ]

    def _announce(self, port: int) -> None:
        """Open the metrics' port and write both ports down."""
        settings: ServiceSettings = self._context.settings
        host, _, number = settings.metrics_listen.rpartition(":")
        # They would be a series more for each counter and histogram, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        server, _ = start_http_server(int(number), host)
        metrics.BUILD.labels(self._service.name, self._service.version).set(1)
        if settings.ports_file:
            content = json.dumps({"grpc": port, "metrics": server.server_port})
            scratch = settings.ports_file.with_suffix(".tmp")
            scratch.write_text(content, encoding="utf-8")
            scratch.replace(settings.ports_file)


async def _tell_health(consumers: Consumers, server: Server, port: int) -> None:
    """Take calls once the consumers are ready; and no more, until they are again, where Kafka refuses what it never let in."""
    await consumers.ready.wait()
    pauses.keep_short()
    await server.serving(True)
    log.info("serving", extra={"port": port})
    await consumers.distrusted.wait()
    await server.serving(False)
    log.error("serving no more: Kafka refuses this process, and never let it in")
    await consumers.ready.wait()
    await server.serving(True)
    log.info("serving", extra={"port": port})


async def _fence_finished(context: Context) -> None:
    """Wait until no restore fence is half done: what is said before would be taken for what came after the restored point."""
    told = Told(_FENCED)
    while True:
        with suppress(Unavailable):
            async with context.database.transaction(Cause("chassis:start"), read_only=True) as tx:
                if (job := await jobs.next_open(tx, "fence")) is None:
                    return
            if told.is_due(job.id):
                extra = {"job": str(job.id), "raised": job.records, "position": job.position}
                log.error("start: a restore fence is not finished; run restore-fence again, to its end", extra=extra)
        await asyncio.sleep(_PAUSE)


async def _read_clock(context: Context) -> None:
    """Set the business clock as the database has it, waiting for the database where it is away."""
    told = Told()
    while True:
        try:
            async with context.database.transaction(Cause("chassis:start"), read_only=True) as tx:
                context.clock.offset = await tx.sql.value("SELECT moved_by FROM clock_offset")
            return
        except Unavailable as error:
            if told.is_due(why(error)):
                log.warning("start: database away", extra={"why": why(error)})
            await asyncio.sleep(_PAUSE)


def _with_cause(error: Unavailable) -> str:
    return f"{error}: {why(error)}" if error.__cause__ else str(error)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _kept_up(task: Callable[[], Awaitable[None]]) -> None:
    """Begin a task anew whenever it fails."""
    name = getattr(task, "__qualname__", "")
    failures = metrics.TASK_FAILURES.labels(name)  # at 0 from the start: the first one is a rise
    told = Told()
    while True:
        try:
            await task()
            return
        except Unavailable as error:
            if told.is_due(cause := _with_cause(error)):
                log.warning("task: a part is away", extra={"task": name, "why": cause})
        except Exception:
            failures.inc()
            log.exception("task failed", extra={"task": name})
        if _is_cancelled():  # it was told to end, and failed on the way
            return
        await asyncio.sleep(_PAUSE)
