"""Mistakes that `rules_data.py` has to see."""

from tests.deploy.mutations import Mutation, drop

MUTATIONS: tuple[Mutation, ...] = (
    (
        "databases",
        "standbys that may share a zone",
        "production",
        lambda r: r.of("Cluster")[0]["spec"]["affinity"].pop("podAntiAffinityType"),
    ),
    (
        "databases",
        "fewer connections than pods may take",
        "production",
        lambda r: r.of("Cluster")[0]["spec"]["postgresql"]["parameters"].update(max_connections="300"),
    ),
    (
        "databases",
        "a commit is on one instance alone",
        "operators",
        lambda r: r.of("Cluster")[0]["spec"]["postgresql"].pop("synchronous"),
    ),
    (
        "nothing_secret_in_settings",
        "a password in the URL",
        "lab",
        lambda r: r.settings("notify").update(ALLIANCE_DATABASE_URL="postgresql://notify:secret@host:5432/notify"),
    ),
    (
        "nothing_secret_in_settings",
        "a password as a setting",
        "lab",
        lambda r: r.settings("notify").update(ALLIANCE_SMTP_PASSWORD="x"),
    ),
    (
        "nothing_secret_in_settings",
        "a password in the pod",
        "lab",
        lambda r: r.container("notify")["env"].append({"name": "ALLIANCE_KAFKA_PASSWORD", "value": "x"}),
    ),
    (
        "nothing_secret_in_settings",
        "a Secret made by the chart in production",
        "production",
        lambda r: r.manifests.append({"kind": "Secret", "metadata": {"name": "one"}}),
    ),
    (
        "secrets_are_there",
        "a Secret that nobody makes",
        "operators",
        lambda r: next(one for one in r.pod("notify")["volumes"] if one["name"] == "token")["secret"].update(
            secretName="typo"
        ),
    ),
    (
        "secrets_are_there",
        "an ExternalSecret is left out",
        "production",
        lambda r: drop(r, "ExternalSecret", "alliance-notify-token"),
    ),
    (
        "outside_secrets",
        "another key",
        "production",
        lambda r: r.named("ExternalSecret", "alliance-notify-token")["spec"]["data"][0]["remoteRef"].update(
            key="alliance/registry/token"
        ),
    ),
    (
        "outside_secrets",
        "gone when the store is",
        "production",
        lambda r: r.named("ExternalSecret", "alliance-notify-database")["spec"]["target"].update(deletionPolicy="Delete"),
    ),
    (
        "data_are_kept",
        "a topic goes with the release",
        "operators",
        lambda r: r.of("KafkaTopic")[0]["metadata"].pop("annotations"),
    ),
    (
        "data_are_kept",
        "the database goes with the release",
        "operators",
        lambda r: r.of("Cluster")[0]["metadata"].pop("annotations"),
    ),
    (
        "data_are_kept",
        "the password goes with the release",
        "operators",
        lambda r: r.of("Secret")[0]["metadata"].pop("annotations"),
    ),
    (
        "data_are_kept",
        "a Deployment stays",
        "operators",
        lambda r: r.deployment("notify")["metadata"].update(annotations={"helm.sh/resource-policy": "keep"}),
    ),
    (
        "data_are_kept",
        "data that the command does not find",
        "operators",
        lambda r: r.of("Database")[0]["metadata"]["labels"].pop("alliance/data"),
    ),
    ("topics_as_declared", "a topic is left out", "operators", lambda r: drop(r, "KafkaTopic", "alliance.public.listing.v1")),
    ("topics_as_declared", "other partitions", "operators", lambda r: r.of("KafkaTopic")[0]["spec"].update(partitions=1)),
    (
        "topics_as_declared",
        "records are deleted by time",
        "operators",
        lambda r: r.of("KafkaTopic")[3]["spec"]["config"].update({"cleanup.policy": "delete"}),
    ),
    (
        "topics_as_declared",
        "one replica is enough",
        "operators",
        lambda r: r.of("KafkaTopic")[0]["spec"]["config"].pop("min.insync.replicas"),
    ),
    (
        "topics_as_declared",
        "a topic of no cluster",
        "operators",
        lambda r: r.of("KafkaTopic")[0]["metadata"]["labels"].pop("strimzi.io/cluster"),
    ),
    (
        "rights_as_declared",
        "a right too many",
        "operators",
        lambda r: r.of("KafkaUser")[0]["spec"]["authorization"]["acls"][0]["operations"].append("All"),
    ),
    (
        "rights_as_declared",
        "a right too few",
        "operators",
        lambda r: r.of("KafkaUser")[0]["spec"]["authorization"]["acls"].pop(),
    ),
    (
        "rights_as_declared",
        "rights by prefix",
        "operators",
        lambda r: r.of("KafkaUser")[0]["spec"]["authorization"]["acls"][0]["resource"].update(patternType="prefix"),
    ),
    ("rights_as_declared", "no rights asked for", "operators", lambda r: r.of("KafkaUser")[0]["spec"].pop("authorization")),
    ("databases", "a database of another owner", "operators", lambda r: r.of("Database")[0]["spec"].update(owner="app")),
    (
        "databases",
        "deleted with its resource",
        "operators",
        lambda r: r.of("Database")[0]["spec"].update(databaseReclaimPolicy="delete"),
    ),
    ("databases", "no standby", "operators", lambda r: r.of("Cluster")[0]["spec"].update(instances=1)),
    (
        "databases",
        "one role has another's password",
        "operators",
        lambda r: r.of("Cluster")[0]["spec"]["managed"]["roles"][0]["passwordSecret"].update(name="alliance-notify-database"),
    ),
    (
        "databases",
        "a superuser",
        "operators",
        lambda r: r.of("Cluster")[0]["spec"]["managed"]["roles"][0].update(superuser=True),
    ),
    ("databases", "no backups in production", "production", lambda r: r.of("Cluster")[0]["spec"].pop("plugins")),
    (
        "watched",
        "no pods are found",
        "operators",
        lambda r: r.of("ServiceMonitor")[0]["spec"]["selector"]["matchLabels"].update({"alliance/pods": "yes"}),
    ),
    (
        "watched",
        "an alert on a metric that there is not",
        "operators",
        lambda r: r.of("PrometheusRule")[0]["spec"]["groups"][-1]["rules"][0].update(
            expr='alliance_nothing{namespace="platform"} > 0'
        ),
    ),
    (
        "watched",
        "an alert of every platform",
        "operators",
        lambda r: r.of("PrometheusRule")[0]["spec"]["groups"][-1]["rules"][0].update(expr="absent(alliance_build_info{})"),
    ),
    ("dashboards", "one is left out", "operators", lambda r: drop(r, "ConfigMap", "alliance-dashboard-events")),
    (
        "dashboards",
        "no label for the sidecar",
        "operators",
        lambda r: r.named("ConfigMap", "alliance-dashboard-events")["metadata"]["labels"].pop("grafana_dashboard"),
    ),
    (
        "watched",
        "an alert without a runbook",
        "operators",
        lambda r: r.of("PrometheusRule")[0]["spec"]["groups"][-1]["rules"][0]["annotations"].update(
            runbook_url="https://docs/none.md"
        ),
    ),
)
