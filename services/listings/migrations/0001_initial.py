"""Everything that listings begins with."""

from alembic import op

from access.schema import create_projection
from chassis.migrate import service_role
from chassis.schema import create_plumbing, grant_tables
from listings.bookings.store import metadata
from listings.feeds.store import feed  # noqa: F401 - the tables of feeds are of the same metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Plumbing, projection of the register, own tables."""
    role = service_role()
    create_plumbing(op, role)
    create_projection(op, role)
    metadata.create_all(op.get_bind())
    grant_tables(op, role, metadata.tables)
