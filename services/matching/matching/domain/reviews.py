"""The life of a review 人工复核 of a match (PIPL art. 24): requested by a side, settled once by a person on neither side."""

from collections.abc import Collection
from datetime import date, timedelta
from enum import IntEnum


class State(IntEnum):
    """States, numbered as in the contract."""

    REQUESTED = 1
    UPHELD = 2
    OVERTURNED = 3


OUTCOMES = {State.UPHELD: "upheld", State.OVERTURNED: "overturned"}
"""How a review can be settled → the verb of its event."""


def due_on(today: date, days: int) -> date:
    """The last day in time of a review that is requested today."""
    return today + timedelta(days=days)


def is_partial(sides: Collection[str], asked_by: str, reviewer: str, acts_for: Collection[str]) -> bool:
    """Whether a person may not settle: who asked for the review, or acts for a side (`acts_for`: organizations)."""
    return reviewer == asked_by or not set(sides).isdisjoint(acts_for)
