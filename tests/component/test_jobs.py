"""Jobs: operators see them, newest first, and cancel replays and rebuilds, waiting or under way; never a fence."""

from collections.abc import Sequence
from typing import Any
from unittest.mock import Mock

import pytest
from aiokafka import AIOKafkaProducer

from alliance.admin.v1 import admin_service_pb2 as pb
from chassis import jobs
from chassis import relay as relaying
from chassis.admin import Admin
from chassis.database import Cause
from chassis.errors import Invalid, NotFound, Precondition
from tests.component.conftest import CAUSE, TOPIC, Probe, key
from tests.component.test_rebuild import Kept, _published
from tests.waiting import running, until

_WHY = "a decision"
_CANCELLED = f"已取消 · cancelled by an operator: {_WHY}"


async def _asked(probe: Probe, rpc: str, request: Any) -> Any:
    """What the operator's service answers."""
    admin = Admin(probe.name, Mock(), Mock(), [])
    async with probe.database.transaction(Cause("an operator", reason=getattr(request, "reason", ""))) as tx:
        return await getattr(admin, rpc)(Mock(tx=tx), request)


async def _cancelled(probe: Probe, job: object, **more: Any) -> pb.Job:
    found: pb.Job = await _asked(probe, "CancelJob", pb.CancelJobRequest(id=str(job), reason=_WHY, **more))
    return found


async def _begun(probe: Probe, kind: jobs.Kind, subject: str) -> str:
    async with probe.database.transaction(CAUSE) as tx:
        return str(await jobs.start(tx, kind, subject, "a test"))


async def _job(probe: Probe, job: str) -> Any:
    (row,) = await probe.rows("SELECT * FROM job WHERE id = $1", job)
    return row


async def test_jobs_are_listed_newest_first_from_page_to_page(probe: Probe) -> None:
    fence, replay, rebuild = [await _begun(probe, kind, f"of {kind}") for kind in ("fence", "replay", "rebuild")]
    async with probe.database.transaction(CAUSE) as tx:
        await jobs.progress(tx, (await jobs.next_open(tx, "replay")).id, "a key", 7)
        await jobs.finish(tx, (await jobs.next_open(tx, "fence")).id, 3)
    first = await _asked(probe, "ListJobs", pb.ListJobsRequest(page_size=2))
    second = await _asked(probe, "ListJobs", pb.ListJobsRequest(page_size=2, page_token=first.next_page_token))
    assert [one.id for one in (*first.jobs, *second.jobs)] == [rebuild, replay, fence]
    assert second.next_page_token == ""
    shown = first.jobs[1]
    assert (shown.service, shown.kind, shown.subject, shown.position) == (probe.name, "replay", "of replay", "a key")
    assert (shown.records, shown.actor, shown.reason) == (7, CAUSE.actor, "a test")
    assert second.jobs[0].removed == 3
    still_open = await _asked(probe, "ListJobs", pb.ListJobsRequest(open=True))
    assert [one.id for one in still_open.jobs] == [rebuild, replay]


async def test_a_replay_that_waits_is_cancelled_alone(probe: Probe) -> None:
    name = key()
    await _published(probe, (name, 1))
    first, second = [await _begun(probe, "replay", TOPIC) for _ in range(2)]
    answer = await _cancelled(probe, first)
    assert (answer.id, answer.failure, answer.HasField("finish_time")) == (first, _CANCELLED, True)
    async with running(probe.relay().run):
        await until(lambda: probe.rows("SELECT 1 FROM job WHERE id = $1 AND finished_at IS NOT NULL", second))
    assert [(await _job(probe, one))["failure"] for one in (first, second)] == [_CANCELLED, ""]
    assert await probe.versions(name) == [1, 1]


@pytest.mark.parametrize("refused", [False, True])
async def test_a_replay_under_way_stops_at_its_next_step(probe: Probe, monkeypatch: pytest.MonkeyPatch, refused: bool) -> None:
    """Also where the broker refuses the step in which it was cancelled: the next job has nothing to do with that."""
    monkeypatch.setattr(relaying, "BATCH", 1)
    names, given = sorted(key() for _ in range(3)), relaying.send
    await _published(probe, *((name, 1) for name in names))
    first, sent = await _begun(probe, "replay", TOPIC), list[str]()
    second: list[str] = []

    async def send(producer: AIOKafkaProducer, events: Sequence[relaying.StoredEvent]) -> None:
        if not sent:
            second.append(await _begun(probe, "replay", TOPIC))
            await _cancelled(probe, first)
        sent.extend(one.key for one in events)
        if refused and len(sent) == 1:
            raise relaying.RefusedError("on purpose")
        await given(producer, events)

    monkeypatch.setattr(relaying, "send", send)
    async with running(probe.relay().run):
        await until(lambda: second and probe.rows("SELECT 1 FROM job WHERE id = $1 AND finished_at IS NOT NULL", second[0]))
    assert sent == [names[0], *names]
    ended, whole = await _job(probe, first), await _job(probe, second[0])
    assert (ended["failure"], ended["records"]) == (_CANCELLED, 0 if refused else 1)
    assert (whole["failure"], whole["records"]) == ("", 3)


@pytest.mark.parametrize("step", ["_write", "_keep", "_forget"])
async def test_a_rebuild_under_way_stops_at_its_next_step(probe: Probe, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    kept, name, invented = Kept(probe, "state"), key(), key()
    await _published(probe, (name, 1))
    await probe.change("INSERT INTO effect VALUES ('x', $1, 1)", invented)
    job = await _begun(probe, "rebuild", kept.handling.group)
    work = getattr(kept.worker, step)

    async def cancelled(*arguments: Any) -> Any:
        if not (await _job(probe, job))["finished_at"]:
            await _cancelled(probe, job)
        return await work(*arguments)

    monkeypatch.setattr(kept.worker, step, cancelled)
    async with running(kept.worker.run):
        await until(lambda: probe.rows("SELECT 1 FROM job WHERE finished_at IS NOT NULL"))
        following = await _begun(probe, "rebuild", "renamed.since")
        await until(lambda: probe.rows("SELECT 1 FROM job WHERE id = $1 AND finished_at IS NOT NULL", following))
    assert await kept.rows(invented) == [1], "nothing more is removed"
    ended = await _job(probe, job)
    assert (ended["failure"], ended["removed"]) == (_CANCELLED, 0)


async def test_a_rebuild_that_waits_for_a_part_is_cancelled(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.rebuild._PAUSE", 0.05)
    kept, tries = Kept(probe, "state"), list[int]()
    await _published(probe, (key(), 1))
    job = await _begun(probe, "rebuild", kept.handling.group)

    async def away(*_: object) -> int:
        tries.append(1)
        raise TimeoutError

    monkeypatch.setattr(kept.handling, "rewrite", away)
    async with running(kept.worker.run):
        await until(lambda: len(tries) > 2)
        await _cancelled(probe, job)
        following = await _begun(probe, "rebuild", "renamed.since")
        await until(lambda: probe.rows("SELECT 1 FROM job WHERE id = $1 AND finished_at IS NOT NULL", following))
    assert (await _job(probe, job))["failure"] == _CANCELLED


async def test_a_dry_run_cancels_nothing(probe: Probe) -> None:
    job = await _begun(probe, "replay", TOPIC)
    answer = await _cancelled(probe, job, dry_run=True)
    assert (answer.id, answer.HasField("finish_time")) == (job, False)
    assert (await _job(probe, job))["finished_at"] is None


async def test_a_fence_and_what_has_ended_are_not_cancelled(probe: Probe) -> None:
    fence, ended = await _begun(probe, "fence", probe.name), await _begun(probe, "replay", TOPIC)
    await _cancelled(probe, ended)
    for job, reason in ((fence, "JOB_FENCE"), (ended, "JOB_ENDED")):
        for dry_run in (True, False):
            with pytest.raises(Precondition) as refused:
                await _cancelled(probe, job, dry_run=dry_run)
            assert refused.value.reason == reason
    assert (await _job(probe, fence))["finished_at"] is None


async def test_a_cancellation_needs_a_reason_and_a_job(probe: Probe) -> None:
    with pytest.raises(NotFound):
        await _cancelled(probe, "01890000-0000-7000-8000-000000000000")
    for wrong in (pb.CancelJobRequest(id="x", reason=_WHY), pb.CancelJobRequest(id=await _begun(probe, "replay", TOPIC))):
        with pytest.raises(Invalid):
            await _asked(probe, "CancelJob", wrong)
