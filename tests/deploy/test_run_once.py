"""A service's command as a Job: with all that the service has, and no call sent to it."""

import json
import subprocess
import sys
from typing import Any

import kubernetes_validate
import pytest
from run_once import job_of

from alliance_local.state import SERVICES
from tests.deploy.helm import PROFILES, ROOT, render, rendered, values
from tests.deploy.rendered import Rendered, selects

_ARGUMENTS = ["restore-fence", "备份恢复 · a backup", "--actor", "on-call"]


def _job(profile: str, service: str) -> tuple[Rendered, dict[str, Any]]:
    r = Rendered(profile, rendered(profile), values(profile))
    command = [sys.executable, str(ROOT / "deploy/k8s/run_once.py"), *_ARGUMENTS]
    done = subprocess.run(command, input=json.dumps(r.deployment(service)), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return r, found


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("service", SERVICES)
def test_it_runs_the_command_as_the_service(service: str, profile: str) -> None:
    r, job = _job(profile, service)
    kubernetes_validate.validate(job, "1.34", strict=True)
    (container,), served = job["spec"]["template"]["spec"]["containers"], r.container(service)
    assert container["args"] == _ARGUMENTS
    for key in ("image", "env", "envFrom", "volumeMounts", "securityContext", "resources"):
        assert container[key] == served[key]
    for key in ("securityContext", "volumes", "serviceAccountName", "automountServiceAccountToken"):
        assert job["spec"]["template"]["spec"][key] == r.pod(service)[key]


@pytest.mark.parametrize("profile", PROFILES)
def test_before_a_fence_comes_what_comes_before_the_service(profile: str) -> None:
    """The backup may be of before the last upgrade, and Kafka without topics."""
    r, job = _job(profile, "listings")
    assert job["spec"]["template"]["spec"]["initContainers"] == r.pod("listings")["initContainers"]


def test_any_other_command_runs_beside_no_migration() -> None:
    job = job_of(Rendered("lab", rendered("lab"), values("lab")).deployment("listings"), ["replay", "a.topic", "WHY"], 1)
    assert "initContainers" not in job["spec"]["template"]["spec"]


_SASL = ("kafka.security=SASL_SSL", "kafka.topics.acls=true", "kafka.topics.adminSecret=kafka-admin")


@pytest.mark.parametrize("given", [(), _SASL], ids=["plain", "SASL"])
def test_topics_are_made_as_the_init_container_makes_them(given: tuple[str, ...]) -> None:
    r = Rendered("lab", render("lab", *(word for one in given for word in ("--set", one))), values("lab"))
    job = job_of(r.deployment("listings"), ["topics", "--replicas=3"], 1)
    kubernetes_validate.validate(job, "1.34", strict=True)
    (container,), before = job["spec"]["template"]["spec"]["containers"], r.pod("listings")["initContainers"][0]
    assert "initContainers" not in job["spec"]["template"]["spec"]
    assert container["args"] == [*before["args"], "--replicas=3"]  # what is said last counts
    for mount in (*before["volumeMounts"], *r.container("listings")["volumeMounts"]):
        assert container["volumeMounts"].count(mount) == 1
    assert container["env"] == r.container("listings")["env"]
    assert ("--login=/etc/alliance/kafka-admin" in container["args"]) == bool(given)


def test_topics_without_an_init_container_are_as_they_are_asked_for() -> None:
    r, _ = _job("operators", "listings")
    (container,) = job_of(r.deployment("listings"), ["topics", "--acls"], 1)["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["topics", "--acls"]
    assert container["volumeMounts"] == r.container("listings")["volumeMounts"]


def test_it_runs_once() -> None:
    _, job = _job("operators", "listings")
    assert job["spec"]["backoffLimit"] == 0
    r = Rendered("lab", rendered("lab"), values("lab"))
    assert job_of(r.deployment("listings"), ["topics"], 1)["spec"]["backoffLimit"] > 3, "a broker that begins is waited for"
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert job["metadata"]["name"].startswith("alliance-listings-restore-fence-")


@pytest.mark.parametrize("profile", PROFILES)
def test_the_network_lets_it_out(profile: str) -> None:
    """As the service, by every policy that names pods that go to PostgreSQL or Kafka."""
    r, job = _job(profile, "listings")
    pod = {"spec": job["spec"]}
    assert selects(r.policy("listings")["podSelector"], pod)
    if profile != "lab":
        (services,) = r.named("NetworkPolicy", "alliance-database")["spec"]["ingress"][0]["from"]
        assert selects(services["podSelector"], pod)
    for service in SERVICES:
        if service != "listings":
            assert not selects(r.policy(service)["podSelector"], pod)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("service", SERVICES)
def test_nothing_takes_it_for_one_of_the_services_pods(service: str, profile: str) -> None:
    """Neither calls nor `kubectl logs deploy/…`, nor what counts pods."""
    r, job = _job(profile, service)
    pod = {"spec": job["spec"]}
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert not any(selects(one["spec"]["selector"], pod) for one in r.of(kind))
    assert not any(selects({"matchLabels": one["spec"]["selector"]}, pod) for one in r.of("Service"))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert not {"readinessProbe", "livenessProbe", "startupProbe", "lifecycle"} & set(container)
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert {"app.kubernetes.io/name": "alliance", "app.kubernetes.io/instance": "alliance"}.items() <= labels.items()


def test_without_a_command_it_says_how() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "deploy/k8s/run_once.py")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "kubectl apply" in done.stderr
