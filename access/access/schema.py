"""Creating the projection's tables; called by the first migration of every service but registry."""

from alembic.operations import Operations

from access.tables import metadata
from chassis.schema import grant_tables


def create_projection(op: Operations, role: str) -> None:
    """Create the tables and let the service's role read and write them."""
    metadata.create_all(op.get_bind())
    grant_tables(op, role, metadata.tables)
