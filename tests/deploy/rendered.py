"""What a profile renders to, as rules ask it, and the rules by name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from alliance_local.state import SERVICES
from tests.deploy.helm import CHART, RELEASE, Manifest, name_of

Faults = Iterator[str]
PLATFORM: dict[str, Any] = yaml.safe_load((CHART / "files/platform.yaml").read_text("utf-8"))
ZONE, NODE = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
FULL = RELEASE  # the release's name has the chart's in it


@dataclass
class Rendered:
    """A profile, what it renders to, and the values that it has."""

    profile: str
    manifests: list[Manifest]
    values: dict[str, Any]

    def of(self, kind: str) -> list[Manifest]:
        """All of a kind."""
        return [one for one in self.manifests if one["kind"] == kind]

    def named(self, kind: str, name: str) -> Manifest:
        """One by kind and name; an empty one where there is none, in which every rule finds what is missing."""
        found = [one for one in self.of(kind) if one["metadata"]["name"] == name]
        return found[0] if found else {"metadata": {}, "spec": {}, "data": {}}

    def deployment(self, service: str) -> Manifest:
        """A service's Deployment."""
        return self.named("Deployment", f"{FULL}-{service}")

    def pod(self, service: str) -> dict[str, Any]:
        """The spec of a service's pods."""
        template = self.deployment(service)["spec"].get("template", {})
        found: dict[str, Any] = template.get("spec", {"containers": [{}]})
        return found

    def container(self, service: str) -> dict[str, Any]:
        """The container that serves."""
        found: dict[str, Any] = self.pod(service)["containers"][0]
        return found

    def pods(self) -> list[tuple[str, dict[str, Any]]]:
        """All pods' specs, the test's too, with their names."""
        test = [(name_of(one), one["spec"]) for one in self.of("Pod")]
        return [(service, self.pod(service)) for service in SERVICES] + test

    def settings(self, service: str) -> dict[str, str]:
        """A service's settings that are no secrets."""
        found: dict[str, str] = self.named("ConfigMap", f"{FULL}-{service}").get("data", {})
        return found

    def policy(self, service: str) -> dict[str, Any]:
        """A service's network policy."""
        found: dict[str, Any] = self.named("NetworkPolicy", f"{FULL}-{service}")["spec"]
        return found

    @property
    def has_operators(self) -> bool:
        """Whether the cluster has the operators."""
        return self.profile != "lab"


Rule = Callable[[Rendered], Faults]


RULES: dict[str, Rule] = {}


def rule(made: Rule) -> Rule:
    """A rule, by its name."""
    RULES[made.__name__] = made
    return made


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def secret_of(container: dict[str, Any], variable: str) -> str:
    """The Secret that a variable comes from."""
    for one in container.get("env", []):
        if one["name"] == variable:
            return str(one.get("valueFrom", {}).get("secretKeyRef", {}).get("name", ""))
    return ""


def secrets_of(pod: dict[str, Any]) -> set[str]:
    """Every Secret that a pod names."""
    named = {volume["secret"]["secretName"] for volume in pod.get("volumes", []) if "secret" in volume}
    for container in containers(pod):
        for one in container.get("env", []):
            if "secretKeyRef" in one.get("valueFrom", {}):
                named.add(one["valueFrom"]["secretKeyRef"]["name"])
    return named


def mounted(r: Rendered, service: str, path: str) -> dict[str, Any] | None:
    """The Secret that is mounted at a path."""
    volumes = {volume["name"]: volume for volume in r.pod(service).get("volumes", [])}
    for mount in r.container(service).get("volumeMounts", []):
        if mount["mountPath"] == path:
            found: dict[str, Any] | None = volumes.get(mount["name"], {}).get("secret")
            return found
    return None


def selects(selector: dict[str, Any], deployment: Manifest) -> bool:
    """Whether a selector is on a Deployment's pods."""
    labels = deployment["spec"].get("template", {}).get("metadata", {}).get("labels", {})
    without = {one["key"] for one in selector.get("matchExpressions", []) if one["operator"] == "DoesNotExist"}
    has_all = bool(selector.get("matchLabels")) and selector["matchLabels"].items() <= labels.items()
    listed = {one["key"]: one["values"] for one in selector.get("matchExpressions", []) if one["operator"] == "In"}
    return has_all and not without & labels.keys() and all(labels.get(key) in values for key, values in listed.items())


def _namespace(peer: dict[str, Any]) -> str:
    """The namespace that a peer is in; empty where it names none."""
    return str(peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name", ""))


def peer_of(peer: dict[str, Any]) -> str:
    """A peer of a network policy, by what tells it best; "anybody" where nothing does."""
    labels = peer.get("podSelector", {}).get("matchLabels", {})
    if "ipBlock" in peer:
        return f"cidr {peer['ipBlock']['cidr']}"
    if _namespace(peer):
        return elsewhere({"namespace": _namespace(peer), "podLabels": labels})
    if labels.get("app.kubernetes.io/instance") == RELEASE and "app.kubernetes.io/component" in labels:
        return f"component {labels['app.kubernetes.io/component']}"
    return f"pods {_shown(labels)}" if labels else "anybody"


def elsewhere(peer: dict[str, Any]) -> str:
    """Pods of another namespace, as values name them and as `peer_of` calls them."""
    return f"namespace {peer['namespace']} {_shown(peer.get('podLabels', {}))}"


def _shown(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
