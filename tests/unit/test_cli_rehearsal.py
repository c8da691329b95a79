"""A dry run says of a key that comes again what a real run would say."""

from collections.abc import Iterable

from alliance.listings.v1 import listing_pb2
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli.importing import Rehearsal

ACCEPTED, REVISED, UNCHANGED, REFUSED = (
    rpc.IMPORT_OUTCOME_ACCEPTED,
    rpc.IMPORT_OUTCOME_REVISED,
    rpc.IMPORT_OUTCOME_UNCHANGED,
    rpc.IMPORT_OUTCOME_REFUSED,
)


def outcomes(*rows: tuple[str, str, int]) -> list[int]:
    """What a dry run says of rows (key, title, what the service says) that come in a chunk each."""
    rehearsal = Rehearsal()

    def requests() -> Iterable[rpc.ImportListingsRequest]:
        yield rpc.ImportListingsRequest(header=rpc.ImportHeader(dry_run=True))
        for number, (key, title, _) in enumerate(rows, start=1):
            row = rpc.ImportRow(row=number, listing=listing_pb2.Listing(external_key=key, title=title))
            yield rpc.ImportListingsRequest(chunk=rpc.ImportChunk(rows=[row]))

    assert len(list(rehearsal.watch(iter(requests())))) == len(rows) + 1
    receipts = [rpc.ImportReceipt(row=number, external_key=row[0], outcome=row[2]) for number, row in enumerate(rows, start=1)]  # type: ignore[arg-type]
    for receipt in receipts:
        rehearsal.settle(receipt)
    return [receipt.outcome for receipt in receipts]


def test_a_new_row_that_comes_again_is_a_revision_or_unchanged() -> None:
    rows = ("a", "甲", ACCEPTED), ("b", "乙", ACCEPTED), ("a", "丙", ACCEPTED), ("a", "丙", ACCEPTED), ("a", "甲", ACCEPTED)
    assert outcomes(*rows) == [ACCEPTED, ACCEPTED, REVISED, UNCHANGED, REVISED]


def test_a_known_row_that_comes_again_is_held_against_the_row_before() -> None:
    assert outcomes(("a", "乙", REVISED), ("a", "乙", REVISED), ("a", "甲", UNCHANGED)) == [REVISED, UNCHANGED, REVISED]
    assert outcomes(("a", "甲", UNCHANGED), ("a", "乙", REVISED)) == [UNCHANGED, REVISED]


def test_a_refused_row_is_not_there_for_those_after_it() -> None:
    assert outcomes(("a", "甲", REFUSED), ("a", "乙", ACCEPTED)) == [REFUSED, ACCEPTED]
    assert outcomes(("a", "甲", ACCEPTED), ("a", "乙", REFUSED), ("a", "甲", ACCEPTED)) == [ACCEPTED, REFUSED, UNCHANGED]
