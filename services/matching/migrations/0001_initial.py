"""Everything that matching begins with."""

from pathlib import Path

from alembic import op

from access.schema import create_projection
from chassis.schema import create_plumbing, run

revision = "0001"
down_revision = None
min_compatible = "0001"

_SHARES = """
INSERT INTO share (number, owner, epoch, expires_at, topic, seen, swept_on, stamp, restamped)
SELECT n, '', 0, 'epoch', '', '{}', '0001-01-01', '', '' FROM generate_series(0, 11) AS n
"""


def upgrade() -> None:
    """Plumbing, projection of the register, own tables."""
    create_plumbing(op)
    create_projection(op)
    run(op, Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    op.execute(_SHARES)
