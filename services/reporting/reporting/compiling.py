"""Compiling a report: figures out of the body's facts, frozen with the events behind them and the workbook."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from access.register import BodyRow, ProjectedRegister
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


@dataclass(frozen=True)
class Compiler:
    """Compiles reports of alliances (R56)."""

    register: ProjectedRegister
    settings: ReportingSettings

    async def revision(self, tx: Tx, report: ReportRow, body: BodyRow, quarter: Quarter, reason: str) -> RevisionRow:
        """Compile the report's current revision and write it with its sources; nothing counts from the cutoff on."""
        cutoff = min(tx.now, start_of_day(quarter.last + timedelta(days=1)))
        last = min(quarter.last, business_date(tx.now))
        found = figures(await store.facts_of(tx, report.body, cutoff), quarter.first, last)
        recipients = await self._recipients(tx, body)
        cover = Cover(
            body=body.display_name,
            period=report.period,
            revision=report.revision,
            recipients=[one["display_name"] for one in recipients if not one["copy"]],
            copies=self.settings.report_copies,
            cutoff=cutoff,
            amendment_reason=reason,
        )
        workbook = build(cover, found)
        row = RevisionRow(
            report=report.name,
            revision=report.revision,
            submitted=False,
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
        """The task force, and the copies that the document and the settings name."""
        known = await self.register.organizations(tx, [body.task_force] if body.task_force else [])
        to = [(one.display_name, one.name, False) for one in known.values()]
        copies = [(name, "", True) for name in self.settings.report_copies]
        return [
            {"display_name": name, "organization": organization, "copy": copy} for name, organization, copy in [*to, *copies]
        ]


def is_over(quarter: Quarter, today: date) -> bool:
    """Whether a quarter's last day is past."""
    return today > quarter.last
