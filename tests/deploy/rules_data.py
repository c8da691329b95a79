"""Rules of topics, databases, secrets and metrics."""

import json
import re

from alliance_local.state import SERVICES
from chassis import provision, topics
from observe import dashboards as boards
from observe import exported, rules
from tests.deploy.helm import NAMESPACE, ROOT, name_of
from tests.deploy.rendered import (
    FULL,
    ZONE,
    Faults,
    Rendered,
    containers,
    rule,
    secrets_of,
)

DATA = {"KafkaTopic", "KafkaUser", "Cluster", "Database", "ScheduledBackup", "Secret", "ExternalSecret"}


@rule
def nothing_secret_in_settings(r: Rendered) -> Faults:
    """Passwords, tokens and keys are in Secrets alone; values have none."""
    for one in r.of("ConfigMap"):
        for key, value in one.get("data", {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN$", key) or re.search(r"://[^/@:]+:[^/@]+@|PRIVATE KEY", value):
                yield f"{name_of(one)}: {key}"
    for name, pod in r.pods():
        for container in containers(pod):
            for variable in container.get("env", []):
                if re.search(r"PASSWORD|SECRET|KEY", variable["name"]) and "value" in variable:
                    yield f"{name}: {variable['name']}"
    if r.profile == "production":
        yield from (name_of(one) for one in r.of("Secret"))


@rule
def secrets_are_there(r: Rendered) -> Faults:
    """Each Secret that a pod names is one that the chart or an operator makes, or that values name."""
    made = {one["metadata"]["name"] for one in r.manifests if one["kind"] in ("Secret", "ExternalSecret", "KafkaUser")}
    made |= {one["spec"]["secretName"] for one in r.of("Certificate")}
    made |= {f"{one['metadata']['name']}-ca" for one in r.of("Cluster")}
    if r.values["kafka"]["source"] == "strimzi":
        made.add(f"{r.values['kafka']['cluster']}-cluster-ca-cert")
    made |= {one["secret"] for service in r.values["services"].values() for one in service["secretEnvironment"]}
    made.add(r.values["smoke"]["tokenSecret"])
    source = r.values["credentials"]["source"]
    if source != "external":
        made |= {f"{FULL}-{service}-token" for service in SERVICES}
    if source == "existing":
        made |= {f"{FULL}-{service}-{kind}" for service in SERVICES for kind in ("database", "database-owner")}
    for name, pod in r.pods():
        yield from (f"{name}: {one}" for one in secrets_of(pod) - made)


@rule
def outside_secrets(r: Rendered) -> Faults:
    """In production every password and token comes from outside, by External Secrets, and stays when that is away."""
    if r.profile != "production":
        return
    for service in SERVICES:
        for kind, key in (("database", "password"), ("database-owner", "password"), ("token", "token")):
            spec = r.named("ExternalSecret", f"{FULL}-{service}-{kind}")["spec"]
            path = r.values["credentials"]["externalSecrets"]["path"]
            if spec.get("data") != [{"secretKey": key, "remoteRef": {"key": f"{path}/{service}/{kind}"}}]:
                yield f"{service}: {kind}"
            elif spec["target"].get("deletionPolicy") != "Retain" or spec["secretStoreRef"]["name"] != "vault":
                yield f"{service}: {kind} is not kept, or of another store"


@rule
def data_are_kept(r: Rendered) -> Faults:
    """An uninstallation leaves data and what is needed to read them, and nothing else."""
    for one in r.manifests:
        kept = one["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == "keep"
        marked = one["metadata"].get("labels", {}).get("alliance/data") == "true"
        if kept != (one["kind"] in DATA) or marked != kept:
            yield name_of(one)


@rule
def topics_as_declared(r: Rendered) -> Faults:
    """Every topic of topics.yaml, with its partitions and production's configuration; two of three replicas count."""
    if not r.has_operators:
        return
    found = {one["metadata"]["name"]: one for one in r.of("KafkaTopic")}
    config = topics.load().config("production") | {"min.insync.replicas": "2"}
    if set(found) != {one.name for one in topics.load().all}:
        yield f"{set(found) ^ {one.name for one in topics.load().all}}"
    for topic in topics.load().all:
        if topic.name in found and found[topic.name]["spec"] != {
            "partitions": topic.partitions,
            "replicas": 3,
            "config": config,
        }:
            yield topic.name
    for one in (*r.of("KafkaTopic"), *r.of("KafkaUser")):
        if one["metadata"]["labels"].get("strimzi.io/cluster") != r.values["kafka"]["cluster"]:
            yield f"{name_of(one)}: of no cluster"


@rule
def rights_as_declared(r: Rendered) -> Faults:
    """Each service's Kafka user may do what topics.yaml says, and no more."""
    for service in SERVICES if r.has_operators else ():
        spec = r.named("KafkaUser", f"{FULL}-{service}")["spec"]
        if spec.get("authentication") != {"type": "scram-sha-512"} or spec.get("authorization", {}).get("type") != "simple":
            yield f"{service}: {spec}"
            continue
        acls = spec["authorization"]["acls"]
        found = {(one["resource"]["type"], one["resource"].get("name"), what) for one in acls for what in one["operations"]}
        wanted = {_acl(right) for right in provision.rights() if right.user == service}
        if found != wanted or any(one.get("type", "allow") != "allow" for one in acls):
            yield f"{service}: {found ^ wanted}"
        prefixes = {one["resource"]["name"] for one in acls if one["resource"].get("patternType") == "prefix"}
        if prefixes != {f"{service}."}:
            yield f"{service}: everything that begins with {prefixes}"


def _acl(right: provision.Right) -> tuple[str, str | None, str]:
    kind = {"TOPIC": "topic", "GROUP": "group", "CLUSTER": "cluster", "TRANSACTIONAL_ID": "transactionalId"}[right.kind.name]
    what = {"READ": "Read", "WRITE": "Write", "IDEMPOTENT_WRITE": "IdempotentWrite"}[right.operation.name]
    return kind, None if kind == "cluster" else right.name, what


@rule
def databases(r: Rendered) -> Faults:
    """A database and two roles for each service, in a cluster with standbys, none of them lost with its resource."""
    if not r.has_operators:
        return
    (cluster,) = r.of("Cluster") or [{"spec": {"instances": 0}}]
    spec = cluster["spec"]
    if (
        spec["instances"] < 3
        or spec.get("postgresql", {}).get("synchronous", {}).get("number", 0) < 1
        or spec.get("enableSuperuserAccess") is not False
    ):
        yield "one that is lost takes commits with it, or a superuser has a password"
    most = sum(
        (one.get("autoscaling", {"max": one["replicas"]})["max"] + 1) * (one["settings"].get("database_pool", 10) + 4)
        for one in r.values["services"].values()
    )  # with one that is rolled out, the plumbing's three and a migration's
    if int(spec.get("postgresql", {}).get("parameters", {}).get("max_connections", 100)) < most + 20:
        yield f"fewer connections than {most} and a few"
    roles = {(one["name"], one["passwordSecret"]["name"]) for one in spec.get("managed", {}).get("roles", [])}
    wanted = {(one, f"{FULL}-{one}-database") for one in SERVICES}
    if roles != wanted | {(f"{one}_owner", f"{FULL}-{one}-database-owner") for one in SERVICES}:
        yield f"roles {sorted(roles)}"
    if any(one.get("superuser") or one.get("createdb") for one in spec.get("managed", {}).get("roles", [])):
        yield "a role may too much"
    for service in SERVICES:
        found = r.named("Database", f"{FULL}-database-{service}")["spec"]
        if (found.get("name"), found.get("owner"), found.get("databaseReclaimPolicy")) != (
            service,
            f"{service}_owner",
            "retain",
        ):
            yield f"{service}: {found}"
    if r.profile == "production":
        if not any(one.get("isWALArchiver") for one in spec.get("plugins", [])) or not r.of("ScheduledBackup"):
            yield "no backups"
        affinity = spec.get("affinity", {})
        if (affinity.get("topologyKey"), affinity.get("podAntiAffinityType")) != (ZONE, "required"):
            yield "standbys in one zone"


@rule
def watched(r: Rendered) -> Faults:
    """Prometheus finds every pod; each alert is on metrics that there are, and has a runbook that there is."""
    if not r.has_operators:
        return
    monitor = r.named("ServiceMonitor", FULL)["spec"]
    for service in SERVICES:
        labels = r.named("Service", f"{FULL}-{service}-pods")["metadata"].get("labels", {})
        if not monitor.get("selector", {"matchLabels": {"not": 1}})["matchLabels"].items() <= labels.items():
            yield f"{service}: not watched"
        if "alliance/pods" in r.named("Service", f"{FULL}-{service}")["metadata"].get("labels", {}):
            yield f"{service}: watched twice"
    if [one["port"] for one in monitor.get("endpoints", [])] != ["metrics"]:
        yield "not on the metrics' port"
    groups = r.named("PrometheusRule", FULL)["spec"].get("groups", [])
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    if not alerts:
        yield "no alerts"
    known = exported.samples() | rules.recorded({"groups": groups})
    for alert in alerts:
        for name, selector in exported.asked(alert["expr"]) or [("nothing", "")]:
            if name not in known:
                yield f"{alert['alert']}: {name}"
            if f'namespace="{NAMESPACE}"' not in selector:
                yield f"{alert['alert']}: of every platform"
        address = alert["annotations"].get("runbook_url", "")
        page = address.removeprefix(r.values["monitoring"]["runbooks"] + "/")
        if page == address or not (ROOT / "docs/runbooks" / page).exists():
            yield f"{alert['alert']}: runbook {address}"


@rule
def dashboards(r: Rendered) -> Faults:
    """Every dashboard in a ConfigMap that Grafana's sidecar finds."""
    if not r.has_operators:
        return
    for name, board in boards.dashboards().items():
        found = r.named("ConfigMap", f"{FULL}-dashboard-{name}")
        if json.loads(found["data"].get(f"{name}.json", "{}")) != board:
            yield f"{name}: not there, or another"
        if not r.values["monitoring"]["dashboards"]["labels"].items() <= found["metadata"].get("labels", {}).items():
            yield f"{name}: no sidecar finds it"
