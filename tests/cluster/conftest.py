"""The cluster that KUBECONFIG names, where `make test-cluster` asks for one; and at the end a table of what was tried."""

import os
import subprocess
from collections.abc import Generator, Iterator

import pytest

from alliance_local.issuer import Issuer
from tests.cluster.cluster import Chosen, Cluster

_BEGUN = pytest.StashKey[Cluster]()
_ABSENT = "no cluster: make test-cluster, with KUBECONFIG"
_VERDICTS = {"passed": "holds", "failed": "FAILED", "error": "FAILED", "skipped": "skipped"}


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One with databases, Kafka, secrets and callers, and nothing installed. ALLIANCE_CLUSTER_KEEP=1 leaves it as it ends."""
    chosen = Chosen.of(os.environ)
    if chosen is None:
        pytest.skip(_ABSENT)
    found = Cluster(chosen)
    try:
        found.begin(Issuer(tmp_path_factory.mktemp("issuer")))
        pytestconfig.stash[_BEGUN] = found
        yield found
    finally:
        if not os.environ.get("ALLIANCE_CLUSTER_KEEP"):
            found.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say of a failure what stood in the cluster then."""
    report = yield
    begun = item.config.stash.get(_BEGUN, None)
    if report.failed and begun is not None:
        try:
            report.sections.append(("cluster", begun.state()))
        except subprocess.CalledProcessError as error:
            report.sections.append(("cluster", f"{error} {error.__notes__}"))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Case, time, verdict, and what was counted, as a table of Markdown."""
    if config.stash.get(_BEGUN, None) is None:
        return
    reports = [(one, outcome) for outcome in _VERDICTS for one in terminalreporter.stats.get(outcome, [])]
    rows = [
        (one.nodeid.split("::test_")[-1].replace("_", " "), f"{one.duration:.0f} s", _VERDICTS[outcome], _note(one))
        for one, outcome in sorted(reports, key=lambda found: float(found[0].start))
        if "tests/cluster/" in one.nodeid
    ]
    terminalreporter.section("cluster")
    for row in (("case", "time", "verdict", ""), ("---", "---", "---", "---"), *rows):
        terminalreporter.write_line(f"| {' | '.join(row)} |")


def _note(report: pytest.TestReport) -> str:
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return "; ".join(str(value) for name, value in report.user_properties if name == "note")
