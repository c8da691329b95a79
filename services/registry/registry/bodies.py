"""Bodies in a new version, together with what the rules say of them: by their own RPCs, or by a step of an application."""

from alliance.registry.v1 import body_pb2
from chassis.clock import business_date
from chassis.database import Tx
from chassis.errors import Precondition
from registry import changes, checks, guards, store
from registry.domain.names import BodyKind
from registry.domain.policy import of_kind
from registry.judging import STANDING, Judge, open_findings
from registry.mapping.bodies import body_message, vies_for
from registry.store import BodyRow


async def save(tx: Tx, judge: Judge, message: body_pb2.Body, version: int, verb: str) -> body_pb2.Body:
    """Write a body, which is locked where it is there already, its open findings and what is said of it."""
    if before := await store.get(tx, BodyRow, message.name):
        await judge.turn(tx, before)
    found = await judge.look(tx, message)
    if message.state in STANDING:
        open_findings(message, found)
    await _outdate_rivals(tx, body_message(before) if before else body_pb2.Body(), message)
    await changes.save_body(tx, message, version, verb)
    await judge.keep(tx, message.name, version, found)
    return message


async def _outdate_rivals(tx: Tx, before: body_pb2.Body, after: body_pb2.Body) -> None:
    """Bodies that are judged by what this one has to itself (R10, R21.2) are looked at again once others see it otherwise."""
    if _seen(before) != _seen(after):
        await checks.outdate(tx, {*_seen(before), *_seen(after)})


def _seen(message: body_pb2.Body) -> dict[str, tuple[bool, str, str, int]]:
    """What others are judged by of a body, by what it vies for; a draft of an alliance holds nothing yet."""
    stands, pilot = message.state in STANDING, message.pilot_unit
    if message.HasField("alliance") and not stands:
        return {}
    return dict.fromkeys(vies_for(message), (stands, message.display_name, pilot.major_code, pilot.call_year))


async def form(tx: Tx, judge: Judge, row: BodyRow) -> body_pb2.Body:
    """Form a draft that is locked. Raises `Precondition` where it is none, or where a required rule is violated."""
    message = changes.taken(row, "form")
    if not of_kind(BodyKind(row.kind)):
        raise Precondition(
            "KIND_NOT_SUPPORTED",
            "该类组织没有成立规则，只能筹建",
            "there are no rules for forming this kind of body; it stays a draft",
        )
    await guards.lock_rivals(tx, message)
    guards.refuse_violated(await judge.said(tx, body_message(row)))
    message.formed_on = business_date(tx.now).isoformat()
    return await save(tx, judge, message, row.version + 1, "formed")


async def suspend(tx: Tx, judge: Judge, row: BodyRow) -> body_pb2.Body:
    """Suspend a body that is locked. Raises `Precondition` where it is not formed."""
    message = changes.taken(row, "suspend")
    message.suspended_on = business_date(tx.now).isoformat()
    message.ClearField("resumed_on")
    return await save(tx, judge, message, row.version + 1, "suspended")


async def resume(tx: Tx, judge: Judge, row: BodyRow) -> body_pb2.Body:
    """End the suspension of a body that is locked. Raises `Precondition` where it is not suspended."""
    message = changes.taken(row, "resume")
    message.resumed_on = business_date(tx.now).isoformat()
    return await save(tx, judge, message, row.version + 1, "resumed")


async def dissolve(tx: Tx, judge: Judge, row: BodyRow) -> body_pb2.Body:
    """Dissolve a body that is locked. Its memberships end today; one that had not begun ends on its first day."""
    today = business_date(tx.now)
    message = changes.taken(row, "dissolve")
    await judge.turn(tx, row)
    for membership in await store.open_memberships(tx, row.name, today):
        membership.valid_to = changes.last_day(membership, today)
        await changes.save_membership(tx, row, membership, "ended")
    return await save(tx, judge, message, row.version + 1, "dissolved")
