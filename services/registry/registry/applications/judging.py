"""What the rules of its programme say of an application, and the history of it.

What was said is kept whenever it changes: with the application; with its applicant, in the same transaction; and with the
calendar alone, from the beginning of the business day that changed it, once the sweep has come by. The next day on which
something else is said is written down of each, so that a day costs those that turn on it. One that has ended is settled:
what was said at its end stays.
"""

import hashlib
from collections.abc import Mapping
from datetime import date, timedelta

from alliance.registry.v1 import application_pb2 as pb
from chassis.clock import business_date, start_of_day
from chassis.database import Tx
from registry import store
from registry.applications import candidates, catalogue
from registry.applications import store as rows
from registry.applications.mapping import application_message, entered
from registry.applications.store import FINAL, ApplicationRow
from registry.domain.facts import Facts, Value, turns
from registry.domain.names import VOCATIONAL, Programme, Stage
from registry.domain.policy import RULES, of_programme
from registry.domain.procedure import State
from registry.domain.programmes.certification import STANDING_ENTRY
from registry.domain.rules import Finding, check, version_of
from registry.judging import Judge
from registry.mapping.bodies import body_message
from registry.store import BodyRow

_BATCH = 20  # applications in one transaction of the sweep
_AHEAD = timedelta(days=366)  # how far the next turn is looked for; beyond it, it is looked for then


class ApplicationJudge:
    """Says what the rules of its programme say of an application, with the thresholds in force."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        versions = " ".join(f"{rule.id}@{version_of(rule, judge.limits)}" for rule in RULES if rule.programmes)
        self._policy = hashlib.sha256(versions.encode()).hexdigest()[:16]

    async def said(self, tx: Tx, message: pb.Application) -> list[Finding]:
        """What every rule says of an application today, whether it has ended or not."""
        return self._on(message, await facts(tx, message), business_date(tx.now))

    def _on(self, message: pb.Application, known: Mapping[str, Value], day: date) -> list[Finding]:
        rules = of_programme(Programme(message.programme))
        return check(rules, Stage.SUBMITTING, Facts(day, known), self._judge.limits)

    async def keep(self, tx: Tx, message: pb.Application, before: ApplicationRow | None, version: int) -> None:
        """Keep what is said of an application that is written in a version; of one that had ended before, nothing."""
        if before and before.state in FINAL:
            return
        await self._renew(tx, message, version)
        if has_ended(message):
            await rows.settle(tx, message.name)

    async def _renew(self, tx: Tx, message: pb.Application, version: int) -> None:
        today, known = business_date(tx.now), await facts(tx, message)
        await self._judge.keep(tx, message.name, version, self._on(message, known, today))
        if of_programme(Programme(message.programme)):
            await rows.judged(tx, message.name, self._turns_on(message, known, today), self._policy)

    def _turns_on(self, message: pb.Application, known: Mapping[str, Value], today: date) -> date | None:
        """The next day on which something else is said by the calendar alone; None where no day ever changes it."""
        days = [value for value in known.values() if isinstance(value, date)]
        until = today + _AHEAD
        for day in turns(days, today, until):
            if self._on(message, known, day) != self._on(message, known, day - timedelta(days=1)):
                return day
        return until if days else None

    async def turn(self, tx: Tx, row: ApplicationRow) -> None:
        """Keep what the calendar alone has changed of a locked application since it was last looked at.

        Before anything of it or of its applicant is changed: it is judged as it was on those days.
        """
        today, day = business_date(tx.now), await rows.turns_on(tx, row.name)
        message = application_message(row)
        known = await facts(tx, message) if day and day <= today else {}
        while day and day <= today:
            await self._judge.keep(tx, row.name, row.version, self._on(message, known, day), start_of_day(day))
            day = self._turns_on(message, known, day)
            await rows.judged(tx, row.name, day, self._policy)

    async def turn_of(self, tx: Tx, applicant: str) -> list[ApplicationRow]:
        """An organization's applications that have not ended, locked and `turn`ed; to be `renew`ed once it is changed."""
        found = await rows.open_of(tx, applicant)
        for row in found:
            await self.turn(tx, row)
        return list(found)

    async def renew(self, tx: Tx, row: ApplicationRow) -> None:
        """Keep what is said of an application that has not ended, now that its applicant or a rule is another."""
        await self._renew(tx, application_message(row), row.version)

    async def sweep(self, tx: Tx) -> int:
        """Look again at some of the applications of which a day has changed what is said; returns how many."""
        names = await rows.turning(tx, business_date(tx.now), _BATCH)
        await rows.lock(tx, names)
        for name in names:
            row = await store.get(tx, ApplicationRow, name)
            if row is None or row.state in FINAL:
                await rows.settle(tx, name)
                continue
            await self.turn(tx, row)
            await self.renew(tx, row)
        return len(names)

    async def begin(self, tx: Tx) -> None:
        """At the start: what other rules or thresholds said is to be looked at again."""
        programmes = {int(one) for rule in RULES for one in rule.programmes}
        await rows.outdate_judged(tx, programmes, self._policy)


async def facts(tx: Tx, message: pb.Application) -> dict[str, Value]:
    """What is known of an application: what was entered, and what the register knows of its applicant, body and candidate."""
    known, org_type = entered(message), await store.type_of(tx, message.applicant)
    if org_type is not None:
        known["is_vocational_school"] = org_type in VOCATIONAL
    if "candidate" in known and not await candidates.is_kept(tx, message):
        del known["candidate"]
    if Programme(message.programme) is Programme.CERTIFICATION:
        known[STANDING_ENTRY] = await catalogue.standing(tx, message)
    if message.body and (body := await store.get(tx, BodyRow, message.body)):
        known["lead_is_central_soe"] = body_message(body).community.lead_is_central_soe
    return known


def has_ended(message: pb.Application) -> bool:
    """Whether an application has ended, so that what was said of it at its end stays."""
    return State(message.state) in FINAL
