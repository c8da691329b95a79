"""Mistakes that `rules_pods.py` has to see."""

from typing import Any

from tests.deploy.mutations import Mutation, drop, init, variable


def _password(secret: str) -> dict[str, Any]:
    return {"name": "ALLIANCE_KAFKA_PASSWORD", "valueFrom": {"secretKeyRef": {"name": secret, "key": "password"}}}


MUTATIONS: tuple[Mutation, ...] = (
    ("all_five_services", "a service is left out", "lab", lambda r: drop(r, "Deployment", "alliance-notify")),
    (
        "no_token_of_the_api",
        "a pod has a token of the API",
        "lab",
        lambda r: r.pod("registry").pop("automountServiceAccountToken"),
    ),
    ("no_token_of_the_api", "the default account", "lab", lambda r: r.pod("registry").pop("serviceAccountName")),
    (
        "no_token_of_the_api",
        "an account gives tokens",
        "lab",
        lambda r: r.named("ServiceAccount", "alliance-listings").update(automountServiceAccountToken=True),
    ),
    (
        "patient_where_a_node_is_busy",
        "a second for an answer",
        "lab",
        lambda r: r.container("notify")["startupProbe"].pop("timeoutSeconds"),
    ),
    (
        "patient_where_a_node_is_busy",
        "a minute for a start",
        "production",
        lambda r: r.container("listings")["startupProbe"].update(failureThreshold=60),
    ),
    (
        "patient_where_a_node_is_busy",
        "half a minute without CPU",
        "operators",
        lambda r: r.container("listings")["livenessProbe"].update(failureThreshold=3),
    ),
    ("native_probes", "no startup probe", "lab", lambda r: r.container("matching").pop("startupProbe")),
    (
        "native_probes",
        "readiness asks for liveness",
        "lab",
        lambda r: r.container("notify")["readinessProbe"]["grpc"].update(service="liveness"),
    ),
    (
        "native_probes",
        "liveness by the port with mTLS",
        "operators",
        lambda r: r.container("notify")["livenessProbe"]["grpc"].update(port=50051),
    ),
    (
        "native_probes",
        "a probe without a name",
        "lab",
        lambda r: r.container("registry")["livenessProbe"]["grpc"].pop("service"),
    ),
    (
        "native_probes",
        "the service opens another port",
        "lab",
        lambda r: r.settings("listings").update(ALLIANCE_PROBES_LISTEN="0.0.0.0:50053"),
    ),
    (
        "disruption_budget",
        "a Job's pod is counted",
        "lab",
        lambda r: r.named("PodDisruptionBudget", "alliance-notify")["spec"]["selector"]["matchLabels"].pop(
            "app.kubernetes.io/component"
        ),
    ),
    (
        "spread",
        "nodes of a lost zone are counted",
        "production",
        lambda r: r.pod("notify")["topologySpreadConstraints"][0].pop("nodeTaintsPolicy"),
    ),
    ("drained", "no preStop", "lab", lambda r: r.container("registry").pop("lifecycle")),
    ("drained", "the default grace", "lab", lambda r: r.pod("registry").pop("terminationGracePeriodSeconds")),
    (
        "rolled_out_without_a_gap",
        "an old pod goes first",
        "lab",
        lambda r: r.deployment("reporting")["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1),
    ),
    (
        "rolled_out_without_a_gap",
        "all old pods go first",
        "lab",
        lambda r: r.deployment("matching")["spec"].update(strategy={"type": "Recreate"}),
    ),
    ("migrated_first", "no migration", "operators", lambda r: r.pod("listings").pop("initContainers")),
    (
        "migrated_first",
        "another image migrates",
        "operators",
        lambda r: init(r, "listings").update(image="alliance/listings:0"),
    ),
    (
        "migrated_first",
        "who serves has the owner's password",
        "operators",
        lambda r: variable(r.container("notify"), "PGPASSWORD")["valueFrom"]["secretKeyRef"].update(
            name="alliance-notify-database-owner"
        ),
    ),
    (
        "migrated_first",
        "the lesser role migrates",
        "operators",
        lambda r: variable(init(r, "notify"), "PGPASSWORD")["valueFrom"]["secretKeyRef"].update(
            name="alliance-notify-database"
        ),
    ),
    (
        "migrated_first",
        "the owner's role serves",
        "operators",
        lambda r: r.settings("notify").update(ALLIANCE_DATABASE_URL="postgresql://notify_owner@host:5432/notify"),
    ),
    (
        "migrated_first",
        "two services in one database",
        "operators",
        lambda r: r.settings("notify").update(ALLIANCE_DATABASE_URL="postgresql://notify@host:5432/registry"),
    ),
    ("topics_where_nobody_else_makes_them", "nobody makes topics", "lab", lambda r: r.pod("notify")["initContainers"].pop(0)),
    ("disruption_budget", "no budget", "lab", lambda r: drop(r, "PodDisruptionBudget", "alliance-registry")),
    (
        "disruption_budget",
        "a budget that holds a drain up",
        "lab",
        lambda r: r.named("PodDisruptionBudget", "alliance-matching")["spec"].update(maxUnavailable=0),
    ),
    (
        "disruption_budget",
        "a budget of another service",
        "lab",
        lambda r: r.named("PodDisruptionBudget", "alliance-registry")["spec"]["selector"]["matchLabels"].update(
            {"app.kubernetes.io/component": "notify"}
        ),
    ),
    (
        "scaled",
        "another number of matching's pods",
        "operators",
        lambda r: r.deployment("matching")["spec"].update(replicas=3),
    ),
    (
        "scaled",
        "KEDA scales matching",
        "operators",
        lambda r: r.manifests.append(
            {"kind": "ScaledObject", "metadata": {"name": "alliance-matching"}, "spec": {"triggers": []}}
        ),
    ),
    ("index_on_a_volume_of_its_own", "in memory", "lab", lambda r: r.settings("matching").pop("ALLIANCE_INDEX_FOLDER")),
    (
        "index_on_a_volume_of_its_own",
        "of any size",
        "lab",
        lambda r: [one["emptyDir"].clear() for one in r.pod("matching")["volumes"] if one["name"] == "index"],
    ),
    (
        "index_on_a_volume_of_its_own",
        "on no volume",
        "lab",
        lambda r: [
            one.update(mountPath="/elsewhere") for one in r.container("matching")["volumeMounts"] if one["name"] == "index"
        ],
    ),
    (
        "index_on_a_volume_of_its_own",
        "one pod in production",
        "production",
        lambda r: r.deployment("matching")["spec"].update(replicas=1),
    ),
    ("scaled", "an upgrade resets what KEDA scaled", "operators", lambda r: r.deployment("notify")["spec"].update(replicas=2)),
    (
        "scaled",
        "a group's lag is not looked at",
        "operators",
        lambda r: r.named("ScaledObject", "alliance-reporting")["spec"]["triggers"].pop(),
    ),
    ("scaled", "KEDA asks without a password", "operators", lambda r: drop(r, "TriggerAuthentication", "alliance-notify")),
    ("scaled", "another number than values say", "lab", lambda r: r.deployment("listings")["spec"].update(replicas=3)),
    ("spread", "not over zones", "operators", lambda r: r.pod("notify")["topologySpreadConstraints"].pop()),
    (
        "spread",
        "all in one zone in production",
        "production",
        lambda r: [one.update(whenUnsatisfiable="ScheduleAnyway") for one in r.pod("notify")["topologySpreadConstraints"]],
    ),
    (
        "spread",
        "spread from other services' pods",
        "operators",
        lambda r: [
            one["labelSelector"]["matchLabels"].update({"app.kubernetes.io/component": "registry"})
            for one in r.pod("notify")["topologySpreadConstraints"]
        ],
    ),
    (
        "scheduled_as_values_say",
        "bound to a node that nobody named",
        "lab",
        lambda r: r.pod("notify").update(nodeSelector={"kubernetes.io/hostname": "first"}),
    ),
    (
        "scheduled_as_values_say",
        "on nodes that are kept for others",
        "lab",
        lambda r: r.named("Pod", "alliance-smoke")["spec"].update(tolerations=[{"operator": "Exists"}]),
    ),
    (
        "scheduled_as_values_say",
        "more important than values say",
        "operators",
        lambda r: r.of("Cluster")[0]["spec"].update(priorityClassName="system-cluster-critical"),
    ),
    (
        "scheduled_as_values_say",
        "PostgreSQL on other nodes",
        "operators",
        lambda r: r.of("Cluster")[0]["spec"]["affinity"].update(nodeSelector={"disk": "slow"}),
    ),
    ("resources", "no request", "lab", lambda r: r.container("registry")["resources"].pop("requests")),
    ("resources", "a limit of CPU", "lab", lambda r: r.container("registry")["resources"]["limits"].update(cpu="1")),
    ("resources", "a migration without a limit", "lab", lambda r: init(r, "registry")["resources"].pop("limits")),
    (
        "resources",
        "less memory than asked for",
        "lab",
        lambda r: r.container("registry")["resources"]["limits"].update(memory="64Mi"),
    ),
    (
        "resources",
        "a disk without end",
        "lab",
        lambda r: r.container("registry")["resources"]["limits"].pop("ephemeral-storage"),
    ),
    (
        "resources",
        "no disk asked for",
        "production",
        lambda r: init(r, "registry")["resources"]["requests"].pop("ephemeral-storage"),
    ),
    (
        "disk",
        "evicted by its index",
        "lab",
        lambda r: r.container("matching")["resources"]["limits"].update({"ephemeral-storage": "2304Mi"}),
    ),
    (
        "disk",
        "no room for its index",
        "production",
        lambda r: r.container("matching")["resources"]["requests"].update({"ephemeral-storage": "256Mi"}),
    ),
    (
        "memory_for_a_hundred_thousand_listings",
        "memory for fewer listings",
        "lab",
        lambda r: r.container("matching")["resources"]["requests"].update(memory="508Mi"),
    ),
    (
        "memory_for_a_hundred_thousand_listings",
        "no memory for the index's files",
        "lab",
        lambda r: r.container("matching")["resources"]["limits"].update(memory="938Mi"),
    ),
    ("restricted", "root", "lab", lambda r: r.pod("registry")["securityContext"].update(runAsUser=0)),
    ("restricted", "a user by name only", "lab", lambda r: r.pod("registry")["securityContext"].pop("runAsNonRoot")),
    ("restricted", "no seccomp", "lab", lambda r: r.pod("registry")["securityContext"].pop("seccompProfile")),
    ("restricted", "capabilities", "lab", lambda r: r.container("registry")["securityContext"].pop("capabilities")),
    (
        "restricted",
        "a migration that may write to its image",
        "lab",
        lambda r: init(r, "registry")["securityContext"].update(readOnlyRootFilesystem=False),
    ),
    (
        "restricted",
        "escalation in the test's pod",
        "lab",
        lambda r: r.named("Pod", "alliance-smoke")["spec"]["containers"][0]["securityContext"].pop("allowPrivilegeEscalation"),
    ),
    (
        "restricted",
        "a folder of the node",
        "lab",
        lambda r: r.pod("registry")["volumes"].append({"name": "node", "hostPath": {"path": "/"}}),
    ),
    (
        "restricted",
        "a folder more to write to",
        "lab",
        lambda r: r.container("registry")["volumeMounts"].append({"name": "tmp", "mountPath": "/var"}),
    ),
    ("restricted", "the node's network", "lab", lambda r: r.pod("registry").update(hostNetwork=True)),
    (
        "restricted",
        "a Secret that can be written",
        "lab",
        lambda r: r.container("registry")["volumeMounts"][1].pop("readOnly"),
    ),
    (
        "first_steps_see_what_they_need",
        "the service's token in a migration",
        "operators",
        lambda r: r.pod("listings")["initContainers"][-1]["volumeMounts"].append({"name": "token", "mountPath": "/token"}),
    ),
    (
        "first_steps_see_what_they_need",
        "a migration without the database's CA",
        "operators",
        lambda r: r.pod("listings")["initContainers"][-1]["volumeMounts"].pop(),
    ),
    (
        "passwords_in_the_environment",
        "an administrator's password in the environment",
        "lab",
        lambda r: r.pod("listings")["initContainers"][0].update(env=[_password("kafka-admin")]),
    ),
    (
        "passwords_in_the_environment",
        "a migration with another's password",
        "operators",
        lambda r: init(r, "listings")["env"].append(_password("alliance-listings")),
    ),
    (
        "nothing_more_than_needed",
        "rights in the cluster",
        "lab",
        lambda r: r.manifests.append({"kind": "ClusterRole", "metadata": {"name": "all"}}),
    ),
    (
        "nothing_more_than_needed",
        "Kafka Connect",
        "operators",
        lambda r: r.manifests.append({"kind": "KafkaConnect", "metadata": {"name": "connect"}}),
    ),
    (
        "nothing_more_than_needed",
        "an address outside",
        "lab",
        lambda r: r.named("Service", "alliance-registry")["spec"].update(type="NodePort"),
    ),
    (
        "no_hooks_but_tests",
        "a migration as a hook",
        "lab",
        lambda r: r.deployment("notify")["metadata"].update(annotations={"helm.sh/hook": "pre-upgrade"}),
    ),
    ("pinned_images", "latest", "lab", lambda r: r.container("notify").update(image="localhost/alliance/notify:latest")),
    (
        "pinned_images",
        "another service's image",
        "lab",
        lambda r: r.container("notify").update(image="localhost/alliance/registry:0.1.0"),
    ),
    ("settings_are_known", "a misspelt setting", "lab", lambda r: r.settings("notify").update(ALLIANCE_SMTP_HOSTS="x")),
    (
        "one_member_a_pod",
        "all pods have one slot",
        "lab",
        lambda r: variable(r.container("notify"), "ALLIANCE_SLOT").update({"valueFrom": {}, "value": "0"}),
    ),
)
