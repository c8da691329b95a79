"""Rules of what reaches whom, and by what."""

import json
from ipaddress import ip_network
from typing import Any

from alliance_local.state import SERVICES
from tests.deploy.helm import NAMESPACE, name_of
from tests.deploy.rendered import FULL, PLATFORM, Faults, Rendered, elsewhere, mounted, peer_of, rule, secret_of, selects

_PRIVATE = (  # what the services take for no public address either (`chassis/targets.py`)
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"),
)


@rule
def default_deny(r: Rendered) -> Faults:
    """One policy for all pods of the release: nothing in, nothing out but questions of names."""
    spec = r.named("NetworkPolicy", FULL)["spec"]
    dns = r.values["networkPolicy"]["dns"]
    if spec.get("ingress") != [] or sorted(spec.get("policyTypes", [])) != ["Egress", "Ingress"]:
        yield "open"
    peers = [peer for rule in spec.get("egress", [{}]) for peer in rule.get("to", [{}])]
    if [peer_of(one) for one in peers] != [elsewhere(dns), *(f"cidr {one}" for one in r.values["networkPolicy"]["dnsCidrs"])]:
        yield f"out to {peers}"
    if any(port["port"] != 53 for rule in spec.get("egress", []) for port in rule.get("ports", [{"port": 0}])):
        yield "to other ports than those of names"
    for service in SERVICES:
        if not selects(spec.get("podSelector", {"matchLabels": {"not": "there"}}), r.deployment(service)):
            yield f"{service}: not covered"


@rule
def closed_in(r: Rendered) -> Faults:
    """Calls come from services that ask this one, from named clients and the test; metrics are read by Prometheus alone."""
    asked_by = {
        service: {f"component {one}" for one, facts in PLATFORM["services"].items() if service in facts["peers"]}
        for service in SERVICES
    }
    tested = set(SERVICES) if r.values["smoke"]["tokenSecret"] else set()
    clients = {elsewhere(one) for one in r.values["networkPolicy"]["clients"]}
    for service in SERVICES:
        callers = asked_by[service] | clients | ({"component smoke"} if service in tested else set())
        wanted = {50051: callers, 9090: {elsewhere(r.values["networkPolicy"]["metrics"])}}
        found: dict[int, set[str]] = {50051: set(), 9090: set()}
        for opened in r.policy(service).get("ingress", [{}]):
            for port in opened.get("ports", [{"port": 0}]):
                found.setdefault(port["port"], set()).update(peer_of(one) for one in opened.get("from", [{}]))
        if found != wanted:
            yield f"{service}: {found}, not {wanted}"


@rule
def closed_out(r: Rendered) -> Faults:
    """A service reaches its database, Kafka, the services that it asks, the collector, and what values name; no more."""
    database = (
        {f"pods cnpg.io/cluster={FULL}-database"}
        if r.has_operators
        else {f"cidr {one}" for one in r.values["database"]["cidrs"]}
    )
    kafka = (
        {"pods strimzi.io/cluster=kafka,strimzi.io/kind=Kafka"}
        if r.has_operators
        else {f"cidr {one}" for one in r.values["kafka"]["cidrs"]}
    )
    for service in SERVICES:
        wanted = {(r.values["database"]["port"], one) for one in database}
        wanted |= {(port, one) for port in r.values["kafka"]["ports"] for one in kafka}
        wanted |= {(50051, f"component {one}") for one in PLATFORM["services"][service]["peers"]}
        if collector := r.values["telemetry"]["otlpEndpoint"]:
            wanted.add((int(collector.rpartition(":")[2]), elsewhere(r.values["telemetry"]["collector"])))
        for own in r.values["services"][service]["egress"]:
            wanted |= {(port, f"cidr {cidr}") for port in own["ports"] for cidr in own["cidrs"]}
        found = _reached(r.policy(service))
        if found != wanted or sorted(r.policy(service).get("policyTypes", [])) != ["Egress", "Ingress"]:
            yield f"{service}: {sorted(found ^ wanted)}"
        for opened in r.policy(service).get("egress", []):
            for peer in opened.get("to", []):
                yield from (f"{service}: {one}" for one in _inside(peer.get("ipBlock", {})))


def _reached(policy: dict[str, Any]) -> set[tuple[int, str]]:
    """Ports and peers that a policy lets out to; port 0 where it names none."""
    return {
        (port["port"], peer_of(peer))
        for opened in policy.get("egress", [{}])
        for port in opened.get("ports", [{"port": 0}])
        for peer in opened.get("to", [{}])
    }


def _inside(block: dict[str, Any]) -> Faults:
    """Private networks within what is open to the world."""
    if block and ip_network(block["cidr"]).prefixlen < 8:
        kept = [ip_network(one) for one in block.get("except", [])]
        for private in map(ip_network, _PRIVATE):
            if not any(private.subnet_of(one) for one in kept):  # type: ignore[arg-type]  # all are of one version
                yield f"{private} is open"


@rule
def mutual_tls(r: Rendered) -> Faults:
    """Services show each other certificates: for the names by which they are called, renewed in time, by cert-manager."""
    if r.values["mtls"]["enabled"] and not r.named("Certificate", f"{FULL}-operator")["spec"]:
        yield "operators can't get in"
    for service in SERVICES:
        settings, name = r.settings(service), f"{FULL}-{service}"
        files = {f"ALLIANCE_GRPC_{one}_FILE": f"/etc/alliance/tls/{file}" for one, file in _TLS_FILES.items()}
        if not r.values["mtls"]["enabled"]:
            if r.values["profile"] == "production" or files.keys() & settings.keys():
                yield f"{service}: plain"
            continue
        if not files.items() <= settings.items():
            yield f"{service}: {files.items() - settings.items()}"
        if mounted(r, service, "/etc/alliance/tls") != {"secretName": f"{name}-tls", "defaultMode": 0o440}:
            yield f"{service}: has no certificate"
        certificate = r.named("Certificate", name)["spec"]
        names = set(certificate.get("dnsNames", []))
        called = {f"{name}-pods.{NAMESPACE}.svc.cluster.local", name}
        if r.values["gateway"]["enabled"]:
            called.add(f"{name}.{NAMESPACE}.svc")
        if not called <= names:
            yield f"{service}: certificate for {sorted(names)}"
        if set(json.loads(settings.get("ALLIANCE_GRPC_NAMES", "[]"))) != called:
            yield f"{service}: would take a certificate for other names"
        if not certificate:
            continue
        if certificate.get("secretName") != f"{name}-tls" or not {"server auth", "client auth"} <= set(certificate["usages"]):
            yield f"{service}: certificate for another use"
        if _hours(certificate["renewBefore"]) * 4 < _hours(certificate["duration"]):
            yield f"{service}: renewed late"
        if certificate["issuerRef"]["name"] != f"{FULL}-ca" or not r.named("Issuer", f"{FULL}-ca")["spec"]:
            yield f"{service}: issued by somebody else"


_TLS_FILES = {"CERT": "tls.crt", "KEY": "tls.key", "CA": "ca.crt"}


@rule
def calls_by_name(r: Rendered) -> Faults:
    """A service calls others by a headless Service, so that calls spread over all their pods."""
    for service in SERVICES:
        told = {
            key.removeprefix("ALLIANCE_").removesuffix("_TARGET").lower(): value
            for key, value in r.settings(service).items()
            if key.endswith("_TARGET")
        }
        peers = PLATFORM["services"][service]["peers"]
        if told != {one: f"dns:///{FULL}-{one}-pods.{NAMESPACE}.svc.cluster.local:50051" for one in peers}:
            yield f"{service}: {told}"
        headless = r.named("Service", f"{FULL}-{service}-pods")["spec"]
        if headless.get("clusterIP") != "None":
            yield f"{service}: one address for all its pods"
        for spec in (headless, r.named("Service", f"{FULL}-{service}")["spec"]):
            if not selects({"matchLabels": spec.get("selector", {"not": "there"})}, r.deployment(service)):
                yield f"{service}: an address of other pods"
            if {one["port"] for one in spec.get("ports", [])} - {50051, 9090} or not spec.get("ports"):
                yield f"{service}: other ports"


@rule
def sealed_from_kafka_and_postgres(r: Rendered) -> Faults:
    """With operators: SASL and TLS to Kafka, TLS to PostgreSQL, each other end's certificate checked."""
    for service in SERVICES if r.has_operators else ():
        settings, name = r.settings(service), f"{FULL}-{service}"
        wanted = {
            "ALLIANCE_KAFKA_SECURITY": "SASL_SSL",
            "ALLIANCE_KAFKA_USERNAME": name,
            "ALLIANCE_KAFKA_CA_FILE": "/etc/alliance/kafka-ca/ca.crt",
            "ALLIANCE_DATABASE_CA_FILE": "/etc/alliance/database-ca/ca.crt",
        }
        yield from (f"{service}: {one}" for one in wanted.items() - settings.items())
        if secret_of(r.container(service), "ALLIANCE_KAFKA_PASSWORD") != name:
            yield f"{service}: another's password"
        for folder, secret in (("kafka-ca", "kafka-cluster-ca-cert"), ("database-ca", f"{FULL}-database-ca")):
            if (mounted(r, service, f"/etc/alliance/{folder}") or {}).get("secretName") != secret:
                yield f"{service}: {folder}"
    for cluster in r.of("Cluster"):
        if "hostnossl all all all reject" not in cluster["spec"].get("postgresql", {}).get("pg_hba", []):
            yield "PostgreSQL takes plain connections"


@rule
def database_closed(r: Rendered) -> Faults:
    """The chart's PostgreSQL takes connections of the services, of its own pods and of its operator, and of nobody else; it
    reaches its own pods, names, and what values name.
    """
    if not r.has_operators:
        return
    name, values = f"{FULL}-database", r.values["networkPolicy"]
    spec = r.named("NetworkPolicy", name)["spec"]
    found: dict[int, list[str]] = {}
    for opened in spec.get("ingress", [{}]):
        for port in opened.get("ports", [{"port": 0}]):
            found.setdefault(port["port"], []).extend(_who(one) for one in opened.get("from", [{}]))
    own, operator = f"pods cnpg.io/cluster={name}", elsewhere(values["databaseOperator"])
    services = " ".join(sorted([*SERVICES, *(f"{one}-once" for one in SERVICES)]))
    wanted = {5432: [services, own, operator], 8000: [own, operator], 9187: [elsewhere(values["metrics"])]}
    if found != wanted or spec.get("policyTypes") != ["Ingress", "Egress"]:
        yield f"{found}, not {wanted}"
    named = [elsewhere(values["dns"]), *(f"cidr {one}" for one in values["dnsCidrs"])]
    allowed = {(port, own) for port in (5432, 8000)} | {(53, one) for one in named}
    for one in r.values["database"]["cluster"]["egress"]:
        allowed |= {(port, f"cidr {cidr}") for port in one["ports"] for cidr in one["cidrs"]}
    reached = _reached(spec)
    if reached != allowed:
        yield f"out: {sorted(reached ^ allowed)}"
    if spec.get("podSelector") != {"matchLabels": {"cnpg.io/cluster": name}}:
        yield "not of the cluster's pods"


def _who(peer: dict[str, Any]) -> str:
    """Services of this release by their names, or any other peer."""
    named = [one["values"] for one in peer.get("podSelector", {}).get("matchExpressions", []) if one["operator"] == "In"]
    is_ours = peer.get("podSelector", {}).get("matchLabels") == {"app.kubernetes.io/instance": FULL}
    return " ".join(sorted(named[0])) if named and is_ours else peer_of(peer)


@rule
def routed(r: Rendered) -> Faults:
    """Outside clients reach each service's own gRPC services, and not the operators'; the gateway checks who answers."""
    if not r.has_operators:
        return
    for service in SERVICES:
        name = f"{FULL}-{service}"
        route = r.named("GRPCRoute", name)["spec"]
        offered = {
            match["method"]["service"]
            for rule in route.get("rules", [])
            for match in rule.get("matches", [{"method": {"service": "*"}}])
        }
        if offered != set(PLATFORM["services"][service]["grpc"]) or any(".admin." in one for one in offered):
            yield f"{service}: {sorted(offered)}"
        backends = [one for rule in route.get("rules", []) for one in rule["backendRefs"]]
        if backends != [{"name": name, "port": 50051}]:
            yield f"{service}: to {backends}"
        if (
            route.get("hostnames") != r.values["gateway"]["hostnames"]
            or route.get("parentRefs") != r.values["gateway"]["parents"]
        ):
            yield f"{service}: from elsewhere"
        tls = r.named("BackendTLSPolicy", name)["spec"]
        if tls.get("validation", {}).get("hostname") not in r.named("Certificate", name)["spec"]["dnsNames"]:
            yield f"{service}: not checked by the gateway"
    grant = r.named("ReferenceGrant", f"{FULL}-gateway-tls")["spec"]
    may = {one["namespace"] for one in grant.get("from", []) if one["kind"] == "Gateway"}
    if may != {one["namespace"] for one in r.values["gateway"]["parents"]}:
        yield "the gateway can't show its certificate"
    if grant.get("to") != [{"group": "", "kind": "Secret", "name": f"{FULL}-gateway-tls"}]:
        yield f"a gateway may read {grant.get('to')}"


@rule
def tested(r: Rendered) -> Faults:
    """Where a token is given, `helm test` asks every service whether it takes calls, and plays a listing to its match, as a
    service would: by mTLS, under a policy.
    """
    if not r.values["smoke"]["tokenSecret"]:
        yield from (name_of(one) for one in r.of("Pod"))
        return
    pod = r.named("Pod", f"{FULL}-smoke")
    if pod["metadata"].get("annotations", {}).get("helm.sh/hook") != "test" or pod["spec"].get("restartPolicy") != "Never":
        yield "no test"
    (container,) = pod["spec"].get("containers", [{}])
    if container.get("image") != r.container("matching").get("image"):
        yield "of another image"
    told = {one["name"]: one.get("value") for one in container.get("env", [])}
    if ("SMOKE_TLS" in told) != r.values["mtls"]["enabled"] or not told.get("SMOKE_TOKEN"):
        yield f"{told}"
    for service in SERVICES:
        if told.get(f"SMOKE_{service.upper()}") != f"dns:///{FULL}-{service}-pods.{NAMESPACE}.svc.cluster.local:50051":
            yield f"does not call {service}"
    policy = r.named("NetworkPolicy", f"{FULL}-smoke")["spec"]
    reached = {peer_of(one) for rule in policy.get("egress", []) for one in rule["to"]}
    if policy.get("ingress") != [] or reached != {f"component {service}" for service in SERVICES}:
        yield f"reaches {reached}"


def _hours(duration: str) -> int:
    return int(duration.removesuffix("h"))
