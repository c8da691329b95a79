"""Everything that reporting begins with."""

from pathlib import Path

from alembic import op

from access.schema import create_projection
from chassis.schema import create_plumbing, run

revision = "0001"
down_revision = None
min_compatible = "0001"


def upgrade() -> None:
    """Plumbing, projection of the register, own tables."""
    create_plumbing(op)
    create_projection(op)
    run(op, Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
