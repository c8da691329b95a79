"""Values: what is not known or not possible is refused, at every level, before anything is installed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy import helm
from tests.deploy.helm import CHART, template

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text("utf-8"))


def _objects(node: dict[str, Any], path: str = "") -> Iterator[str]:
    """Paths of every object in the values that has keys of its own."""
    while "$ref" in node:
        node = SCHEMA["$defs"][node["$ref"].rpartition("/")[2]]
    if node.get("properties"):
        yield path
        for name, one in node["properties"].items():
            yield from _objects(one, f"{path}.{name}".lstrip("."))


OBJECTS = sorted(_objects(SCHEMA))
_PRIVATE = ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]
_IN_LISTS = {  # what lists hold, each with a key too many
    "scheduling.tolerations": {"operator": "Exists", "noSuchKey": 1},
    "networkPolicy.clients": {"namespace": "a", "noSuchKey": 1},
    "gateway.parents": {"name": "a", "noSuchKey": 1},
    "services.notify.egress": {"cidrs": ["10.0.0.0/8"], "ports": [1], "noSuchKey": 1},
    "services.notify.secretEnvironment": {"variable": "ALLIANCE_SMTP_PASSWORD", "secret": "a", "key": "b", "noSuchKey": 1},
}


def _refused(profile: str, path: str, value: Any) -> str:
    """What is said of a value that is refused."""
    done = template(profile, "--set-json", f"{path}={json.dumps(value)}")
    assert done.returncode != 0, f"{path}={value} is taken"
    assert "values don't meet the specifications of the schema" in done.stderr, done.stderr
    return done.stderr


def test_there_are_as_many_levels_as_there_are() -> None:
    assert len(OBJECTS) > 40
    assert {"", "image", "database.cluster.backup", "services.matching.resources", "mtls.issuer"} <= set(OBJECTS)


@pytest.mark.parametrize("path", OBJECTS)
def test_an_unknown_key_is_refused(path: str) -> None:
    assert "noSuchKey" in _refused("lab", f"{path}.noSuchKey".lstrip("."), 1)


@pytest.mark.parametrize("path", _IN_LISTS)
def test_an_unknown_key_in_a_list_is_refused(path: str) -> None:
    assert "noSuchKey" in _refused("lab", path, [_IN_LISTS[path]])


@pytest.mark.parametrize("path", [one for one in OBJECTS if one and not one.endswith(("settings", "digests"))])
def test_a_key_that_is_taken_away_is_missed(path: str) -> None:
    _refused("lab", path, None)


@pytest.mark.parametrize(
    ("profile", "path", "value"),
    [
        ("lab", "image.tag", "latest"),
        ("lab", "image.tag", "1@sha256:" + "a" * 64),  # one digest for five images
        ("lab", "image.repository", "registry.example/alliance:1"),
        ("lab", "image.repository", "registry.example/alliance@sha256:" + "a" * 64),
        ("lab", "image.repository", "registry.example/-alliance"),
        ("lab", "image.repository", "localhost:0/alliance"),
        ("lab", "image.pullSecrets", [""]),
        ("lab", "image.digests.registry", "sha256:short"),
        ("lab", "image.digests.registry", "sha256:" + "a" * 65),
        ("lab", "image.digests.registry", "sha256:" + "A" * 64),
        ("lab", "image.digests.other", "sha256:" + "a" * 64),
        ("lab", "image.pullPolicy", "Sometimes"),
        ("lab", "profile", "staging"),
        ("lab", "profile", "production"),  # a lab's Kafka and calls are plain
        ("lab", "database.host", ""),
        ("lab", "database.port", 0),
        ("lab", "kafka.ca.secret", "kafka-ca"),  # which nothing is checked against
        ("lab", "tokens.bootstrapAdmin", "a b"),
        ("lab", "services.listings.settings.feed_mappings", "mappings"),  # feedMappingsConfigMap sets it
        ("lab", "services.listings.feedMappingsConfigMap", "Not A Name"),
        ("lab", "services.notify.feedMappingsConfigMap", "maps"),
        ("lab", "database.port", 65536),
        ("lab", "database.cidrs", []),  # nobody could reach it
        ("lab", "database.cidrs", ["10.99.0.1"]),
        ("lab", "database.cidrs", ["10.99.0.0/33"]),
        ("lab", "database.cidrs", ["10.99.0.0/08"]),
        ("lab", "database.cidrs", ["10.99.0.256/32"]),
        ("lab", "database.cidrs", ["999.0.0.1/32"]),
        ("lab", "database.cidrs", ["fd00::1/129"]),
        ("lab", "database.cidrs", ["1::2::3/64"]),
        ("lab", "database.cidrs", ["1:2:3:4:5:6:7::8/64"]),  # eight groups, and some left out
        ("lab", "database.cidrs", ["1:2:3:4:5:6:7:8:9/64"]),
        ("lab", "database.cidrs", [":1::/64"]),
        ("lab", "database.cidrs", ["12345::/64"]),
        ("lab", "kafka.cidrs", ["1:2:3/64"]),
        ("lab", "database.cidrs", ["0.0.0.0/0"]),  # where is it, then?
        ("lab", "database.cidrs", ["0.0.0.0/7"]),
        ("lab", "database.cidrs", ["fc00::/6"]),
        ("lab", "database.host", "db\nother"),
        ("lab", "database.host", "db:5432"),
        ("lab", "database.host", "owner@db"),
        ("lab", "kafka.bootstrap", ""),
        ("lab", "kafka.bootstrap", "kafka"),
        ("lab", "kafka.bootstrap", "kafka:9092,"),
        ("lab", "kafka.bootstrap", "kafka:9092\n"),
        ("lab", "kafka.bootstrap", "PLAINTEXT://kafka:9092"),
        ("lab", "kafka.cidrs", []),
        ("lab", "kafka.security", "SSL"),
        ("lab", "kafka.security", "SASL_PLAINTEXT"),  # topics are made as whom?
        ("lab", "kafka.security", "SASL_SSL"),
        ("lab", "kafka.topics.acls", True),  # for whom, without users?
        ("lab", "kafka.topics.adminSecret", "kafka-admin"),
        ("lab", "clusterDomain", ""),
        ("lab", "clusterDomain", "cluster..local"),
        ("lab", "smoke.tokenSecret", "a..b"),
        ("lab", "smoke.tokenSecret", "a-.b"),
        ("lab", "database.ca.key", "../ca.crt"),
        ("lab", "tokens.issuer", ""),
        ("lab", "tokens.jwksConfigMap", ""),  # no keys at all
        ("lab", "tokens.jwks", "{}"),  # keys twice
        ("lab", "autoscaling.source", "memory"),
        ("lab", "services.listings.replicas", 0),
        ("lab", "services.listings.replicas", 13),  # more than partitions
        ("lab", "services.listings.replicas", "2"),
        ("lab", "services.matching.replicas", 0),
        ("lab", "services.matching.replicas", 13),  # more than shares
        ("lab", "services.matching.index.size", "much"),
        ("lab", "services.matching.settings.index_folder", "/elsewhere"),  # the chart's own business
        ("lab", "services.matching.index.size", "1.5Gi"),  # what the pod may take is counted from it
        ("lab", "services.matching.index.size", "0Gi"),
        ("lab", "services.listings.index", {"size": "1Gi"}),
        ("lab", "services.matching.autoscaling", {"min": 1, "max": 2}),
        ("lab", "services.registry.settings", {"objects_url": None}),
        ("lab", "services.registry.settings.objects_url", ""),
        ("lab", "services.registry.settings.objects_url", "s3:documents"),
        ("lab", "services.registry.settings.objects_url", "s3://"),
        ("lab", "services.registry.settings.objects_url", "ftp://documents"),
        ("lab", "services.registry.settings.objects_url", "file://"),
        ("lab", "services.registry.settings.database_url", "postgresql://other"),  # the chart's own business
        ("lab", "services.registry.settings.smtp_host", "another service's"),
        ("lab", "services.notify.settings.smtp_password", "in values"),
        ("lab", "services.notify.settings.smtp_port", "25"),
        ("lab", "services.reporting.settings.report_due_days", 0),
        ("lab", "services.reporting.settings.report_due_days", 91),
        ("lab", "services.notify.secretEnvironment", [{"variable": "PATH", "secret": "a", "key": "b"}]),
        ("lab", "services.registry.secretEnvironment", [{"variable": "ALLIANCE_SMTP_PASSWORD", "secret": "a", "key": "b"}]),
        ("lab", "services.notify.egress", [{"cidrs": ["10.0.0.0/8"]}]),
        ("lab", "services.notify.egress", [{"cidrs": ["10.0.0.0/8"], "ports": []}]),  # of none, a policy takes all
        ("lab", "services.notify.egress", [{"cidrs": [], "ports": [443]}]),
        ("lab", "services.notify.egress", [{"cidrs": ["0.0.0.0/0"], "ports": [443]}]),  # private networks, too
        ("lab", "services.notify.egress", [{"cidrs": ["0.0.0.0/0"], "except": _PRIVATE[1:], "ports": [443]}]),
        ("lab", "services.notify.egress", [{"cidrs": ["10.0.0.0/8", "0.0.0.0/0"], "except": _PRIVATE[:-1], "ports": [443]}]),
        ("lab", "services.notify.egress", [{"cidrs": ["::/0"], "except": ["fc00::/7"], "ports": [443]}]),
        ("lab", "services.notify.egress", [{"cidrs": ["0.0.0.0/1", "128.0.0.0/1"], "ports": [443]}]),  # the world in two
        ("lab", "services.notify.egress", [{"cidrs": ["0.0.0.0/00"], "ports": [443]}]),
        ("lab", "services.notify.egress", [{"cidrs": ["8.0.0.0/0"], "ports": [443]}]),
        ("lab", "services.notify.egress", [{"cidrs": ["8.0.0.0/6"], "ports": [443]}]),
        ("lab", "services.notify.egress", [{"cidrs": ["8000::/1"], "ports": [443]}]),
        ("lab", "services.notify.egress", [{"cidrs": ["0::/0"], "except": ["fc00::/7", "fe80::/10"], "ports": [443]}]),
        ("lab", "kafka.ports", []),
        ("lab", "kafka.ports", [65536]),
        ("operators", "kafka.ports", []),
        ("operators", "networkPolicy.clients", []),  # nor the gateway
        ("operators", "database.cluster.egress", []),  # no instance could ask Kubernetes' API
        ("production", "database.cluster.egress", [{"cidrs": ["0.0.0.0/0"], "ports": [443]}]),  # private networks, too
        ("operators", "telemetry.otlpEndpoint", "http://collector.observability.svc"),  # which port is let through?
        ("operators", "telemetry.otlpEndpoint", "http://collector.observability.svc:4317/"),
        ("operators", "telemetry.otlpEndpoint", "collector.observability.svc:4317"),
        ("operators", "telemetry.collector", {"cidrs": ["0.0.0.0/0"]}),
        ("lab", "services.notify.resources.memory", "lots"),
        ("lab", "services.notify.resources.memory", "512"),  # bytes
        ("lab", "services.notify.resources.memory", "100m"),
        ("lab", "services.notify.resources.memory", "0Mi"),
        ("lab", "services.notify.resources.memoryLimit", "10Ti"),
        ("lab", "services.notify.resources.memoryLimit", "99999999999999999999Mi"),
        ("lab", "services.notify.resources.cpu", "1000"),
        ("lab", "services.matching.index.size", "1000Ti"),
        ("lab", "services.notify.resources.cpu", "4Gi"),
        ("lab", "services.notify.resources.cpu", "0"),
        ("lab", "services.notify.resources.cpu", "0.0"),
        ("lab", "services.notify.resources.cpu", "0.0001"),
        ("lab", "services.notify.settings.smtp_port", 0),
        ("lab", "services.notify.settings.smtp_port", 65536),
        ("lab", "services.notify.settings.smtp_host", "smtp:25"),
        ("lab", "services.notify.settings.mail_from", "nobody"),
        ("lab", "services.notify.settings.delivery_delays", [-1]),
        ("lab", "services.notify.settings.retry_delays", ["soon"]),
        ("lab", "services.notify.settings.private_networks", ["10.0.0.0/33"]),
        ("lab", "services.notify.settings.private_networks", ["0.0.0.0/0"]),
        ("lab", "scheduling.nodeSelector", {"disk": 1}),
        ("lab", "scheduling.nodeSelector", {"no label": "fast"}),
        ("lab", "scheduling.nodeSelector", {"disk": "a" * 64}),
        ("lab", "scheduling.nodeSelector", {"a..b/c": "fast"}),
        ("lab", "scheduling.nodeSelector", {"a-.b/c": "fast"}),
        ("lab", "scheduling.nodeSelector", {"a" * 254 + "/c": "fast"}),
        ("lab", "scheduling.tolerations", [{"key": "no key", "operator": "Exists"}]),
        ("lab", "scheduling.tolerations", [{"key": "a", "operator": "Equal", "value": "b c"}]),
        ("lab", "scheduling.tolerations", [{"key": "a"}]),
        ("lab", "scheduling.tolerations", [{"operator": "Equal", "value": "b"}]),  # any key, yet one value
        ("lab", "scheduling.tolerations", [{"key": "a", "operator": "Exists", "value": "b"}]),
        ("lab", "scheduling.tolerations", [{"key": "a", "operator": "Exists", "effect": "Never"}]),
        (
            "lab",
            "scheduling.tolerations",
            [{"key": "a", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 1}],
        ),
        ("lab", "services.notify.scheduling.priorityClassName", "Not A Name"),
        ("operators", "database.cluster.scheduling.nodeSelector", ["disk"]),
        ("lab", "networkPolicy.clients", [{"podLabels": {"a": "b"}}]),  # of any namespace
        ("lab", "networkPolicy.clients", [{"namespace": ""}]),
        ("lab", "networkPolicy.clients", [{"namespace": "a.b"}]),
        ("lab", "networkPolicy.clients", [{"namespace": "a" * 64}]),
        ("lab", "networkPolicy.clients", [{"namespace": "a", "podLabels": {"a": "b c"}}]),
        ("lab", "networkPolicy.clients", [{"namespace": "a", "podLabels": {"a": "b" * 64}}]),
        ("lab", "networkPolicy.clients", [{"namespace": "a", "podLabels": {"a" * 64: "b"}}]),
        ("lab", "networkPolicy.dns.namespace", ""),
        ("lab", "networkPolicy.metrics.namespace", ""),
        ("lab", "telemetry.collector.namespace", ""),
        ("operators", "kafka.cluster", ""),
        ("operators", "kafka.cluster", "a" * 48),  # and -kafka-bootstrap: too long for a Service
        ("operators", "gateway.hostnames", ["a..example"]),
        ("operators", "gateway.hostnames", ["10.0.0.1"]),
        ("operators", "gateway.parents", [{"name": ""}]),
        ("operators", "monitoring.interval", "0s"),
        ("operators", "monitoring.interval", "121s"),
        ("operators", "monitoring.interval", "3600s"),
        ("operators", "monitoring.labels", {"release": "a b"}),
        ("operators", "telemetry.otlpEndpoint", "http://collector.observability.svc:0"),
        ("operators", "mtls.enabled", False),
        ("operators", "networkPolicy.enabled", False),
        ("operators", "kafka.security", "SASL_PLAINTEXT"),
        ("operators", "kafka.topics.create", True),  # Strimzi does
        ("operators", "database", {"source": "existing", "host": "db", "cidrs": ["10.0.0.5/32"]}),  # plain
        ("operators", "gateway.hostnames", []),
        ("operators", "gateway.parents", []),
        ("operators", "gateway.caConfigMap", ""),
        ("production", "services.notify.settings.smtp_starttls", False),  # in the clear
        ("production", "services.notify.settings.allow_private_targets", True),
        ("production", "services.listings.settings.allow_private_targets", True),
        ("production", "services.registry.settings.objects_url", "file:///tmp/objects"),  # gone with the pod
        ("production", "database.cluster.storage.size", "200"),
        ("production", "database.cluster.recovery.targetTime", "yesterday"),
        ("production", "database.cluster.recovery.targetTime", "2026-11-28 17:00:00"),
        ("production", "database.cluster.recovery.targetTime", "2026-11-28T17:00:00+08:00"),  # out of which backup?
        ("production", "database.cluster.recovery.serverName", "alliance-database"),
        ("production", "database.cluster.backup.schedule", "@every "),
        ("production", "database.cluster.backup.schedule", "nightly"),
        ("production", "database.cluster.backup.schedule", "@sometimes"),
        ("production", "database.cluster.backup.schedule", "0 18 * * *"),  # five fields are Kubernetes' own
        ("production", "credentials.externalSecrets.storeName", ""),
        ("production", "credentials.externalSecrets.refreshInterval", "often"),
        ("production", "database.cluster.instances", 0),
        ("production", "database.cluster.image", "postgresql:18@sha256:" + "a" * 63),
        ("production", "database.cluster.image", "postgresql:18@md5:" + "a" * 64),
        ("production", "monitoring.dashboards.labels", {"grafana_dashboard": 1}),
        ("production", "monitoring.dashboards.folder", "Alliance"),
    ],
)
def test_what_is_not_possible_is_refused(profile: str, path: str, value: Any) -> None:
    _refused(profile, path, value)


@pytest.mark.parametrize(
    ("profile", "path", "value"),
    [
        ("lab", "services.listings.replicas", 1),
        ("lab", "services.listings.replicas", 12),
        ("lab", "services.matching.replicas", 1),
        ("lab", "services.matching.replicas", 12),
        ("lab", "services.reporting.settings.report_due_days", 1),
        ("lab", "services.reporting.settings.report_due_days", 90),
        ("lab", "services.registry.settings.policy_limits", {"secretariat_staff": 2}),
        ("lab", "services.notify.settings.delivery_delays", [1, 2.5]),
        ("lab", "services.notify.settings.delivery_delays", [0]),
        ("lab", "services.notify.settings.smtp_starttls", False),
        ("lab", "services.notify.settings.allow_private_targets", True),
        ("lab", "services.notify.settings.smtp_port", 65535),
        ("lab", "services.notify.resources.cpu", "0.001"),
        ("lab", "services.notify.resources.cpu", "1.5"),
        ("lab", "services.notify.resources.cpu", "1m"),
        ("lab", "services.notify.resources.memoryLimit", "1Gi"),
        ("production", "services.notify.settings.private_networks", ["10.20.0.0/16", "fd00::/8"]),
        ("production", "database.cluster.backup.schedule", "0 30 18 * * 1-5"),
        ("production", "database.cluster.backup.schedule", "@daily"),
        ("production", "database.cluster.backup.schedule", "@every 6h"),
        ("production", "database.cluster.backup.schedule", "@every 1h30m"),
        ("production", "database.cluster.backup.schedule", "@midnight"),
        ("production", "database.cluster.backup.schedule", "0 0 18 29 2 *"),
        ("production", "database.cluster.backup.schedule", "0 0 18 31 12 *"),
        ("production", "database.cluster.backup.schedule", "0 0 18 29-31 2 *"),
        ("production", "database.cluster.backup.schedule", "0 0 18 31 4-7/3 *"),
        ("production", "database.cluster.backup.schedule", "0 0 18 31 4/2 *"),
        ("production", "database.cluster.backup.schedule", "0 0 18 30,31 2 */2"),
        ("production", "database.cluster.backup.schedule", "0 0 18 31 6 MON"),  # or on Mondays
        ("production", "database.cluster.backup.schedule", "0 08,59 0-23/2 1,31 jan-DEC SUN-6"),
        ("production", "database.cluster.backup.schedule", "*/15 * ? 1-31 12 mon"),
        (
            "lab",
            "kafka.cidrs",
            ["1:2:3:4:5:6:7:8/128", "1:2:3:4::/64", "::1/128", "1::/16", "1:2:3::4:5:6:7/128", "::2:3:4:5:6:7:8/128"],
        ),
        ("lab", "clusterDomain", "k8s.example"),
        ("lab", "smoke.tokenSecret", ""),
        ("lab", "database.ca", {"secret": "db-ca", "key": ".tls-ca_1.crt"}),
        ("lab", "services.registry.settings.objects_url", "s3://documents"),
        ("lab", "services.registry.settings.objects_url", "file:///var/objects"),
        ("lab", "services.notify.resources.memoryLimit", "9.9Ti"),
        ("operators", "gateway.hostnames", ["*.alliance.example"]),
        ("operators", "gateway.parents", [{"name": "public"}]),
        ("operators", "monitoring.interval", "1s"),
        ("operators", "monitoring.interval", "120s"),
        ("operators", "monitoring.interval", "1m"),
        ("operators", "monitoring.dashboards.annotations", {"grafana_folder": "产教联盟 Alliance"}),
        ("lab", "networkPolicy.clients", [{"namespace": "a" * 63, "podLabels": {"example.com/a": "B_c.d", "e": ""}}]),
        ("lab", "services.notify.resources.cpu", "0.50"),
        ("lab", "services.notify.resources.memoryLimit", "1.5Gi"),
        ("lab", "services.notify.settings.mail_from", "产教联盟 <no-reply@alliance.example>"),
        ("production", "database.cluster.backup.schedule", "0 0 0 1 JAN,JUL ?"),
        ("lab", "database.cidrs", ["10.0.0.0/8", "255.255.255.255/32", "fc00::/7", "fd00::1/128"]),
        ("lab", "database.host", "2001-db.example"),
        ("lab", "kafka.bootstrap", "kafka-0.kafka:9092,10.99.0.1:9092"),
        ("operators", "telemetry.collector", {"cidrs": ["10.40.0.50/32"]}),
        ("lab", "database.port", 65535),
        ("lab", "image.pullSecrets", ["registry-login"]),
        ("lab", "image.repository", "localhost:5000/alliance"),
        ("lab", "image.tag", "0.1.0-next_1"),
        ("lab", "image.digests.registry", "sha256:" + "a" * 64),
        ("operators", "database.cluster.image", "ghcr.io/cloudnative-pg/postgresql:18.1"),
        ("operators", "database.cluster.image", "ghcr.io/cloudnative-pg/postgresql:18.1@sha256:" + "0" * 64),
        ("lab", "scheduling.nodeSelector", {"topology.kubernetes.io/zone": "a" * 63}),
        ("lab", "scheduling.tolerations", [{"operator": "Exists"}, {"key": "a", "operator": "Equal", "effect": "NoExecute"}]),
        ("lab", "services.notify.scheduling.priorityClassName", "ordinary"),
        ("operators", "mtls.issuer", {"kind": "ClusterIssuer", "name": "internal"}),
        ("operators", "kafka.ports", [9093, 9094]),
        ("operators", "telemetry.otlpEndpoint", ""),
        ("lab", "networkPolicy.clients", []),  # there is no gateway
        ("lab", "services.notify.egress", []),
        ("lab", "services.notify.egress", [{"cidrs": ["0.0.0.0/0"], "except": _PRIVATE, "ports": [443]}]),
        ("lab", "services.notify.egress", [{"cidrs": ["::/0"], "except": ["fc00::/7", "fe80::/10"], "ports": [443]}]),
        ("lab", "services.notify.egress", [{"cidrs": ["10.40.0.0/16"], "ports": [25]}]),
        ("lab", "services.notify.egress", [{"cidrs": ["8.0.0.0/8", "2000::/3", "fc00::/7"], "ports": [443]}]),
        ("operators", "database", {"source": "existing", "host": "db", "cidrs": ["10.0.0.5/32"], "ca": {"secret": "db-ca"}}),
    ],
)
def test_what_is_possible_is_taken(profile: str, path: str, value: Any) -> None:
    done = template(profile, "--set-json", f"{path}={json.dumps(value)}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("database.cidrs", ["10.99.0.1/32", "10.0.0.5/8"], "10.0.0.5/8"),
        ("kafka.cidrs", ["10.99.0.129/24"], "10.99.0.129/24"),
        ("networkPolicy.dnsCidrs", ["169.254.20.10/31", "169.254.20.11/31"], "169.254.20.11/31"),
        ("telemetry.collector.cidrs", ["fd00::1/64"], "fd00::1/64"),
        ("services.notify.egress", [{"cidrs": ["10.20.5.0/16"], "ports": [443]}], "10.20.5.0/16"),
        ("services.notify.egress", [{"cidrs": ["10.0.0.0/8"], "except": ["10.1.1.1/16"], "ports": [443]}], "10.1.1.1/16"),
    ],
)
def test_a_network_with_bits_behind_its_length_is_refused(path: str, value: Any, named: str) -> None:
    done = template("lab", "--set-json", f"{path}={json.dumps(value)}")
    assert done.returncode != 0
    assert f"{path}: {named} 在前缀之后还有位" in done.stderr


def test_a_label_that_can_not_be_is_refused_by_its_path() -> None:
    """Of names of properties alone, Helm would say none."""
    assert "at '/scheduling/nodeSelector': additional properties 'a..b/c'" in _refused(
        "lab", "scheduling.nodeSelector", {"a..b/c": "fast"}
    )


_KEYS = '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "YQ"}]}'
_SECRET = {"variable": "AWS_REGION", "secret": "a", "key": "b"}
_NO_HOSTS = ["a..b", "a-.b", "999.999.999.999", "10.0.0", "a.256", "a" * 64 + ".b"]
_NOT_WITHIN = [  # an exception that is no part of its network, or all of it
    {"cidrs": ["10.40.0.0/16"], "except": ["10.41.0.0/24"], "ports": [443]},
    {"cidrs": ["10.40.0.0/16"], "except": ["10.40.0.0/16"], "ports": [443]},
    {"cidrs": ["10.40.0.0/16"], "except": ["10.0.0.0/8"], "ports": [443]},
    {"cidrs": ["10.40.0.0/16", "10.41.0.0/16"], "except": ["10.40.0.0/24"], "ports": [443]},  # Kubernetes asks it of each
    {"cidrs": ["10.40.128.0/17"], "except": ["10.40.127.0/24"], "ports": [443]},
    {"cidrs": ["2001:db8::/32"], "except": ["2001:db9::/48"], "ports": [443]},
    {"cidrs": ["2001:db8::/32"], "except": ["10.0.0.0/8"], "ports": [443]},
]
_WITHIN = [
    {"cidrs": ["10.40.0.0/16"], "except": ["10.40.255.0/24", "10.40.1.5/32"], "ports": [443]},
    {"cidrs": ["10.40.128.0/17"], "except": ["10.40.128.0/18"], "ports": [443]},
    {"cidrs": ["2001:db8::/32"], "except": ["2001:DB8:0:1::/64", "2001:db8:ffff:0:0:0:0:1/128"], "ports": [443]},
    {"cidrs": ["::/0"], "except": ["fc00::/7", "fe80::/10", "::ffff/128"], "ports": [443]},
]
_SCHEDULE = "database.cluster.backup.schedule"
_NEVER = ["60 0 18 * * *", "0 60 18 * * *", "0 0 24 * * *", "0 0 18 0 * *", "0 0 18 32 * *", "0 0 18 * 13 *", "0 0 18 * * 7"]
_NEVER += [
    "0 0 18 * FOO *",
    "0 0 18 * * FRI-MON",
    "0 0 */0 * * *",
    "0 0 18,,19 * * *",
    "0 0 20-8 * * *",
    "0 0 18 30 2 *",
    "0 0 18 31 jun ?",
    "0 0 3 30,31 2 *",
    "0 0 3 31 4,6 *",
    "0 0 3 30-31 2 *",
    "0 0 3 31 4-6/2,sep *",
]
_NO_INSTANTS = [
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-10T00:00:00Z",
    "2026-11-31T00:00:00Z",
    "2026-11-28T24:00:00Z",
]


def _recovery(instant: str) -> dict[str, Any]:
    return {"database.cluster.recovery": {"objectStore": "backups", "serverName": "", "targetTime": instant}}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"kafka.bootstrap": "10.99.0.1:9094"}, "kafka.ports"),
        ({"kafka.bootstrap": "10.99.0.1:9092,10.99.0.1:9094"}, "10.99.0.1:9094"),
        ({"kafka.bootstrap": "10.99.0.1:9092,10.99.0.1:9094", "kafka.ports": [9092, 9094]}, ""),
        ({"kafka.bootstrap": "10.99.0.1:9094", "networkPolicy.enabled": False}, ""),
        ({"services.notify.resources.memory": "513Mi"}, "services.notify.resources"),
        ({"services.notify.resources.memory": "512Mi"}, ""),
        ({"services.notify.resources.memory": "1Gi"}, "services.notify.resources"),
        ({"services.notify.resources.memory": "1.5Gi", "services.notify.resources.memoryLimit": "1535Mi"}, "services.notify"),
        ({"services.notify.resources.memory": "1.5Gi", "services.notify.resources.memoryLimit": "1536Mi"}, ""),
        ({"tokens.jwksConfigMap": "", "tokens.jwks": '{"keys": ["a"]}'}, "tokens.jwks"),
        ({"services.notify.resources.memory": "1Gi", "services.notify.resources.memoryLimit": "1024Mi"}, ""),
        ({"database.cluster.resources.memory": "3Gi"}, "database.cluster.resources"),
        ({"services.listings.secretEnvironment": [_SECRET, _SECRET | {"secret": "c"}]}, "AWS_REGION"),
        ({"services.listings.secretEnvironment": [_SECRET, _SECRET | {"variable": "AWS_PROFILE"}]}, ""),
        ({"tokens.jwksConfigMap": "", "tokens.jwks": "no JSON"}, "tokens.jwks"),
        ({"tokens.jwksConfigMap": "", "tokens.jwks": '{"keys": []}'}, "tokens.jwks"),
        ({"tokens.jwksConfigMap": "", "tokens.jwks": '{"keys": "many"}'}, "tokens.jwks"),
        ({"tokens.jwksConfigMap": "", "tokens.jwks": _KEYS.replace('"x"', '"d": "YQ", "x"')}, "private key"),
        ({"tokens.jwksConfigMap": "", "tokens.jwks": '{"keys": [{"kty": "oct", "k": "YQ"}]}'}, "private key"),
        ({"tokens.jwksConfigMap": "", "tokens.jwks": _KEYS}, ""),
        *(({"database.host": one}, "database.host") for one in _NO_HOSTS),
        *(({"database.host": one}, "") for one in ("a" * 63 + ".b-1", "10.0.0.255", "db1.2b")),
        *(({"services.notify.settings.smtp_host": one}, "services.notify.settings.smtp_host") for one in _NO_HOSTS),
        ({"services.notify.settings.smtp_host": "smtp_1.example."}, ""),
        *(({"kafka.bootstrap": f"kafka:9092,{one}:9092"}, "kafka.bootstrap") for one in _NO_HOSTS),
        ({"kafka.bootstrap": "kafka:65536", "networkPolicy.enabled": False}, "kafka.bootstrap"),
        ({"kafka.bootstrap": "kafka:65535", "networkPolicy.enabled": False}, ""),
        ({"services.registry.settings.clamd": "clamd:99999"}, "services.registry.settings.clamd"),
        ({"services.registry.settings.clamd": "clamd:3310"}, ""),
        ({"image.repository": "registry.example:99999/alliance"}, "image.repository"),
        ({"image.repository": "registry..example/alliance"}, "image.repository"),
        ({"image.repository": "10.0.0.1:5000/alliance/a_b"}, ""),
        *(({"telemetry.otlpEndpoint": f"http://{one}:4317"}, "telemetry.otlpEndpoint") for one in _NO_HOSTS),
        ({"telemetry.otlpEndpoint": "https://collector:65536"}, "telemetry.otlpEndpoint"),
        ({"telemetry.otlpEndpoint": "https://collector:65535"}, ""),
        ({"services.notify.resources": {"memory": "64Mi", "memoryLimit": "95Mi"}}, "services.notify.resources.memoryLimit"),
        ({"services.notify.resources": {"memory": "1Mi", "memoryLimit": "96Mi"}}, ""),
        (
            {"services.matching.resources": {"memory": "64Mi", "memoryLimit": "319Mi"}},
            "services.matching.resources.memoryLimit",
        ),
        ({"database.cluster.resources": {"memory": "64Mi", "memoryLimit": "255Mi"}}, "database.cluster.resources.memoryLimit"),
        *(({"services.notify.egress": [one]}, "services.notify.egress") for one in _NOT_WITHIN),
        *(({"services.notify.egress": [one]}, "") for one in _WITHIN),
        ({"database.cluster.egress": [_NOT_WITHIN[0]]}, "database.cluster.egress"),
        *(({_SCHEDULE: one}, _SCHEDULE) for one in _NEVER),
        *((_recovery(one), "database.cluster.recovery.targetTime") for one in _NO_INSTANTS),
        *((_recovery(one), "") for one in ("2026-11-28T17:00:00+08:00", "2026-11-28T09:00:00.5Z", "2028-02-29T23:59:59Z")),
        ({"kafka.security": "SASL_SSL", "kafka.topics.adminSecret": "kafka-admin", "kafka.topics.acls": True}, ""),
        ({"kafka.security": "SASL_SSL", "kafka.topics.create": False}, ""),
    ],
)
def test_what_does_not_go_together_is_refused_by_its_path(given: dict[str, Any], named: str) -> None:
    done = template("lab", *(word for path, one in given.items() for word in ("--set-json", f"{path}={json.dumps(one)}")))
    assert (done.returncode == 0) == (not named), done.stderr
    assert named in done.stderr


@pytest.mark.parametrize(
    ("given", "path", "taken"),
    [
        ("database.cluster.instances=1", "database.cluster.synchronous", False),
        ("database.cluster.instances=2", "database.cluster.synchronous", True),
        ("database.cluster.instances=1,database.cluster.synchronous=0", "", True),
        ("services.notify.autoscaling.min=7", "services.notify.autoscaling", False),
        ("services.notify.autoscaling.min=6", "services.notify.autoscaling", True),
    ],
)
def test_values_that_do_not_go_together_are_named(given: str, path: str, taken: bool) -> None:
    done = template("operators", "--set", given)
    assert (done.returncode == 0) == taken, done.stderr
    assert taken or path in done.stderr


def test_without_a_profile_it_says_what_is_missing() -> None:
    done = helm.run("template", "alliance", str(CHART), "--kube-version", "1.34.0")
    assert done.returncode != 0
    for path in ("/tokens/issuer", "/database/host", "/kafka/bootstrap", "/services/registry/settings"):
        assert path in done.stderr
