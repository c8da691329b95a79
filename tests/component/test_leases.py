"""Leases by the database's clock, also where that is put back."""

import pytest

from chassis.lease import Lease
from tests.component.conftest import Probe

_FREE = {"-1 second": True, "1 second": False, "5 seconds": False, "7 seconds": True, "1 hour": True}


@pytest.mark.parametrize(("ends_in", "is_free"), _FREE.items())
async def test_who_is_gone_holds_it_no_longer_than_a_lease_lasts(probe: Probe, ends_in: str, is_free: bool) -> None:
    """Much later than any can end: it was given before the clock was put back by as much."""
    gone, other = Lease(probe.database, "a test"), Lease(probe.database, "a test")
    assert await gone.take()
    await probe.change("UPDATE lease SET expires_at = clock_timestamp() + $1::text::interval WHERE name = 'a test'", ends_in)
    assert await other.take() is is_free
    assert await gone.keep() is not is_free
