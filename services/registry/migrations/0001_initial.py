"""Everything that registry begins with."""

from pathlib import Path

from alembic import op

from chassis.schema import create_plumbing, run

revision = "0001"
down_revision = None
min_compatible = "0001"


def upgrade() -> None:
    """Plumbing and own tables."""
    create_plumbing(op)
    run(op, Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
