"""Creating the projection's tables; called by the first migration of every service but registry."""

from alembic.operations import Operations
from sqlalchemy import text

from access.tables import metadata


def create_projection(op: Operations, role: str) -> None:
    """Create the tables and let the service's role read and write them."""
    connection = op.get_bind()
    metadata.create_all(connection)
    for name in metadata.tables:
        connection.execute(text(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{name}" TO "{role}"'))
