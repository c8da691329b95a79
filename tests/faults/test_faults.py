"""A short selection of the faults, and platforms that are broken on purpose: the checker must see each of them.

The whole matrix, and the variants that take half a minute, are `make test-faults`.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from alliance_local.control import Platform
from tests.faults import whole
from tests.faults.broken import VARIANTS
from tests.faults.catalogue import FAULTS
from tests.faults.parts import one, services
from tests.faults.run import once

_SHORT = ("1", "4b", "14a", "17", "22", "26a")
_LONG = ("slow", "hoard", "fence")
_NAMED = {fault.number: fault for fault in FAULTS}


@pytest.fixture(scope="module")
def parts(quiet: None) -> Iterator[Platform]:
    """PostgreSQL and Kafka of their own: some faults hit them.

    Not below pytest's folder, which every run that begins closes to other users, PostgreSQL's among them.
    """
    with tempfile.TemporaryDirectory(prefix="alliance-faults-") as root, one(Path(root)) as platform:
        yield platform


@pytest.fixture(scope="module")
def platform_of_services(quiet: None) -> Iterator[Platform]:
    """The five services."""
    with tempfile.TemporaryDirectory(prefix="alliance-faults-") as root, services(Path(root)) as platform:
        yield platform


@pytest.mark.parametrize("number", _SHORT)
async def test_what_is_promised_holds_under(number: str, parts: Platform, tmp_path: Path) -> None:
    assert (await once(parts, tmp_path, _NAMED[number], seed=1)).broken == {}


def _variants() -> Iterator[object]:
    every = "ALLIANCE_EVERY_VARIANT" in os.environ
    for name in VARIANTS:
        left = pytest.mark.skipif(name in _LONG and not every, reason="takes half a minute: make test-faults")
        yield pytest.param(name, marks=left)


@pytest.mark.parametrize("name", list(_variants()))
async def test_the_checker_sees_a_platform_where(name: str, parts: Platform, tmp_path: Path) -> None:
    variant = VARIANTS[name]
    broken = (await once(parts, tmp_path, _NAMED[variant.fault], seed=1, broken={variant.side: name})).broken
    for letter, why in variant.breaks.items():
        assert why in broken.get(letter, ""), broken


async def test_what_the_services_heard_already_has_no_effect(platform_of_services: Platform) -> None:
    assert await whole.broken(platform_of_services, whole.everything_again, seed=1) == {}
    seen = await whole.broken(platform_of_services, whole.old_as_news, seed=2)
    assert "the state of matching is not what it was" in seen["E"], seen
