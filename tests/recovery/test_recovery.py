"""The recovery drills, small; each ends with everything equal to what its owner has."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.recovery import drill
from tests.recovery.drill import Drill

_PAIRS = 3
pytestmark = pytest.mark.timeout(900)  # each stops and starts a platform several times


@pytest.fixture(scope="module")
async def drilled() -> AsyncIterator[Drill]:
    """A platform of its own; not below pytest's folder, which every run that begins closes to PostgreSQL's user."""
    with tempfile.TemporaryDirectory(prefix="alliance-recovery-") as root:
        found = Drill(Path(root))
        await found.begin()
        yield found
        found.platform.down()


async def test_listings_put_back_to_an_earlier_point(drilled: Drill) -> None:
    assert await drill.listings_put_back(drilled, _PAIRS) == []


async def test_reporting_put_back_and_what_it_missed_compacted_away(drilled: Drill) -> None:
    assert await drill.reporting_put_back(drilled, _PAIRS) == []


async def test_all_of_kafka_lost(drilled: Drill) -> None:
    assert await drill.kafka_gone(drilled, _PAIRS) == []
