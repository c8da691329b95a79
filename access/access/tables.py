"""Tables of the register's projection, one set in the database of every service but registry.

Each row is the last record of its key; versions are the chassis' business (`applied`).
"""

from sqlalchemy import Boolean, Column, Date, Index, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

metadata = MetaData()

grant = Table(
    "access_grant",
    metadata,
    Column("name", Text, primary_key=True),
    Column("principal", Text, nullable=False),
    Column("role", Integer, nullable=False),
    Column("organization", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Index("access_grant_principal", "principal"),
    Index("access_grant_body", "body"),
)

organization = Table(
    "access_organization",
    metadata,
    Column("name", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("org_type", Integer, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("parent", Text, nullable=False),
    Column("region_code", Text, nullable=False),
)

body = Table(
    "access_body",
    metadata,
    Column("name", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("state", Integer, nullable=False),
    Column("formed_on", Text, nullable=False),
    Column("key_industry", Text, nullable=False),
    Column("task_force", Text, nullable=False),
    Column("lead_departments", ARRAY(Text), nullable=False),
    Column("suspended_on", Text, nullable=False, server_default=""),
    Column("resumed_on", Text, nullable=False, server_default=""),
)

membership = Table(
    "access_membership",
    metadata,
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("organization", Text, nullable=False),
    Column("roles", ARRAY(Integer), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Index("access_membership_organization", "organization"),
    Index("access_membership_body", "body"),
)
