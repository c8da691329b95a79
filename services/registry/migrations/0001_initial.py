"""Everything that registry begins with."""

from alembic import op

from chassis.migrate import service_role
from chassis.schema import create_plumbing, grant_tables
from registry.store import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Plumbing and own tables."""
    role = service_role()
    create_plumbing(op, role)
    metadata.create_all(op.get_bind())
    grant_tables(op, role, metadata.tables)
