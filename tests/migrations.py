"""What a migration may do while the release before it still serves, and the first release's tables as scripts.

`python -m tests.migrations --write` renews the first revisions out of the declared tables. That is right until a release with
them is out; from then on a change is a revision of its own.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from io import StringIO
from itertools import chain, groupby, islice
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
_POSTGRESQL = "18.0"
_SCANS = {  # what squawk finds that no table in use bears, whoever is admitted; of one statement the first counts
    "renaming-column": "renames",
    "renaming-table": "renames",
    "ban-set-schema": "renames",
    "changing-column-type": "changes a type",
    "adding-required-field": "adds a column that must be given",
    "adding-field-with-default": "rewrites the table",
    "require-concurrent-index-creation": "builds an index while nobody may write, not CONCURRENTLY",
    "require-concurrent-reindex": "builds an index while nobody may write, not CONCURRENTLY",
    "disallowed-unique-constraint": "builds an index while nobody may write, not CONCURRENTLY",
    "adding-serial-primary-key-field": "builds an index while nobody may write, not CONCURRENTLY",
    "constraint-missing-not-valid": "looks at every row while nobody may write, not NOT VALID",
    "adding-foreign-key-constraint": "looks at every row while nobody may write, not NOT VALID",
    "adding-not-nullable-field": "looks at every row while nobody may read, without a CHECK that was validated before",
    "syntax-error": "is not understood",
}
_DROPS = {"ban-drop-table": "drops a table", "ban-drop-column": "drops a column", "ban-drop-view": "drops a view"}
_NEVER = {
    "renames": r"^ALTER (?!TABLE|INDEX)\w+ .*\bRENAME\b",
    "rewrites the table": r"\bADD (COLUMN )?\S+ (SMALL|BIG)?SERIAL\b|^(CLUSTER|VACUUM)\b|\bSET (UN)?LOGGED\b",
    "looks at every row while nobody may write": r"\bADD (COLUMN )?(?!CONSTRAINT |CHECK\b)\S+ [^,]*\bCHECK\b",
    "keeps everybody out": r"^LOCK\b",
    "hides what it does": r"^DO\b",
    "empties a table": r"^(TRUNCATE|DELETE FROM (ONLY )?[\w.\"]+$)",
}
_NARROWS = {
    "drops a function": r"^DROP (FUNCTION|PROCEDURE|TYPE|DOMAIN|SEQUENCE|TRIGGER)\b",
    "drops a default": r"\bDROP DEFAULT\b",
    "constrains": r"\bADD (CONSTRAINT \S+ )?(CHECK|UNIQUE|FOREIGN KEY|EXCLUDE|PRIMARY KEY|NOT NULL)\b|^CREATE UNIQUE INDEX\b",
    "takes a right": r"^REVOKE\b",
}
_MADE = r"^CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\S+)"
_OF = r"^(?:ALTER TABLE|CREATE UNIQUE INDEX .*? ON) (?:ONLY )?(\S+)"
_ALONE = (  # what is done outside of a transaction, and may be done again with nothing beside it
    r"^(BEGIN|COMMIT|SET|RESET|DROP INDEX CONCURRENTLY IF EXISTS|CREATE (UNIQUE )?INDEX CONCURRENTLY(?! IF NOT EXISTS)"
    r"|ALTER TABLE (ONLY )?\S+ VALIDATE CONSTRAINT \S+$)\b"
)
_LONG = r"^CREATE (UNIQUE )?INDEX CONCURRENTLY\b|\bVALIDATE CONSTRAINT\b"
_NO_CODE = r"'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", r"--[^\n]*|/\*.*?\*/"
"""Texts, in which any word may stand, and comments."""


def history(versions: Path) -> list[Script]:
    """A folder's revisions, oldest first."""
    return list(ScriptDirectory.from_config(configuration(versions)).walk_revisions())[::-1]


def statements(revision: Script) -> list[str]:
    """What a revision does, as SQL; each statement on one line, and its texts left out."""
    written = StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written})
    with Operations.context(context):
        revision.module.upgrade()
    texts, comments = _NO_CODE
    done = re.sub(f"{texts}|{comments}", lambda one: " " if one[0][0] in "-/" else "''", written.getvalue(), flags=re.DOTALL)
    return [" ".join(one.split()) for one in re.split(r";\s*(?:\n|$)", done) if one.strip()]


def faults(versions: Path) -> list[str]:
    """What the revisions after the first do that the releases which serve beside them do not bear.

    While a release comes in, the one before serves on what the new revision leaves: so each admits its predecessor's release.
    What some older release still uses goes only in a revision that no longer admits that one.
    """
    found: list[str] = []
    before: list[str] = []
    done: list[str] = []
    admitted = 0
    for revision in history(versions):
        oldest = getattr(revision.module, "min_compatible", None)
        name = f"{versions.parent.name} {revision.revision}"
        known = before or [revision.revision]
        place = known.index(oldest) if oldest in known else -1
        if place < admitted:
            found.append(f"{name}: min_compatible {oldest!r} is no earlier revision, or one that is admitted no more")
        elif before:
            earlier, done = [*done, "COMMIT", "BEGIN"], statements(revision)
            found += [f"{name}: {fault}" for fault in _unbearable(earlier, done, raised=place > admitted)]
            done = earlier + done
        if not revision.module.__doc__:
            found.append(f"{name}: does not say what it does")
        before.append(revision.revision)
        admitted = max(place, admitted)
    return found


def _unbearable(earlier: Sequence[str], done: Sequence[str], *, raised: bool) -> Iterator[str]:
    yield from _not_alone(done)
    scans = list(_squawk(earlier, done))
    made = {name for statement in done for name in re.findall(_MADE, statement, re.IGNORECASE)}
    for number, statement in enumerate(done):
        rules = [rule for place, rule in scans if place == number]
        yield from (f"{what}: {statement}" for what in _first(_SCANS[rule] for rule in _SCANS if rule in rules))
        yield from (f"{what}: {statement}" for what in _named(_NEVER, statement))
        if not raised and not made.intersection(re.findall(_OF, statement, re.IGNORECASE)):
            narrows = [*(_DROPS[rule] for rule in rules if rule in _DROPS), *_named(_NARROWS, statement)]
            yield from (f"{what}, and still admits who does not know: {statement}" for what in narrows)


def _squawk(earlier: Sequence[str], done: Sequence[str]) -> Iterator[tuple[int, str]]:
    """What squawk, a linter of migrations, says of a revision that comes after earlier ones: number of a statement, and rule.

    The earlier ones tell it which constraints are validated. It takes a VIRTUAL column, for which nothing is
    written, for one that is stored.
    """
    program = str(Path(sys.executable).with_name("squawk"))
    options = (f"--pg-version={_POSTGRESQL}", "--assume-in-transaction", "--reporter=json")
    content = "".join(f"{one};\n" for one in (*earlier, *done))
    said = subprocess.run([program, *options], input=content, capture_output=True, text=True, check=False)
    for one in json.loads(said.stdout):
        place, rule = one["line"] - len(earlier), one["rule_name"]
        if place >= 0 and not done[place][one["column"] : one["column_end"]].endswith(" VIRTUAL"):
            yield place, rule


def _named(patterns: Mapping[str, str], statement: str) -> list[str]:
    return [what for what, pattern in patterns.items() if re.search(pattern, statement, re.IGNORECASE)]


def _first(some: Iterable[str]) -> Iterator[str]:
    return islice(some, 1)


def _not_alone(done: Sequence[str]) -> Iterator[str]:
    """What takes long has a revision of its own, outside of the transaction: no lock of what else is done is held for it."""
    if not any(re.search(_LONG, statement, re.IGNORECASE) for statement in done):
        return
    for statement in done:
        if not re.search(_ALONE, statement, re.IGNORECASE):
            yield f"stands beside what takes long, and would be done again with it: {statement}"
    if done[0] != "COMMIT":
        yield f"takes long in the transaction, not in an autocommit_block: {done[0]}"


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
