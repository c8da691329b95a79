"""`applied`: per group and key the highest version that had its effect. Whoever changes it has locked its row first."""

from collections.abc import Iterable, Mapping

from chassis.database import Tx

# Locks the keys' rows, makes those that are missing, and reads them, in one statement and in one order for everybody.
_LOCK = """
INSERT INTO applied (consumer_group, topic, key, version)
SELECT $1, $2, k, 0 FROM unnest($3::text[]) AS k ORDER BY k
ON CONFLICT (consumer_group, topic, key) DO UPDATE SET version = applied.version
RETURNING key, version
"""
_ADVANCE = """
UPDATE applied a SET version = greatest(a.version, n.version) FROM unnest($3::text[], $4::bigint[]) AS n (key, version)
WHERE a.consumer_group = $1 AND a.topic = $2 AND a.key = n.key
"""


async def lock(tx: Tx, group: str, topic: str, keys: Iterable[str]) -> dict[str, int]:
    """Lock the keys' rows and read their versions; 0 for a new key."""
    names = sorted(set(keys))
    if not names:
        return {}
    return await tx.sql.pairs(_LOCK, group, topic, names)


async def advance(tx: Tx, group: str, topic: str, versions: Mapping[str, int]) -> None:
    """Write down the versions that had their effect, or never will."""
    if versions:
        await tx.sql.run(_ADVANCE, group, topic, list(versions), list(versions.values()))
