"""What the demo's messages arrive at: an SMTP sink and a webhook receiver. `python -m alliance_local.sinks smtp PORT FILE`.

Each message becomes a JSON line in the file, so that people and programs can look at what came.
"""

import asyncio
import json
import signal
import sys
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session


def note(file: Path, content: dict[str, Any]) -> None:
    """Append a message."""
    with file.open("a", encoding="utf-8") as opened:
        opened.write(json.dumps(content, ensure_ascii=False) + "\n")


class Mail:
    """aiosmtpd's handler."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep a mail."""
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        body = mail.get_body(("plain",))
        text = body.get_content() if body else ""
        headers = {name: str(value) for name, value in mail.items()}
        note(self._file, {"to": envelope.rcpt_tos, "headers": headers, "text": text})
        return "250 OK"


def receiver(file: Path) -> web.Application:
    """Takes webhooks on every path."""

    async def take(request: web.Request) -> web.Response:
        body = (await request.read()).decode("utf-8", "replace")
        headers = {name.lower(): value for name, value in request.headers.items()}
        note(file, {"path": request.path, "headers": headers, "body": body})
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/{path:.*}", take)
    return app


async def _serve(kind: str, port: int, file: Path) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    if kind == "smtp":
        await loop.create_server(lambda: SMTP(Mail(file), enable_SMTPUTF8=True), "127.0.0.1", port)
    else:
        runner = web.AppRunner(receiver(file), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
    await stopping.wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
