"""`alliance replay | rebuild | groups`: publishing topics again, and writing anew what services keep of them."""

import time
from importlib import resources
from typing import Annotated, Any, NoReturn

import typer
import yaml
from rich.status import Status

from alliance.admin.v1 import admin_service_pb2 as rpc
from alliance_cli import stubs
from alliance_cli.commands import jobs as job_list
from alliance_cli.errors import explained, fail
from alliance_cli.naming import every
from alliance_cli.output import Column, errors, show
from alliance_cli.session import SERVICES, call, t

_LOOK = 0.5  # seconds between looks at a job
_NOT_DONE, _INTERRUPTED = 1, 130  # exit codes; the second is the shell's for Ctrl-C
Reason = Annotated[str, typer.Option(help="为何如此处理 · why, for the record")]
GROUP_COLUMNS: list[Column] = [
    ("处理组", "group", lambda g: g.name),
    ("主题", "topic", lambda g: g.topic),
    ("主题归属", "topic's owner", lambda g: g.topic_owner),
    ("可重建", "rebuildable", lambda g: t("是", "yes") if g.rebuildable else t("否", "no")),
]


def groups() -> None:
    """列出各服务的处理组 · what the services listen to."""
    with explained():
        found = [one for name in SERVICES for one in _groups(name)]
    show(found, GROUP_COLUMNS)


def replay(
    reason: Reason,
    topics: Annotated[list[str] | None, typer.Argument(help="主题 · topics")] = None,
    everything: Annotated[bool, typer.Option("--all", help="全部主题 · all topics")] = False,
) -> None:
    """从事件库重新发布主题；等待完成 · publish topics again out of the event stores; waits for the end."""
    owners = {one["name"]: str(one["owner"]) for one in _declared()}
    if bool(topics) == everything:
        raise typer.BadParameter(t("请给出主题或 --all 之一", "give topics, or --all"))
    if unknown := [one for one in topics or [] if one not in owners]:
        raise typer.BadParameter(t(f"没有主题 {unknown[0]}", f"there is no topic {unknown[0]}"))
    chosen = {topic: owners[topic] for topic in topics or owners}
    with explained():
        _done(_replayed(chosen, reason))


def rebuild(
    reason: Reason,
    names: Annotated[list[str] | None, typer.Argument(metavar="GROUP", help="处理组 · groups")] = None,
    service: Annotated[str, typer.Option(help="该服务全部可重建的处理组 · all of a service that can be rebuilt")] = "",
    without_replay: Annotated[
        bool, typer.Option("--no-replay", help="不先重放主题 · don't have the topics replayed first")
    ] = False,
) -> None:
    """重建处理组所保存的数据：先重放其主题，再就地重写 · write anew what groups keep, after a replay of their topics."""
    if bool(names) == bool(service):
        raise typer.BadParameter(t("请给出处理组或 --service 之一", "give groups, or --service"))
    wanted = [service] if service else sorted({one.partition(".")[0] for one in names or []})
    if unknown := [one for one in wanted if one not in SERVICES]:
        raise typer.BadParameter(t(f"没有服务 {unknown[0]}", f"there is no service {unknown[0]}"))
    with explained():
        known = {one.name: one for name in wanted for one in _groups(name)}
        chosen = [one for one in known.values() if one.rebuildable] if service else [_known(known, one) for one in names or []]
        replays = [] if without_replay else _replayed({one.topic: one.topic_owner for one in chosen}, reason)
        if any(one.failure for one in replays):
            _done(replays)  # what is not on its topic would be removed
        jobs = []
        for one in chosen:
            owner = one.name.partition(".")[0]
            started = call(stubs.admin(owner).RebuildGroup, rpc.RebuildGroupRequest(group=one.name, reason=reason))
            jobs.append((owner, started.job))
        _done([*replays, *_waited_for(jobs)])


def _groups(service: str) -> list[rpc.Group]:
    return every(stubs.admin(service).ListGroups, rpc.ListGroupsRequest(), "groups")


def _declared() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(resources.files("alliance").joinpath("topics.yaml").read_text("utf-8"))[
        "topics"
    ]
    return found


def _known(groups: dict[str, rpc.Group], name: str) -> rpc.Group:
    if name not in groups:
        raise typer.BadParameter(t(f"没有处理组 {name}；见 alliance groups", f"there is no group {name}; see alliance groups"))
    return groups[name]


def _replayed(owners: dict[str, str], reason: str) -> list[rpc.Job]:
    jobs = [
        (owner, call(stubs.admin(owner).ReplayTopic, rpc.ReplayTopicRequest(topic=topic, reason=reason)).job)
        for topic, owner in owners.items()
    ]
    return _waited_for(jobs)


def _waited_for(jobs: list[tuple[str, str]]) -> list[rpc.Job]:
    """The jobs once they have ended, with their progress on the way. Exits on Ctrl-C, which ends none of them."""
    try:
        with errors.status("") as status:
            return [_ended(service, identifier, status) for service, identifier in jobs]
    except KeyboardInterrupt:
        _go_on(jobs)


def _ended(service: str, identifier: str, status: Status) -> rpc.Job:
    while True:
        job: rpc.Job = call(stubs.admin(service).GetJob, rpc.GetJobRequest(id=identifier))
        if job.HasField("finish_time"):
            return job
        status.update(f"{job.subject}  {job.records}")
        time.sleep(_LOOK)


def _go_on(jobs: list[tuple[str, str]]) -> NoReturn:
    """Say that jobs that nobody waits for any more go on; exits."""
    lines = [
        t(
            "不再等待；已提出的作业继续进行，尚未提出的不再提出。查看：alliance jobs list --open；取消：",
            "not waited for any more; what was asked for goes on, and nothing more is asked for. "
            "To watch: alliance jobs list --open; to cancel:",
        ),
        *(f"  alliance jobs cancel {service} {identifier} --reason …" for service, identifier in jobs),
    ]
    fail(_INTERRUPTED, "\n".join(lines))


def _done(jobs: list[rpc.Job]) -> None:
    """Show jobs; exits where one was not done."""
    show(jobs, [*job_list.WHAT, *job_list.OUTCOME])
    if not all(map(job_list.is_done, jobs)):
        fail(_NOT_DONE, t("有作业未全部完成", "not all of it was done"))
