"""How a message leaves: by SMTP, or as a signed webhook (Standard Webhooks 1.0) to an address that may be connected to."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import aiosmtplib

from chassis import outgoing
from notify.settings import NotifySettings


class SendError(Exception):
    """A message was not taken; `str()` is the kind of the error, free of addresses and answers."""


@dataclass(frozen=True)
class Mail:
    """A mail; `id` is the local part of its Message-ID, the same at every attempt."""

    id: str
    to: str
    title: str
    text: str
    date: datetime


@dataclass(frozen=True)
class Hook:
    """A webhook; `id` is its `webhook-id`, the same at every attempt."""

    id: str
    url: str
    secret: str
    body: dict[str, Any]
    traceparent: str


async def send_mail(settings: NotifySettings, mail: Mail) -> None:
    """Hand a mail to the SMTP server. Raises `SendError`."""
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = mail.to
    message["Subject"] = " ".join(mail.title.split())  # a header is one line
    message["Date"] = format_datetime(mail.date)
    message["Message-ID"] = f"<{mail.id}@{settings.mail_domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    password = settings.smtp_password
    try:
        await aiosmtplib.send(
            message,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=password.get_secret_value() if password else None,
            start_tls=settings.smtp_starttls,
            timeout=settings.delivery_timeout,
        )
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        raise SendError(type(error).__name__) from error


class Webhooks:
    """Sends webhooks, to public addresses only."""

    def __init__(self, settings: NotifySettings, at_once: int) -> None:
        self._timeout = settings.delivery_timeout
        self._client = outgoing.client(
            allow_private=settings.allow_private_targets,
            networks=settings.private_networks,
            at_once=at_once,
            timeout=settings.delivery_timeout,
        )

    async def send(self, hook: Hook, at: datetime) -> None:
        """Post a webhook; 2xx means taken. Raises `SendError`."""
        body = json.dumps(hook.body, ensure_ascii=False, separators=(",", ":"))
        headers = {
            "content-type": "application/json",
            "user-agent": "alliance-webhooks/1",
            **outgoing.signed([hook.secret], hook.id, at, body),
        }
        if hook.traceparent:
            headers["traceparent"] = hook.traceparent
        try:
            # The client's own limit is for each read: who answers a byte at a time would keep it busy for hours.
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream("POST", hook.url, content=body.encode(), headers=headers) as answer,
            ):
                code = answer.status_code  # what the receiver says beside it is not read
        except outgoing.PrivateTargetError as error:
            raise SendError("private target refused") from error
        except outgoing.FAILURES as error:
            raise SendError(type(error).__name__) from error
        if not 200 <= code < 300:
            raise SendError(f"HTTP {code}")

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
