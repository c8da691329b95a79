"""What a migration may do while the release before it still serves, and the first release's tables as scripts.

`python -m tests.migrations --write` renews the first revisions out of the declared tables. That is right until a release with
them is out; from then on a change is a revision of its own.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from io import StringIO
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import MetaData, create_mock_engine

from access import tables as projection
from chassis import tables as plumbing
from chassis.migrate import configuration

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ("registry", "listings", "matching", "reporting", "notify")
_NEVER = {
    "renames": r"\bRENAME (?!CONSTRAINT)",
    "changes a type": r"\bALTER COLUMN \S+ (SET DATA )?TYPE\b",
    "adds a column that must be given": r"\bADD (COLUMN )?(?!.*\b(DEFAULT|GENERATED)\b).*\bNOT NULL\b",
    "rewrites the table": r"\bADD (COLUMN )?\S+ ((SMALL|BIG)?SERIAL\b|.*\b(AS IDENTITY|STORED)\b)",
    "empties a table": r"^(TRUNCATE|DELETE FROM [\w\"]+$)",
}
_NARROWS = {
    "drops a table": r"^DROP TABLE\b",
    "drops a column": r"\bDROP COLUMN\b",
    "drops a function": r"^DROP FUNCTION\b",
    "drops a default": r"\bDROP DEFAULT\b",
    "must be given": r"\bSET NOT NULL\b",
    "constrains": r"\bADD (CONSTRAINT \S+ )?(CHECK|UNIQUE|FOREIGN KEY|EXCLUDE|PRIMARY KEY)\b|^CREATE UNIQUE INDEX\b",
    "takes a right": r"^REVOKE\b",
}

_MADE = r"^CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\S+)"
_INDEXED = (  # tables of which an index is built while nobody may write to them
    r"^CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY\b).*?\bON (?:ONLY )?(\S+)"
    r"|^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(\S+) .*\b(?:UNIQUE|PRIMARY KEY|EXCLUDE)\b(?! USING INDEX\b)"
)
_BY_ITSELF = (
    r"^(BEGIN|COMMIT|SET|RESET|DROP INDEX CONCURRENTLY IF EXISTS|CREATE (UNIQUE )?INDEX CONCURRENTLY(?! IF NOT EXISTS))\b"
)
_DEFAULT = (
    r"\bADD (?:COLUMN )?\S+ .*?(?<!\bBY )\bDEFAULT (.*?)(?= NOT NULL| NULL| CHECK| REFERENCES| UNIQUE| CONSTRAINT|, ADD|$)"
)
_CALL = r"\b([a-z_.]+) ?\("
_CAST = r"::[a-z_ ]+(\([\d, ]+\))?"
_STABLE = {"now", "transaction_timestamp", "statement_timestamp", "cast", "coalesce", "current_timestamp", "localtimestamp"}
"""What a default may call: PostgreSQL works it out once, not for each row, and writes no row anew."""


def history(versions: Path) -> list[Script]:
    """A folder's revisions, oldest first."""
    return list(ScriptDirectory.from_config(configuration(versions)).walk_revisions())[::-1]


def statements(revision: Script) -> list[str]:
    """What a revision does, as SQL; each statement on one line, and its texts left out."""
    written = StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written})
    with Operations.context(context):
        revision.module.upgrade()
    done = re.sub(r"'(?:[^']|'')*'", "''", written.getvalue())
    return [" ".join(one.split()) for one in done.split(";\n") if one.strip()]


def faults(versions: Path) -> list[str]:
    """What the revisions after the first do that the releases which serve beside them do not bear.

    While a release comes in, the one before serves on what the new revision leaves: so each admits its predecessor's release.
    What some older release still uses goes only in a revision that no longer admits that one.
    """
    found: list[str] = []
    before: list[str] = []
    admitted = 0
    for revision in history(versions):
        oldest = getattr(revision.module, "min_compatible", None)
        name = f"{versions.parent.name} {revision.revision}"
        known = before or [revision.revision]
        place = known.index(oldest) if oldest in known else -1
        if place < admitted:
            found.append(f"{name}: min_compatible {oldest!r} is no earlier revision, or one that is admitted no more")
        elif before:
            found += [f"{name}: {fault}" for fault in _unbearable(statements(revision), raised=place > admitted)]
        if not revision.module.__doc__:
            found.append(f"{name}: does not say what it does")
        before.append(revision.revision)
        admitted = max(place, admitted)
    return found


def _unbearable(done: Sequence[str], *, raised: bool) -> Iterator[str]:
    yield from _blocking(done)
    for statement in done:
        for what, pattern in _NEVER.items():
            if re.search(pattern, statement, re.IGNORECASE):
                yield f"{what}: {statement}"
        for what, pattern in _NARROWS.items():
            if not raised and re.search(pattern, statement, re.IGNORECASE):
                yield f"{what}, and still admits who does not know: {statement}"


def _blocking(done: Sequence[str]) -> Iterator[str]:
    """What keeps writers waiting for as long as it takes to read or to write a whole table."""
    made = {name for statement in done for name in re.findall(_MADE, statement, re.IGNORECASE)}
    for statement in done:
        indexed = re.search(_INDEXED, statement, re.IGNORECASE)
        if indexed and not made.intersection(indexed.groups()):
            yield f"builds an index while nobody may write, not CONCURRENTLY: {statement}"
        for default in re.findall(_DEFAULT, statement, re.IGNORECASE):
            if not _STABLE.issuperset(re.findall(_CALL, re.sub(_CAST, "", default.lower()))):
                yield f"rewrites the table, by a default that may differ from row to row: {statement}"
    if any(" CONCURRENTLY " in statement for statement in done):
        for statement in done:
            if not re.match(_BY_ITSELF, statement, re.IGNORECASE):
                yield f"stands beside an index that is built CONCURRENTLY, and would be done again with it: {statement}"


def tables_of(service: str) -> list[MetaData]:
    """The declared tables of a service's database: the plumbing's, the projection's, its own."""
    import_module(f"{service}.app")  # and with it whatever declares tables
    own: Any = import_module(f"{service}.store")
    return [plumbing.metadata, *([] if service == "registry" else [projection.metadata]), own.metadata]


def script(metadata: MetaData) -> str:
    """Statements that create tables as they are declared."""
    written: list[str] = []
    engine: Any = create_mock_engine(
        "postgresql+asyncpg://", lambda statement, *_, **__: written.append(str(statement.compile(dialect=engine.dialect)))
    )
    metadata.create_all(engine, tables=metadata.sorted_tables, checkfirst=False)  # in an order that imports do not change
    in_order = chain.from_iterable(
        sorted(some) if indexes else some for indexes, some in groupby(written, lambda one: " INDEX " in one.splitlines()[0])
    )
    lines = ("\n".join(line.rstrip() for line in one.strip().splitlines()) for one in in_order)
    return "".join(f"{one};\n\n" for one in lines).replace("\t", "  ")[:-1]


def scripts() -> dict[Path, MetaData]:
    """Where the first revisions' scripts are, and which tables each has."""
    own = {ROOT / f"services/{one}/migrations/0001_initial.sql": tables_of(one)[-1] for one in SERVICES}
    shared = {
        ROOT / "chassis/chassis/schema_0001.sql": plumbing.metadata,
        ROOT / "access/access/schema_0001.sql": projection.metadata,
    }
    return shared | own


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    for file, declared in scripts().items():
        file.write_text(script(declared), encoding="utf-8")
