"""The recovery drills, small; each ends with everything equal to what its owner has."""

from collections.abc import Iterator

import pytest

from tests.recovery import drill
from tests.recovery.drill import Drill

_PAIRS = 3
pytestmark = pytest.mark.timeout(900)  # each stops and starts a platform several times


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """A platform of its own, whose topics compact at once."""
    found = Drill(tmp_path_factory.mktemp("recovery"))
    found.up(**drill.COMPACTS)
    yield found
    found.platform.down()


async def test_listings_put_back_to_an_earlier_point(drilled: Drill) -> None:
    assert await drill.listings_put_back(drilled, _PAIRS) == []


async def test_reporting_put_back_and_what_it_missed_compacted_away(drilled: Drill) -> None:
    assert await drill.reporting_put_back(drilled, _PAIRS) == []


async def test_all_of_kafka_lost(drilled: Drill) -> None:
    assert await drill.kafka_gone(drilled, _PAIRS) == []
