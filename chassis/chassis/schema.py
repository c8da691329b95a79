"""Creating the plumbing's tables; called by the first migration of every service.

The service's role may add events but never change or remove one.
"""

from collections.abc import Iterable

from alembic.operations import Operations
from sqlalchemy import text

from chassis.tables import metadata

INSERT_ONLY = {"event", "dead_letter_action", "parked_action", "personal_data_access"}

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


def create_plumbing(op: Operations, role: str) -> None:
    """Create every table of `chassis.tables` and let the service's role use them, and no more than that."""
    connection = op.get_bind()
    metadata.create_all(connection)
    for statement in (
        _FIRST_EVENT_ID,
        _ENSURE_PARTITIONS,
        "CREATE TABLE event_default PARTITION OF event DEFAULT",
        _DEFAULT_ROWS,
        "SELECT ensure_event_partitions()",
    ):
        connection.exec_driver_sql(statement)
    for function in ("ensure_event_partitions", "event_default_rows"):
        connection.execute(text(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC"))
        connection.execute(text(f'GRANT EXECUTE ON FUNCTION {function} TO "{role}"'))
    grant_tables(op, role, metadata.tables)
    connection.execute(text("INSERT INTO clock_offset (moved_by) VALUES (interval '0')"))


def grant_tables(op: Operations, role: str, tables: Iterable[str]) -> None:
    """Let the service's role read and write tables, and only add to those that are insert-only."""
    for name in tables:
        rights = "SELECT, INSERT" if name in INSERT_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        op.get_bind().execute(text(f'GRANT {rights} ON "{name}" TO "{role}"'))
