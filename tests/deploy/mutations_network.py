"""Mistakes that `rules_network.py` has to see."""

from tests.deploy.mutations import Mutation, drop, rules

MUTATIONS: tuple[Mutation, ...] = (
    ("database_closed", "no policy", "operators", lambda r: drop(r, "NetworkPolicy", "alliance-database")),
    (
        "database_closed",
        "any pod connects",
        "production",
        lambda r: r.named("NetworkPolicy", "alliance-database")["spec"]["ingress"][0].pop("from"),
    ),
    (
        "database_closed",
        "any pod of the release connects",
        "operators",
        lambda r: r.named("NetworkPolicy", "alliance-database")["spec"]["ingress"][0]["from"][0]["podSelector"].pop(
            "matchExpressions"
        ),
    ),
    (
        "database_closed",
        "it connects to anything",
        "operators",
        lambda r: r.named("NetworkPolicy", "alliance-database")["spec"].update(policyTypes=["Ingress"]),
    ),
    (
        "database_closed",
        "it connects to any port of what is named",
        "production",
        lambda r: r.named("NetworkPolicy", "alliance-database")["spec"]["egress"][-1].pop("ports"),
    ),
    (
        "database_closed",
        "its instances don't reach each other",
        "operators",
        lambda r: r.named("NetworkPolicy", "alliance-database")["spec"]["egress"].pop(0),
    ),
    ("routed", "no grant for the gateway", "operators", lambda r: drop(r, "ReferenceGrant", "alliance-gateway-tls")),
    (
        "routed",
        "a gateway reads every Secret",
        "operators",
        lambda r: r.named("ReferenceGrant", "alliance-gateway-tls")["spec"]["to"][0].pop("name"),
    ),
    ("mutual_tls", "operators can't get in", "operators", lambda r: drop(r, "Certificate", "alliance-operator")),
    (
        "default_deny",
        "names of any pod of a namespace",
        "lab",
        lambda r: r.named("NetworkPolicy", "alliance")["spec"]["egress"][0]["to"][0].pop("podSelector"),
    ),
    (
        "closed_in",
        "any pod of the gateway's namespace",
        "operators",
        lambda r: rules(r, "notify", "ingress")[0]["from"][0].pop("podSelector"),
    ),
    (
        "closed_out",
        "any cluster of PostgreSQL",
        "operators",
        lambda r: rules(r, "notify", "egress")[0]["to"][0]["podSelector"]["matchLabels"].update({"cnpg.io/cluster": "other"}),
    ),
    ("default_deny", "no default", "lab", lambda r: drop(r, "NetworkPolicy", "alliance")),
    (
        "default_deny",
        "only what comes in is closed",
        "lab",
        lambda r: r.named("NetworkPolicy", "alliance")["spec"].update(policyTypes=["Ingress"]),
    ),
    ("default_deny", "names of anybody", "lab", lambda r: r.named("NetworkPolicy", "alliance")["spec"]["egress"][0].pop("to")),
    (
        "default_deny",
        "names by any port",
        "lab",
        lambda r: r.named("NetworkPolicy", "alliance")["spec"]["egress"][0].pop("ports"),
    ),
    (
        "default_deny",
        "a service that is not covered",
        "lab",
        lambda r: r.deployment("notify")["spec"]["template"]["metadata"]["labels"].update({"app.kubernetes.io/name": "other"}),
    ),
    ("closed_in", "anybody calls", "operators", lambda r: rules(r, "registry", "ingress")[0].pop("from")),
    (
        "closed_in",
        "another service calls",
        "operators",
        lambda r: rules(r, "listings", "ingress")[0]["from"].append(
            {
                "podSelector": {
                    "matchLabels": {"app.kubernetes.io/instance": "alliance", "app.kubernetes.io/component": "notify"}
                }
            }
        ),
    ),
    ("closed_in", "who should call is kept out", "operators", lambda r: rules(r, "registry", "ingress")[0]["from"].pop(0)),
    ("closed_in", "anybody reads metrics", "operators", lambda r: rules(r, "notify", "ingress")[-1].pop("from")),
    (
        "closed_in",
        "the probes' port from outside",
        "operators",
        lambda r: rules(r, "notify", "ingress")[0]["ports"].append({"port": 50052}),
    ),
    ("closed_out", "anywhere", "operators", lambda r: rules(r, "registry", "egress").append({})),
    ("closed_out", "any port of the database", "operators", lambda r: rules(r, "registry", "egress")[0].pop("ports")),
    (
        "closed_out",
        "the world from a service that need not",
        "operators",
        lambda r: rules(r, "reporting", "egress").append(
            {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 443}]}
        ),
    ),
    (
        "closed_out",
        "private networks from notify",
        "operators",
        lambda r: [
            peer["ipBlock"].pop("except", None)
            for one in rules(r, "notify", "egress")
            for peer in one["to"]
            if "ipBlock" in peer
        ],
    ),
    ("closed_out", "a service that is asked can't be reached", "operators", lambda r: rules(r, "matching", "egress").pop()),
    (
        "closed_out",
        "the policy is not for what goes out",
        "operators",
        lambda r: r.policy("matching").update(policyTypes=["Ingress"]),
    ),
    ("mutual_tls", "plain calls", "operators", lambda r: r.settings("registry").pop("ALLIANCE_GRPC_CA_FILE")),
    (
        "mutual_tls",
        "a certificate for another name",
        "operators",
        lambda r: r.named("Certificate", "alliance-registry")["spec"].update(dnsNames=["registry"]),
    ),
    ("mutual_tls", "its names are not checked", "operators", lambda r: r.settings("registry").pop("ALLIANCE_GRPC_NAMES")),
    ("mutual_tls", "no certificate", "operators", lambda r: drop(r, "Certificate", "alliance-matching")),
    (
        "mutual_tls",
        "no use as a client",
        "operators",
        lambda r: r.named("Certificate", "alliance-matching")["spec"]["usages"].remove("client auth"),
    ),
    (
        "mutual_tls",
        "another's certificate is mounted",
        "operators",
        lambda r: next(one for one in r.pod("notify")["volumes"] if one["name"] == "tls")["secret"].update(
            secretName="alliance-registry-tls"
        ),
    ),
    (
        "mutual_tls",
        "renewed on the last day",
        "operators",
        lambda r: r.named("Certificate", "alliance-notify")["spec"].update(renewBefore="24h"),
    ),
    (
        "mutual_tls",
        "issued by somebody else",
        "operators",
        lambda r: r.named("Certificate", "alliance-notify")["spec"]["issuerRef"].update(name="other"),
    ),
    (
        "calls_by_name",
        "calls go to one pod",
        "operators",
        lambda r: r.settings("matching").update(ALLIANCE_REGISTRY_TARGET="alliance-registry.platform.svc:50051"),
    ),
    (
        "calls_by_name",
        "a Service with one address",
        "operators",
        lambda r: r.named("Service", "alliance-registry-pods")["spec"].pop("clusterIP"),
    ),
    (
        "calls_by_name",
        "a Service for other pods",
        "operators",
        lambda r: r.named("Service", "alliance-registry")["spec"]["selector"].update(
            {"app.kubernetes.io/component": "notify"}
        ),
    ),
    (
        "calls_by_name",
        "the probes' port has an address",
        "operators",
        lambda r: r.named("Service", "alliance-registry")["spec"]["ports"].append({"name": "probes", "port": 50052}),
    ),
    (
        "sealed_from_kafka_and_postgres",
        "Kafka without TLS",
        "operators",
        lambda r: r.settings("notify").update(ALLIANCE_KAFKA_SECURITY="SASL_PLAINTEXT"),
    ),
    (
        "sealed_from_kafka_and_postgres",
        "PostgreSQL's certificate is not checked",
        "operators",
        lambda r: r.settings("notify").pop("ALLIANCE_DATABASE_CA_FILE"),
    ),
    (
        "sealed_from_kafka_and_postgres",
        "another's Kafka user",
        "operators",
        lambda r: r.settings("notify").update(ALLIANCE_KAFKA_USERNAME="alliance-registry"),
    ),
    (
        "sealed_from_kafka_and_postgres",
        "PostgreSQL takes plain connections",
        "operators",
        lambda r: r.of("Cluster")[0]["spec"]["postgresql"].pop("pg_hba"),
    ),
    (
        "routed",
        "operators' calls from outside",
        "operators",
        lambda r: r.named("GRPCRoute", "alliance-registry")["spec"]["rules"][0]["matches"].append(
            {"method": {"type": "Exact", "service": "alliance.admin.v1.AdminService"}}
        ),
    ),
    (
        "routed",
        "every call from outside",
        "operators",
        lambda r: r.named("GRPCRoute", "alliance-registry")["spec"]["rules"][0].pop("matches"),
    ),
    (
        "routed",
        "to another service",
        "operators",
        lambda r: r.named("GRPCRoute", "alliance-registry")["spec"]["rules"][0]["backendRefs"][0].update(
            name="alliance-notify"
        ),
    ),
    (
        "routed",
        "the gateway checks another name",
        "operators",
        lambda r: r.named("BackendTLSPolicy", "alliance-registry")["spec"]["validation"].update(hostname="registry"),
    ),
    ("tested", "no test", "operators", lambda r: drop(r, "Pod", "alliance-smoke")),
    (
        "tested",
        "the test calls plainly",
        "operators",
        lambda r: r.named("Pod", "alliance-smoke")["spec"]["containers"][0]["env"].pop(),
    ),
    (
        "tested",
        "the test is installed as a pod",
        "operators",
        lambda r: r.named("Pod", "alliance-smoke")["metadata"].pop("annotations"),
    ),
)
