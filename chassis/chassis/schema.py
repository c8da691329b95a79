"""Creating the plumbing's tables, and what the service's lesser role may do; called by `chassis.migrate` and by the first
migration of every service.

The service's role may add events but never change or remove one.
"""

from importlib import resources

from alembic.operations import Operations
from sqlalchemy import Connection, text

INSERT_ONLY = ("event", "dead_letter_action", "parked_action", "personal_data_access")
_OF_THE_OWNER = ("alembic_version", "schema_revision")
_FUNCTIONS = ("ensure_event_partitions()", "event_default_rows()")

# Monthly partitions by the milliseconds that begin a UUIDv7; the DEFAULT partition takes what no month has, so that a
# missing partition is never an outage, and a month that is made late takes over its events. Three months are made ahead.
# Owned by the migration role and run by the service, which may not create tables itself; months rather than days, since
# making one locks the table and voids every plan on it.
_FIRST_EVENT_ID = """
CREATE FUNCTION first_event_id(day date) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM day) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$
"""
_ENSURE_PARTITIONS = """
CREATE FUNCTION ensure_event_partitions() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  month date;
  partition text;
  first uuid;
  beyond uuid;
  made integer := 0;
BEGIN
  FOR month IN
    SELECT generate_series(date_trunc('month', current_date - 1), current_date + interval '3 months', interval '1 month')
  LOOP
    partition := 'event_' || to_char(month, 'YYYYMM');
    CONTINUE WHEN to_regclass(partition) IS NOT NULL;
    first := first_event_id(month);
    beyond := first_event_id((month + interval '1 month')::date);
    EXECUTE format('CREATE TABLE %I (LIKE event INCLUDING ALL)', partition);
    EXECUTE format('WITH moved AS (DELETE FROM event_default WHERE id >= %L AND id < %L RETURNING *)
                    INSERT INTO %I SELECT * FROM moved', first, beyond, partition);
    EXECUTE format('ALTER TABLE event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition, first, beyond);
    made := made + 1;
  END LOOP;
  RETURN made;
END
$$
"""
# The service's role sees partitions through their parent only.
_DEFAULT_ROWS = """
CREATE FUNCTION event_default_rows() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(*) FROM event_default
$$
"""
_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
  AND relname <> ALL(:others) AND NOT has_table_privilege(:role, oid, 'INSERT')
ORDER BY relname
"""
_IS_OPEN = """
SELECT coalesce(bool_or(acl.grantee = 0), true)
FROM pg_database, LATERAL aclexplode(coalesce(datacl, acldefault('d', datdba))) acl WHERE datname = current_database()
"""


def create_plumbing(op: Operations) -> None:
    """Create every table of `chassis.tables` as the first release had it, and the partitions of events."""
    run(op, resources.files("chassis").joinpath("schema_0001.sql").read_text(encoding="utf-8"))
    for statement in (
        _FIRST_EVENT_ID,
        _ENSURE_PARTITIONS,
        "CREATE TABLE event_default PARTITION OF event DEFAULT",
        _DEFAULT_ROWS,
        "SELECT ensure_event_partitions()",
        *(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC" for function in _FUNCTIONS),
        "INSERT INTO clock_offset (moved_by) VALUES (interval '0')",
    ):
        op.execute(text(_literal(statement)))


def run(op: Operations, script: str) -> None:
    """Run a script's statements, each of which ends with a semicolon at the end of its line."""
    for statement in script.split(";\n"):
        if statement.strip():
            op.execute(text(_literal(statement)))


def grant(connection: Connection, role: str) -> None:
    """Let the service's role reach the database, which others may not, read and write its tables, only add to those that are
    insert-only, and run the functions made for it. What it may do already is left alone.
    """
    tables = connection.execute(text(_TABLES), {"others": list(_OF_THE_OWNER), "role": role}).scalars()
    for name in tables.all():
        rights = "SELECT, INSERT" if name in INSERT_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        connection.execute(text(f'GRANT {rights} ON "{name}" TO "{role}"'))
    for function in _FUNCTIONS:
        may = text("SELECT has_function_privilege(:role, :function, 'EXECUTE')")
        if not connection.execute(may, {"role": role, "function": function}).scalar():
            connection.execute(text(f'GRANT EXECUTE ON FUNCTION {function} TO "{role}"'))
    if connection.execute(text(_IS_OPEN)).scalar():
        database = connection.execute(text("SELECT current_database()")).scalar()
        connection.execute(text(f'GRANT CONNECT ON DATABASE "{database}" TO "{role}"'))
        connection.execute(text(f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC'))


def _literal(statement: str) -> str:
    """A statement whose colons are colons, and not the beginnings of parameters."""
    return statement.replace(":", "\\:")
