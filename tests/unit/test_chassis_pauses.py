"""The collector's pauses: what a started service holds is not looked at again, rings that come later still are."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from chassis import pauses


class _Ring:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """As it was, afterwards."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_what_is_there_is_not_looked_at_again() -> None:
    pauses.keep_short()
    assert gc.get_freeze_count() > 10_000
    assert len(gc.get_objects()) < 1_000


def test_rings_that_come_later_are_given_back() -> None:
    pauses.keep_short()
    gone = weakref.ref(_Ring())
    kept = [list[int]() for _ in range(2 * gc.get_threshold()[0])]
    assert gone() is None
    assert kept
