"""The chart on a real cluster, from the installation to the removal: one case after the other, each on what the last has left.

`make test-cluster` (CONTRIBUTING.md) names cluster and images; without, all of it is skipped. Installed is release N (`TAG`);
`TAG-next` is the one after it, and `TAG-broken` one whose migrations fail.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from alliance_local.state import SERVICES
from tests.certificates import Authority
from tests.cluster.cluster import RELEASE, REPLICAS, Cluster
from tests.cluster.policies import is_enforced
from tests.cluster.traffic import Published
from tests.cluster.waiting import becomes
from tests.deploy.helm import CHART, values_file
from tests.deploy.rendered import PLATFORM

pytestmark = pytest.mark.timeout(900)
Note = Callable[[str, object], None]
_INSTANCE = f"app.kubernetes.io/instance={RELEASE}"
_INSTALLED = ("--wait", "--timeout=10m")


@pytest.fixture(scope="module")
def published(cluster: Cluster) -> Published:
    """All that was acknowledged, in whatever case."""
    return Published(cluster)


def test_install(cluster: Cluster) -> None:
    _helm(cluster, "install", cluster.chosen.tag, *_INSTALLED)
    assert {service: len(cluster.pods(service)) for service in SERVICES} == REPLICAS
    assert {container["restartCount"] for pod in _pods(cluster) for container in pod["status"]["containerStatuses"]} == {0}


def test_helm_test(cluster: Cluster) -> None:
    cluster.helm("test", RELEASE, "--timeout=3m")


def test_made_up_passwords_are_those_that_are_there(cluster: Cluster) -> None:
    """Where Helm sees the cluster it makes none anew; where it does not see the tokens it makes none at all."""
    given = ("-f", values_file("lab"), "-f", "-", "--set", "credentials.source=generated")
    generated = (*given, "--dry-run=server", "--take-ownership")  # of Secrets that were there before the release
    values = cluster.values(cluster.chosen.tag)
    rendered = yaml.safe_load_all(cluster.helm("template", RELEASE, str(CHART), *generated, given=values))
    made = {_name(one): one["data"]["password"] for one in rendered if one and one["kind"] == "Secret"}
    there = {_name(one): one["data"].get("password") for one in cluster.get("secrets")}
    assert len(made) == 2 * len(SERVICES)
    assert made.items() <= there.items()
    with pytest.raises(subprocess.CalledProcessError) as refused:
        cluster.helm("template", "another", str(CHART), *generated, given=values)
    assert "another-alliance-listings-token is not seen" in str(refused.value.__notes__)


def test_failed_migration_leaves_the_old_serving(cluster: Cluster, published: Published, record_property: Note) -> None:
    before = {_name(pod) for pod in _pods(cluster)}
    with published.meanwhile(record_property):
        with pytest.raises(subprocess.CalledProcessError):
            _helm(cluster, "upgrade", f"{cluster.chosen.tag}-broken", "--wait", "--timeout=90s")
        for service in SERVICES:
            ready = {_name(pod): _is_ready(pod) for pod in cluster.pods(service)}
            old, new = ({name for name in ready if (name in before) is is_old} for is_old in (True, False))
            assert len(old) == REPLICAS[service]
            assert all(ready[name] for name in old)
            assert new
            assert not any(ready[name] for name in new)
        becomes(lambda: "division by zero" in _migrated(cluster))


def test_rollback_after_a_failed_migration(cluster: Cluster, published: Published, record_property: Note) -> None:
    with published.meanwhile(record_property):
        cluster.helm("rollback", RELEASE, *_INSTALLED)
        becomes(lambda: _tags(cluster) == {cluster.chosen.tag})


def test_upgrade_under_load(cluster: Cluster, published: Published, record_property: Note) -> None:
    with published.meanwhile(record_property):
        _helm(cluster, "upgrade", f"{cluster.chosen.tag}-next", *_INSTALLED)
        becomes(lambda: _tags(cluster) == {f"{cluster.chosen.tag}-next"})


def test_rollback_onto_the_newer_database_under_load(cluster: Cluster, published: Published, record_property: Note) -> None:
    with published.meanwhile(record_property):
        cluster.helm("rollback", RELEASE, *_INSTALLED)
        becomes(lambda: _tags(cluster) == {cluster.chosen.tag})
    assert "admits this one" in _migrated(cluster)


def test_pod_kill_under_load(cluster: Cluster, published: Published, record_property: Note) -> None:
    with published.meanwhile(record_property):
        for service in SERVICES:
            killed = _name(_newest(cluster, service))
            cluster.kubectl("delete", "pod", killed, "--grace-period=0", "--force")
            becomes(lambda one=service: _ready(cluster, one) == REPLICAS[one])  # type: ignore[misc]  # bound here


def test_network_policy(cluster: Cluster) -> None:
    if not is_enforced(cluster):
        pytest.skip("this cluster's network enforces no NetworkPolicy")
    grpc = {service: f"{cluster.host(service)}:50051" for service in SERVICES}
    stranger = cluster.caller("stranger")
    for service in SERVICES:
        peers = {grpc[peer] for peer in PLATFORM["services"][service]["peers"]}
        others = {grpc[other] for other in SERVICES if other != service} - peers
        pod = _name(_newest(cluster, service))
        closed = {*others, stranger, "kubernetes.default.svc.cluster.local:443"}
        assert cluster.reached(pod, peers | closed) == peers, service
    assert cluster.reached("client", {*grpc.values(), stranger}, cluster.beside) == {*grpc.values(), stranger}
    metrics = {f"{cluster.host(service)}:9090" for service in SERVICES}
    assert cluster.reached("client", metrics, cluster.beside) == set()
    assert cluster.reached("stranger", metrics | set(grpc.values()), cluster.beside) == set()


def test_node_drain_under_load(cluster: Cluster, published: Published, record_property: Note) -> None:
    nodes = [_name(one) for one in cluster.get("nodes") if not one["spec"].get("unschedulable")]
    if len(nodes) < 2:
        pytest.skip(f"one node ({', '.join(nodes)}): its pods have nowhere to go")
    node = _newest(cluster, "listings")["spec"]["nodeName"]
    with published.meanwhile(record_property):
        try:
            which = (f"--pod-selector={_INSTANCE}", "--ignore-daemonsets", "--delete-emptydir-data")
            cluster.kubectl("drain", node, *which, "--timeout=5m")
            becomes(lambda: all(_ready(cluster, service) == REPLICAS[service] for service in SERVICES))
            assert node not in {pod["spec"]["nodeName"] for pod in _pods(cluster)}
        finally:
            cluster.kubectl("uncordon", node)


def test_uninstall_leaves_nothing_but_data(cluster: Cluster, published: Published) -> None:
    cluster.helm("uninstall", RELEASE, "--wait", "--timeout=5m")
    becomes(lambda: not cluster.get("pods", "-l", _INSTANCE))
    kinds = cluster.kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
    becomes(lambda: not cluster.kubectl("get", ",".join(kinds), "-l", f"{_INSTANCE},alliance/data!=true", "-o", "name"))
    assert published.faults() == []


def test_a_new_installation_finds_the_data(cluster: Cluster, published: Published, record_property: Note) -> None:
    _helm(cluster, "install", cluster.chosen.tag, *_INSTALLED)
    assert "admits this one" in _migrated(cluster)
    cluster.helm("test", RELEASE, "--timeout=3m")
    with published.meanwhile(record_property):
        pass


def test_certificates_of_ones_own(cluster: Cluster, tmp_path: Path) -> None:
    """The services call each other by those in the Secrets; one for other names ends a start, and the pods before serve on."""
    authority = Authority()

    def issued(holder: str, of: str) -> None:
        names = (cluster.host(of), f"{RELEASE}-{of}") if of in SERVICES else ()
        cluster.certificate(holder, authority.issue(tmp_path / f"{holder} {of}", names=names))

    for holder in (*SERVICES, "smoke"):
        issued(holder, holder)
    _helm(cluster, "upgrade", cluster.chosen.tag, *_INSTALLED, "--set=mtls.enabled=true,mtls.source=existing")
    cluster.helm("test", RELEASE, "--timeout=3m")
    issued("registry", "listings")
    cluster.kubectl("rollout", "restart", f"deployment/{RELEASE}-registry")
    becomes(lambda: 2 in _ends(_newest(cluster, "registry")))
    assert _ready(cluster, "registry") == REPLICAS["registry"]
    cluster.helm("test", RELEASE, "--timeout=3m")


def _helm(cluster: Cluster, command: str, tag: str, *more: str) -> None:
    cluster.helm(command, RELEASE, str(CHART), "-f", values_file("lab"), "-f", "-", *more, given=cluster.values(tag))


def _ends(pod: dict[str, Any]) -> set[int]:
    """With what its container has ended."""
    states = [one[kind] for one in pod["status"].get("containerStatuses", ()) for kind in ("state", "lastState")]
    return {one["terminated"]["exitCode"] for one in states if "terminated" in one}


def _name(one: dict[str, Any]) -> str:
    return str(one["metadata"]["name"])


def _pods(cluster: Cluster) -> list[dict[str, Any]]:
    return [pod for service in SERVICES for pod in cluster.pods(service)]


def _newest(cluster: Cluster, service: str) -> dict[str, Any]:
    return max(cluster.pods(service), key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def _is_ready(pod: dict[str, Any]) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", ()))


def _ready(cluster: Cluster, service: str) -> int:
    return sum(map(_is_ready, cluster.pods(service)))


def _tags(cluster: Cluster) -> set[str]:
    """Of the images that run."""
    return {pod["spec"]["containers"][0]["image"].rpartition(":")[2] for pod in _pods(cluster)}


def _migrated(cluster: Cluster) -> str:
    """What the migration of the newest pod of listings said."""
    return cluster.kubectl("logs", _name(_newest(cluster, "listings")), "-c", "migrate")
