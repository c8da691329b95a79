"""Creating the projection's tables; called by the first migration of every service but registry."""

from importlib import resources

from alembic.operations import Operations

from chassis.schema import run


def create_projection(op: Operations) -> None:
    """Create the tables as the first release had them."""
    run(op, resources.files("access").joinpath("schema_0001.sql").read_text(encoding="utf-8"))
