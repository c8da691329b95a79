"""Everything that matching begins with."""

from datetime import UTC, datetime

from alembic import op

from access.schema import create_projection
from chassis.migrate import service_role
from chassis.schema import create_plumbing, grant_tables
from matching.domain.shares import SHARES
from matching.store import ShareRow, metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_AGES_AGO = datetime(1, 1, 1, tzinfo=UTC)
_UNTAKEN = {"owner": "", "epoch": 0, "expires_at": _AGES_AGO, "topic": "", "seen": {}, "swept_on": _AGES_AGO.date()}


def upgrade() -> None:
    """Plumbing, projection of the register, own tables."""
    role = service_role()
    create_plumbing(op, role)
    create_projection(op, role)
    metadata.create_all(op.get_bind())
    grant_tables(op, role, metadata.tables)
    rows = [{"number": number, **_UNTAKEN} for number in range(SHARES)]
    op.bulk_insert(ShareRow.__table__, rows)  # type: ignore[attr-defined]
