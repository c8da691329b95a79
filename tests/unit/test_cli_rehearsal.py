"""A dry run says of a key that comes again what a real run would say."""

from collections.abc import Iterator, Sequence
from itertools import count

from alliance.listings.v1 import listing_pb2
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli.rehearsal import Rehearsal

ACCEPTED, REVISED, UNCHANGED, REFUSED = (
    rpc.IMPORT_OUTCOME_ACCEPTED,
    rpc.IMPORT_OUTCOME_REVISED,
    rpc.IMPORT_OUTCOME_UNCHANGED,
    rpc.IMPORT_OUTCOME_REFUSED,
)


def outcomes(*rows: tuple[str, str, int]) -> list[int]:
    """What a dry run says of rows (key, title, what the service says) that come in a chunk each."""
    return chunked(*([row] for row in rows))


def chunked(*chunks: Sequence[tuple[str, str, int]]) -> list[int]:
    """The same of rows in chunks."""
    rehearsal, numbers = Rehearsal(), count(1)
    numbered = [[(next(numbers), *row) for row in chunk] for chunk in chunks]

    def requests() -> Iterator[rpc.ImportListingsRequest]:
        yield rpc.ImportListingsRequest(header=rpc.ImportHeader(dry_run=True))
        for chunk in numbered:
            rows = [
                rpc.ImportRow(row=number, listing=listing_pb2.Listing(external_key=key, title=title))
                for number, key, title, _ in chunk
            ]
            yield rpc.ImportListingsRequest(chunk=rpc.ImportChunk(rows=rows))

    assert len(list(rehearsal.watch(requests()))) == len(chunks) + 1
    found = []
    for chunk in numbered:
        receipts = [
            rpc.ImportReceipt(row=number, external_key=key, outcome=outcome)  # type: ignore[arg-type]
            for number, key, _, outcome in chunk
        ]
        rehearsal.settle(receipts)
        found += [int(receipt.outcome) for receipt in receipts]
    return found


def test_a_new_row_that_comes_again_is_a_revision_or_unchanged() -> None:
    rows = ("a", "甲", ACCEPTED), ("b", "乙", ACCEPTED), ("a", "丙", ACCEPTED), ("a", "丙", ACCEPTED), ("a", "甲", ACCEPTED)
    assert outcomes(*rows) == [ACCEPTED, ACCEPTED, REVISED, UNCHANGED, REVISED]


def test_a_known_row_that_comes_again_is_held_against_the_row_before() -> None:
    assert outcomes(("a", "乙", REVISED), ("a", "乙", REVISED), ("a", "甲", UNCHANGED)) == [REVISED, UNCHANGED, REVISED]
    assert outcomes(("a", "甲", UNCHANGED), ("a", "乙", REVISED)) == [UNCHANGED, REVISED]


def test_a_refused_row_is_not_there_for_those_after_it() -> None:
    assert outcomes(("a", "甲", REFUSED), ("a", "乙", ACCEPTED)) == [REFUSED, ACCEPTED]
    assert outcomes(("a", "甲", ACCEPTED), ("a", "乙", REFUSED), ("a", "甲", ACCEPTED)) == [ACCEPTED, REFUSED, UNCHANGED]


def test_rows_of_one_chunk_are_as_the_service_says_where_no_earlier_chunk_had_their_key() -> None:
    assert chunked([("a", "甲", REVISED), ("a", "乙", UNCHANGED)]) == [REVISED, UNCHANGED]


def test_rows_of_one_chunk_are_unchanged_where_the_last_says_what_an_earlier_one_left() -> None:
    first, second = [("a", "甲", ACCEPTED)], [("a", "乙", ACCEPTED), ("a", "甲", REVISED)]
    assert chunked(first, second) == [ACCEPTED, UNCHANGED, UNCHANGED]
    assert chunked(first, [*second, ("a", "丙", REVISED)]) == [ACCEPTED, REVISED, REVISED, REVISED]
