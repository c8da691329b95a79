"""Requests that leave the platform: to addresses that somebody outside named, signed as Standard Webhooks 1.0 has it."""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import httpcore
import httpx
from standardwebhooks import Webhook, WebhookVerificationError

from chassis.targets import Network, is_allowed

FAILURES = (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError)
"""What a request ends with that did not come to an answer; a `TimeoutError` is among them."""


class PrivateTargetError(Exception):
    """The name leads to an address that requests may not go to."""


def client(*, allow_private: bool, at_once: int, timeout: float, networks: Sequence[Network] = ()) -> httpx.AsyncClient:
    """A client for addresses that others name: refuses private ones, but for those of `networks`, on the connection itself, so
    that no name can lead inside, follows no redirect, and reads no proxy from the environment.
    """
    transport = httpx.AsyncHTTPTransport(trust_env=False)
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=ssl.create_default_context(),
        network_backend=_Guarded(allow_private=allow_private, networks=networks),
        max_connections=at_once,
    )
    # A redirect is not followed: the receiver named this address, and no other.
    return httpx.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False)


def signed(secrets: Sequence[str], identifier: str, at: datetime, content: str) -> dict[str, str]:
    """The headers that sign a content, with each of the secrets (`whsec_…`)."""
    return {
        "webhook-id": identifier,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(identifier, at, content) for secret in secrets),
    }


def is_signed(secrets: Iterable[str], identifier: str, content: bytes, headers: Mapping[str, str]) -> bool:
    """Whether the headers sign the content with one of the secrets, under this id and within five minutes."""
    if headers.get("webhook-id") != identifier:
        return False
    return any(_verifies(secret, content, headers) for secret in secrets)


def _verifies(secret: str, content: bytes, headers: Mapping[str, str]) -> bool:
    try:
        Webhook(secret).verify(content, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # the library splits and decodes what it is given
        return False
    return True


class _Guarded(httpcore.AsyncNetworkBackend):
    """Resolves a name, and connects only to an address that it has judged."""

    def __init__(self, *, allow_private: bool, networks: Sequence[Network]) -> None:
        self._allow_private, self._networks = allow_private, networks
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers; all of a name's addresses have to be allowed."""
        try:
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:  # no such name, or none that could be one
            raise httpcore.ConnectError("name not found") from error
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if not self._allow_private and not all(is_allowed(one, self._networks) for one in addresses):
            raise PrivateTargetError
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise PrivateTargetError

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await self._backend.sleep(seconds)
