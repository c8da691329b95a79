"""`alliance jobs`: replays, rebuilds and fences that were asked for."""

from typing import Annotated

import typer

from alliance.admin.v1 import admin_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, instant, show, show_one
from alliance_cli.session import SERVICES, call, t

app = typer.Typer(no_args_is_help=True, help="作业：重放、重建、栅栏 · jobs: replays, rebuilds, fences")
_KINDS = {"replay": ("重放", "replay"), "rebuild": ("重建", "rebuild"), "fence": ("栅栏", "fence")}


def is_done(job: rpc.Job) -> bool:
    """Whether a job that has ended has done all of its work."""
    return not (job.failure or job.failed)


def _state(job: rpc.Job) -> str:
    if not job.HasField("finish_time"):
        return t("未结束", "open")
    return t("完成", "done") if is_done(job) else t("未全部完成", "not done")


WHAT: list[Column] = [
    ("作业", "job", lambda j: j.id),
    ("种类", "kind", lambda j: t(*_KINDS[j.kind]) if j.kind in _KINDS else j.kind),
    ("对象", "subject", lambda j: j.subject),
]
OUTCOME: list[Column] = [
    ("记录", "records", lambda j: j.records),
    ("删除", "removed", lambda j: j.removed),
    ("失败", "failed", lambda j: j.failed),
    ("结束", "finished", lambda j: instant(j.finish_time)),
    ("未完成原因", "not done because", lambda j: j.failure),
]
COLUMNS: list[Column] = [
    ("服务", "service", lambda j: j.service),
    *WHAT,
    ("状态", "state", _state),
    ("位置", "position", lambda j: j.position),
    *OUTCOME,
    ("账号", "principal", lambda j: j.actor),
    ("原因", "reason", lambda j: j.reason),
    ("提出", "asked for", lambda j: instant(j.create_time)),
]


@app.command("list")
def list_(
    service: Annotated[str, typer.Argument(help="服务；不填为全部 · service, all where empty")] = "",
    only_open: Annotated[bool, typer.Option("--open", help="只列未结束的 · those that have not ended")] = False,
) -> None:
    """列出各服务的作业，新的在前 · list the services' jobs, newest first."""
    found = []
    with explained():
        for name in [service] if service else SERVICES:
            request = rpc.ListJobsRequest(page_size=naming.PAGE, open=only_open)
            found += naming.every(stubs.admin(name).ListJobs, request, "jobs")
    show(found, COLUMNS)


@app.command()
def cancel(
    service: Annotated[str, typer.Argument(help="服务 · service")],
    identifier: Annotated[str, typer.Argument(metavar="ID", help="作业 · job")],
    reason: Annotated[str, typer.Option(help="为何取消 · why, for the record")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只列出会取消哪个 · only say which one")] = False,
) -> None:
    """取消重放或重建：做到下一步为止 · cancel a replay or rebuild; it stops at its next step, and what it has done stays."""
    with explained():
        job = call(stubs.admin(service).CancelJob, rpc.CancelJobRequest(id=identifier, reason=reason, dry_run=dry_run))
    show_one(job, COLUMNS, t("将取消", "would be cancelled") if dry_run else t("已取消", "cancelled"))
