"""A cluster by its KUBECONFIG: kubectl and Helm on it, scripts in its pods, and what it has beside the platform."""

import json
import os
import secrets
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml

from alliance_local.issuer import Issuer
from alliance_local.state import SERVICES
from chassis.tls import Files
from tests.deploy import helm

HERE = Path(__file__).resolve().parent
RELEASE = "alliance"
REPLICAS = {"registry": 2, "listings": 2, "matching": 1, "reporting": 1, "notify": 1}
"""Pods of each service: two of those that are under load."""
_DAY = 86_400  # seconds
_PORTS = {"kafka": 9092, "postgres": 5432}
_DEFAULTS = {
    "namespace": "alliance-test",
    "kafka_image": "docker.io/apache/kafka:4.3.1",
    "postgres_image": "docker.io/library/postgres:18",
}


@dataclass(frozen=True)
class Chosen:
    """What the environment names: images, and addresses of a Kafka and a PostgreSQL that are there; "" for parts.yaml's."""

    kubeconfig: str
    repository: str
    tag: str
    namespace: str
    kafka_image: str
    postgres_image: str
    kafka: str
    postgres: str
    postgres_password: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Chosen | None":
        """By `ALLIANCE_CLUSTER_*`, which `make test-cluster` sets; None where no cluster is named."""
        names = [name for name in cls.__dataclass_fields__ if name != "kubeconfig"]
        given = {name: environment.get(f"ALLIANCE_CLUSTER_{name.upper()}") or _DEFAULTS.get(name, "") for name in names}
        kubeconfig = environment.get("KUBECONFIG", "")
        return cls(kubeconfig, **given) if kubeconfig and given["repository"] else None


class Cluster:
    """The cluster, with a namespace for the platform and one beside it."""

    def __init__(self, chosen: Chosen) -> None:
        self.chosen = chosen
        self.namespace = chosen.namespace
        self.beside = f"{chosen.namespace}-parts"
        self._environment = {**os.environ, **helm.homes(), "KUBECONFIG": chosen.kubeconfig}
        self._addresses = {"kafka": chosen.kafka, "postgres": chosen.postgres}
        self.operator = ""
        """A platform operator's token."""

    def kubectl(self, *arguments: str, given: str | None = None, namespace: str | None = None) -> str:
        """What kubectl says. Raises `CalledProcessError`, with what it complained of as a note."""
        return _said(self._command("kubectl", namespace or self.namespace, arguments), self._environment, given)

    def helm(self, *arguments: str, given: str | None = None) -> str:
        """What Helm says, likewise."""
        return _said(self._command("helm", self.namespace, arguments), self._environment, given)

    def script(self, file: str, *arguments: str, given: str = "") -> str:
        """What a script of this folder prints, run by the client's pod."""
        return self.client("python3", "-c", (HERE / file).read_text("utf-8"), *arguments, given=given)

    def client(self, *command: str, given: str = "") -> str:
        """What a command prints, run by the client's pod."""
        return self.kubectl("exec", "-i", "client", "--", *command, given=given, namespace=self.beside)

    def reached(self, pod: str, addresses: Iterable[str], namespace: str | None = None) -> set[str]:
        """Those of some addresses, `host:port`, to which a pod gets a connection."""
        script = (HERE / "reach.py").read_text("utf-8")
        return set(json.loads(self.kubectl("exec", pod, "--", "python3", "-c", script, *addresses, namespace=namespace)))

    def caller(self, pod: str) -> str:
        """Where a pod beside the platform listens."""
        address = self.kubectl("get", "pod", pod, "-o", "jsonpath={.status.podIP}", namespace=self.beside)
        return f"{address}:8080"

    def get(self, kind: str, *options: str, namespace: str | None = None) -> list[dict[str, Any]]:
        """Objects of a kind."""
        found = json.loads(self.kubectl("get", kind, "-o", "json", *options, namespace=namespace))
        items: list[dict[str, Any]] = found["items"]
        return items

    def pods(self, service: str) -> list[dict[str, Any]]:
        """A service's pods that are not about to go."""
        found = self.get("pods", "-l", f"app.kubernetes.io/instance={RELEASE},app.kubernetes.io/component={service}")
        return [one for one in found if "deletionTimestamp" not in one["metadata"]]

    def state(self) -> str:
        """What there is and what came of it, for a failure's report."""
        wide = [self.kubectl("get", "pods", "-o", "wide", namespace=one) for one in (self.namespace, self.beside)]
        return "\n".join([*wide, self.kubectl("get", "events", "--sort-by=.lastTimestamp")[-6000:]])

    def begin(self, issuer: Issuer) -> None:
        """Namespaces, Kafka, PostgreSQL, two pods that call, databases, passwords and tokens. Raises `CalledProcessError`
        where a namespace is there already.
        """
        for namespace in (self.namespace, self.beside):
            self.kubectl("create", "namespace", namespace)
        self.kubectl("label", "namespace", self.namespace, "pod-security.kubernetes.io/enforce=restricted")
        superuser = self.chosen.postgres_password or secrets.token_hex(24)
        self._secret("postgres", self.beside, password=superuser)
        self._apply_parts()
        passwords = {f"{service}{kind}": secrets.token_hex(24) for service in SERVICES for kind in ("", "_owner")}
        host, port = self.address("postgres").split(":")
        self.script("databases.py", host, port, given=json.dumps({"superuser": superuser, "roles": passwords}))
        for service in SERVICES:
            self._secret(f"{RELEASE}-{service}-database", password=passwords[service])
            self._secret(f"{RELEASE}-{service}-database-owner", password=passwords[f"{service}_owner"])
            self._secret(f"{RELEASE}-{service}-token", token=issuer.mint(f"service:{service}", seconds=_DAY))
        self.operator = issuer.mint("operator", seconds=_DAY)
        self._secret("alliance-operator-token", token=self.operator)
        self.kubectl("create", "configmap", "alliance-issuer", f"--from-file=jwks.json={issuer.jwks_file}")

    def certificate(self, holder: str, files: Files) -> None:
        """A certificate of one's own, in place of the one that is there."""
        parts = {"tls.crt": files.cert, "tls.key": files.key, "ca.crt": files.ca}
        content = {name: file.read_text("ascii") for name, file in parts.items()}
        named = {"name": f"{RELEASE}-{holder}-tls"}
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": named, "stringData": content}
        self.kubectl("apply", "--server-side", "-f", "-", given=json.dumps(manifest))

    def end(self) -> None:
        """Forget all of it."""
        self.kubectl("delete", "namespace", self.namespace, self.beside, "--ignore-not-found", "--timeout=180s")

    def address(self, part: str) -> str:
        """`host:port` of `kafka` or `postgres`."""
        return self._addresses[part]

    def values(self, tag: str) -> str:
        """Values over those of the profile `lab`, for an image's tag."""
        chosen = self.chosen
        (kafka, kafka_port), (host, port) = (self.address(part).split(":") for part in ("kafka", "postgres"))
        return json.dumps(
            {
                "image": {"repository": chosen.repository, "tag": tag},
                "database": {"host": host, "port": int(port), "cidrs": [f"{host}/32"]},
                "kafka": {"bootstrap": f"{kafka}:{kafka_port}", "cidrs": [f"{kafka}/32"], "ports": [int(kafka_port)]},
                "networkPolicy": {"clients": [{"namespace": self.beside, "podLabels": {"app": "client"}}]},
                "services": {service: {"replicas": number} for service, number in REPLICAS.items()},
            }
        )

    def target(self, service: str) -> str:
        """A service's gRPC address inside the cluster: all its pods."""
        return f"dns:///{self.host(service)}:50051"

    def host(self, service: str) -> str:
        """The name of all a service's pods."""
        return f"{RELEASE}-{service}-pods.{self.namespace}.svc.cluster.local"

    def _apply_parts(self) -> None:
        manifests = parts(self.chosen)
        wanted = [one for one in manifests["items"] if not self._addresses.get(one["metadata"]["name"])]
        self.kubectl("apply", "-f", "-", given=json.dumps(manifests | {"items": wanted}), namespace=self.beside)
        self.kubectl("wait", "--for=condition=Ready", "pods", "--all", "--timeout=300s", namespace=self.beside)
        found = {one["metadata"]["name"]: one["status"]["podIP"] for one in self.get("pods", namespace=self.beside)}
        self._addresses |= {part: f"{found[part]}:{_PORTS[part]}" for part in _PORTS if part in found}

    def _secret(self, name: str, namespace: str | None = None, **content: str) -> None:
        """A Secret, by stdin: command lines can be read by others."""
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": content}
        self.kubectl("create", "-f", "-", given=json.dumps(manifest), namespace=namespace)

    def _command(self, program: str, namespace: str, arguments: Sequence[str]) -> list[str]:
        return [str(helm.program(program)), "--namespace", namespace, *arguments]


def parts(chosen: Chosen) -> dict[str, Any]:
    """The manifests of parts.yaml, with the images that were chosen."""
    images = {
        "IMAGE": f"{chosen.repository}/listings:{chosen.tag}",
        "KAFKA_IMAGE": chosen.kafka_image,
        "POSTGRES_IMAGE": chosen.postgres_image,
    }
    text = Template((HERE / "parts.yaml").read_text("utf-8")).safe_substitute(images)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def _said(command: Sequence[str], environment: Mapping[str, str], given: str | None) -> str:
    try:
        return subprocess.run(command, input=given, env=environment, capture_output=True, text=True, check=True).stdout
    except subprocess.CalledProcessError as error:
        error.add_note(error.stdout + error.stderr)
        raise
