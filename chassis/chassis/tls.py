"""mTLS between services: both ends show a certificate of one CA. Renewed files are taken up without a restart."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import grpc

from chassis.errors import Unavailable
from chassis.settings import ServiceSettings

_GRACE = 30.0  # seconds that calls may still take by a certificate that was renewed meanwhile
_KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


@dataclass(frozen=True)
class Files:
    """Certificate, its key, and the CA that the other end's certificate has to be of; PEM."""

    cert: Path
    key: Path
    ca: Path

    @classmethod
    def of(cls, settings: ServiceSettings) -> "Files | None":
        """Those that a service's settings name; None where it speaks plainly."""
        if settings.grpc_cert_file and settings.grpc_key_file and settings.grpc_ca_file:
            return cls(settings.grpc_cert_file, settings.grpc_key_file, settings.grpc_ca_file)
        return None

    def version(self) -> tuple[int, ...]:
        """Differs once any of them has changed. Raises OSError where one can't be read."""
        return tuple(file.stat().st_mtime_ns for file in (self.cert, self.key, self.ca))

    def client(self) -> grpc.ChannelCredentials:
        """Credentials of a caller, as the files are now."""
        return grpc.ssl_channel_credentials(self.ca.read_bytes(), self.key.read_bytes(), self.cert.read_bytes())

    def server(self) -> grpc.ServerCredentials:
        """Credentials of one port; who shows no certificate of the CA is refused. New connections see renewed files."""
        return grpc.dynamic_ssl_server_credentials(
            self._server(), cast(Any, _Renewed(self)), require_client_authentication=True
        )

    def _server(self) -> grpc.ServerCertificateConfiguration:
        pair = (self.key.read_bytes(), self.cert.read_bytes())
        return grpc.ssl_server_certificate_configuration([pair], self.ca.read_bytes())


class _Renewed:
    """Gives gRPC the files again after they have changed; asked at each new connection."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._known = files.version()

    def __call__(self) -> grpc.ServerCertificateConfiguration | None:
        try:
            version = self._files.version()
            if version == self._known:
                return None
            found = self._files._server()
        except OSError:  # they are being replaced: the old ones still hold
            return None
        self._known = version
        return found


class RenewedChannel:
    """Stands for a channel: each call goes by one that shows the certificate as it is by then."""

    def __init__(self, files: Files, connect: Callable[[grpc.ChannelCredentials], grpc.aio.Channel]) -> None:
        self._files = files
        self._connect = connect
        self._version: tuple[int, ...] = ()
        self._channel: grpc.aio.Channel | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def __getattr__(self, kind: str) -> Callable[..., Callable[..., Any]]:
        """`unary_unary` and the others, as stubs declare their methods by."""
        if kind not in _KINDS:
            raise AttributeError(kind)

        def declare(*method: Any, **more: Any) -> Callable[..., Any]:
            return lambda *request, **options: getattr(self._current(), kind)(*method, **more)(*request, **options)

        return declare

    def _current(self) -> grpc.aio.Channel:
        with suppress(OSError):  # where they are being replaced, the old ones still hold
            version = self._files.version()
            if version != self._version:
                renewed = self._connect(self._files.client())
                self._give_up(self._channel)
                self._channel, self._version = renewed, version
        if self._channel is None:
            raise Unavailable("证书尚不可读", "the certificate can't be read yet")
        return self._channel

    def _give_up(self, old: grpc.aio.Channel | None) -> None:
        """Let the calls of a channel end, and close it."""
        if old is not None:
            closing = asyncio.create_task(old.close(_GRACE))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
