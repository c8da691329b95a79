"""How a message leaves: by SMTP, or as a signed webhook (Standard Webhooks 1.0) to an address that may be connected to."""

import asyncio
import json
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import aiosmtplib
import httpcore
import httpx
from standardwebhooks import Webhook

from notify.domain.targets import is_public
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
    """Sends webhooks; refuses private addresses on the connection itself, so that no name can lead inside."""

    def __init__(self, settings: NotifySettings, at_once: int) -> None:
        transport = httpx.AsyncHTTPTransport(trust_env=False)
        transport._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            network_backend=_Guarded(allow_private=settings.allow_private_targets),
            max_connections=at_once,
        )
        self._timeout = settings.delivery_timeout
        # A redirect is not followed: the receiver named this address, and no other.
        self._client = httpx.AsyncClient(
            transport=transport, timeout=settings.delivery_timeout, follow_redirects=False, trust_env=False
        )

    async def send(self, hook: Hook, at: datetime) -> None:
        """Post a webhook; 2xx means taken. Raises `SendError`."""
        body = json.dumps(hook.body, ensure_ascii=False, separators=(",", ":"))
        headers = {
            "content-type": "application/json",
            "user-agent": "alliance-webhooks/1",
            "webhook-id": hook.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(hook.secret).sign(hook.id, at, body),
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
        except _PrivateTargetError as error:
            raise SendError("private target refused") from error
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            raise SendError(type(error).__name__) from error
        if not 200 <= code < 300:
            raise SendError(f"HTTP {code}")

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


class _PrivateTargetError(Exception):
    """The name leads to an address that webhooks may not go to."""


class _Guarded(httpcore.AsyncNetworkBackend):
    """Resolves a name, and connects only to an address that it has judged."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers; all of a name's addresses have to be public."""
        try:
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:  # no such name, or none that could be one
            raise httpcore.ConnectError("name not found") from error
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if not self._allow_private and not all(map(is_public, addresses)):
            raise _PrivateTargetError
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise _PrivateTargetError

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await self._backend.sleep(seconds)
