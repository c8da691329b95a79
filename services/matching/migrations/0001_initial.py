"""Plumbing, the register's projection, matches."""

from access.schema import create_projection
from alembic import op
from chassis.migrate import service_role
from chassis.schema import create_plumbing
from sqlalchemy import text

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE match (
    name              text PRIMARY KEY,
    version           bigint NOT NULL,
    demand            text NOT NULL,
    supply            text NOT NULL,
    demand_version    bigint NOT NULL,
    supply_version    bigint NOT NULL,
    demand_issuer     text NOT NULL,
    supply_issuer     text NOT NULL,
    bodies            text[] NOT NULL,
    state             text NOT NULL,
    score             integer NOT NULL,
    parts             jsonb NOT NULL,
    gaps              text[] NOT NULL,
    algorithm_version text NOT NULL,
    demand_accepted   boolean NOT NULL,
    supply_accepted   boolean NOT NULL,
    reason            text NOT NULL,
    create_time       timestamptz NOT NULL,
    update_time       timestamptz NOT NULL
);
CREATE INDEX match_demand ON match (demand);
CREATE INDEX match_supply ON match (supply);
CREATE INDEX match_demand_issuer ON match (demand_issuer);
CREATE INDEX match_supply_issuer ON match (supply_issuer);
CREATE INDEX match_bodies ON match USING gin (bodies);
CREATE TABLE turn (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    number    bigint NOT NULL,
    swept_on  date NOT NULL
);
INSERT INTO turn (number, swept_on) VALUES (0, '0001-01-01');
"""


def upgrade() -> None:
    """Create everything."""
    role = service_role()
    create_plumbing(op, role)
    create_projection(op, role)
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(text(statement))
    op.execute(text(f'GRANT SELECT, INSERT, UPDATE ON match TO "{role}"'))
    op.execute(text(f'GRANT SELECT, UPDATE ON turn TO "{role}"'))
