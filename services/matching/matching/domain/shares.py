"""The shares 分片 of matching's work: each demand belongs to one, and with it every pair that it is part of."""

from zlib import crc32

SHARES = 12  # as many as the topic of listings has partitions; fixed, since rows of the database are counted by it


def share_of(demand: str) -> int:
    """The share, 0 … `SHARES` - 1, of a demand by its name."""
    return crc32(demand.encode()) % SHARES
