"""Recovery of all databases together to a point in time 时点恢复: a base backup, and PostgreSQL's log, archived ever since."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from alliance_local.control import Platform
from alliance_local.postgres import SUPERUSER
from tests.recovery import backup
from tests.waiting import until


class Archive:
    """Where the log of a platform's PostgreSQL goes, and a base backup beside it; as its user, who alone may look there."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        home = platform.state.folder("postgres")
        self._data, self._log, self._base = home / "data", home / "archive", home / "base"

    async def begin(self) -> None:
        """Archive from the next start on."""
        owner = self._data.stat()
        for left in (self._log, self._base):
            shutil.rmtree(left, ignore_errors=True)
        self._log.mkdir(mode=0o700)
        _give(self._log, owner.st_uid, owner.st_gid)
        connection = await self._connected()
        await connection.execute("ALTER SYSTEM SET archive_mode = on")
        await connection.execute(f"ALTER SYSTEM SET archive_command = 'test ! -f {self._log}/%f && cp %p {self._log}/%f'")
        await connection.close()

    def take_base(self) -> None:
        """A base backup, while everything serves; what it needs of the log is in the archive."""
        source = f"--dbname={backup.url(self._platform, SUPERUSER)}"
        backup.run("pg_basebackup", source, f"--pgdata={self._base}", "--checkpoint=fast", "--wal-method=none")

    async def moment(self) -> str:
        """Now, as PostgreSQL has it."""
        connection = await self._connected()
        found = await connection.fetchval("SELECT clock_timestamp()::text")
        await connection.close()
        return str(found)

    async def complete(self) -> None:
        """Wait until all that was committed by now is in the archive."""
        connection = await self._connected()
        last = await connection.fetchval("SELECT pg_walfile_name(pg_switch_wal())")

        async def is_there() -> bool:
            return bool((self._log / last).exists())

        await until(is_there)
        await connection.close()

    def put_back(self, moment: str) -> None:
        """Lose the data; the next start is out of base backup and log, up to a moment. PostgreSQL is down."""
        owner = self._data.stat()
        shutil.rmtree(self._data)
        shutil.copytree(self._base, self._data)
        settings = {
            "restore_command": f"cp {self._log}/%f %p",
            "recovery_target_time": moment,
            "recovery_target_action": "promote",
            "hot_standby": "off",  # nobody sees anything before it is whole
            "archive_mode": "off",  # the new line of time would want an archive of its own
        }
        _append(self._data / "postgresql.auto.conf", settings)
        (self._data / "recovery.signal").touch()
        for path in (self._data, *self._data.rglob("*")):
            _give(path, owner.st_uid, owner.st_gid)
        self._data.chmod(0o700)

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(backup.url(self._platform, SUPERUSER))


def _append(file: Path, settings: Mapping[str, str]) -> None:
    with file.open("a", encoding="utf-8") as opened:
        opened.writelines(f"{name} = '{value}'\n" for name, value in settings.items())


def _give(path: Path, user: int, group: int) -> None:
    shutil.chown(path, user, group)
