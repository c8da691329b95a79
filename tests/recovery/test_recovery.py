"""Three of the recovery drills, small; each ends with everything equal to what its owner has.

All five are `make test-recovery`: what is done in the two that are left to it, Kafka lost alone and all databases put back
with Kafka kept, is part of these.
"""

import pytest

from tests.recovery import drill
from tests.recovery.drill import Drill

_PAIRS = 3
pytestmark = pytest.mark.timeout(900)  # each stops and starts a platform several times


async def test_listings_put_back_to_an_earlier_point(drilled: Drill) -> None:
    assert await drill.listings_put_back(drilled, _PAIRS) == []


async def test_reporting_put_back_and_what_it_missed_compacted_away(drilled: Drill) -> None:
    assert await drill.reporting_put_back(drilled, _PAIRS) == []


async def test_all_databases_put_back_and_all_of_kafka_lost(drilled: Drill) -> None:
    assert await drill.everything_lost(drilled, _PAIRS) == []
