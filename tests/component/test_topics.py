"""`python -m SERVICE topics | replay` on a real broker: what is there stays, and a replay is set up for the relay."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from alliance.admin.v1 import admin_service_pb2
from alliance_local.control import Platform
from chassis import provision, topics
from chassis.provision import Kind, Operation
from tests import world
from tests.component.conftest import Probe
from tests.waiting import until

_TOPIC = "alliance.internal.notify.delivery.v1"  # which nobody reads
_REPLAYED = "alliance.internal.listings.silence.v1"


async def _run(platform: Platform, user: str, *arguments: str) -> tuple[int, str]:
    access = platform.kafka(user)
    settings = {
        "ALLIANCE_DATABASE_URL": platform.database_url("listings"),
        "ALLIANCE_KAFKA_BOOTSTRAP": access.bootstrap,
        "ALLIANCE_KAFKA_SECURITY": access.security,
        "ALLIANCE_KAFKA_USERNAME": access.username or "",
        "ALLIANCE_KAFKA_PASSWORD": access.password or "",
        "ALLIANCE_JWKS_FILE": "/none",
        "ALLIANCE_TOKEN_ISSUER": "nobody",
    }
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "listings", *arguments)
    child = await asyncio.create_subprocess_exec(*command, env=settings, stdout=pipe, stderr=pipe)
    out, err = await child.communicate()
    return child.returncode or 0, (out + err).decode()


async def test_what_is_missing_is_created_and_what_is_there_stays(platform: Platform, probe: Probe) -> None:
    admin = AIOKafkaAdminClient(**probe.kafka.options())
    await admin.start()
    try:
        await admin.delete_topics([_TOPIC])
        await until(lambda: _is_gone(admin))
        outcomes = await asyncio.gather(*(_run(platform, "admin", "topics", "--acls") for _ in range(2)))
        assert [code for code, _ in outcomes] == [0, 0], outcomes
        assert sum(_TOPIC in said for _, said in outcomes) == 1, "both create, and one of them has"
        assert len((await admin.describe_topics([_TOPIC]))[0]["partitions"]) == topics.load().named(_TOPIC).partitions
        config = await _config(admin)
        assert config.items() >= topics.load().config("production").items()
        assert config["min.insync.replicas"] == "1"
        code, said = await _run(platform, "admin", "topics", "--profile", "test")
        assert (code, "0 topics" in said, await _config(admin)) == (0, True, config)
    finally:
        await admin.close()


async def test_as_whom_stands_in_files(platform: Platform, tmp_path: Path) -> None:
    """An administrator's, while the settings name the service's own user, as on a cluster."""
    access = platform.kafka("admin")
    (tmp_path / "username").write_text(f"{access.username}\n", encoding="utf-8")
    code, said = await _run(platform, "listings", "topics", "--acls", f"--login={tmp_path}")
    assert (code, "password" in said) == (1, True), said
    (tmp_path / "password").write_text(str(access.password), encoding="utf-8")
    code, said = await _run(platform, "listings", "topics", "--acls", f"--login={tmp_path}")
    assert (code, "topics were created" in said) == (0, True), said


async def _is_gone(admin: AIOKafkaAdminClient) -> bool:
    return _TOPIC not in await admin.list_topics()


async def _config(admin: AIOKafkaAdminClient) -> dict[str, str]:
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, _TOPIC)])
    return {entry[0]: entry[1] for entry in answer.resources[0][4]}


async def test_who_may_not_is_told_so(platform: Platform) -> None:
    code, said = await _run(platform, "listings", "topics", "--acls")
    assert code == 1
    assert "AuthorizationFailed" in said, said


def test_a_replay_is_worked_off_by_who_serves(platform: Platform) -> None:
    code, said = asyncio.run(_run(platform, "listings", "replay", _REPLAYED, "a test", "--actor", "on-call"))
    assert code == 0, said
    job = said.split("job ")[1].split(" ")[0]
    admin = world.operator(platform).admin("listings")

    def ended() -> object:
        found = admin.GetJob(admin_service_pb2.GetJobRequest(id=job))
        return found if found.HasField("finish_time") else None

    assert world.until(ended)


def test_a_topic_is_written_by_its_owner_and_read_by_whom_it_names() -> None:
    for topic in topics.load().all:
        users: dict[Operation, Sequence[str]] = {
            operation: [one.user for one in provision.rights() if (one.name, one.operation) == (topic.name, operation)]
            for operation in (Operation.READ, Operation.WRITE)
        }
        assert users[Operation.WRITE] == [topic.owner]
        assert sorted(users[Operation.READ]) == sorted({topic.owner, *topic.consumers})
    assert {one.user for one in provision.rights()} == set(provision.services())
    prefixes = {one.name for one in provision.rights() if one.kind is Kind.GROUP}
    assert prefixes == {f"{service}." for service in provision.services()}
