"""PostgreSQL's programs on a local platform."""

from pathlib import Path

from alliance_local.postgres import Postgres
from alliance_local.state import State


def test_no_password_is_on_a_command_line(tmp_path: Path) -> None:
    state = State(tmp_path)
    file, access = Postgres(state).program("psql", "notify", "notify_owner")
    assert file.is_file()
    assert access["PGPASSWORD"] == state.secret("postgres.notify_owner")
    assert (access["PGDATABASE"], access["PGUSER"], access["PGHOST"]) == ("notify", "notify_owner", str(state.sockets))
