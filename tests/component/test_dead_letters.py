"""Dead letters: what waits behind them, what an operator decides, and what is left of it."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from alliance.notify.v1 import events_pb2
from chassis import deadletter, dlq
from chassis.database import Tx
from chassis.errors import Precondition, Unavailable
from chassis.handling import Handling, Listen
from chassis.record import RawRecord, Record
from tests.component.conftest import CAUSE, TOPIC, Probe, key, raw
from tests.metrics import Rise, metric


async def found(probe: Probe, wanted: dlq.Filter) -> list[UUID]:
    async with probe.database.transaction(CAUSE, read_only=True) as tx:
        return [row.id for row in await dlq.listed(tx, wanted, 100)]


async def dropped(probe: Probe, ids: Sequence[UUID]) -> int:
    async with probe.database.transaction(CAUSE) as tx:
        return len(await dlq.drop(tx, ids))


async def worked(probe: Probe, handling: Handling) -> None:
    """Let the worker do what is due, all of it."""
    worker = deadletter.Worker(probe.database, {handling.group: handling})
    while await worker.step():
        pass


async def gauges(probe: Probe, handling: Handling) -> dict[str, float]:
    """How many are open in which state, as a worker that begins says."""
    await worked(probe, handling)
    return {state: metric("alliance_dead_letters", state=state) for state in deadletter.OPEN}


async def _stuck(probe: Probe, name: str) -> Handling:
    """A handler with version 1 of a key dead and two versions waiting behind it."""
    handling = probe.handling()
    probe.broken.add(name)
    await handling.batch([raw(name, version) for version in (1, 2, 3)])
    await worked(probe, handling)
    assert await probe.states() == ["dead", "waiting", "waiting"]
    probe.broken.clear()
    return handling


async def test_each_attempt_waits_as_long_as_is_set(probe: Probe) -> None:
    """10 s, then 60, then nobody tries any more."""
    name = key()
    handling = Handling(probe.name, probe.listen(), probe.database, (10.0, 60.0))
    worker = deadletter.Worker(probe.database, {handling.group: handling})
    probe.broken.add(name)
    failed, dead = (Rise("alliance_dead_letter_retries_total", outcome=outcome) for outcome in ("failed", "dead"))
    await handling.batch([raw(name, 1)])
    for attempts, seconds in ((1, 10.0), (2, 60.0)):
        (row,) = await probe.rows("SELECT state, attempts, next_attempt_at - last_failed_at AS pause FROM dead_letter")
        assert (row["state"], row["attempts"], row["pause"].total_seconds()) == ("retrying", attempts, seconds)
        assert await worker.step() == 0, "it is not due yet"
        async with probe.database.transaction(CAUSE) as tx:
            await tx.sql.run("UPDATE dead_letter SET next_attempt_at = $1", tx.recorded_at)
        assert await worker.step() == 1
    (row,) = await probe.rows("SELECT state, attempts, next_attempt_at FROM dead_letter")
    assert (row["state"], row["attempts"], row["next_attempt_at"]) == ("dead", 3, None)
    assert (failed(), dead()) == (1, 1)


async def test_a_row_whose_part_is_away_keeps_no_other_from_its_turn(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a row of a listener that is gone, of which nobody knows what to do with it."""
    waits, goes = key(), key()
    gone = Handling(f"{probe.name}_gone", probe.listen(), probe.database, (0.0,))
    handling = Handling(probe.name, probe.listen(), probe.database, (1.0, 1.0))
    probe.broken |= {waits, goes}
    await gone.batch([raw(waits, 1)])
    await handling.batch([raw(waits, 2), raw(goes, 1)])
    probe.broken.clear()
    given = Handling.handle

    async def handle(self: Handling, tx: Tx, record: Record) -> None:
        if record.key == waits:
            raise Unavailable("", "a peer is away")
        await given(self, tx, record)

    monkeypatch.setattr(Handling, "handle", handle)
    await asyncio.sleep(1.1)
    worker = deadletter.Worker(probe.database, {handling.group: handling})
    assert await worker.step() == 2
    assert await probe.effects(goes) == [1]
    assert await worker.step() == 0, "it waits before it is tried again"
    rows = await probe.rows("SELECT state, attempts FROM dead_letter WHERE key = $1 ORDER BY version", waits)
    assert [(row["state"], row["attempts"]) for row in rows] == [("retrying", 1), ("retrying", 1)]


async def test_a_record_that_was_skipped_beside_a_bad_one_is_counted_once(probe: Probe) -> None:
    seen, bad, handling = key(), key(), probe.handling()
    await handling.batch([raw(seen, 1)])
    probe.broken.add(bad)
    await handling.batch([raw(seen, 1), raw(bad, 1, offset=2)])
    counted = [metric("alliance_consumer_records_total", group=handling.group, outcome=one) for one in ("skipped", "failed")]
    assert counted == [1, 1]


async def test_what_waits_behind_a_dropped_record_goes_on(probe: Probe) -> None:
    name = key()
    handling, replayed = await _stuck(probe, name), Rise("alliance_dead_letter_retries_total", outcome="replayed")
    assert await gauges(probe, handling) == {"retrying": 0, "waiting": 2, "dead": 1}
    assert await dropped(probe, await found(probe, dlq.Filter(states=["dead"]))) == 1
    await worked(probe, handling)
    assert await probe.states() == ["dropped", "replayed", "replayed"]
    assert await probe.effects(name) == [2, 3]
    assert replayed() == 2
    assert await gauges(probe, handling) == {"retrying": 0, "waiting": 0, "dead": 0}


async def test_a_dropped_record_has_no_effect_when_it_comes_again(probe: Probe) -> None:
    name = key()
    handling = await _stuck(probe, name)
    assert await dropped(probe, await found(probe, dlq.Filter(key=name))) == 3
    await handling.batch([raw(name, version) for version in (1, 2, 3, 4)])
    assert await probe.effects(name) == [4]
    assert await probe.states() == ["dropped"] * 3


async def test_a_record_is_not_dropped_over_an_earlier_one(probe: Probe) -> None:
    name = key()
    await _stuck(probe, name)
    last = (await found(probe, dlq.Filter(key=name)))[1:]
    with pytest.raises(Precondition) as refused:
        await dropped(probe, last)
    assert refused.value.reason == "EARLIER_OPEN"
    assert await probe.states() == ["dead", "waiting", "waiting"], "nothing is half done"


async def test_a_replay_that_fails_again_is_dead_again(probe: Probe) -> None:
    name = key()
    handling = await _stuck(probe, name)
    probe.broken.add(name)
    async with probe.database.transaction(CAUSE) as tx:
        assert len(await dlq.replay(tx, await found(probe, dlq.Filter(key=name)))) == 1, "those that wait are not replayed"
    await worked(probe, handling)
    assert await probe.states() == ["dead", "waiting", "waiting"]


async def test_decisions_are_kept_with_actor_and_reason(probe: Probe) -> None:
    name = key()
    handling = await _stuck(probe, name)
    probe.broken.add(name)
    (dead,) = await found(probe, dlq.Filter(states=["dead"]))
    async with probe.database.transaction(CAUSE) as tx:
        await dlq.replay(tx, [dead])
    await worked(probe, handling)
    await dropped(probe, [dead])
    async with probe.database.transaction(CAUSE, read_only=True) as tx:
        detail = await dlq.detail(tx, dead)
    assert detail is not None
    assert [(one.action, one.actor, one.reason) for one in detail.actions] == [
        ("replay", CAUSE.actor, CAUSE.reason),
        ("drop", CAUSE.actor, CAUSE.reason),
    ]
    assert detail.applied == 1


async def test_rows_are_found_by_what_they_are(probe: Probe) -> None:
    name, other = key(), key()
    handling = probe.handling()
    probe.broken.update((name, other))
    await handling.batch([raw(name, 1, offset=1), raw(other, 1, offset=2), raw("", 1, offset=3)])
    for wanted, count in (
        (dlq.Filter(), 3),
        (dlq.Filter(key=name), 1),
        (dlq.Filter(group=handling.group, topic=TOPIC), 3),
        (dlq.Filter(group="another"), 0),
        (dlq.Filter(reason="RuntimeError"), 2),
        (dlq.Filter(reason="undecodable: no key"), 1),
        (dlq.Filter(states=["dead"]), 0),
    ):
        assert len(await found(probe, wanted)) == count, wanted
    assert await dropped(probe, []) == 0, "nothing named is nothing dropped"


async def test_a_value_that_can_not_be_read_holds_its_key_all_the_same(probe: Probe) -> None:
    """Its later versions may build on it; other keys go on."""
    name, other = key(), key()
    handling = probe.handling()
    await handling.batch([raw(name, 1), raw(name, 2, b"\xff\xff"), raw(name, 3), raw(other, 1, offset=9)])
    assert await probe.effects(name) == [1]
    assert await probe.effects(other) == [1]
    await worked(probe, handling)
    assert await probe.states() == ["dead", "waiting"]
    await dropped(probe, await found(probe, dlq.Filter(states=["dead"])))
    await worked(probe, handling)
    assert await probe.effects(name) == [1, 3]


async def test_what_claims_to_be_a_version_is_not_it(probe: Probe) -> None:
    """Bytes that nobody can read hold the key, and give it back once they are dropped, with all that was written meanwhile."""
    name, handling = key(), probe.handling()
    garbage = raw(name, 3, b"\xff\xff", offset=7)
    await handling.batch([raw(name, 1), garbage, raw(name, 2, offset=8)])
    await worked(probe, handling)
    await handling.batch([raw(name, version, offset=6 + version) for version in (3, 4)])
    rows = await probe.rows("SELECT version, decoded, state FROM dead_letter ORDER BY version, decoded")
    assert [tuple(row) for row in rows] == [
        (2, True, "waiting"),
        (3, False, "dead"),
        (3, True, "waiting"),
        (4, True, "waiting"),
    ]
    (dead,) = await found(probe, dlq.Filter(states=["dead"]))
    assert await dropped(probe, [dead]) == 1
    await worked(probe, handling)
    assert await probe.effects(name) == [1, 2, 3, 4]
    await handling.batch([garbage, raw(name, 5, offset=11)])
    assert await probe.effects(name) == [1, 2, 3, 4, 5], "what was dropped holds nothing when it comes again"


async def test_what_is_dropped_unread_may_still_come(probe: Probe) -> None:
    """A version far ahead that was never written makes nothing of what is written then old."""
    for mode in ("state", "effect"):
        name, handling = key(), probe.handling(mode)
        far = raw(name, 10**15, b"\xff\xff", offset=2)
        await handling.batch([raw(name, 1), far])
        await worked(probe, handling)
        await dropped(probe, await found(probe, dlq.Filter(key=name)))
        await handling.batch([far, raw(name, 2, offset=3)])
        assert await probe.effects(name) == [1, 2], mode


async def test_two_that_hold_a_key_are_both_decided_on(probe: Probe) -> None:
    name = key()
    handling = await _stuck(probe, name)
    await handling.batch([raw(name, 2, b"\xff\xff", offset=9)])
    await worked(probe, handling)
    unread, first = sorted(await found(probe, dlq.Filter(states=["dead"])), reverse=True)
    await dropped(probe, [unread])
    await worked(probe, handling)
    assert await probe.effects(name) == [], "version 1 is still dead"
    await dropped(probe, [first])
    await worked(probe, handling)
    assert await probe.effects(name) == [2, 3]


async def test_a_record_that_waits_says_for_which(probe: Probe) -> None:
    name = key()
    await _stuck(probe, name)
    (dead,) = await found(probe, dlq.Filter(states=["dead"]))
    waiting = await found(probe, dlq.Filter(states=["waiting"]))
    async with probe.database.transaction(CAUSE) as tx:
        await dlq.refuse_waiting(tx, [dead])
        with pytest.raises(Precondition) as refused:
            await dlq.refuse_waiting(tx, waiting)
    assert refused.value.reason == "WAITS"
    assert str(dead) in refused.value.en


async def test_what_is_dead_and_overtaken_needs_nobody(probe: Probe) -> None:
    name, handling = key(), probe.handling("state")
    probe.broken.add(name)
    await handling.batch([raw(name, 1), raw(name, 2, b"\xff", offset=5)])
    await worked(probe, handling)
    assert await probe.states() == ["dead", "dead"]
    probe.broken.clear()
    await handling.batch([raw(name, 3)])
    await gauges(probe, handling)
    assert await probe.states() == ["superseded", "superseded"]


async def test_where_only_the_newest_state_matters_it_holds_nothing(probe: Probe) -> None:
    name = key()
    handling, superseded = probe.handling("state"), Rise("alliance_dead_letter_retries_total", outcome="superseded")
    await handling.batch([raw(name, 1, b"\xff\xff"), raw(name, 2)])
    assert await gauges(probe, handling) == {"retrying": 1, "waiting": 0, "dead": 0}
    assert await probe.effects(name) == [2]
    assert await probe.states() == ["superseded"]
    assert superseded() == 1


async def test_records_of_a_rebuilt_topic_are_no_old_acquaintances(probe: Probe) -> None:
    """A topic that was lost and published anew has the same offsets again, with other records."""
    handling = probe.handling()
    bad = key()
    probe.broken.add(bad)
    await handling.batch([raw("", 1, offset=7, at=1), raw(bad, 1, offset=8, at=1)])
    other = key()
    probe.broken.add(other)
    await handling.batch([raw("", 1, offset=7, at=1), raw("", 1, offset=7, at=2), raw(other, 1, offset=8, at=2)])
    rows = await probe.rows("SELECT key, recorded_ms FROM dead_letter ORDER BY id")
    assert [(row["key"], row["recorded_ms"]) for row in rows] == [("", 1), (bad, 1), ("", 2), (other, 2)]


async def test_no_header_holds_up_the_batch(probe: Probe) -> None:
    """The handler emits, so what the headers say goes into events of its own."""
    good, odd, handling = key(), dict[str, bool](), _emitting(probe)
    batch = [raw(good, 1, offset=1)]
    for header in ("ce_id", "ce_type", "ce_time", "traceparent", "content-type", "of nobody's"):
        for nasty in (b"a\x00b", b"k" * 3000, b"\xff\xfe"):
            one = raw(name := key(), 1, offset=len(batch) + 1)
            batch.append(one._replace(headers=[*(kept for kept in one.headers if kept[0] != header), (header, nasty)]))
            odd[name] = header in ("ce_time", "of nobody's") or (nasty == b"\xff\xfe" and header != "content-type")
    await handling.batch(batch)
    await worked(probe, handling)
    told = {row["key"] for row in await probe.rows("SELECT key FROM event")}
    assert told == {good, *(name for name, is_taken in odd.items() if is_taken)}
    dead = {row["key"] for row in await probe.rows("SELECT key FROM dead_letter WHERE state = 'dead'")}
    assert dead == odd.keys() - told


async def test_an_event_that_the_tables_refuse_is_its_own_record_s_failure(probe: Probe) -> None:
    """At the end of the transaction it would be the failure of all, again and again; so it would in the worker."""
    names = [key() for _ in range(4)]
    handling = _emitting(probe, refused=(names[1], names[3]))
    await handling.batch([raw(name, 1, offset=place + 1) for place, name in enumerate(names)])
    assert sorted(row["key"] for row in await probe.rows("SELECT key FROM event")) == sorted([names[0], names[2]])
    assert await probe.states() == ["retrying"] * 2
    await worked(probe, handling)
    assert await probe.states() == ["dead"] * 2
    assert len(await probe.rows("SELECT 1 FROM outbox")) == 2


async def test_a_fault_of_the_worker_s_own_keeps_no_other_from_its_turn(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [key(), key()]
    handling = probe.handling()
    probe.broken.update(names)
    await handling.batch([raw(name, 1, offset=place + 1) for place, name in enumerate(names)])
    probe.broken.clear()
    worker = deadletter.Worker(probe.database, {handling.group: handling})
    given = worker._attempt

    async def faulty(of: Handling, identifier: UUID, name: str) -> None:
        if name == names[0]:
            raise ZeroDivisionError
        await given(of, identifier, name)

    monkeypatch.setattr(worker, "_attempt", faulty)
    assert await worker.step() == 2
    assert [await probe.effects(name) for name in names] == [[], [1]]
    while await worker.step():
        pass
    rows = await probe.rows("SELECT state, reason FROM dead_letter WHERE key = $1", names[0])
    assert [(row["state"], row["reason"].split()[0]) for row in rows] == [("dead", "ZeroDivisionError")]


def _emitting(probe: Probe, refused: Sequence[str] = ()) -> Handling:
    """A handler that tells of each record by an event of its own, of some with what no table takes."""

    async def tells(tx: Tx, record: Record) -> None:
        if record.key in refused:
            tx.cause = tx.cause._replace(reason="\x00")
        tx.emit(TOPIC, record.key, 1, "created", events_pb2.SubscriptionEvent())

    return Handling(probe.name, Listen(TOPIC, "probe", tells), probe.database, (0.0, 0.0))


async def test_no_key_holds_up_the_batch(probe: Probe) -> None:
    good = key()
    handling = probe.handling()
    headers = [("a\x00", b"\x00"), ("ce_sequence", b"1")]
    nasty = [b"a\x00b", b"k" * 3000, b"\xff\xfe", b""]
    odd = [RawRecord(TOPIC, 0, place, 0, name, b"\x00", headers) for place, name in enumerate(nasty, 2)]
    await handling.batch([*odd, raw(good, 1, offset=1)])
    assert await probe.effects(good) == [1]
    assert await probe.states() == ["retrying"] * len(odd)
