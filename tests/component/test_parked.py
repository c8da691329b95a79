"""Parked events: operators see them, hand them to the relay again, and give them up; who, when and why is kept."""

from typing import Any
from unittest.mock import Mock

import pytest

from alliance.admin.v1 import admin_service_pb2 as pb
from chassis.admin import Admin
from chassis.database import Cause
from chassis.errors import Invalid
from chassis.kafka import MAX_BATCH
from tests.component.conftest import TOPIC, Probe, key
from tests.component.test_relay import _grow
from tests.waiting import running, until

_WHY = "a decision"


async def _asked(probe: Probe, rpc: str, request: Any) -> Any:
    """What the operator's service answers."""
    async with probe.database.transaction(Cause("an operator", reason=getattr(request, "reason", ""))) as tx:
        return await getattr(_admin(probe), rpc)(Mock(tx=tx), request)


def _admin(probe: Probe) -> Admin:
    return Admin(probe.name, Mock(), Mock(), [])


async def _listed(probe: Probe, **wanted: Any) -> list[pb.ParkedEvent]:
    return list((await _asked(probe, "ListParkedEvents", pb.ListParkedEventsRequest(**wanted))).events)


async def _parked(probe: Probe, name: str) -> int:
    """The place of an event that is too large, with two behind it that wait."""
    await probe.emit(name, 1)
    await _grow(probe, name, MAX_BATCH)
    await probe.emit(name, 2)
    await probe.emit(name, 3)
    async with running(probe.relay().run):
        await until(lambda: probe.rows("SELECT 1 FROM outbox WHERE parked IS NOT NULL"))
    (row,) = await probe.rows("SELECT seq FROM outbox WHERE parked IS NOT NULL")
    return int(row["seq"])


async def test_a_parked_event_is_listed_with_why_and_what_waits_behind_it(probe: Probe) -> None:
    name = key()
    seq = await _parked(probe, name)
    (event,) = await _listed(probe)
    assert (event.service, event.seq, event.key, event.topic, event.version) == (probe.name, seq, name, TOPIC, 1)
    assert event.type == "alliance.notify.subscription.created.v1"
    assert event.size > MAX_BATCH
    assert event.parked_because.startswith("record too large: ")
    assert (event.waiting, event.given_up, list(event.actions)) == (2, False, [])


async def test_a_row_without_its_event_is_listed(probe: Probe) -> None:
    await probe.emit(key(), 1)
    await probe.change("DELETE FROM event")
    await probe.change("UPDATE outbox SET parked = 'no such event'")
    (event,) = await _listed(probe)
    assert (event.topic, event.version, event.size, event.parked_because) == ("", 0, 0, "no such event")


async def test_a_list_goes_on_from_page_to_page(probe: Probe) -> None:
    for _ in range(3):
        await probe.emit(key(), 1)
    await probe.change("UPDATE outbox SET parked = 'on purpose'")
    first = await _asked(probe, "ListParkedEvents", pb.ListParkedEventsRequest(page_size=2))
    request = pb.ListParkedEventsRequest(page_size=2, page_token=first.next_page_token)
    second = await _asked(probe, "ListParkedEvents", request)
    seqs = [row["seq"] for row in await probe.rows("SELECT seq FROM outbox ORDER BY seq")]
    assert [one.seq for one in (*first.events, *second.events)] == seqs
    assert second.next_page_token == ""


async def test_what_is_retried_goes_out_before_what_waits_behind_it(probe: Probe) -> None:
    name = key()
    seq = await _parked(probe, name)
    await _grow(probe, name, 0)  # the cause is gone
    answer = await _asked(probe, "RetryParkedEvents", pb.RetryParkedEventsRequest(seqs=[seq, seq + 9], reason=_WHY))
    assert list(answer.seqs) == [seq]
    async with running(probe.relay().run):
        await until(probe.is_out)
    assert await probe.versions(name) == [1, 2, 3]
    (kept,) = await probe.rows("SELECT seq, action, actor, reason FROM parked_action")
    assert tuple(kept) == (seq, "retry", "an operator", _WHY)


async def test_what_is_refused_again_is_parked_again_and_says_that_it_was_tried(probe: Probe) -> None:
    name = key()
    seq = await _parked(probe, name)
    await _asked(probe, "RetryParkedEvents", pb.RetryParkedEventsRequest(seqs=[seq], reason=_WHY))
    assert await _listed(probe) == []
    async with running(probe.relay().run):
        await until(lambda: _listed(probe))
    (event,) = await _listed(probe)
    assert [(one.action, one.actor, one.reason) for one in event.actions] == [("retry", "an operator", _WHY)]
    assert await probe.versions(name) == []


async def test_what_is_given_up_holds_nobody_and_stays_as_the_record(probe: Probe) -> None:
    name = key()
    seq = await _parked(probe, name)
    request = pb.GiveUpParkedEventsRequest(seqs=[seq], reason=_WHY)
    assert list((await _asked(probe, "GiveUpParkedEvents", request)).seqs) == [seq]
    async with running(probe.relay().run):
        await until(lambda: probe.is_published(name, 3))
    assert await probe.versions(name) == [2, 3]
    assert await _listed(probe) == []
    (event,) = await _listed(probe, given_up=True)
    assert (event.seq, event.key, event.given_up, event.waiting) == (seq, name, True, 0)
    assert event.parked_because.startswith("record too large: ")
    assert [(one.action, one.actor, one.reason) for one in event.actions] == [("give-up", "an operator", _WHY)]
    for rpc, again in (("GiveUp", request), ("Retry", pb.RetryParkedEventsRequest(seqs=[seq], reason=_WHY))):
        assert list((await _asked(probe, f"{rpc}ParkedEvents", again)).seqs) == [], "it is decided"
    assert len(await probe.rows("SELECT 1 FROM parked_action")) == 1


async def test_what_was_given_up_for_want_of_its_topic_does_not_go_out_with_it(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay hands on by itself what waits for a topic that there is by then: an old version would follow a newer one."""
    monkeypatch.setattr("chassis.relay.FULL_SCAN", 0.1)
    name = key()
    await probe.emit(name, 1)
    await probe.change("UPDATE outbox SET parked = $1", f"no topic {TOPIC}")
    (event,) = await _listed(probe)
    await _asked(probe, "GiveUpParkedEvents", pb.GiveUpParkedEventsRequest(seqs=[event.seq], reason=_WHY))
    await probe.emit(name, 2)
    async with running(probe.relay().run):
        await until(lambda: probe.is_published(name, 2))
        await probe.emit(name, 3)
        await until(lambda: probe.is_published(name, 3))
    assert await probe.versions(name) == [2, 3]
    assert len(await _listed(probe, given_up=True)) == 1


@pytest.mark.parametrize("rpc", ["Retry", "GiveUp"])
async def test_a_dry_run_says_which_and_changes_nothing(probe: Probe, rpc: str) -> None:
    await probe.emit(key(), 1)
    await probe.change("UPDATE outbox SET parked = 'on purpose'")
    (event,) = await _listed(probe)
    request = getattr(pb, f"{rpc}ParkedEventsRequest")(seqs=[event.seq], reason=_WHY, dry_run=True)
    assert list((await _asked(probe, f"{rpc}ParkedEvents", request)).seqs) == [event.seq]
    assert await _listed(probe) == [event]
    assert await probe.rows("SELECT 1 FROM parked_action") == []


@pytest.mark.parametrize("rpc", ["Retry", "GiveUp"])
async def test_a_decision_needs_a_reason_and_names_its_events(probe: Probe, rpc: str) -> None:
    for wrong in ({"seqs": [1], "reason": " "}, {"reason": _WHY}, {"seqs": range(1001), "reason": _WHY}):
        with pytest.raises(Invalid):
            await _asked(probe, f"{rpc}ParkedEvents", getattr(pb, f"{rpc}ParkedEventsRequest")(**wrong))


async def test_what_was_decided_can_not_be_changed_by_the_service(probe: Probe) -> None:
    with pytest.raises(Exception, match="permission denied"):
        await probe.rows("UPDATE parked_action SET actor = 'nobody'")
