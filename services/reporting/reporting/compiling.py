"""Compiling a report: figures out of the body's facts, frozen with the events behind them and the workbook."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from access.register import BodyRow, OrganizationRow, Owner, ProjectedRegister
from chassis.clock import business_date, start_of_day
from chassis.crypto import hex_digest
from chassis.database import Tx
from codes.quarters import Quarter
from reporting import store
from reporting.domain.figures import figures
from reporting.mapping import figure_json
from reporting.settings import ReportingSettings
from reporting.store import ReportRow, RevisionRow
from reporting.workbook import Cover, build

COPIES = ("市教委", "市科委中关村管委会", "市经济和信息化局")
"""Copies 抄送 that the document names (S0 附件1 二(六))."""


@dataclass(frozen=True)
class Compiler:
    """Compiles reports of alliances (R56). What the projection has not heard of is asked of registry."""

    register: ProjectedRegister
    owner: Owner
    settings: ReportingSettings

    async def body(self, tx: Tx, name: str) -> BodyRow | None:
        """A body; raises `Unavailable` where it can't be told whether there is one."""
        found = await self.register.bodies(tx, [name]) or await self.owner.bodies([name])
        return found.get(name)

    async def revision(self, tx: Tx, report: ReportRow, body: BodyRow, quarter: Quarter, reason: str) -> RevisionRow:
        """Compile the report's current revision and write it with its sources; nothing counts from the cutoff on."""
        cutoff = min(tx.now, ends(quarter))
        last = min(quarter.last, business_date(tx.now))
        found = figures(await store.facts_of(tx, report.body, quarter.first, last, cutoff), quarter.first, last)
        recipients = await self._recipients(tx, body)
        cover = Cover(
            body=body.display_name,
            period=report.period,
            revision=report.revision,
            recipients=[one["display_name"] for one in recipients if not one["copy"]],
            copies=[one["display_name"] for one in recipients if one["copy"]],
            cutoff=cutoff,
            amendment_reason=reason,
        )
        workbook = await asyncio.to_thread(build, cover, found)  # seconds for many events; other calls go on meanwhile
        row = RevisionRow(
            report=report.name,
            revision=report.revision,
            submitted=False,
            submit_event="",
            figures=[figure_json(figure) for figure in found],
            recipients=recipients,
            amendment_reason=reason,
            cutoff_time=cutoff,
            submit_time=None,
            workbook=workbook,
            workbook_sha256=hex_digest(workbook),
        )
        await store.save_revision(tx, row)
        await store.save_sources(tx, report.name, report.revision, found)
        return row

    async def _recipients(self, tx: Tx, body: BodyRow) -> list[dict[str, Any]]:
        """The task force, and the copies that the document and the settings name.

        A copy is led back to the register only where it is a lead department of the body: a name alone proves nothing.
        """
        force = await self._organizations(tx, [body.task_force] if body.task_force else [])
        leads = {one.display_name: one.name for one in await self._organizations(tx, body.lead_departments)}
        copies = dict.fromkeys((*COPIES, *self.settings.report_further_copies))
        return [
            *({"display_name": one.display_name, "organization": one.name, "copy": False} for one in force),
            *({"display_name": name, "organization": leads.get(name, ""), "copy": True} for name in copies),
        ]

    async def _organizations(self, tx: Tx, names: Sequence[str]) -> list[OrganizationRow]:
        """The organizations of these names, in their order."""
        known = await self.register.organizations(tx, names)
        if unheard := [name for name in names if name not in known]:
            known |= await self.owner.organizations(unheard)
        return [known[name] for name in names if name in known]


def is_over(quarter: Quarter, today: date) -> bool:
    """Whether a quarter's last day is past."""
    return today > quarter.last


def ends(quarter: Quarter) -> datetime:
    """The instant at which a quarter is over."""
    return start_of_day(quarter.next().first)
