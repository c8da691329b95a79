"""Rows of rounds to messages of the contract."""

from collections.abc import Sequence
from dataclasses import asdict

from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import round_pb2
from chassis.etag import etag
from listings.mapping import leave_persons
from listings.rounds.store import Counted, Entry, RoundRow, SilenceRow


def round_message(row: RoundRow, counted: Sequence[Counted]) -> round_pb2.Round:
    """The message of a round."""
    found = round_pb2.Round(
        name=row.name,
        body=row.body,
        kind=row.kind,  # type: ignore[arg-type]
        period=row.period,
        opens_on=row.opens_on.isoformat(),
        closes_on=row.closes_on.isoformat(),
        state=row.state,  # type: ignore[arg-type]
        etag=etag(row.version),
        counts=[round_pb2.RoundCount(**asdict(one)) for one in counted],
        previous=row.previous,
        silent_members=row.silent,
    )
    found.create_time.FromDatetime(row.create_time)
    found.update_time.FromDatetime(row.update_time)
    return found


def entry_message(entry: Entry) -> round_pb2.RoundEntry:
    """The message of what a closed round tells; who stood behind a listing then is nobody's business any more. Of what is not
    shown any more it says what it was called when it was told last.
    """
    listing = pb.Listing.FromString(entry.content)
    if not entry.is_shown:
        gone = pb.Listing(name=listing.name, kind=listing.kind, title=listing.title)
        return round_pb2.RoundEntry(listing=gone, change=entry.change)  # type: ignore[arg-type]
    leave_persons(listing)
    return round_pb2.RoundEntry(
        listing=listing,
        version=entry.version,
        change=entry.change,  # type: ignore[arg-type]
    )


def silence_message(row: SilenceRow, round_: RoundRow) -> round_pb2.Silence:
    """The message of a member's silence."""
    return round_pb2.Silence(
        name=row.name,
        body=round_.body,
        round=round_.name,
        kind=round_.kind,  # type: ignore[arg-type]
        period=round_.period,
        organization=row.organization,
        last_round=row.last_round,
    )
