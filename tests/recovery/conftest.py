"""A platform of their own for the tests of recovery."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.recovery.drill import Drill


@pytest.fixture(scope="package")
async def drilled(quiet: None) -> AsyncIterator[Drill]:
    """Not below pytest's folder, which every run that begins closes to PostgreSQL's user."""
    with tempfile.TemporaryDirectory(prefix="alliance-recovery-") as root:
        found = Drill(Path(root))
        await found.begin()
        yield found
        found.platform.down()
