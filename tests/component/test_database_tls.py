"""TLS to PostgreSQL, on one that speaks it: that of the packages is made without. Skips by name where the machine has none."""

import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import run

import pytest
from sqlalchemy.exc import DBAPIError

from alliance_local.ports import assign
from alliance_local.state import State
from chassis.clock import BusinessClock, SystemClock
from chassis.database import Cause, Database
from chassis.errors import Unavailable
from chassis.migrate import migrate
from tests.certificates import Authority
from tests.migrations import ROOT

_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
_ONLY_TLS = "hostssl all all 127.0.0.1/32 trust\nhost all all all reject\nlocal all all trust\n"


@dataclass
class Server:
    """A server on 127.0.0.1 that takes TLS alone; its role `listings` owns the database of that name."""

    authority: Authority
    url: str
    ca: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if not _PROGRAMS or os.geteuid() != 0:
        pytest.skip("no PostgreSQL with TLS in /usr/lib/postgresql, or no root to start it as its own user")
    programs, folder = _PROGRAMS[-1], Path(tmp_path_factory.mktemp("postgres"))
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    authority, port = Authority(), assign(State(folder), ["postgres"])["postgres"]
    files = authority.issue(folder / "tls")
    data = folder / "data"
    data.mkdir(mode=0o700)

    def as_postgres(*command: object) -> None:
        run(["chown", "-R", "postgres", folder], check=True)
        run(["setpriv", "--reuid=postgres", "--clear-groups", "--", *map(str, command)], check=True, cwd=folder)

    as_postgres(programs / "initdb", "-D", data, "-U", "postgres", "--no-sync", "-A", "trust")
    files.key.chmod(0o600)
    (data / "pg_hba.conf").write_text(_ONLY_TLS)
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(f"listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{folder}'\n")
        settings.write(f"ssl = on\nssl_cert_file = '{files.cert}'\nssl_key_file = '{files.key}'\n")
    as_postgres(programs / "pg_ctl", "-D", data, "-w", "-s", "-l", folder / "log", "start")
    try:
        for statement in ("CREATE ROLE listings LOGIN", "CREATE DATABASE listings OWNER listings"):
            as_postgres(programs / "psql", "-h", folder, "-p", port, "-U", "postgres", "-q", "-c", statement)
        yield Server(authority, f"postgresql://listings@127.0.0.1:{port}/listings", files.ca)
    finally:
        as_postgres(programs / "pg_ctl", "-D", data, "-s", "-m", "immediate", "stop")


def _database(url: str, ca: Path | None) -> Database:
    system = SystemClock()
    return Database(url, system=system, business=BusinessClock(system), ca_file=ca)


async def test_it_migrates_and_serves_by_tls(server: Server) -> None:
    await migrate(server.url, ROOT / "services/listings/migrations", "listings", server.ca)
    database = _database(server.url, server.ca)
    async with database.transaction(Cause("tester"), read_only=True) as tx:
        assert await tx.sql.value("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    await database.close()


async def test_a_server_without_a_certificate_of_the_ca_is_not_told_a_thing(server: Server, tmp_path: Path) -> None:
    other = Authority().issue(tmp_path / "other").ca
    with pytest.raises(ssl.SSLCertVerificationError):
        await migrate(server.url, ROOT / "services/listings/migrations", "listings", other)
    database = _database(server.url, other)
    with pytest.raises(Unavailable):
        async with database.transaction(Cause("tester")):
            pass


async def test_a_ca_that_was_renewed_is_taken_up_by_a_process_that_runs(server: Server, tmp_path: Path) -> None:
    ca = Authority().issue(tmp_path / "other").ca
    database = _database(server.url, ca)
    with pytest.raises(Unavailable):
        async with database.transaction(Cause("tester")):
            pass
    ca.write_bytes(server.ca.read_bytes())
    async with database.transaction(Cause("tester"), read_only=True) as tx:
        assert await tx.sql.value("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    await database.close()


async def test_nor_one_with_another_name(server: Server) -> None:
    named = server.url.replace("127.0.0.1", "localhost")
    with pytest.raises(ssl.SSLCertVerificationError):
        await migrate(named, ROOT / "services/listings/migrations", "listings", server.ca)


async def test_a_plain_connection_is_refused_by_the_server(server: Server) -> None:
    with pytest.raises(DBAPIError, match="no encryption"):
        await migrate(f"{server.url}?ssl=disable", ROOT / "services/listings/migrations", "listings")
