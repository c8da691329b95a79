"""Migrations: what they may do while the release before still serves, and that lint sees what they may not."""

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


def _folder(root: Path, does: str, oldest: str = "0001") -> Path:
    """A history of three: tables, a change that nothing stands in the way of, and one that does something."""
    versions = root / "somewhere" / "migrations"
    versions.mkdir(parents=True)
    steps = [("0001", "None", "0001", "pass"), ("0002", "'0001'", "0001", "pass"), ("0003", "'0002'", oldest, does)]
    for number, before, admitted, what in steps:
        content = _REVISION.format(number=number, before=before, oldest=admitted, does=what)
        (versions / f"{number}_step.py").write_text(content, encoding="utf-8")
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
        ("drops a function", 'op.execute("DROP FUNCTION f()")'),
        ("drops a default", 'op.alter_column("t", "a", server_default=None)'),
        ("must be given", 'op.alter_column("t", "a", nullable=False)'),
        ("constrains", 'op.execute("ALTER TABLE t ADD CONSTRAINT t_a UNIQUE USING INDEX t_a")'),
        ("constrains", 'op.create_check_constraint("t_a", "t", "a > 0")'),
        ("constrains", 'op.create_foreign_key("t_a", "t", "u", ["a"], ["b"])'),
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
        ("changes a type", 'op.alter_column("t", "a", type_=sa.BigInteger())'),
        ("adds a column that must be given", 'op.add_column("t", sa.Column("a", sa.Text, nullable=False))'),
        ("builds an index", 'op.create_index("t_a", "t", ["a"])'),
        ("builds an index", 'op.execute("create index on only t (a)")'),
        ("builds an index", 'op.create_table("u", sa.Column("a", sa.Text)); op.create_index("t_a", "t", ["a"])'),
        ("builds an index", 'op.execute("ALTER TABLE t ADD COLUMN a int UNIQUE")'),
        ("rewrites the table", 'op.execute("ALTER TABLE t ADD a uuid DEFAULT gen_random_uuid()")'),
        ("rewrites the table", 'op.execute("ALTER TABLE t ADD COLUMN a float NOT NULL DEFAULT (1 + random()) CHECK (a > 0)")'),
        ("rewrites the table", 'op.execute("ALTER TABLE t ADD a int DEFAULT 0, ADD b timestamptz DEFAULT clock_timestamp()")'),
        ("rewrites the table", 'op.add_column("t", sa.Column("a", sa.Integer, sa.Identity()))'),
        ("rewrites the table", 'op.add_column("t", sa.Column("a", sa.Integer, sa.Computed("b + 1", persisted=True)))'),
        ("rewrites the table", 'op.execute("ALTER TABLE t ADD COLUMN a bigserial")'),
        ("stands beside an index", _CONCURRENTLY + '; op.add_column("t", sa.Column("b", sa.Text))'),
        ("stands beside an index", _CONCURRENTLY.replace("postgresql", "if_not_exists=True, postgresql")),
        ("empties a table", 'op.execute("TRUNCATE t")'),
        ("empties a table", 'op.execute("DELETE FROM t")'),
    ],
)
@pytest.mark.parametrize("oldest", ["0001", "0002"])
def test_what_no_release_bears_is_never_done(tmp_path: Path, what: str, does: str, oldest: str) -> None:
    (found,) = faults(_folder(tmp_path, does, oldest))
    assert what in found


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
