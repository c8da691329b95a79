"""The RPCs of deadlines and reports."""

from datetime import date

from access.register import BodyRow
from alliance.registry.v1 import body_pb2
from alliance.reporting.v1 import events_pb2
from alliance.reporting.v1 import report_pb2 as pb
from alliance.reporting.v1 import reporting_service_pb2 as rpc
from chassis import etag, paging
from chassis.clock import business_date
from chassis.database import Tx
from chassis.errors import Invalid, NotFound, Precondition, Violation
from chassis.ids import resource
from chassis.rpc import Call
from codes import quarters
from codes.quarters import Quarter
from reporting import deadlines, store
from reporting.compiling import Compiler, ends, is_over
from reporting.domain.deadlines import REPORT
from reporting.mapping import deadline_message, figure_message, report_message, source_message, states_of
from reporting.store import ReportRow, RevisionRow

TOPIC = "alliance.internal.reporting.report.v1"


class Reporting:
    """`alliance.reporting.v1.ReportingService`."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler

    async def ListDeadlines(self, call: Call, request: rpc.ListDeadlinesRequest) -> rpc.ListDeadlinesResponse:
        """See the contract."""
        size, after = paging.page_size(request.page_size), paging.decode(request, date.fromisoformat, str)
        rows = await store.deadlines_of(call.tx, request.body, states_of(request.states), after, size + 1)
        answer = rpc.ListDeadlinesResponse(deadlines=[deadline_message(row) for row in rows[:size]])
        if len(rows) > size:
            last = rows[size - 1]
            answer.next_page_token = paging.encode(request, [last.due_on.isoformat(), last.name])
        return answer

    async def CompileReport(self, call: Call, request: rpc.CompileReportRequest) -> pb.Report:
        """See the contract."""
        tx = call.tx
        if request.kind != pb.REPORT_KIND_ALLIANCE_QUARTERLY:
            raise Invalid([Violation("kind", "required", "请填写报告类型", "name the kind: ALLIANCE_QUARTERLY")])
        body = await self._alliance(tx, request.body)
        quarter = _quarter(request.period, body, tx)
        row = await store.report_of(tx, request.body, request.kind, str(quarter))
        if row is None:
            row = _new(tx, request, quarter)
        elif (await self._revision(tx, row, 0)).submitted:
            raise Precondition(
                "SUBMITTED",
                f"{quarter} 已报送；如需更正请使用 AmendReport",
                f"{quarter} has been submitted; amend it to change it (AmendReport)",
                {"report": row.name},
            )
        row.version += 1
        row.update_time = tx.now
        compiled = await self._compiler.revision(tx, row, body, quarter, await self._reason(tx, row))
        message, _ = await self._saved(tx, row, compiled, "compiled")
        return message

    async def GetReport(self, call: Call, request: rpc.GetReportRequest) -> pb.Report:
        """See the contract."""
        row = await _found(call.tx, request.name)
        return report_message(row, await self._revision(call.tx, row, request.revision))

    async def ListReports(self, call: Call, request: rpc.ListReportsRequest) -> rpc.ListReportsResponse:
        """See the contract."""
        size, after = paging.page_size(request.page_size), paging.decode(request, str, str)
        rows = await store.reports_of(call.tx, request.body, after, size + 1)
        answer = rpc.ListReportsResponse(reports=[report_message(row, of) for row, of in rows[:size]])
        if len(rows) > size:
            last, _ = rows[size - 1]
            answer.next_page_token = paging.encode(request, [last.period, last.name])
        return answer

    async def SubmitReport(self, call: Call, request: rpc.SubmitReportRequest) -> pb.Report:
        """See the contract."""
        tx = call.tx
        row = await _locked(tx, request.name, request.etag)
        current = await self._revision(tx, row, 0)
        if current.submitted:
            raise Precondition("SUBMITTED", "该版已报送", "this revision has been submitted", {"report": row.name})
        _require_whole(row, current, _kept_quarter(row), business_date(tx.now))
        row.version += 1
        row.update_time = tx.now
        submitted = RevisionRow(**{**current.model_dump(), "submitted": True, "submit_time": tx.now})
        message, submitted.submit_event = await self._saved(tx, row, submitted, "submitted")
        await store.save_revision(tx, submitted)
        await deadlines.close_if_done(tx, row.body, REPORT, _kept_quarter(row))
        return message

    async def AmendReport(self, call: Call, request: rpc.AmendReportRequest) -> pb.Report:
        """See the contract."""
        if not request.reason.strip():
            raise Invalid([Violation("reason", "required", "请填写更正原因", "say why it is amended")])
        tx = call.tx
        row = await _locked(tx, request.name, request.etag)
        if not (await self._revision(tx, row, 0)).submitted:
            raise Precondition(
                "NOT_SUBMITTED",
                "该版尚未报送，可直接重新编制",
                "this revision has not been submitted; compile it anew",
                {"report": row.name},
            )
        body = await self._alliance(tx, row.body)
        row.revision += 1
        row.version += 1
        row.update_time = tx.now
        compiled = await self._compiler.revision(tx, row, body, _kept_quarter(row), request.reason)
        message, _ = await self._saved(tx, row, compiled, "amended")
        return message

    async def ExportReport(self, call: Call, request: rpc.ExportReportRequest) -> rpc.ExportReportResponse:
        """See the contract."""
        row = await _found(call.tx, request.name)
        of = await self._revision(call.tx, row, request.revision)
        return rpc.ExportReportResponse(
            filename=f"信息报送-{row.period}-第{of.revision}版.xlsx", content=of.workbook, sha256=of.workbook_sha256
        )

    async def ExplainFigure(self, call: Call, request: rpc.ExplainFigureRequest) -> rpc.ExplainFigureResponse:
        """See the contract."""
        row = await _found(call.tx, request.report)
        of = await self._revision(call.tx, row, request.revision)
        kept = next((one for one in of.figures if one["id"] == request.figure), None)
        if kept is None:
            listed = ", ".join(one["id"] for one in of.figures)
            raise Invalid(
                [Violation("figure", "known", f"没有这个指标；可用：{listed}", f"no such figure; there are: {listed}")]
            )
        size, after = paging.page_size(request.page_size), paging.decode(request)
        rows = await store.sources_of(call.tx, row.name, of.revision, request.figure, after, size + 1)
        answer = rpc.ExplainFigureResponse(figure=figure_message(kept), sources=[source_message(one) for one in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].event_id])
        return answer

    async def _alliance(self, tx: Tx, name: str) -> BodyRow:
        """The body, which has to be a formed alliance."""
        body = await self._compiler.body(tx, name)
        if body is None:
            raise NotFound(name)
        if body.kind != body_pb2.BODY_KIND_ALLIANCE or not body.formed_on:
            raise Precondition(
                "NOT_A_FORMED_ALLIANCE",
                "季度信息报送由已成立的产教联盟编制",
                "the quarterly report is for a formed alliance",
                {"body": name},
            )
        return body

    async def _revision(self, tx: Tx, row: ReportRow, number: int) -> RevisionRow:
        """A revision; the newest for 0. Raises `NotFound`."""
        found = await store.get_revision(tx, row.name, number or row.revision)
        if found is None:
            raise NotFound(f"{row.name} 第 {number} 版")
        return found

    async def _reason(self, tx: Tx, row: ReportRow) -> str:
        """Why the current revision is there; compiling it anew does not change that."""
        found = await store.get_revision(tx, row.name, row.revision)
        return found.amendment_reason if found else ""

    async def _saved(self, tx: Tx, row: ReportRow, of: RevisionRow, verb: str) -> tuple[pb.Report, str]:
        """Write the report with its event; returns what the caller gets, and the event's id."""
        await store.save_report(tx, row)
        message = report_message(row, of)
        event_id = tx.emit(TOPIC, row.name, row.version, verb, events_pb2.ReportEvent(report=message))
        return message, str(event_id)


async def scopes_of(tx: Tx, name: str) -> frozenset[str]:
    """Whose grants give authority over a report or a deadline: its body's."""
    row = await (store.get_deadline(tx, name) if name.startswith("deadlines/") else store.get_report(tx, name))
    return frozenset({row.body}) if row else frozenset()


def _quarter(period: str, body: BodyRow, tx: Tx) -> Quarter:
    """The quarter of a period that has begun, and in which the body was there. Raises `Invalid`."""
    quarter = quarters.parse(period)
    formed, today = quarters.of(date.fromisoformat(body.formed_on)), quarters.of(business_date(tx.now))
    if quarter is None or not formed <= quarter <= today:
        problem = Violation(
            "period",
            "quarter",
            f"请填写 {formed} 至 {today} 之间的季度（自成立当季起，不晚于当季）",
            f"name a quarter from {formed}, in which the alliance was formed, to {today}",
        )
        raise Invalid([problem])
    return quarter


def _kept_quarter(row: ReportRow) -> Quarter:
    """The quarter of a report that is there."""
    quarter = quarters.parse(row.period)
    if quarter is None:
        raise ValueError(f"{row.name} is of no quarter")
    return quarter


def _require_whole(row: ReportRow, of: RevisionRow, quarter: Quarter, today: date) -> None:
    """Raises `Precondition` unless the quarter is over and the revision counts all of it (R56)."""
    if not is_over(quarter, today):
        raise Precondition(
            "PERIOD_RUNNING",
            f"{row.period} 尚未结束，结束后方可报送（R56）",
            f"{row.period} is not over yet; it can be submitted after its last day (R56)",
            {"report": row.name},
        )
    if of.cutoff_time < ends(quarter):
        raise Precondition(
            "COMPILED_EARLY",
            f"本版编制于 {row.period} 结束之前，数字不完整；请重新编制后再报送",
            f"this revision was compiled before {row.period} was over and lacks the rest; compile it anew, then submit",
            {"report": row.name},
        )


def _new(tx: Tx, request: rpc.CompileReportRequest, quarter: Quarter) -> ReportRow:
    return ReportRow(
        name=resource("reports"),
        version=0,
        body=request.body,
        kind=request.kind,
        period=str(quarter),
        revision=1,
        create_time=tx.now,
        update_time=tx.now,
    )


async def _found(tx: Tx, name: str) -> ReportRow:
    row = await store.get_report(tx, name)
    if row is None:
        raise NotFound(name)
    return row


async def _locked(tx: Tx, name: str, expected: str) -> ReportRow:
    row = await store.get_report(tx, name, lock=True)
    if row is None:
        raise NotFound(name)
    etag.check(expected, row.version, name)
    return row
