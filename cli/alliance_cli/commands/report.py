"""`alliance report`: compile, submit, amend, and lead a number back to its events."""

from pathlib import Path
from typing import Annotated

import typer

from alliance.reporting.v1 import report_pb2
from alliance.reporting.v1 import reporting_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, ident, instant, short, show, show_one
from alliance_cli.session import call, context, t

app = typer.Typer(no_args_is_help=True, help="报送 · reports")
_state = short(report_pb2.ReportState, "REPORT_STATE_")
COLUMNS: list[Column] = [
    ("编号", "id", lambda r: ident(r.name)),
    ("组织", "body", lambda r: r.body),
    ("期间", "period", lambda r: r.period),
    ("版次", "revision", lambda r: r.revision),
    ("状态", "state", lambda r: _state(r.state)),
    ("数据截止", "cutoff", lambda r: instant(r.cutoff_time)),
    ("报送时间", "submitted", lambda r: instant(r.submit_time)),
]
FIGURE_COLUMNS: list[Column] = [
    ("指标编号", "figure", lambda f: f.id),
    ("指标", "label", lambda f: f.label.en if context.language == "en" else f.label.zh),
    ("数值", "value", lambda f: f.value),
    ("单位", "unit", lambda f: f.unit),
]
SOURCE_COLUMNS: list[Column] = [
    ("事件", "event", lambda s: s.event_id),
    ("类型", "type", lambda s: s.event_type),
    ("对象", "subject", lambda s: s.subject),
    ("版本", "version", lambda s: s.version),
    ("计入", "amount", lambda s: s.amount),
    ("生效", "effective", lambda s: instant(s.effective_at)),
]


def _name(text: str) -> str:
    return naming.resource("reports", text)


@app.command("list")
def list_(body: str) -> None:
    """列出报送 · list a body's reports."""
    with explained():
        request = rpc.ListReportsRequest(body=naming.body(body), page_size=naming.PAGE)
        show(naming.every(stubs.reporting().ListReports, request, "reports"), COLUMNS)


@app.command("show")
def show_(report: str, revision: int = 0) -> None:
    """查看报送 · show a report with its figures."""
    with explained():
        found = call(stubs.reporting().GetReport, rpc.GetReportRequest(name=_name(report), revision=revision))
        show_one(found, COLUMNS)
        if context.output == "table":
            show(found.figures, FIGURE_COLUMNS)


@app.command()
def compile(body: str, period: Annotated[str, typer.Argument(help="如 2026Q1")]) -> None:
    """编制季度信息报送 · compile the quarterly report (S0 附件1 二(六))."""
    with explained():
        request = rpc.CompileReportRequest(
            body=naming.body(body), kind=report_pb2.REPORT_KIND_ALLIANCE_QUARTERLY, period=period
        )
        show_one(call(stubs.reporting().CompileReport, request), COLUMNS)


@app.command()
def submit(report: str, reason: str = "") -> None:
    """报送 · submit."""
    with explained():
        request = rpc.SubmitReportRequest(name=_name(report), reason=reason)
        show_one(call(stubs.reporting().SubmitReport, request), COLUMNS)


@app.command()
def amend(report: str, reason: Annotated[str, typer.Option()]) -> None:
    """更正：开新版次 · amend: open a new revision."""
    with explained():
        request = rpc.AmendReportRequest(name=_name(report), reason=reason)
        show_one(call(stubs.reporting().AmendReport, request), COLUMNS)


@app.command()
def export(report: str, folder: Path = Path(), revision: int = 0) -> None:
    """导出 Excel · write the workbook into a folder."""
    with explained():
        request = rpc.ExportReportRequest(name=_name(report), revision=revision)
        answer = call(stubs.reporting().ExportReport, request)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / Path(answer.filename).name
    file.write_bytes(answer.content)
    typer.echo(t(f"已写入 {file}", f"wrote {file}"))


@app.command()
def explain(report: str, figure: str, revision: int = 0) -> None:
    """一个数字从何而来 · the events behind one figure."""
    with explained():
        request = rpc.ExplainFigureRequest(report=_name(report), figure=figure, revision=revision, page_size=naming.PAGE)
        show(naming.every(stubs.reporting().ExplainFigure, request, "sources"), SOURCE_COLUMNS, title=figure)
