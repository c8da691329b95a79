"""A real platform for the tests that need one: PostgreSQL, Kafka and the five services, started once a run."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from alliance_local.control import Platform, temporary
from alliance_local.state import State
from chassis import refusals

# A sentence model's threads wait for each other by spinning: beside other work two of them take many times as long as one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is first imported, which is after this


def pytest_runtest_makereport(item: pytest.Item, call: "pytest.CallInfo[None]") -> None:
    """Remember a failure, so that the platform's logs are kept."""
    if call.excinfo is not None:
        item.session.config.stash[_FAILED] = True


# A busy machine is no finding.
hypothesis.settings.register_profile("alliance", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("alliance")

_FAILED = pytest.StashKey[bool]()
_SHARED = pytest.StashKey[Platform]()


ENVIRONMENT = {
    "ALLIANCE_TOPICS_PROFILE": "test",  # topics that compact at once
    "ALLIANCE_SET_DELIVERY_DELAYS": "[0.5, 1, 2]",
    "ALLIANCE_SET_DELIVERY_TIMEOUT": "2",
    "ALLIANCE_SET_FEED_TIMEOUT": "1",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that need no platform come first, then those that share one, then those with platforms of their own: what a test
    does not need takes nothing of the machine from it.
    """
    turns: dict[Path, int] = {}
    for item in items:
        asked = getattr(item, "fixturenames", ())
        turn = 2 if "quiet" in asked else int("platform" in asked)
        turns[item.path] = max(turn, turns.get(item.path, 0))
    items.sort(key=lambda item: turns[item.path])


@pytest.fixture(scope="session")
def quiet(pytestconfig: pytest.Config) -> None:
    """For tests with platforms of their own: the shared one is stopped, it would take half of the machine from them."""
    if (shared := pytestconfig.stash.get(_SHARED, None)) is not None:
        shared.down()


@pytest.fixture(scope="session")
def platform(pytestconfig: pytest.Config) -> Iterator[Platform]:
    """The five services with topics that really compact, a mail sink and a webhook receiver."""
    if kept := os.environ.get("ALLIANCE_TEST_PLATFORM"):  # one that is up already, by its state folder
        yield Platform(State(Path(kept)))
        return
    root = Path(tempfile.mkdtemp(prefix="alliance-test-"))
    with temporary(root, print, sinks=True, **ENVIRONMENT) as running:
        pytestconfig.stash[_SHARED] = running
        yield running
    if pytestconfig.stash.get(_FAILED, False):
        print(f"the platform's logs are in {root / 'logs'}")
    else:
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def kafka_heard() -> Iterator[None]:
    """What aiokafka says to its log is heard, as in a service."""
    log = logging.getLogger("aiokafka")
    level, handlers, propagate = log.level, log.handlers, log.propagate
    refusals.forget()
    refusals.listen()
    yield
    log.setLevel(level)
    log.handlers, log.propagate = handlers, propagate
    refusals.forget()
