"""Judging 对照政策: the facts of a body out of the register, what the rules say of them, and the history of it.

What was said is kept whenever it changes: with the body, its members or their organizations, from when that changed; and with
the calendar alone, from the beginning of the business day that changed it, whenever somebody looks at the body again (a sweep
does every day). After the end of a body each rule says when it ended, and why.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from alliance.registry.v1 import body_pb2
from chassis.clock import business_date, start_of_day
from chassis.database import Tx
from registry import changes, checks, store
from registry.applications import catalogue
from registry.applications import store as applications
from registry.checks import FindingRow
from registry.domain.conditions import Limits
from registry.domain.facts import Facts, Member, Value, of_members, turns
from registry.domain.names import INSTITUTIONS, LEADING, BodyKind, MemberRole, OrgType, Stage
from registry.domain.policy import RULES, of_kind
from registry.domain.rules import Finding, after_the_end, check, version_of
from registry.mapping.bodies import body_message, entered, finding_message
from registry.store import BodyRow, OrganizationRow

STANDING = (body_pb2.BODY_STATE_FORMED, body_pb2.BODY_STATE_SUSPENDED)
_DISSOLVED = body_pb2.BODY_STATE_DISSOLVED
_ORDER = {rule.id: place for place, rule in enumerate(RULES)}
_SUPPORTING = (OrgType.ENTERPRISE, OrgType.PROFESSIONAL_SERVICE_ORG)
_BATCH = 20  # bodies in one transaction of the sweep


class Judge:
    """Says what the rules say, with the thresholds in force."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        """The thresholds in force."""
        # Which rules these are: what was said under others is looked at again.
        versions = " ".join(f"{rule.id}@{version_of(rule, limits)}" for rule in RULES)
        self._policy = hashlib.sha256(versions.encode()).hexdigest()[:16]

    async def said(self, tx: Tx, message: body_pb2.Body) -> list[Finding]:
        """What every rule of its kind says of a body today; of one that is dissolved, that it is."""
        if message.state == _DISSOLVED:
            return self._ended(message, _ended_at(message), "")
        return await self._said_on(tx, message, business_date(tx.now))

    async def _said_on(self, tx: Tx, message: body_pb2.Body, day: date) -> list[Finding]:
        return check(of_kind(BodyKind(message.kind)), stage_of(message), await _facts(tx, message, day), self.limits)

    def _ended(self, message: body_pb2.Body, at: datetime, reason: str) -> list[Finding]:
        return after_the_end(of_kind(BodyKind(message.kind)), business_date(at), reason, self.limits)

    async def look(self, tx: Tx, message: body_pb2.Body) -> list[Finding]:
        """`said`, to be kept. What another transaction changes meanwhile has the body looked at again (`checks.outdate`)."""
        if message.state == _DISSOLVED:
            await checks.forget_check(tx, message.name)
            return self._ended(message, tx.now, tx.cause.reason)
        await checks.checked(tx, message.name, business_date(tx.now), self._policy)
        return await self.said(tx, message)

    async def keep(self, tx: Tx, name: str, version: int, found: Sequence[Finding], since: datetime | None = None) -> None:
        """Keep what is said of a body or an application otherwise than before, from now on, or since an earlier time."""
        since = since or tx.now
        before = {one.rule: one for one in await _kept(tx, name)}
        changed = [one for one in map(finding_message, found) if not _same(one, before.get(one.rule))]
        for one in changed:
            one.since_time.FromDatetime(since)
        await checks.add_findings(tx, [_row(name, version, one, since) for one in changed])

    async def turn(self, tx: Tx, row: BodyRow) -> None:
        """Keep what the calendar alone has changed since a locked body was last looked at, by the days that changed it.

        Before anything of the body or its members is changed: it is judged as it was on those days.
        """
        today, last = business_date(tx.now), await checks.last_checked(tx, row.name)
        if last is None or last >= today:
            return
        await checks.checked(tx, row.name, today, self._policy)
        message = body_message(row)
        members = await store.membership_days(tx, row.name)
        for day in turns([*members, *_days(entered(message))], last, today):
            before = await self._said_on(tx, message, day - timedelta(days=1))
            found = await self._said_on(tx, message, day)
            turned = [one for one, was in zip(found, before, strict=True) if one != was]
            await self.keep(tx, row.name, row.version, turned, start_of_day(day))

    async def renew(self, tx: Tx, row: BodyRow, version: int) -> None:
        """Keep what is said of a body now; where a standing one's open findings are others, it is written in `version`: that
        of the change of its members, or else a new one.
        """
        message = body_message(row)
        before, found = list(message.open_findings), await self.look(tx, message)
        await self.keep(tx, row.name, row.version, found)
        if message.state not in STANDING:
            return
        open_findings(message, found)
        if list(message.open_findings) != before:
            await changes.save_body(tx, message, version, "updated")

    async def sweep(self, tx: Tx) -> int:
        """Look again at some of the bodies that something has changed for, or that nobody has looked at today; returns how
        many.
        """
        names = await checks.take_outdated(tx, _BATCH) or await checks.unchecked(tx, business_date(tx.now), _BATCH)
        for name in sorted(names):  # others that look at several go the same way
            row = await changes.locked_body(tx, name)
            if row.state == _DISSOLVED:
                continue
            await self.turn(tx, row)
            await self.renew(tx, row, row.version + 1)
        return len(names)

    async def begin(self, tx: Tx) -> None:
        """At the start: what other rules or thresholds said is to be looked at again."""
        await checks.outdate_other(tx, self._policy)

    async def kept_at(self, tx: Tx, name: str, at: datetime) -> list[body_pb2.RuleFinding]:
        """What was kept of a body or an application at a business time, in the order of the rules."""
        return _in_order(await checks.findings_at(tx, name, at))

    async def said_at(self, tx: Tx, row: BodyRow, at: datetime) -> body_pb2.BodyCheck:
        """What was said of a body at a business time; after its end, when it ended and why."""
        message, kept = body_message(row), await checks.findings_at(tx, row.name, at)
        found, version = _in_order(kept), max((one.version for one in kept), default=0)
        if message.state == _DISSOLVED and at >= (ended := _ended_at(message)):
            of_the_end = [one for one in found if one.since_time.ToDatetime(tzinfo=UTC) >= ended]
            found, version = of_the_end or [finding_message(one) for one in await self.said(tx, message)], row.version
        answer = body_pb2.BodyCheck(body=row.name, findings=found, body_version=version)
        answer.check_time.FromDatetime(at)
        return answer


def _ended_at(message: body_pb2.Body) -> datetime:
    """When a dissolved body was dissolved: nothing changes it after that."""
    return message.update_time.ToDatetime(tzinfo=UTC)


def open_findings(message: body_pb2.Body, found: Sequence[Finding]) -> None:
    """Keep on the body what is still to be settled."""
    del message.open_findings[:]
    message.open_findings.extend(finding_message(one) for one in found if one.is_open)


def stage_of(message: body_pb2.Body) -> Stage:
    """What the rules are looked at for."""
    return Stage.STANDING if message.state in STANDING else Stage.FORMING


async def _kept(tx: Tx, name: str) -> list[body_pb2.RuleFinding]:
    return _in_order(await checks.findings_at(tx, name, None))


def _in_order(rows: Sequence[Any]) -> list[body_pb2.RuleFinding]:
    found = [body_pb2.RuleFinding.FromString(row.content) for row in rows]
    return sorted(found, key=lambda one: _ORDER.get(one.rule, len(_ORDER)))


def _days(known: Mapping[str, Value | None]) -> list[date]:
    return [value for value in known.values() if isinstance(value, date)]


async def _facts(tx: Tx, message: body_pb2.Body, day: date) -> Facts:
    rows = await store.members_on(tx, message.name, day)
    known = {**of_members(map(_member, rows)), **entered(message), **await _looked_up(tx, message, rows)}
    return Facts(day, {name: value for name, value in known.items() if value is not None})


def _member(row: Any) -> Member:
    return Member(row.display_name, row.org_type, frozenset(row.roles), row.region_code[:2], row.verified)


async def _looked_up(tx: Tx, message: body_pb2.Body, members: Sequence[Any]) -> Mapping[str, Value | None]:
    """What the register knows beside the members."""
    match message.kind:
        case BodyKind.ALLIANCE:
            return await _of_alliance(tx, message.name, message.alliance)
        case BodyKind.COMMUNITY:
            return await _of_community(tx, members)
        case BodyKind.CONSORTIUM:
            return {"region_code": message.region_code or None}
        case BodyKind.PILOT_UNIT:
            return await _of_pilot(tx, message.name, message.pilot_unit)
        case BodyKind.SUPPORT_UNIT:
            return await _of_support(tx, message.support_unit)
    return {}


async def _of_alliance(tx: Tx, name: str, known: body_pb2.AllianceFacts) -> Mapping[str, Value | None]:
    """Other alliances of its key industry, and which of those that guide and lead it are not what they have to be."""
    force, leads = [known.task_force] if known.task_force else [], list(known.lead_departments)
    found = await store.get_all(tx, OrganizationRow, [*force, *leads])

    def not_of(names: Sequence[str], types: frozenset[int]) -> tuple[str, ...]:
        return tuple(found[one].display_name for one in names if found[one].org_type not in types)

    return {
        "same_industry": tuple(await store.formed_alliances(tx, known.key_industry, name)) if known.key_industry else None,
        "task_forces_of_another_type": not_of(force, frozenset({OrgType.TASK_FORCE})),
        "lead_departments_of_another_type": not_of(leads, LEADING),
        "unverified_task_force_or_leads": tuple(row.display_name for row in found.values() if not row.verified),
    }


async def _of_community(tx: Tx, members: Sequence[Any]) -> Mapping[str, Value | None]:
    """What the catalogue says of the lead enterprise, where it knows it."""
    for one in members:
        if MemberRole.LEAD_ENTERPRISE in one.roles:
            known = await catalogue.is_certified(tx, one.organization)
            return {} if known is None else {"lead_is_certified": known}
    return {}


async def _of_pilot(tx: Tx, name: str, known: body_pb2.PilotUnitFacts) -> Mapping[str, Value | None]:
    names = [name for name in (known.institution, known.college) if name]
    found = await store.get_all(tx, OrganizationRow, names)
    institution, college = found.get(known.institution), found.get(known.college)
    facts: dict[str, Value | None] = {
        "is_institution": institution.verified and institution.org_type in INSTITUTIONS if institution else None,
        "is_secondary_college": _is_college(college, known.institution) if college else None,
    }
    if institution and known.major_code:
        facts.update(await _majors(tx, name, known))
    return facts


async def _majors(tx: Tx, name: str, known: body_pb2.PilotUnitFacts) -> Mapping[str, Value]:
    """The institution's majors and other pilots of the same major in the year (R21.2): that of the call that a pilot applies
    in, whatever was entered; what was entered of one that was formed without a call. Nothing where there is no year.
    """
    rows = await applications.of_applicant(tx, known.institution, BodyKind.PILOT_UNIT, name)
    years = await applications.call_years(tx, [name, *(row.name for row in rows)])
    year = years.get(name) or known.call_year
    if not year:
        return {}
    others = [one for one in map(body_message, rows) if (years.get(one.name) or one.pilot_unit.call_year) == year]
    majors = {known.major_code, *(one.pilot_unit.major_code for one in others if one.pilot_unit.major_code)}
    same = tuple(one.display_name for one in others if one.pilot_unit.major_code == known.major_code)
    return {"majors": len(majors), "same_major": same}


def _is_college(row: OrganizationRow, institution: str) -> bool:
    """Only its verification vouches for whose it is: anybody can name a parent."""
    return row.verified and row.org_type == OrgType.SECONDARY_COLLEGE and row.parent == institution


async def _of_support(tx: Tx, known: body_pb2.SupportUnitFacts) -> Mapping[str, Value | None]:
    unit = await store.get(tx, OrganizationRow, known.unit) if known.unit else None
    if unit is None:
        return {}
    return {"is_enterprise_or_service_org": unit.org_type in _SUPPORTING, "registered_legal_person": unit.verified}


def _same(one: body_pb2.RuleFinding, before: body_pb2.RuleFinding | None) -> bool:
    if before is None:
        return False
    known = body_pb2.RuleFinding()
    known.CopyFrom(before)
    known.ClearField("since_time")
    return known == one


def _row(name: str, version: int, finding: body_pb2.RuleFinding, now: datetime) -> FindingRow:
    content = finding.SerializeToString(deterministic=True)
    return FindingRow(subject=name, rule=finding.rule, since=now, version=version, content=content)
