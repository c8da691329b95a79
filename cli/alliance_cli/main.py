"""The command `alliance`: options before the command, then one group a subject."""

import errno
import sys
from collections import UserDict
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from alliance_cli import session
from alliance_cli.files import FULL, is_scratch
from alliance_cli.output import hang_up
from alliance_cli.session import t

_GROUPS = (
    "org",
    "body",
    "call",
    "application",
    "document",
    "listing",
    "person",
    "booking",
    "feed",
    "match",
    "search",
    "round",
    "report",
    "deadline",
    "notify",
    "dlq",
    "parked",
    "jobs",
)
_NAMES = {"call": "call_", "round": "round_"}  # modules whose commands are named as Python functions
_COMMANDS = {name: f"alliance_cli.commands.{_NAMES.get(name, name)}:app" for name in _GROUPS} | {
    "login": "alliance_cli.commands.login:login",
    "groups": "alliance_cli.commands.recovery:groups",
    "replay": "alliance_cli.commands.recovery:replay",
    "rebuild": "alliance_cli.commands.recovery:rebuild",
}
if find_spec("alliance_local"):  # not on a member's or operator's own machine
    _COMMANDS["local"] = "alliance_local.commands:app"


class _Commands(UserDict[str, Any]):
    """The commands by name; one's module is loaded when it is asked for, since nobody should wait for all the others'."""

    def __getitem__(self, name: str) -> Any:
        module, _, attribute = self.data[name].partition(":")
        found = getattr(import_module(module), attribute)
        whole = typer.Typer()
        if isinstance(found, typer.Typer):
            whole.add_typer(found, name=name)
        else:
            whole.command(name)(found)
        return get_group(whole).commands[name]


class _Program(TyperGroup):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = _Commands(_COMMANDS)

    def invoke(self, ctx: Any) -> Any:
        """Run what was asked for; a file that can't be written or read is told as wrong usage is."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()  # what is short is written here first
        except OSError as error:
            if isinstance(error, BrokenPipeError) and not error.filename:
                hang_up(sys.stdout)
            if not isinstance(error.filename, str) and error.errno not in FULL:  # no file's: a bug
                raise
            raise typer.BadParameter(_told(error)) from error


_REASONS = {
    errno.ENOENT: ("没有该文件或文件夹", "there is no such file or folder"),
    errno.EACCES: ("没有权限", "not allowed"),
    errno.EROFS: ("该处只读", "it is read-only there"),
    errno.EISDIR: ("是文件夹", "it is a folder"),
    errno.ENOTDIR: ("其上级不是文件夹", "what it lies in is no folder"),
    errno.ENAMETOOLONG: ("文件名过长", "the name is too long"),
}


_PLACE = ("，或换一个位置", ", or take another place")
_SCRATCH = ("，或以环境变量 TMPDIR 另指一处", ", or name another one by the variable TMPDIR")
_FULL = {
    errno.ENOSPC: ("空间不足；请腾出空间", "no space is left; make room"),
    errno.EDQUOT: ("磁盘配额已用完；请腾出空间", "the disk quota is used up; make room"),
}


def _told(error: OSError) -> str:
    file = error.filename or t("文件", "the file")
    is_temporary = is_scratch(file)
    named = (f"临时文件夹 {file}", f"the folder of temporary files {file}") if is_temporary else (file, file)
    if error.errno == errno.EFBIG:
        zh, en = "超过一个文件的大小限制；请放宽限制（ulimit -f）", "no file may be as large; raise the limit (ulimit -f)"
        return t(f"{named[0]} 写不下：{zh}", f"{named[1]} can't be written: {en}")
    if error.errno in _FULL:
        (zh, en), way = _FULL[error.errno], _SCRATCH if is_temporary else _PLACE
        return t(f"{named[0]} 写不下：{zh}{way[0]}", f"{named[1]} can't be written: {en}{way[1]}")
    zh, en = _REASONS.get(error.errno or 0, (error.strerror or str(error), error.strerror or str(error)))
    if is_temporary:
        return t(f"{named[0]} 不能写：{zh}{_SCRATCH[0]}", f"{named[1]} can't be written: {en}{_SCRATCH[1]}")
    return t(
        f"{file} 不能读写：{zh}；请换一个位置或文件名", f"{file} can't be read or written: {en}; take another place or name"
    )


app = typer.Typer(cls=_Program, no_args_is_help=True, pretty_exceptions_enable=False, help="产教联盟平台 · Alliance platform")


@app.callback()
def options(
    lang: Annotated[str, typer.Option(envvar="ALLIANCE_LANG", help="zh | en")] = "zh",
    output: Annotated[str, typer.Option(envvar="ALLIANCE_OUTPUT", help="table | json")] = "table",
) -> None:
    """产教联盟平台命令行 · command line of the Alliance platform."""
    if lang not in ("zh", "en") or output not in ("table", "json"):
        raise typer.BadParameter("--lang zh|en, --output table|json")
    session.context.language = lang
    session.context.output = output
    session.context.session = session.load()


if __name__ == "__main__":
    app()
