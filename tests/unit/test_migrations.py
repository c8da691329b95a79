"""Migrations: what they may do while the release before still serves, and that lint sees what they may not."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.migrations import ROOT, SERVICES, faults, history, script, scripts

_REVISION = '''"""A change."""
from alembic import op
import sqlalchemy as sa
revision, down_revision, min_compatible = "{number}", {before}, "{oldest}"


def upgrade():
    {does}
'''
_CONCURRENTLY = """with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS t_a")
        op.create_index("t_a", "t", ["a"], postgresql_concurrently=True)
        op.execute("RESET lock_timeout")"""


_CHECK = "ALTER TABLE t ADD CONSTRAINT t_a CHECK (a IS NOT NULL) NOT VALID"
_VALIDATE = """with op.get_context().autocommit_block():
        op.execute("ALTER TABLE t VALIDATE CONSTRAINT t_a")"""


def _folder(root: Path, does: str, oldest: str = "0001", first: Sequence[str] = ("pass",)) -> Path:
    """A history: tables, changes that say nothing new of who is admitted, and one that does something."""
    versions = root / "somewhere" / "migrations"
    versions.mkdir(parents=True)
    steps = ["pass", *first, does]
    for number, what in enumerate(steps, start=1):
        before, admitted = (repr(f"{number - 1:04}") if number > 1 else None), oldest if number > 2 else "0001"
        content = _REVISION.format(number=f"{number:04}", before=before, oldest=admitted, does=what)
        (versions / f"{number:04}_step.py").write_text(content, encoding="utf-8")
    return versions


@pytest.mark.parametrize("service", SERVICES)
def test_every_revision_bears_the_release_before_it(service: str) -> None:
    assert faults(ROOT / f"services/{service}/migrations") == []


@pytest.mark.parametrize(("file", "declared"), scripts().items(), ids=lambda one: one.name if isinstance(one, Path) else "")
def test_the_first_revision_makes_what_is_declared(file: Path, declared: object) -> None:
    """Until a second one changes it; what all of them make together, the component test looks at."""
    if any(len(history(ROOT / f"services/{service}/migrations")) > 1 for service in SERVICES):
        pytest.skip("a second revision is there")
    hint = "python -m tests.migrations --write"
    assert file.read_text(encoding="utf-8") == script(declared), hint  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "does",
    [
        'op.create_table("t", sa.Column("a", sa.Text, nullable=False))',
        'op.add_column("t", sa.Column("a", sa.Text))',
        'op.add_column("t", sa.Column("a", sa.Integer, nullable=False, server_default="0"))',
        'op.add_column("t", sa.Column("a", sa.DateTime, nullable=False, server_default=sa.func.now()))',
        "op.execute(\"ALTER TABLE t ADD a varchar(9) DEFAULT 'gen_random_uuid()'::character varying(9), ADD b int\")",
        'op.execute("ALTER TABLE t ADD a int GENERATED ALWAYS AS (b + 1) VIRTUAL")',
        'op.create_table("u", sa.Column("a", sa.Text)); op.create_index("u_a", "u", ["a"])',
        _CONCURRENTLY,
        'op.execute("UPDATE t SET a = 1")',
        'op.execute("DELETE FROM t WHERE a = 1")',
        'op.alter_column("t", "a", nullable=True)',
        _VALIDATE,
        'op.create_table("u", sa.Column("a", sa.Text)); op.create_unique_constraint("u_a", "u", ["a"])',
        'op.create_table("u", sa.Column("a", sa.Text)); op.create_index("u_a", "u", ["a"], unique=True)',
        'op.create_table("u", sa.Column("a", sa.Text)); op.create_check_constraint("u_a", "u", "a > 0")',
        'op.execute("ALTER TABLE t RENAME CONSTRAINT t_a TO t_b")',
        "op.execute(\"ALTER TABLE t ADD a text -- and drop column b; rename\\n DEFAULT 'RENAME a TO b'\")",
        'op.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ begin\\n delete from t;\\n end $$")',
        "op.execute(\"COMMENT ON COLUMN t.a IS 'drop column, not null'\")",
    ],
)
def test_what_only_adds_is_borne(tmp_path: Path, does: str) -> None:
    assert faults(_folder(tmp_path, does)) == []


@pytest.mark.parametrize(
    ("what", "does"),
    [
        ("drops a table", 'op.drop_table("t")'),
        ("drops a column", 'op.drop_column("t", "a")'),
        ("drops a column", 'op.execute("ALTER TABLE t\\n  DROP COLUMN a")'),
        ("drops a column", 'op.execute(\'ALTER TABLE "t u" DROP "a b"\')'),
        ("drops a view", 'op.execute("DROP VIEW v")'),
        ("drops a function", 'op.execute("DROP FUNCTION f()")'),
        ("drops a function", 'op.execute("DROP TRIGGER a ON t")'),
        ("drops a default", 'op.alter_column("t", "a", server_default=None)'),
        ("constrains", 'op.execute("ALTER TABLE t ADD CONSTRAINT t_a UNIQUE USING INDEX t_a")'),
        ("constrains", 'op.execute("ALTER TABLE t ADD CONSTRAINT t_a PRIMARY KEY USING INDEX t_a")'),
        ("constrains", f'op.execute("{_CHECK}")'),
        ("constrains", 'op.create_check_constraint("t_a", "t", "a > 0", postgresql_not_valid=True)'),
        ("constrains", 'op.create_foreign_key("t_a", "t", "u", ["a"], ["b"], postgresql_not_valid=True)'),
        ("constrains", 'op.execute("ALTER TABLE t ADD CONSTRAINT t_a NOT NULL a NOT VALID")'),
        ("constrains", _CONCURRENTLY.replace("postgresql", "unique=True, postgresql")),
        ("takes a right", 'op.execute("REVOKE UPDATE ON t FROM somebody")'),
    ],
)
def test_what_takes_away_needs_that_nobody_is_left_who_uses_it(tmp_path: Path, what: str, does: str) -> None:
    (found,) = faults(_folder(tmp_path / "still", does, oldest="0001"))
    assert what in found
    assert faults(_folder(tmp_path / "no_more", does, oldest="0002")) == []


@pytest.mark.parametrize(
    ("what", "does"),
    [
        ("renames", 'op.rename_table("t", "u")'),
        ("renames", 'op.alter_column("t", "a", new_column_name="b")'),
        ("renames", "op.execute('ALTER TABLE \"t u\" RENAME a TO b')"),
        ("renames", 'op.execute("ALTER TABLE t SET SCHEMA s")'),
        ("renames", 'op.execute("ALTER TYPE t RENAME TO u")'),
        ("changes a type", 'op.execute("ALTER TABLE t ALTER a TYPE bigint")'),
        ("changes a type", 'op.alter_column("t", "a", type_=sa.BigInteger())'),
        ("adds a column that must be given", 'op.add_column("t", sa.Column("a", sa.Text, nullable=False))'),
        ("builds an index", 'op.create_index("t_a", "t", ["a"])'),
        ("builds an index", 'op.execute("create index on only t (a)")'),
        ("builds an index", 'op.create_table("u", sa.Column("a", sa.Text)); op.create_index("t_a", "t", ["a"])'),
        ("builds an index", 'op.execute("ALTER TABLE t ADD COLUMN a int UNIQUE")'),
        ("rewrites the table", 'op.execute("ALTER TABLE t ADD a uuid DEFAULT gen_random_uuid()")'),
        ("rewrites the table", 'op.execute("ALTER TABLE t ADD COLUMN a float NOT NULL DEFAULT (1 + random())")'),
        (
            "rewrites the table",
            'op.execute("ALTER TABLE t ADD a int GENERATED ALWAYS AS (b) VIRTUAL, ADD c uuid DEFAULT f()")',
        ),
        ("rewrites the table", 'op.execute("VACUUM FULL t")'),
        ("looks at every row", 'op.execute("ALTER TABLE t ADD a int CHECK (a > 0)")'),
        ("looks at every row", 'op.execute("ALTER TABLE t ADD a int REFERENCES u (b)")'),
        ("keeps everybody out", 'op.execute("LOCK TABLE t")'),
        ("hides what it does", "op.execute('DO $$ begin drop table t; end $$')"),
        ("is not understood", 'op.execute("ALTER TABLE t ADD a int,")'),
        ("rewrites the table", 'op.execute("ALTER TABLE t ADD a int DEFAULT 0, ADD b timestamptz DEFAULT clock_timestamp()")'),
        ("rewrites the table", 'op.add_column("t", sa.Column("a", sa.Integer, sa.Identity()))'),
        ("rewrites the table", 'op.add_column("t", sa.Column("a", sa.Integer, sa.Computed("b + 1", persisted=True)))'),
        ("rewrites the table", 'op.execute("ALTER TABLE t ADD COLUMN a bigserial")'),
        ("stands beside what takes long", _CONCURRENTLY + '; op.add_column("t", sa.Column("b", sa.Text))'),
        ("stands beside what takes long", _VALIDATE + '; op.add_column("t", sa.Column("b", sa.Text))'),
        ("in the transaction", 'op.execute("ALTER TABLE t VALIDATE CONSTRAINT t_a")'),
        ("in the transaction", 'op.execute("CREATE INDEX CONCURRENTLY t_a ON t (a)")'),
        ("stands beside what takes long", _CONCURRENTLY.replace("postgresql", "if_not_exists=True, postgresql")),
        ("empties a table", 'op.execute("TRUNCATE t")'),
        ("empties a table", 'op.execute("DELETE FROM t")'),
    ],
)
@pytest.mark.parametrize("oldest", ["0001", "0002"])
def test_what_no_release_bears_is_never_done(tmp_path: Path, what: str, does: str, oldest: str) -> None:
    (found,) = faults(_folder(tmp_path, does, oldest))
    assert what in found


@pytest.mark.parametrize(
    "does",
    [
        'op.create_check_constraint("t_a", "t", "a > 0")',
        'op.execute("ALTER TABLE t ADD CHECK (a > 0)")',
        'op.create_foreign_key("t_a", "t", "u", ["a"], ["b"])',
        'op.execute("ALTER TABLE t ADD CONSTRAINT t_a NOT NULL a")',
    ],
)
def test_a_constraint_is_not_valid_at_first(tmp_path: Path, does: str) -> None:
    (found,) = faults(_folder(tmp_path, does, oldest="0002"))
    assert "looks at every row" in found


@pytest.mark.parametrize(
    "does", ['op.create_unique_constraint("t_a", "t", ["a"])', 'op.create_primary_key("t_a", "t", ["a"])']
)
def test_a_constraint_takes_an_index_that_is_there(tmp_path: Path, does: str) -> None:
    (found,) = faults(_folder(tmp_path, does, oldest="0002"))
    assert "builds an index" in found


_ASK = f'op.execute("{_CHECK}")'
_GIVEN = 'op.alter_column("t", "a", nullable=False)'


@pytest.mark.parametrize(
    ("first", "bears"),
    [
        (["pass"], False),
        ([_ASK], False),
        ([_ASK.replace("a IS", "b IS"), _VALIDATE], False),
        ([_ASK, _VALIDATE], True),
        ([_ASK, _VALIDATE, "pass"], True),
    ],
)
def test_not_null_is_set_where_a_validated_check_says_so_already(tmp_path: Path, first: Sequence[str], bears: bool) -> None:
    found = faults(_folder(tmp_path, _GIVEN, oldest="0002", first=("pass", *first)))
    assert ["without a CHECK" in one for one in found] == ([] if bears else [True])


def test_a_table_of_an_earlier_revision_is_in_use(tmp_path: Path) -> None:
    made = 'op.create_table("u", sa.Column("a", sa.Text))'
    (found,) = faults(_folder(tmp_path, 'op.create_index("u_a", "u", ["a"])', first=(made,)))
    assert "builds an index" in found


def test_who_is_admitted_no_more_stays_so(tmp_path: Path) -> None:
    versions = _folder(tmp_path, "pass", oldest="0002")
    again = _REVISION.format(number="0004", before="'0003'", oldest="0001", does="pass")
    (versions / "0004_step.py").write_text(again, encoding="utf-8")
    (found,) = faults(versions)
    assert "0004" in found


@pytest.mark.parametrize("oldest", ["0003", "0004", ""])
def test_each_revision_admits_the_release_before_it(tmp_path: Path, oldest: str) -> None:
    (found,) = faults(_folder(tmp_path, "pass", oldest))
    assert "min_compatible" in found
