"""Every query of every dashboard, with the values of its variables, on a platform on which the demo's quarter was played.

Skips by name where there is no Prometheus (Debian: `prometheus`). A query has data where it found a number at any moment since
the platform came up; one that may have none has its reason here.
"""

import time
from asyncio import to_thread
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from alliance.registry.v1 import organization_pb2
from alliance_demo.stage import Stage
from alliance_demo.story import Story
from alliance_local.control import Platform, temporary
from alliance_local.observing import PROMETHEUS, program
from alliance_local.state import SERVICES
from chassis.counting import LEAST
from tests import world
from tests.e2e.program import Alliance
from tests.observe import prometheus
from tests.observe.prometheus import Prometheus
from tests.observe.test_queries import BOARDS
from tests.outside_system import Outside, serving
from tests.waiting import until

pytestmark = pytest.mark.timeout(900)
_MAPPING = """
source: observed
key: id
fields:
  title: title
  visibility: {value: VISIBILITY_PUBLIC}
  job_position.skills: {column: skills, split: "，"}
"""
_COUNTED = 2 * LEAST  # seconds, at least one of which what is counted now and then has been counted
_FAULTS = {  # title of a panel → why there is no data where nothing bad happens
    "告警 · Alerts": "nothing fires",
    "未成功 · Not OK": "nobody asks a service for what it refuses",
    "未直接生效 · Without a direct effect": "no event comes twice or too late, and none fails",
    "死信重试 · Attempts at them": "there are no dead letters",
    "未送达 · Not arrived": "all has arrived by the time it is counted",
}
_NOT_OF = {  # title of a panel → services that never have data, and why
    "处理速率 · Records handled": ({"registry"}, "it reads nobody's events"),
    "处理时长 p99 · A batch's time, p99": ({"registry"}, "it reads nobody's events"),
}


@dataclass(frozen=True)
class Asked:
    """A query of a panel, and the service that it is asked for; none where it asks for all."""

    title: str
    query: str
    service: str


@dataclass(frozen=True)
class Played:
    """What was scraped, and since when."""

    prometheus: Prometheus
    since: float

    def has_data(self, asked: Asked) -> bool:
        """Whether a query found a number at any moment."""
        return any(number != "NaN" for number in self.prometheus.ever(asked.query, self.since, asked.service))


_ASKED = [
    Asked(panel["title"], target["expr"], service)
    for board in BOARDS.values()
    for panel in board["panels"]
    for target in panel["targets"]
    for service in (SERVICES if "$service" in target["expr"] else ("",))
]
_VARIABLES = {one["query"] for board in BOARDS.values() for one in board["templating"]["list"] if one["type"] == "query"}


@pytest.fixture(scope="module")
async def played(quiet: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    """A platform of its own, scraped from its first moment; the quarter is played on it, then an outside system's feed."""
    if program(PROMETHEUS) is None:
        pytest.skip("no prometheus; Debian has it in the package of that name")
    root, since = tmp_path_factory.mktemp("demo"), time.time()
    (root / "prometheus").mkdir()
    with temporary(root / "platform", print, sinks=True, ALLIANCE_SET_INDEX_FOLDER=str(root / "index")) as platform:
        targets = {one: f"127.0.0.1:{platform.port(f'{one}_metrics')}" for one in SERVICES}
        with prometheus.running(root / "prometheus", targets) as found:
            await to_thread(Story(platform, Stage(), root / "out").play)
            await _feed(platform, root)
            yield Played(found, since)


async def _feed(platform: Platform, folder: Path) -> None:
    """An enterprise's jobs come out of a system of its own."""
    employer = await to_thread(world.organization, platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    (platform.state.folder("mappings") / "observed.yaml").write_text(_MAPPING, encoding="utf-8")
    mapped = ("--kind", "job_position", "--mapping", "observed", "--system", "regional", "--every", "1")
    alliance = Alliance(platform, folder)
    await to_thread(alliance, "login", employer.caller.sub, "--as", employer.name)
    async with serving(Outside(1)) as outside:
        outside.put("1", title="封装工程师", skills="封装")
        made = await to_thread(alliance.json, "feed", "create", "观测", "--in", outside.url, *mapped)
        outside.secret = made["secret"]
        await until(lambda: outside.asked >= 3)


def test_every_variable_has_its_values(played: Played) -> None:
    wanted = {frozenset({prometheus.NAMESPACE}), frozenset(SERVICES)}
    prometheus.wait(lambda: {frozenset(played.prometheus.values(one)) for one in _VARIABLES} == wanted)


def test_every_query_has_data(played: Played) -> None:
    """But for those of faults, and those of a service that has nothing of the kind."""
    missing = [one for one in _ASKED if one.title not in _FAULTS and one.service not in _NOT_OF.get(one.title, ((), ""))[0]]
    deadline = time.monotonic() + _COUNTED
    while (missing := [one for one in missing if not played.has_data(one)]) and time.monotonic() < deadline:
        time.sleep(5)
    assert [(one.title, one.service) for one in missing] == []


def test_what_has_no_data_is_still_so(played: Played) -> None:
    """Else the exception hides a query that is wrong some day."""
    titles = {one.title for one in _ASKED}
    assert titles >= _FAULTS.keys() | _NOT_OF.keys()
    assert [one for one in _ASKED if one.service in _NOT_OF.get(one.title, ((), ""))[0] and played.has_data(one)] == []
