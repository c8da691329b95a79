"""The rules (`rules_*.py`) hold of every profile, and each sees the mistakes that it is there for."""

import json
from collections.abc import Callable
from typing import Any

import kubernetes_validate
import pytest
import yaml
from run_once import job_of

from alliance_local.state import SERVICES
from tests.deploy import helm, mutations_data, mutations_network, mutations_pods, rules_data, rules_network, rules_pods
from tests.deploy.helm import PROFILES, Manifest, name_of, render, rendered, template, values
from tests.deploy.rendered import RULES, Rendered, containers

MUTATIONS = (*mutations_pods.MUTATIONS, *mutations_network.MUTATIONS, *mutations_data.MUTATIONS)


def _of(profile: str) -> Rendered:
    return Rendered(profile, rendered(profile), values(profile))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", RULES)
def test_it_holds(name: str, profile: str) -> None:
    assert list(RULES[name](_of(profile))) == [], RULES[name].__doc__


@pytest.mark.parametrize(("name", "what", "profile", "mutation"), MUTATIONS, ids=[what for _, what, _, _ in MUTATIONS])
def test_it_sees(name: str, what: str, profile: str, mutation: Callable[[Rendered], object]) -> None:
    changed = _of(profile)
    mutation(changed)
    assert changed.manifests != rendered(profile), "nothing was changed"
    assert list(RULES[name](changed)), f"{what}: not seen by {name}"


def test_every_rule_sees_something() -> None:
    assert {rule.__module__ for rule in RULES.values()} == {one.__name__ for one in (rules_pods, rules_network, rules_data)}
    assert {name for name, *_ in MUTATIONS} == set(RULES)


def test_a_changed_setting_rolls_its_own_service_out_and_no_other() -> None:
    before = _of("lab")
    after = Rendered("lab", render("lab", "--set", "services.notify.settings.delivery_timeout=11"), values("lab"))

    def checksum(r: Rendered, service: str) -> str:
        return str(r.deployment(service)["spec"]["template"]["metadata"]["annotations"]["checksum/settings"])

    changed = {
        one
        for one in ("registry", "listings", "matching", "reporting", "notify")
        if checksum(before, one) != checksum(after, one)
    }
    assert changed == {"notify"}


def test_renewed_public_keys_roll_nothing_out() -> None:
    """They are read again by themselves."""

    def given(kid: str) -> tuple[str, ...]:
        keys = json.dumps({"keys": [{"kty": "EC", "kid": kid}]})
        return ("--set", "tokens.jwksConfigMap=", "--set-json", f"tokens.jwks={json.dumps(keys)}")

    one, another = (Rendered("lab", render("lab", *some), values("lab")) for some in (given("a"), given("b")))
    assert one.deployment("notify") == another.deployment("notify")
    assert one.named("ConfigMap", "alliance-jwks") != another.named("ConfigMap", "alliance-jwks")


def test_mappings_of_feeds_come_from_a_config_map_and_can_only_be_read() -> None:
    found = Rendered("lab", render("lab", "--set", "services.listings.feedMappingsConfigMap=maps"), values("lab"))
    kubernetes_validate.validate(found.deployment("listings"), "1.34", strict=True)
    folder = found.settings("listings")["ALLIANCE_FEED_MAPPINGS"]
    (mount,) = [one for one in found.container("listings")["volumeMounts"] if one["mountPath"] == folder]
    assert mount["readOnly"]
    assert "subPath" not in mount  # of which changes are never seen
    (volume,) = [one for one in found.pod("listings")["volumes"] if one["name"] == mount["name"]]
    assert volume["configMap"] == {"name": "maps"}
    assert "ALLIANCE_FEED_MAPPINGS" not in found.settings("notify")
    assert "ALLIANCE_FEED_MAPPINGS" not in _of("lab").settings("listings")


def test_what_is_in_a_secret_rolls_nothing_out() -> None:
    """Passwords are read at a start: README.md, Rotation, says who has to be restarted."""
    one, another = (Rendered("operators", render("operators"), values("operators")) for _ in range(2))
    assert one.of("Secret") != another.of("Secret")  # made up anew, where no cluster is asked
    assert one.of("Deployment") == another.of("Deployment")


@pytest.mark.parametrize(
    ("given", "rolled"),
    [
        ("services.notify.secretEnvironment[0].secret=another", {"notify"}),
        ("kafka.cluster=another", set(SERVICES)),  # whose CA is in a Secret of its name
        ("monitoring.interval=30s", set()),
    ],
)
def test_a_secret_by_another_name_rolls_out_who_reads_it_and_no_other(given: str, rolled: set[str]) -> None:
    before = _of("operators")
    after = Rendered("operators", render("operators", "--set", given), values("operators"))
    assert {one for one in SERVICES if before.pod(one) != after.pod(one)} == rolled


def test_numbers_stay_as_they_are_written() -> None:
    """Helm's numbers are floats: a million would be 1e+06."""
    given = (
        "--set",
        "services.notify.settings.outbox_max_rows=1000000",
        "--set-json",
        "services.notify.settings.delivery_delays=[0.5,86400]",
    )
    found = Rendered("lab", render("lab", *given), values("lab")).settings("notify")
    assert found["ALLIANCE_OUTBOX_MAX_ROWS"] == "1000000"
    assert found["ALLIANCE_DELIVERY_DELAYS"] == "[0.5,86400]"


def test_an_issuer_that_is_there_is_used() -> None:
    found = Rendered("operators", render("operators", "--set", "mtls.issuer.kind=ClusterIssuer,mtls.issuer.name=internal"), {})
    assert not found.of("Issuer")
    assert {one["spec"]["issuerRef"]["name"] for one in found.of("Certificate")} == {"internal"}
    assert {one["spec"]["issuerRef"]["kind"] for one in found.of("Certificate")} == {"ClusterIssuer"}


def test_by_cpu_a_horizontal_autoscaler_scales() -> None:
    found = Rendered("lab", render("lab", "--set", "autoscaling.source=cpu"), values("lab"))
    names = {one["spec"]["scaleTargetRef"]["name"] for one in found.of("HorizontalPodAutoscaler")}
    assert names == {"alliance-registry", "alliance-listings", "alliance-reporting", "alliance-notify"}
    assert "replicas" not in found.deployment("notify")["spec"]
    assert found.deployment("matching")["spec"]["replicas"] == found.values["services"]["matching"]["replicas"]


def test_while_databases_are_restored_nothing_serves_and_nothing_scales() -> None:
    found = Rendered("production", render("production", "--set", "maintenance=true"), values("production"))
    assert {one["spec"]["replicas"] for one in found.of("Deployment")} == {0}
    assert not found.of("ScaledObject")
    assert [one["kind"] for one in found.manifests if one["kind"] in ("Cluster", "KafkaTopic")], "data are there"


def test_a_cluster_is_made_out_of_a_backup_and_archives_apart_from_it() -> None:
    plain = Rendered("production", render("production"), {}).of("Cluster")[0]["spec"]
    assert "bootstrap" not in plain
    recovery, backup = "database.cluster.recovery", "database.cluster.backup"
    given = f"{recovery}.objectStore=store,{recovery}.targetTime=2026-11-01T00:00:00Z,{backup}.serverName=second"
    spec = Rendered("production", render("production", "--set", given), {}).of("Cluster")[0]["spec"]
    asked = spec["bootstrap"]["recovery"]
    (source,) = [one for one in spec["externalClusters"] if one["name"] == asked["source"]]
    assert asked["recoveryTarget"] == {"targetTime": "2026-11-01T00:00:00Z"}
    assert source["plugin"]["parameters"] == {"barmanObjectName": "store", "serverName": "alliance-database"}
    assert spec["plugins"][0]["parameters"]["serverName"] == "second"


def test_connections_follow_the_pods_and_their_pools() -> None:
    def most(*given: str) -> int:
        (cluster,) = Rendered("operators", render("operators", *given), {}).of("Cluster")
        return int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])

    before = most()
    assert most("--set", "services.notify.autoscaling.max=7") == before + 14
    assert most("--set", "services.matching.replicas=3") == before + 14
    assert most("--set", "services.notify.settings.database_pool=20") == before + 70
    assert most("--set", "autoscaling.source=none") == before - 4 * 4 * 14


def test_pods_run_where_values_say() -> None:
    everybody: dict[str, Any] = {
        "nodeSelector": {"pool": "alliance", "disk": "any"},
        "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "alliance", "effect": "NoSchedule"}],
        "priorityClassName": "ordinary",
    }
    own: dict[str, Any] = {
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}],
        "priorityClassName": "important",
    }
    paths = {"scheduling": everybody, "services.matching.scheduling": own, "database.cluster.scheduling": own}
    given = [part for path, value in paths.items() for part in ("--set-json", f"{path}={json.dumps(value)}")]
    with_them = values("operators")
    with_them["scheduling"] = everybody
    with_them["services"]["matching"]["scheduling"] = with_them["database"]["cluster"]["scheduling"] = own
    found = Rendered("operators", render("operators", *given), with_them)
    assert list(RULES["scheduled_as_values_say"](found)) == []
    assert found.pod("matching")["nodeSelector"] == {"pool": "alliance", "disk": "fast"}
    assert found.pod("matching")["tolerations"] == everybody["tolerations"] + own["tolerations"]
    assert found.pod("notify")["priorityClassName"] == "ordinary"
    for one in (found.deployment("matching"), found.deployment("notify"), found.named("Pod", "alliance-smoke")):
        kubernetes_validate.validate(one, "1.34", strict=True)
    once = job_of(found.deployment("matching"), ["replay"], 1)["spec"]["template"]["spec"]
    assert {key: once[key] for key in own} == {key: found.pod("matching")[key] for key in own}


def test_dashboards_can_be_left_out_and_put_into_a_folder() -> None:
    def boards(*given: str) -> list[Manifest]:
        maps = Rendered("operators", render("operators", *given), {}).of("ConfigMap")
        return [one for one in maps if "-dashboard-" in one["metadata"]["name"]]

    assert boards("--set", "monitoring.dashboards.enabled=false") == []
    in_folder = boards("--set", "monitoring.dashboards.annotations.grafana_folder=Alliance")
    assert {one["metadata"]["annotations"]["grafana_folder"] for one in in_folder} == {"Alliance"}
    assert all("annotations" not in one["metadata"] for one in boards())


def test_runbooks_without_an_address_are_named_by_their_place() -> None:
    (found,) = Rendered("operators", render("operators", "--set", "monitoring.runbooks="), {}).of("PrometheusRule")
    addresses = [one["annotations"]["runbook_url"] for one in found["spec"]["groups"][-1]["rules"]]
    assert all((helm.ROOT / one).exists() and one.startswith("docs/runbooks/") for one in addresses)


def test_a_digest_wins_over_the_tag() -> None:
    digest = "sha256:" + "a" * 64
    found = Rendered("lab", render("lab", "--set-string", f"image.digests.notify={digest},image.tag=2"), values("lab"))
    assert found.container("notify")["image"] == f"localhost/alliance/notify@{digest}"
    assert found.container("registry")["image"] == "localhost/alliance/registry:2"


def test_an_administrators_password_is_a_file_that_the_first_step_alone_sees() -> None:
    """Its name is of a Secret that is there; the mount's other end is `topics --login`."""
    given = "kafka.security=SASL_SSL,kafka.topics.adminSecret=kafka-admin"
    found = Rendered("lab", render("lab", "--set", given), values("lab"))
    for name in ("first_steps_see_what_they_need", "passwords_in_the_environment", "restricted"):
        assert list(RULES[name](found)) == []
    first, *others = containers(found.pod("notify"))
    (mount,) = [one for one in first["volumeMounts"] if one["name"] == "kafka-admin"]
    assert first["args"][-1] == f"--login={mount['mountPath']}"
    assert not [one for container in others for one in container["volumeMounts"] if one["name"] == "kafka-admin"]
    (volume,) = [one["secret"] for one in found.pod("notify")["volumes"] if one["name"] == "kafka-admin"]
    assert (volume["secretName"], [one["path"] for one in volume["items"]]) == ("kafka-admin", ["username", "password"])
    kubernetes_validate.validate(found.deployment("notify"), "1.34", strict=True)


@pytest.mark.parametrize(("size", "asked", "most"), [("512Mi", 768, 1792), ("10Gi", 10496, 11520), ("1Ti", 1048832, 1049856)])
def test_the_disk_of_a_pod_follows_its_index(size: str, asked: int, most: int) -> None:
    found = Rendered("lab", render("lab", "--set", f"services.matching.index.size={size}"), values("lab"))
    resources = found.container("matching")["resources"]
    assert resources["requests"]["ephemeral-storage"] == f"{asked}Mi"
    assert resources["limits"]["ephemeral-storage"] == f"{most}Mi"


@pytest.mark.parametrize("source", ["existing", "generated"])
def test_who_sees_no_cluster_makes_up_no_passwords(source: str) -> None:
    """They would be others at each rendering, and go to the databases with it."""
    done = template("operators", "--set", f"credentials.source={source},credentials.preview=false")
    assert ("alliance-listings-token is not seen" in done.stderr) == (source == "generated") == (done.returncode != 0)


def test_generated_passwords_differ() -> None:
    passwords = [one["data"]["password"] for one in _of("operators").of("Secret")]
    assert len(set(passwords)) == len(passwords) == 10


@pytest.mark.parametrize("profile", ["lab", "production"])
def test_another_release_in_another_namespace_has_names_of_its_own_throughout(profile: str) -> None:
    """The same manifests but for the names: none is written out anywhere."""
    done = helm.run(
        "template", "east", str(helm.CHART), "-n", "other", "--kube-version", "1.34.0", "-f", helm.values_file(profile)
    )
    manifests = json.dumps(list(filter(None, yaml.load_all(done.stdout, yaml.CSafeLoader))))
    for its, ours in (
        ("east-alliance", "alliance"),
        ('"east"', '"alliance"'),
        (".other.svc", ".platform.svc"),
        ('\\"other\\"', '\\"platform\\"'),
        ('"namespace": "other"', '"namespace": "platform"'),
    ):
        manifests = manifests.replace(its, ours)
    # Helm sorts by name, and the hash of the settings has the names in it.
    found, ours_ = ({name_of(one): _unhashed(one) for one in some} for some in (json.loads(manifests), rendered(profile)))
    assert found == ours_


def _unhashed(manifest: Manifest) -> Manifest:
    if manifest["kind"] == "Deployment":
        manifest["spec"]["template"]["metadata"].pop("annotations")
    return manifest


def test_a_collector_that_is_no_pod_is_reached_by_its_address() -> None:
    given = ("--set", "telemetry.collector.cidrs={10.40.0.50/32}")
    r = Rendered("operators", render("operators", *given), values("operators"))
    opened = [one for one in r.policy("notify")["egress"] if one["ports"][0]["port"] == 4317]
    assert [one["to"] for one in opened] == [[{"ipBlock": {"cidr": "10.40.0.50/32"}}]]


def test_the_collector_is_reached_at_the_port_of_its_address() -> None:
    given = ("--set", "telemetry.otlpEndpoint=https://collector.observability.svc:14317")
    policies = [one for one in render("operators", *given) if one["kind"] == "NetworkPolicy"]
    ports = {port["port"] for one in policies for way in one["spec"].get("egress", []) for port in way.get("ports", [])}
    assert 14317 in ports
    assert 4317 not in ports


@pytest.mark.parametrize(("profile", "is_warned"), [("lab", False), ("operators", True), ("production", False)])
def test_who_installs_a_database_without_backups_is_told(profile: str, is_warned: bool) -> None:
    chosen = ("-n", helm.NAMESPACE, "--dry-run=client", "-f", helm.values_file(profile), *helm.LOOKING)
    done = helm.run("install", helm.RELEASE, str(helm.CHART), *chosen)
    assert done.returncode == 0, done.stderr
    assert ("No backups!" in done.stdout) == is_warned
