"""What the event store tells of days that are over: a listing's row knows only when it was published or revised last."""

from datetime import timedelta

from alliance.listings.v1 import events_pb2, listing_pb2
from chassis import topics
from chassis.clock import start_of_day
from chassis.database import Tx
from listings import changes
from listings.rounds.store import RoundRow

_WITHIN = """
SELECT e.key, e.payload FROM listing l JOIN event e ON e.topic = $3 AND e.key = l.name
WHERE l.bodies @> ARRAY[$1] AND l.counts_on > $2 AND e.type = ANY($4::text[]) AND e.effective_at >= $5 AND e.effective_at < $6
"""


async def revised_since(tx: Tx, row: RoundRow) -> dict[str, int]:
    """Listings, with their kinds, that were published or revised within a round's days, naming its body, and again after."""
    topic = topics.load().named(changes.TOPIC)
    types = [topic.type_of(verb) for verb in ("published", "revised")]
    days = (start_of_day(row.opens_on), start_of_day(row.closes_on + timedelta(days=1)))
    found = await tx.sql.rows(_WITHIN, row.body, row.closes_on, topic.name, types, *days)
    listings = [(key, events_pb2.ListingEvent.FromString(payload).listing) for key, payload in found]
    return {
        key: one.kind for key, one in listings if one.state == listing_pb2.LISTING_STATE_PUBLISHED and row.body in one.bodies
    }
