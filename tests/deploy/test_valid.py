"""Everything that the chart renders is what the cluster takes: Kubernetes' own schemas, and those of each operator."""

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import utils

from tests.deploy import helm
from tests.deploy.helm import PROFILES, Manifest, name_of, rendered

_VERSIONS = ("1.30", "1.34", "1.37")
_MODELS = {  # typed models of each project's resources, as a package has them
    "cert-manager.io/v1": "cloudcoil.models.cert_manager.v1",
    "keda.sh/v1alpha1": "cloudcoil.models.keda.v1alpha1",
    "monitoring.coreos.com/v1": "cloudcoil.models.prometheus_operator.v1",
}
_ELSEWHERE = {  # those that no package brings: their CRDs, in a folder that ALLIANCE_CRDS names
    "external-secrets.io/v1",
    "gateway.networking.k8s.io/v1",
    "gateway.networking.k8s.io/v1beta1",
    "kafka.strimzi.io/v1",
    "postgresql.cnpg.io/v1",
}
_BUILT_IN = {"v1", "apps/v1", "autoscaling/v2", "networking.k8s.io/v1", "policy/v1"}


@pytest.fixture(autouse=True, scope="module")
def _read_once() -> Any:
    """The package reads two megabytes of schemas for each object."""
    patched = pytest.MonkeyPatch()
    patched.setattr(utils, "schema_contents", cache(utils.schema_contents))
    yield
    patched.undo()


def _those(profile: str, chosen: Callable[[str], object]) -> list[Manifest]:
    return [one for one in rendered(profile) if chosen(one["apiVersion"])]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_kind_is_looked_at(profile: str) -> None:
    assert {one["apiVersion"] for one in rendered(profile)} <= _BUILT_IN | set(_MODELS) | _ELSEWHERE


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize("profile", PROFILES)
def test_kubernetes_takes_it(profile: str, version: str) -> None:
    for manifest in _those(profile, _BUILT_IN.__contains__):
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("api", _MODELS)
def test_the_operators_models_take_it_and_know_every_field(profile: str, api: str) -> None:
    models = import_module(_MODELS[api])
    for manifest in _those(profile, api.__eq__):
        model = getattr(models, manifest["kind"])
        assert not list(
            _unknown(model.model_validate(manifest).model_dump(by_alias=True, mode="json"), manifest, name_of(manifest))
        )


def _unknown(known: Any, given: Any, path: str) -> Any:
    """Fields that a model passed by."""
    if isinstance(given, dict) and isinstance(known, dict):
        for key, value in given.items():
            if key not in known:
                yield f"{path}.{key}"
            else:
                yield from _unknown(known[key], value, f"{path}.{key}")
    elif isinstance(given, list):
        for place, (one, other) in enumerate(zip(known, given, strict=True)):
            yield from _unknown(one, other, f"{path}[{place}]")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("api", sorted(_ELSEWHERE))
def test_the_operators_crds_take_it(profile: str, api: str) -> None:
    folder = os.environ.get("ALLIANCE_CRDS")
    if not folder:
        pytest.skip(f"no package brings the CRDs of {api}; ALLIANCE_CRDS names a folder with them")
    group, _, version = api.partition("/")
    schemas = {
        found["spec"]["names"]["kind"]: one["schema"]["openAPIV3Schema"]
        for file in Path(folder).glob("*.yaml")
        if (found := yaml.load(file.read_text("utf-8"), yaml.CSafeLoader))["spec"]["group"] == group
        for one in found["spec"]["versions"]
        if one["name"] == version
    }
    for manifest in _those(profile, api.__eq__):
        schema = _closed(schemas[manifest["kind"]])
        jsonschema.validate(manifest, schema)


def _closed(schema: Any) -> Any:
    """A CRD's schema that refuses what the API server would silently drop."""
    if not isinstance(schema, dict):
        return schema
    found = {
        key: _closed(value) for key, value in schema.items() if key not in ("properties", "items", "additionalProperties")
    }
    if "properties" in schema:
        found["properties"] = {key: _closed(value) for key, value in schema["properties"].items()}
        found["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    for key in ("items", "additionalProperties"):
        if key in schema:
            found[key] = _closed(schema[key])
    if schema.get("x-kubernetes-int-or-string"):
        found.pop("type", None)
    return found


def test_a_field_that_nobody_knows_is_seen() -> None:
    """The checks above can fail: on a field too many in each kind of manifest."""
    for manifest in rendered("production"):
        manifest["spec" if "spec" in manifest else "metadata"]["noSuchField"] = 1
        if manifest["apiVersion"] in _BUILT_IN:
            with pytest.raises(kubernetes_validate.ValidationError):
                kubernetes_validate.validate(manifest, "1.34", strict=True)
        elif manifest["apiVersion"] in _MODELS:
            model = getattr(import_module(_MODELS[manifest["apiVersion"]]), manifest["kind"])
            assert list(_unknown(model.model_validate(manifest).model_dump(by_alias=True, mode="json"), manifest, "manifest"))


@pytest.mark.parametrize("profile", PROFILES)
def test_helm_has_nothing_to_say_of_it(profile: str) -> None:
    done = helm.run("lint", "--strict", str(helm.CHART), "-f", helm.values_file(profile))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_cluster_that_is_too_old_is_refused() -> None:
    assert helm.template("lab", kube="1.30.0").returncode == 0
    done = helm.template("lab", kube="1.29.9")
    assert done.returncode != 0
    assert "incompatible with Kubernetes" in done.stderr
