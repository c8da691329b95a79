"""Two of the recovery drills, small; each ends with everything equal to what its owner has.

All five are `make test-recovery`: what the others do is part of these.
"""

import pytest

from tests.recovery import drill
from tests.recovery.drill import Drill

_PAIRS = 3
pytestmark = pytest.mark.timeout(900)  # each stops and starts a platform several times


async def test_listings_put_back_to_an_earlier_point(drilled: Drill) -> None:
    assert await drill.listings_put_back(drilled, _PAIRS) == []


async def test_all_databases_put_back_and_all_of_kafka_lost(drilled: Drill) -> None:
    assert await drill.everything_lost(drilled, _PAIRS) == []
