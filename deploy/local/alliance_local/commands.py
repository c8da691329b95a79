"""`alliance local`: the real parts on this machine. Mounted by the command line, usable alone."""

import os
import re
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import grpc
import typer
from rich.console import Console
from rich.table import Table

from alliance_local import processes
from alliance_local.clock import Clocks, NotSettledError, parse
from alliance_local.control import Platform, StartError
from alliance_local.postgres import SUPERUSER, Postgres
from alliance_local.state import SERVICES, SINKS, State
from chassis.clock import SHANGHAI

app = typer.Typer(no_args_is_help=True, help="本机平台 · the platform on this machine")
console = Console(highlight=False, markup=False, soft_wrap=True)
_TAIL = 30  # lines of a failed part's log that are shown
_LOOK = 0.3  # seconds between two looks at a log
_SETTLE = 300.0  # seconds that the work of a moved clock may take


@app.command()
def up(
    demo: Annotated[bool, typer.Option(help="另起邮件与回调的接收端 · with a mail sink and a webhook receiver")] = False,
    brokers: Annotated[
        int, typer.Option(help="Kafka 节点数，1 或 3；缺省沿用已有数据，首次为 1 · brokers; as the data have them, 1 at first")
    ] = 0,
    restored: Annotated[
        list[str] | None, typer.Option(help="数据库恢复过的服务 · a service whose database was restored to an earlier point")
    ] = None,
) -> None:
    """启动，全部就绪后返回；ALLIANCE_PORT_<部分> 可固定端口 · start; returns when all is healthy.

    ALLIANCE_PORT_REGISTRY=50051 and the like fix a part's port.
    """
    if unknown := set(restored or ()) - set(SERVICES):
        _fail(f"没有服务 {unknown.pop()} · there is no such service", 2)
    if brokers not in (0, 1, 3):
        _fail("节点数须为 1 或 3 · one broker or three", 2)
    platform = Platform(State.default())
    began, told = time.monotonic(), deque[str](maxlen=100)

    def say(line: str) -> None:
        told.append(line)
        console.print(line)

    try:
        started = platform.up(
            say, sinks=demo, ALLIANCE_LOCAL_BROKERS=str(brokers), ALLIANCE_LOCAL_RESTORED=",".join(restored or ())
        )
    except StartError as error:
        _tails(platform, told)
        _fail(str(error))
    if started:
        console.print(f"已就绪，用时 {time.monotonic() - began:.1f} 秒 · ready after {time.monotonic() - began:.1f} s")
        return
    console.print("已在运行 · it is up already")
    if restored:
        _fail("恢复栅栏须在启动时设立：先 down · the fence is set up at the start: down first")
    if demo and not set(SINKS) <= set(platform.parts()):
        _fail("但没有演示用的接收端：先 down，再 up --demo · but without the demo's sinks: down, then up --demo")


@app.command()
def down() -> None:
    """停止，状态保留 · stop; the state is kept."""
    began = time.monotonic()
    if Platform(State.default()).down():
        console.print(f"已停止，用时 {time.monotonic() - began:.1f} 秒 · stopped after {time.monotonic() - began:.1f} s")
    else:
        console.print("没有在运行 · it was not up")


@app.command()
def status() -> None:
    """各部分的状态；未全部就绪时退出码为 1 · state of each part; exits 1 unless all are healthy."""
    platform = Platform(State.default())
    if not platform.running():
        _fail("没有在运行 · it is not up")
    parts, ports = platform.parts(), platform.state.read("ports.json")
    table = Table()
    for heading in ("部分 · part", "状态 · state", "pid", "端口 · port", "重启 · restarts", "内存 · memory MiB"):
        table.add_column(heading)
    supervisor = platform.state.read("status.json")["supervisor"]["pid"]
    total = own = processes.memory(supervisor, children=False)
    table.add_row("supervisor", "healthy", str(supervisor), "", "", str(own))
    for name, part in parts.items():
        used = processes.memory(part["pid"])
        total += used
        place = ports.get(name, platform.state.sockets if name == "postgres" else "")
        table.add_row(name, part["state"], str(part["pid"]), str(place), str(part["restarts"]), str(used))
    table.add_section()
    table.add_row("合计 · total", "", "", "", "", str(total))
    console.print(table)
    if any(part["state"] != "healthy" for part in parts.values()):
        raise typer.Exit(1)


@app.command()
def logs(
    service: Annotated[str, typer.Argument(help="部分，缺省为全部 · a part; all where none is named")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="持续显示 · go on as lines come")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="每部分行数 · lines of each part")] = 100,
) -> None:
    """日志 · logs."""
    folder = State.default().root / "logs"
    files = sorted(folder.glob(f"{service or '*'}.log"))
    if not files:
        found = ", ".join(file.stem for file in sorted(folder.glob("*.log")))
        _fail(f"没有 {service or '任何'} 日志；现有：{found} · no such log; there are: {found}")
    width = max(len(file.stem) for file in files)
    for file in files:
        for line in _last(file, lines):
            print(f"{file.stem:{width}}  {line}" if len(files) > 1 else line)
    if follow:
        for file, line in _coming(files):
            print(f"{file.stem:{width}}  {line}" if len(files) > 1 else line, flush=True)


@app.command()
def psql(
    service: Annotated[str, typer.Argument(help="服务 · a service")],
    arguments: Annotated[list[str] | None, typer.Argument(help="其余参数，写在 -- 之后 · more of its own, after --")] = None,
    owner: Annotated[bool, typer.Option("--owner", help="以表的所有者 · as the tables' owner")] = False,
    superuser: Annotated[bool, typer.Option("--superuser", help="以超级用户 · as superuser")] = False,
    program: Annotated[str, typer.Option(help="或 pg_dump、pg_restore 等 · or pg_dump, pg_restore, …")] = "psql",
) -> None:
    """打开某服务的数据库，缺省以服务自己的角色 · psql on a service's database, as the service's own role at first."""
    platform = Platform(State.default())
    if service not in SERVICES or (owner and superuser):
        _fail(f"服务为 {'、'.join(SERVICES)} 之一，角色只选一个 · one of these services, and one role", 2)
    if not platform.running():
        _fail("没有在运行：先 alliance local up · it is not up: alliance local up")
    role = SUPERUSER if superuser else f"{service}_owner" if owner else service
    file, access = Postgres(platform.state).program(program, service, role)
    if not file.is_file():
        _fail(f"{file.parent} 中没有 {program} · there is no {program} in {file.parent}", 2)
    os.execve(file, [program, *(arguments or [])], os.environ | access)  # noqa: S606 - what is meant


@app.command()
def reset() -> None:
    """停止并删除全部本机数据 · stop, and delete all data of this machine's platform."""
    platform = Platform(State.default())
    root = platform.state.root
    if not root.exists():
        console.print("没有可删除的数据 · there is nothing to delete")
        return
    if not (root / "supervisor.lock").exists():
        _fail(f"{root} 不是本机平台的状态目录，不予删除 · {root} is no state folder of a platform and stays as it is")
    platform.reset()
    console.print(f"已删除 {root} · deleted {root}")


@app.command()
def clock(
    instant: Annotated[
        str, typer.Argument(help="2026-04-01T00:00:00+08:00 | +1d | +12h | +30m；不填则显示 · none shows what it is")
    ] = "",
    seconds: Annotated[float, typer.Option(help="等待到期工作完成的时限（秒） · how long due work may take")] = _SETTLE,
) -> None:
    """把各服务的业务时间调到某刻，等到期的工作做完 · move all business clocks, then wait until what became due is done."""
    platform = Platform(State.default())
    if not platform.running():
        _fail("没有在运行：先 alliance local up · it is not up: alliance local up")
    services = [name for name in SERVICES if name in platform.parts()]
    if not services:
        _fail("没有服务在运行 · no service is up")
    began = time.monotonic()
    with Clocks(platform, services) as clocks:
        try:
            target = parse(instant, clocks.now()) if instant else clocks.now()
            console.print(f"业务时间 · business time: {target.astimezone(SHANGHAI).isoformat(timespec='seconds')}")
            if not instant:
                return
            clocks.move(target)
            clocks.settle(seconds, lambda left: console.print(f"{time.monotonic() - began:6.1f} s  {left}"))
        except ValueError as error:
            _fail(f"{error}；时刻须带时区，或写 +1d · an instant needs its offset, or write +1d", 2)
        except NotSettledError as error:
            _fail(f"到时仍有工作未完成 · work is left after {seconds:.0f} s: {error}")
        except grpc.RpcError as error:
            _fail(f"调用失败 · the call failed: {error.details() if isinstance(error, grpc.Call) else error}")
    console.print(
        f"到期的工作已完成，用时 {time.monotonic() - began:.1f} 秒 · due work done, {time.monotonic() - began:.1f} s"
    )


def _tails(platform: Platform, told: "deque[str]") -> None:
    """The last lines of the logs of what failed; of the supervisor's own where it ended without a word."""
    failed = [found[1] for line in told if (found := re.search(r"  (\w+) failed:", line))]
    logged = [platform.state.log(name) for name in failed if platform.state.log(name).exists()]
    if not any("failed:" in line for line in told):
        logged = [platform.state.log("supervisor")]
    for file in logged:
        if lines := _last(file, _TAIL):
            console.print(f"── {file}", *lines, sep="\n")


def _last(file: Path, count: int) -> list[str]:
    with file.open(encoding="utf-8", errors="replace") as opened:
        return [line.rstrip("\n") for line in deque(opened, maxlen=count)]


def _coming(files: list[Path]) -> Iterator[tuple[Path, str]]:
    """Lines as they are written, whole ones only; ends with Ctrl-C."""
    places = {file: file.stat().st_size for file in files}
    while True:
        for file, place in places.items():
            with file.open("rb") as opened:
                opened.seek(place)
                content = opened.read()
            complete = content[: content.rfind(b"\n") + 1]
            places[file] = place + len(complete)
            for line in complete.decode("utf-8", "replace").splitlines():
                yield file, line
        time.sleep(_LOOK)


def _fail(text: str, code: int = 1) -> NoReturn:
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(text)
    raise typer.Exit(code)
