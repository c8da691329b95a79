"""mTLS between services: both ends show a certificate of one CA. Renewed files are taken up without a restart."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chassis import metrics
from chassis.errors import Unavailable
from chassis.settings import ServiceSettings

log = logging.getLogger(__name__)
_LOOK = 30.0  # seconds between looks at whether the files have changed
_GRACE = 30.0  # seconds that calls may still take by a certificate that was renewed meanwhile
_KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class FilesError(Exception):
    """The files don't go together, or one can't be read: with these, nobody lets anybody in."""


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

    def check(self) -> None:
        """Tell by its gauge when the certificate ends. Raises `FilesError` where a file can't be read, the key is of another
        one, or the CA beside it has not signed it: every peer has the same CA and would refuse it.
        """
        chain, authorities = _certificates(self.cert), _certificates(self.ca)
        own = chain[0]
        metrics.CERTIFICATE_END.set(own.not_valid_after_utc.timestamp())
        try:
            key = load_pem_private_key(self.key.read_bytes(), None)
        except OSError as error:
            raise FilesError(f"{self.key} 读不到 · can't be read: {error.strerror}") from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise FilesError(f"{self.key} 不是无口令的 PEM 私钥 · is no private key in PEM without a passphrase") from error
        if key.public_key() != own.public_key():
            raise FilesError(f"{self.key} 不是证书 {self.cert} 的私钥 · is not the key of the certificate {self.cert}")
        if not _is_of(own, chain[1:], authorities):
            raise FilesError(
                f"证书 {self.cert} 不是由 {self.ca} 中的 CA 签发 · the certificate {self.cert} is not of the CA in {self.ca}: "
                f"{own.issuer.rfc4514_string()}"
            )

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


def _certificates(file: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except OSError as error:
        raise FilesError(f"{file} 读不到 · can't be read: {error.strerror}") from error
    except ValueError as error:
        raise FilesError(f"{file} 不是 PEM 证书 · holds no certificate in PEM") from error


def _is_of(one: x509.Certificate, between: list[x509.Certificate], authorities: list[x509.Certificate]) -> bool:
    """Whether a certificate is an authority's, or issued by one, in steps or at once."""
    if one in authorities or any(_has_issued(authority, one) for authority in authorities):
        return True
    return any(
        _has_issued(step, one) and _is_of(step, [other for other in between if other != step], authorities) for step in between
    )


def _has_issued(issuer: x509.Certificate, one: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


class Watched:
    """Looks at the files for as long as a service runs: what becomes of them is told before somebody is refused for it."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._version: tuple[int, ...] = ()

    async def run(self) -> None:
        """Never ends by itself."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK)

    def look(self) -> None:
        """Check the files once they have changed, and tell what is wrong."""
        with suppress(OSError):  # they are being replaced: the next look is soon
            version = self._files.version()
            if version == self._version:
                return
            self._version = version
            try:
                self._files.check()
            except FilesError as error:
                log.error("tls: %s", error)


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
