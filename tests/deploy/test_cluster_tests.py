"""What the cluster tests bring to a cluster, tried without one."""

import json
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import kubernetes_validate
import pytest

from tests.cluster.cluster import HERE, REPLICAS, Chosen, Cluster, parts
from tests.cluster.traffic import is_whole
from tests.deploy import helm
from tests.deploy.helm import ROOT
from tests.deploy.rendered import Rendered
from tests.migrations import SERVICES, faults, history, statements

_GIVEN = {
    "KUBECONFIG": "/nowhere",
    "ALLIANCE_CLUSTER_REPOSITORY": "registry.example/alliance",
    "ALLIANCE_CLUSTER_TAG": "1.2.3",
    "ALLIANCE_CLUSTER_KAFKA": "192.0.2.1:9092",
    "ALLIANCE_CLUSTER_POSTGRES": "192.0.2.2:5433",
}


def _chosen(**given: str) -> Chosen:
    found = Chosen.of(_GIVEN | given)
    assert found
    return found


@pytest.mark.parametrize("missing", ["KUBECONFIG", "ALLIANCE_CLUSTER_REPOSITORY"])
def test_nobodys_cluster_is_touched_unasked(missing: str) -> None:
    assert Chosen.of({name: value for name, value in _GIVEN.items() if name != missing}) is None


def test_images_are_chosen_by_the_environment() -> None:
    images = {one["metadata"]["name"]: one["spec"]["containers"][0]["image"] for one in parts(_chosen())["items"]}
    own = "registry.example/alliance/listings:1.2.3"
    official = {"kafka": "docker.io/apache/kafka:4.3.1", "postgres": "docker.io/library/postgres:18"}
    assert images == official | {"client": own, "stranger": own}
    other = parts(_chosen(ALLIANCE_CLUSTER_KAFKA_IMAGE="registry.example/kafka:1"))["items"]
    assert {one["spec"]["containers"][0]["image"] for one in other} >= {"registry.example/kafka:1"}


@pytest.mark.parametrize("versions", [[1], [1, 2, 3], [1, 1, 2], [1, 2, 1, 2], [1, 2, 3, 2, 3]])
def test_records_may_come_again(versions: list[int]) -> None:
    assert is_whole(versions)


@pytest.mark.parametrize("versions", [[], [2], [1, 3], [1, 1, 3], [2, 1], [1, 2, 1], [1, 2, 1, 3, 2]])
def test_none_may_be_missing_or_come_late(versions: list[int]) -> None:
    assert not is_whole(versions)


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_kubernetes_takes_the_parts(version: str) -> None:
    for manifest in parts(_chosen())["items"]:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_chart_takes_the_values_and_lets_the_client_in(tmp_path: Path) -> None:
    file = tmp_path / "values.json"
    file.write_text(Cluster(_chosen()).values("1.2.3-next"), encoding="utf-8")
    r = Rendered("lab", helm.render("lab", "-f", str(file)), helm.values("lab") | json.loads(file.read_text("utf-8")))
    client = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "alliance-test-parts"}},
        "podSelector": {"matchLabels": {"app": "client"}},
    }
    for service in SERVICES:
        assert r.container(service)["image"] == f"registry.example/alliance/{service}:1.2.3-next"
        assert r.deployment(service)["spec"]["replicas"] == REPLICAS[service]
        assert client in r.policy(service)["ingress"][0]["from"]
        assert "192.0.2.2:5433" in r.settings(service)["ALLIANCE_DATABASE_URL"]
        assert r.settings(service)["ALLIANCE_KAFKA_BOOTSTRAP"] == "192.0.2.1:9092"


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", ["next", "broken"])
def test_the_release_after_admits_the_one_before(service: str, kind: str, tmp_path: Path) -> None:
    versions = tmp_path / service / "migrations"
    copytree(ROOT / f"services/{service}/migrations", versions)
    before = history(versions)[-1]
    subprocess.run([sys.executable, str(HERE / "revision.py"), kind, str(versions)], check=True)
    newest = history(versions)[-1]
    assert newest.down_revision == newest.module.min_compatible == before.revision
    assert faults(versions) == []
    assert ("SELECT 1 / 0" in statements(newest)) == (kind == "broken")


def test_images_of_it_are_made_of_the_releases() -> None:
    recipe = (HERE / "Dockerfile").read_text("utf-8")
    assert recipe.rstrip().endswith("USER 10001:10001")
    assert "revision.py ${KIND} /app/services/own/migrations" in recipe
