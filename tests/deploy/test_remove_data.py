"""Removing data for good: by a command of its own, which asks first, and knows every kind that is kept."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.helm import ROOT, rendered
from tests.deploy.rules_data import DATA

_COMMAND = ROOT / "deploy/k8s/remove-data"


_KUBECTL = """#!/bin/sh
echo "$@" >> "$ASKED"
case "$*" in
  *"get deployments"*) {deployments} ;;
  *"get pods"*"status.phase=Running"*) {pods} ;;
  api-resources*) echo secrets ;;
  *"get secrets"*) {secrets} ;;
esac
"""


def _run(*arguments: str, answer: str = "", path: str = "", **environment: str) -> tuple[int, str]:
    """It finds no cluster: whatever came so far would say so."""
    environment |= {"PATH": f"{path}:{os.environ['PATH']}", "KUBECONFIG": "/nonexistent"}
    done = subprocess.run([_COMMAND, *arguments], input=answer, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("given", [(), ("alliance",), ("alliance", "platform", "more")])
def test_it_is_told_which(given: tuple[str, ...]) -> None:
    code, said = _run(*given)
    assert code == 2
    assert "usage" in said


@pytest.mark.parametrize("answer", ["", "y\n", "platform\n", "Alliance\n"])
def test_without_the_releases_name_nothing_happens(answer: str) -> None:
    code, said = _run("alliance", "platform", answer=answer)
    assert code == 1
    assert "nothing was removed" in said


@pytest.mark.parametrize(
    ("deployments", "pods", "goes"),
    [
        ("true", "true", True),
        ("echo deployment.apps/alliance-notify", "true", False),
        ("echo 'Unable to connect' >&2; exit 1", "true", False),
        ("true", "echo pod/alliance-notify-7d9f", False),
        ("true", "exit 1", False),
    ],
    ids=["uninstalled", "installed", "unknown", "ending", "pods unknown"],
)
def test_it_removes_where_it_knows_that_nothing_runs(tmp_path: Path, deployments: str, pods: str, goes: bool) -> None:
    program, asked = tmp_path / "kubectl", tmp_path / "asked"
    program.write_text(_KUBECTL.format(deployments=deployments, pods=pods, secrets="true"), "utf-8")
    program.chmod(0o755)
    code, said = _run("alliance", "platform", answer="alliance\n", path=str(tmp_path), ASKED=str(asked))
    assert (code == 0) == goes, said
    assert ("delete" in asked.read_text("utf-8")) == goes
    assert ("what is elsewhere stays" in said) == goes, "topics and databases of the profile lab are not the chart's"


@pytest.mark.parametrize(
    ("release", "full"), [("alliance", "alliance"), ("lab", "lab-alliance"), ("a" * 31, "a" * 31 + "-alliance")]
)
def test_it_names_what_was_made_by_hand_and_stays(tmp_path: Path, release: str, full: str) -> None:
    program, asked = tmp_path / "kubectl", tmp_path / "asked"
    mine = [f"{full}-registry-token", f"{full}-notify-database-owner", f"{full}-listings-kafka"]
    mine += [f"{full}-{one}-tls" for one in ("matching", "smoke", "operator", "gateway")]
    others = [f"{full}-two-registry-token", f"{full}-mail", f"{full}-portal-tls", "registry-token"]
    others += [f"sh.helm.release.v1.{full}.v1"]
    listed = "; ".join(f"echo secret/{one}" for one in (*mine, *others))
    program.write_text(_KUBECTL.format(deployments="true", pods="true", secrets=listed), "utf-8")
    program.chmod(0o755)
    code, said = _run(release, "platform", answer=f"{release}\n", path=str(tmp_path), ASKED=str(asked))
    assert code == 0, said
    (line,) = (one for one in said.splitlines() if "and stay" in one)
    assert line.partition(" delete ")[2].split() == [f"secret/{one}" for one in mine]


def test_it_knows_every_kind_that_is_kept() -> None:
    listed = re.search(r"for kind in (.*?); do", _COMMAND.read_text("utf-8"), re.DOTALL)
    assert listed
    removed = {kind.split(".")[0].removesuffix("s") for kind in re.findall(r"[a-z][\w.-]+", listed[1])}
    assert removed == {kind.lower() for kind in DATA}


def test_what_it_goes_by_is_on_what_is_kept() -> None:
    for one in rendered("production"):
        if one["kind"] in DATA:
            assert one["metadata"]["labels"]["alliance/data"] == "true"
            assert one["metadata"]["labels"]["app.kubernetes.io/instance"] == "alliance"
        if one["kind"] == "Certificate":
            assert one["spec"]["secretTemplate"]["labels"]["alliance/certificate"] == "true"
