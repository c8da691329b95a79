"""The command `alliance`: options before the command, then one group a subject."""

from typing import Annotated

import typer

from alliance_cli import session
from alliance_cli.commands import (
    application,
    body,
    call_,
    deadline,
    dlq,
    document,
    listing,
    login,
    match,
    notify,
    org,
    recovery,
    report,
    round_,
    search,
)

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="产教联盟平台 · Alliance platform")
for name, group in {
    "org": org.app,
    "body": body.app,
    "call": call_.app,
    "application": application.app,
    "document": document.app,
    "listing": listing.app,
    "match": match.app,
    "round": round_.app,
    "report": report.app,
    "deadline": deadline.app,
    "notify": notify.app,
    "dlq": dlq.app,
}.items():
    app.add_typer(group, name=name)
app.command("login")(login.login)
app.command("search")(search.search)
app.command("groups")(recovery.groups)
app.command("replay")(recovery.replay)
app.command("rebuild")(recovery.rebuild)

try:
    from alliance_local.commands import app as local_app
except ModuleNotFoundError:  # installed without the local platform: a member's or operator's own machine
    pass
else:
    app.add_typer(local_app, name="local", help="本机平台 · the platform on this machine")


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
