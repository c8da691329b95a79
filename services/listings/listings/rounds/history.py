"""What the event store tells of days that are over: a listing's row knows only when it was published or revised last."""

from datetime import datetime, timedelta

from alliance.listings.v1 import events_pb2, listing_pb2
from chassis import topics
from chassis.clock import start_of_day
from chassis.database import Tx
from listings.rounds.store import RoundRow
from listings.rounds.told import Stood
from listings.store import TOPIC

_WITHIN = """
SELECT e.key, e.payload FROM listing l JOIN event e ON e.topic = $3 AND e.key = l.name
WHERE l.bodies @> ARRAY[$1] AND l.counts_on > $2 AND e.type = ANY($4::text[]) AND e.effective_at >= $5 AND e.effective_at < $6
"""
_CHANGED = """
SELECT l.name, was.version, was.payload
FROM listing l
CROSS JOIN LATERAL (
  SELECT e.version, e.payload FROM event e
  WHERE e.topic = $3 AND e.key = l.name AND e.effective_at < $2 ORDER BY e.version DESC LIMIT 1
) was
WHERE l.update_time >= $2 AND EXISTS (
  SELECT 1 FROM round r JOIN round_listing held ON held.round = r.name WHERE r.body = $1 AND held.listing = l.name
)
"""


async def revised_since(tx: Tx, row: RoundRow) -> dict[str, int]:
    """Listings, with their kinds, that were published or revised within a round's days, naming its body, and again after."""
    topic = topics.load().named(TOPIC)
    types = [topic.type_of(verb) for verb in ("published", "revised")]
    days = (start_of_day(row.opens_on), start_of_day(row.closes_on + timedelta(days=1)))
    found = await tx.sql.rows(_WITHIN, row.body, row.closes_on, topic.name, types, *days)
    listings = [(key, events_pb2.ListingEvent.FromString(payload).listing) for key, payload in found]
    return {
        key: one.kind for key, one in listings if one.state == listing_pb2.LISTING_STATE_PUBLISHED and row.body in one.bodies
    }


async def changed_since(tx: Tx, body: str, end: datetime) -> list[Stood]:
    """Listings in rounds of a body that are others since an instant, as they were just before it.

    What ran out with its last day did so at the end of it, whenever the sweep got to it: on that day it stood.
    """
    found = await tx.sql.rows(_CHANGED, body, end, topics.load().named(TOPIC).name)
    return [_stood(*row) for row in found]


def _stood(name: str, version: int, payload: bytes) -> Stood:
    then = events_pb2.ListingEvent.FromString(payload).listing
    return Stood(
        name=name,
        version=version,
        content=then.SerializeToString(deterministic=True),
        issuer=then.issuer,
        bodies=list(then.bodies),
        visibility=then.visibility,
        state=then.state,
    )
