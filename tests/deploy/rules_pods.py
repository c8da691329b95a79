"""Rules of pods: what they may, how they come and go, how many there are."""

import re
from importlib import import_module

from run_once import job_of

from alliance_local.state import SERVICES
from tests.deploy.helm import NAMESPACE, name_of
from tests.deploy.rendered import (
    FULL,
    NODE,
    PLATFORM,
    ZONE,
    Faults,
    Rendered,
    containers,
    rule,
    secret_of,
    selects,
)

_INDEX = "/var/lib/alliance/index"
_WRITABLE = ("/tmp", _INDEX)  # noqa: S108 - in the container
_DRAIN = 30  # seconds that a service may take after SIGTERM: calls 10, a batch 10, groups and leases


_LIMITED = {"memory", "ephemeral-storage"}
_MIB = 2**20
_GROUPS = {"": 1, "Ki": 2**10, "Mi": _MIB, "Gi": 2**30}


@rule
def all_five_services(r: Rendered) -> Faults:
    """Five services out of one template: each has the same kinds, but for matching's scaling."""
    kinds = {
        service: sorted(
            one["kind"]
            for one in r.manifests
            if one["metadata"].get("labels", {}).get("app.kubernetes.io/component") == service
            and one["kind"] not in ("HorizontalPodAutoscaler", "ScaledObject", "TriggerAuthentication")
        )
        for service in SERVICES
    }
    for service in SERVICES:
        if "Deployment" not in kinds[service] or kinds[service] != kinds["listings"]:
            yield f"{service}: {kinds[service]}"


@rule
def no_token_of_the_api(r: Rendered) -> Faults:
    """A ServiceAccount of its own for each service, and no token of the Kubernetes API in any pod."""
    for service in SERVICES:
        name = r.pod(service).get("serviceAccountName", "default")
        if name != f"{FULL}-{service}" or r.named("ServiceAccount", name).get("automountServiceAccountToken") is not False:
            yield f"{service}: account {name} with a token"
    for name, pod in r.pods():
        if pod.get("automountServiceAccountToken") is not False or pod.get("enableServiceLinks") is not False:
            yield f"{name}: a token, or addresses in the environment"


@rule
def native_probes(r: Rendered) -> Faults:
    """startup, readiness and liveness as native gRPC probes, on the plain port that the service opens for them."""
    for service in SERVICES:
        container = r.container(service)
        port = {one["name"]: one["containerPort"] for one in container.get("ports", [])}.get("probes")
        if not r.settings(service).get("ALLIANCE_PROBES_LISTEN", "").endswith(f":{port}"):
            yield f"{service}: does not listen where it is asked"
        for kind in ("startup", "readiness", "liveness"):
            if container.get(f"{kind}Probe", {}).get("grpc") != {"port": port, "service": kind}:
                yield f"{service}: {kind}"


@rule
def patient_where_a_node_is_busy(r: Rendered) -> Faults:
    """No probe takes a pod that gets little CPU for one that is not there; to start it anew would only take more."""
    for service in SERVICES:
        container = r.container(service)
        for kind, patience in (("startup", 180), ("readiness", 0), ("liveness", 120)):
            probe = container.get(f"{kind}Probe", {})
            if (
                probe.get("timeoutSeconds", 1) < 3
                or probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3) < patience
            ):
                yield f"{service}: {kind} after {probe}"


@rule
def drained(r: Rendered) -> Faults:
    """preStop gives time until no more calls come, and the grace period covers that and the drain."""
    for service in SERVICES:
        wait = r.container(service).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if wait < 3 or r.pod(service).get("terminationGracePeriodSeconds", 30) < wait + _DRAIN:
            yield f"{service}: {wait} s, then too little"


@rule
def rolled_out_without_a_gap(r: Rendered) -> Faults:
    """No old pod goes before a new one is ready: a failed migration leaves the old version serving."""
    for service in SERVICES:
        strategy = r.deployment(service)["spec"].get("strategy", {})
        if strategy != {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}:
            yield f"{service}: {strategy}"


@rule
def migrated_first(r: Rendered) -> Faults:
    """Each pod migrates before it serves, as the owner; who serves has the lesser role, and not the owner's password."""
    for service in SERVICES:
        inits = r.pod(service).get("initContainers", [{}])
        migrate = inits[-1]
        if migrate.get("args", [""])[0] != "migrate" or migrate.get("image") != r.container(service).get("image"):
            yield f"{service}: does not migrate last before it serves"
        if secret_of(migrate, "PGPASSWORD") != f"{FULL}-{service}-database-owner":
            yield f"{service}: migrates with another password than the owner's"
        if secret_of(r.container(service), "PGPASSWORD") != f"{FULL}-{service}-database":
            yield f"{service}: serves with another password than the lesser role's"
        if r.container(service).get("args") != ["serve"]:
            yield f"{service}: does not serve"
        urls = {name: r.settings(service).get(f"ALLIANCE_{name}DATABASE_URL", "") for name in ("", "MIGRATION_")}
        for name, role in (("", service), ("MIGRATION_", f"{service}_owner")):
            if not re.fullmatch(rf"postgresql://{role}@[^:/@]+:\d+/{service}", urls[name]):
                yield f"{service}: {urls[name]}"


@rule
def topics_where_nobody_else_makes_them(r: Rendered) -> Faults:
    """Without Strimzi, an init container creates the topics, before anything else."""
    for service in SERVICES:
        first = r.pod(service).get("initContainers", [{}])[0].get("args", [""])[0]
        if (first == "topics") != (not r.has_operators):
            yield f"{service}: begins with {first}"


@rule
def disruption_budget(r: Rendered) -> Faults:
    """A drained node takes one pod of a service at a time, and pods that are not well in any case."""
    for service in SERVICES:
        spec = r.named("PodDisruptionBudget", f"{FULL}-{service}")["spec"]
        wanted = {"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow"}
        if not wanted.items() <= spec.items() or not selects(spec.get("selector", {}), r.deployment(service)):
            yield f"{service}: {spec}"
        if selects(spec.get("selector", {}), {"spec": job_of(r.deployment(service), ["replay"], 1)["spec"]}):
            yield f"{service}: counts a Job's pod, of which the budget can tell nothing"


@rule
def scaled(r: Rendered) -> Faults:
    """By consumer lag, every group of a service; where nothing scales, as many as values say. Nothing scales matching."""
    for service in SERVICES:
        spec = r.named("ScaledObject", f"{FULL}-{service}")["spec"]
        if service == "matching" or r.values["autoscaling"]["source"] == "none":
            if spec or r.deployment(service)["spec"].get("replicas") != r.values["services"][service]["replicas"]:
                yield f"{service}: not as many pods as values say"
            continue
        limits = r.values["services"][service]["autoscaling"]
        if (spec.get("minReplicaCount"), spec.get("maxReplicaCount")) != (limits["min"], limits["max"]):
            yield f"{service}: from {spec.get('minReplicaCount')} to {spec.get('maxReplicaCount')}"
        if "replicas" in r.deployment(service)["spec"]:
            yield f"{service}: an upgrade would take its pods back to a fixed number"
        lag = [one for one in spec.get("triggers", []) if one["type"] == "kafka"]
        told = {(one["metadata"]["consumerGroup"], one["metadata"]["topic"]) for one in lag}
        if told != {(one["group"], one["topic"]) for one in PLATFORM["services"][service]["groups"]}:
            yield f"{service}: not every group"
        for one in lag:
            if one["metadata"].get("tls") != "enable" or one["metadata"].get("sasl") != "scram_sha512":
                yield f"{service}: asks Kafka plainly"
            if r.named("TriggerAuthentication", one.get("authenticationRef", {}).get("name", ""))["spec"] == {}:
                yield f"{service}: asks Kafka as nobody"


@rule
def index_on_a_volume_of_its_own(r: Rendered) -> Faults:
    """Each pod of matching keeps its index on a volume of its own, of a limited size; production has two pods or more."""
    mounts = {one["mountPath"]: one["name"] for one in r.container("matching").get("volumeMounts", [])}
    volumes = {one["name"]: one for one in r.pod("matching").get("volumes", [])}
    if r.settings("matching").get("ALLIANCE_INDEX_FOLDER") != _INDEX:
        yield "in memory alone"
    if volumes.get(mounts.get(_INDEX, ""), {}).get("emptyDir") != {
        "sizeLimit": r.values["services"]["matching"]["index"]["size"]
    }:
        yield "on no volume of a limited size"
    if r.profile == "production" and r.deployment("matching")["spec"].get("replicas", 1) < 2:
        yield "one pod, which nobody stands in for"


@rule
def spread(r: Rendered) -> Faults:
    """Pods of a service are spread over zones and nodes; in production a zone that is full is no reason not to."""
    for service in SERVICES:
        found = {one["topologyKey"]: one for one in r.pod(service).get("topologySpreadConstraints", [])}
        if set(found) != {ZONE, NODE} or any(one["maxSkew"] != 1 for one in found.values()):
            yield f"{service}: {sorted(found)}"
        elif not all(selects(one["labelSelector"], r.deployment(service)) for one in found.values()):
            yield f"{service}: counts other pods"
        elif any(one.get("nodeTaintsPolicy") != "Honor" for one in found.values()):
            yield f"{service}: waits for a zone that is lost"
        elif r.profile == "production" and found[ZONE]["whenUnsatisfiable"] != "DoNotSchedule":
            yield f"{service}: may all be in one zone"


@rule
def scheduled_as_values_say(r: Rendered) -> Faults:
    """Services, the test and PostgreSQL run where values say: for all, and for each beside it, which wins."""
    everybody = r.values["scheduling"]
    own = {service: r.values["services"][service]["scheduling"] for service in SERVICES}
    found = {name: (pod, pod) for name, pod in r.pods()}
    for cluster in r.of("Cluster"):
        own["database"] = r.values["database"]["cluster"]["scheduling"]
        found["database"] = (cluster["spec"], cluster["spec"].get("affinity", {}))
    for name, (spec, place) in found.items():
        mine = own.get(name, everybody)
        wanted = {
            "nodeSelector": everybody["nodeSelector"] | mine["nodeSelector"],
            "tolerations": everybody["tolerations"]
            + [one for one in mine["tolerations"] if one not in everybody["tolerations"]],
            "priorityClassName": mine["priorityClassName"] or everybody["priorityClassName"],
        }
        told = {key: place.get(key, type(wanted[key])()) for key in ("nodeSelector", "tolerations")}
        if told | {"priorityClassName": spec.get("priorityClassName", "")} != wanted:
            yield f"{name}: {told}, {spec.get('priorityClassName')}"


@rule
def resources(r: Rendered) -> Faults:
    """Every container asks for CPU, memory and disk and has limits but of CPU, which would stop it in bursts."""
    for name, pod in r.pods():
        for container in containers(pod):
            asked = container.get("resources", {})
            requests, limits = asked.get("requests", {}), asked.get("limits", {})
            if set(requests) != {"cpu", *_LIMITED} or set(limits) != _LIMITED:
                yield f"{name}: {asked}"
            elif any(_bytes(limits[one]) < _bytes(requests[one]) for one in _LIMITED):
                yield f"{name}: less than it asks for"


@rule
def disk(r: Rendered) -> Faults:
    """A pod is not evicted for what its volumes and logs may take; the index and the logs are asked for."""
    for name, pod in r.pods():
        logs = 50 * _MIB * len(containers(pod))  # that the kubelet keeps, 5 files of 10 MiB each, where nobody has set it
        sizes = {one["name"]: _bytes(one["emptyDir"]["sizeLimit"]) for one in pod.get("volumes", []) if "emptyDir" in one}
        for container in containers(pod):
            asked = container.get("resources", {})
            if _bytes(asked.get("limits", {}).get("ephemeral-storage", "0")) < sum(sizes.values()) + logs:
                yield f"{name}: evicted before its volumes are full"
            if _bytes(asked.get("requests", {}).get("ephemeral-storage", "0")) < sizes.get("index", 0) + logs:
                yield f"{name}: on a node without room for it"


@rule
def memory_for_a_hundred_thousand_listings(r: Rendered) -> Faults:
    """Matching asks for what it holds of 100,000 listings, and its limit has room for the files of its index beside that."""
    asked = r.container("matching").get("resources", {})
    held = 300 * _MIB + 170 * _MIB + 400 * 100_000  # its own, the child with the sentence model, the index (README.md, Sizing)
    if _bytes(asked.get("requests", {}).get("memory", "0")) < held:
        yield f"asks for less than {held // _MIB} MiB"
    if _bytes(asked.get("limits", {}).get("memory", "0")) < held + 451_000_000:
        yield "no room for the files that it looks at"


@rule
def restricted(r: Rendered) -> Faults:
    """The pod security standard `restricted`, and more: a read-only root, a user by number, /tmp and an index to write to."""
    for name, pod in r.pods():
        context = pod.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser", 0) > 0:
            yield f"{name}: may be root"
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{name}: any system call"
        if any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
            yield f"{name}: in the node's namespaces"
        kinds = {next(iter(set(volume) - {"name"})) for volume in pod.get("volumes", [])}
        if not kinds <= {"emptyDir", "configMap", "secret"}:
            yield f"{name}: volumes {kinds}"
        writable = {volume["name"] for volume in pod.get("volumes", []) if "emptyDir" in volume}
        for container in containers(pod):
            own = container.get("securityContext", {})
            if own.get("allowPrivilegeEscalation") is not False or own.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{name}: rights that it does not need"
            if own.get("readOnlyRootFilesystem") is not True or own.get("privileged"):
                yield f"{name}: may write to its image, or is privileged"
            for mount in container.get("volumeMounts", []):
                if mount["name"] in writable and mount["mountPath"] not in _WRITABLE:
                    yield f"{name}: writes to {mount['mountPath']}"
                elif mount["name"] not in writable and not mount.get("readOnly"):
                    yield f"{name}: {mount['mountPath']} is not read-only"


@rule
def first_steps_see_what_they_need(r: Rendered) -> Faults:
    """What creates topics and migrates has the CA of what it connects to, and no token, key or index of the service."""
    needed = {"topics": {"tmp", "kafka-ca", "kafka-admin"}, "migrate": {"tmp", "database-ca"}}
    for service in SERVICES:
        pod = r.pod(service)
        has = {volume["name"] for volume in pod.get("volumes", [])}
        for container in pod.get("initContainers", []):
            mounts = {one["name"] for one in container.get("volumeMounts", [])}
            if mounts != needed[container["name"]] & has:
                yield f"{service}: {container['name']} sees {sorted(mounts)}"


@rule
def passwords_in_the_environment(r: Rendered) -> Faults:
    """What creates topics has none there: an administrator's is a file. What migrates has the owner's alone."""
    needed = {"topics": set(), "migrate": {"PGPASSWORD"}}
    for service in SERVICES:
        for container in r.pod(service).get("initContainers", []):
            found = {one["name"] for one in container.get("env", []) if "secretKeyRef" in one.get("valueFrom", {})}
            if found != needed[container["name"]]:
                yield f"{service}: {container['name']} has {sorted(found)}"


@rule
def nothing_more_than_needed(r: Rendered) -> Faults:
    """No rights in the cluster, no address outside it, nothing that the services do not need."""
    for one in r.manifests:
        if re.search(
            r"Role|Webhook|DaemonSet|StatefulSet|Namespace$|CustomResourceDefinition|Ingress$|Kafka(Connect|Bridge)",
            one["kind"],
        ):
            yield name_of(one)
        if one["kind"] == "Service" and one["spec"].get("type", "ClusterIP") != "ClusterIP":
            yield f"{name_of(one)}: {one['spec']['type']}"
        if one["metadata"].get("namespace", NAMESPACE) != NAMESPACE:
            yield f"{name_of(one)}: in another namespace"


@rule
def no_hooks_but_tests(r: Rendered) -> Faults:
    """Nothing hangs on hooks, which --wait, a rollback and other tools know little of."""
    for one in r.manifests:
        if one["metadata"].get("annotations", {}).get("helm.sh/hook", "test") != "test":
            yield name_of(one)


@rule
def pinned_images(r: Rendered) -> Faults:
    """Each service's own image, by a version or a digest."""
    for service in SERVICES:
        image = r.container(service).get("image", "")
        if not re.fullmatch(
            rf"{re.escape(r.values['image']['repository'])}/{service}(:(?!latest)[\w.-]+|@sha256:[0-9a-f]{{64}})", image
        ):
            yield f"{service}: {image}"


@rule
def settings_are_known(r: Rendered) -> Faults:
    """Every variable is a setting of that service's."""
    for service in SERVICES:
        known = {f"ALLIANCE_{name.upper()}" for name in import_module(f"{service}.app").SERVICE.settings.model_fields}
        secret = {one["name"] for one in r.container(service).get("env", []) if one["name"].startswith("ALLIANCE_")}
        yield from (f"{service}: {one}" for one in (set(r.settings(service)) | secret) - known)


@rule
def one_member_a_pod(r: Rendered) -> Faults:
    """The pod's name is its slot: two members of one name would hold a group up."""
    for service in SERVICES:
        slot = [one for one in r.container(service).get("env", []) if one["name"] == "ALLIANCE_SLOT"]
        if [one.get("valueFrom") for one in slot] != [{"fieldRef": {"fieldPath": "metadata.name"}}]:
            yield f"{service}: {slot}"


def _bytes(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(\w*)", quantity).groups()  # type: ignore[union-attr]
    return int(number) * _GROUPS[unit]
