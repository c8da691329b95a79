"""mTLS between services: both ends show a certificate of one CA. Renewed files are taken up without a restart."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from chassis import metrics
from chassis.errors import Unavailable
from chassis.settings import ServiceSettings

log = logging.getLogger(__name__)
_LOOK = 30.0  # seconds between looks at whether the files have changed
_TRIES = 3  # to read them with nobody changing one meanwhile
_MISSED = 2  # looks at which one was away, after which it is told
_GRACE = 30.0  # seconds that calls may still take by a certificate that was renewed meanwhile
_MINUTE = "%Y-%m-%dT%H:%MZ"
_KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class FilesError(Exception):
    """The files don't go together, or one can't be read: with these, nobody lets anybody in."""


@dataclass(frozen=True)
class Files:
    """Certificate, its key, and the CA that the other end's certificate has to be of; PEM."""

    cert: Path
    key: Path
    ca: Path
    names: tuple[str, ...] = ()
    """By which callers check the certificate; any will do where there are none."""

    @classmethod
    def of(cls, settings: ServiceSettings) -> "Files | None":
        """Those that a service's settings name; None where it speaks plainly."""
        if settings.grpc_cert_file and settings.grpc_key_file and settings.grpc_ca_file:
            return cls(settings.grpc_cert_file, settings.grpc_key_file, settings.grpc_ca_file, settings.grpc_names)
        return None

    def version(self) -> tuple[int, ...]:
        """Differs once any of them has changed. Raises OSError where one can't be read."""
        return tuple(file.stat().st_mtime_ns for file in (self.cert, self.key, self.ca))

    def read(self) -> "Pair":
        """What they hold, of one moment; the gauge tells when that ends. Raises `FilesError` where it lets nobody in."""
        for _ in range(_TRIES):
            try:
                version = self.version()
                pair = Pair(self, version, self.cert.read_bytes(), self.key.read_bytes(), self.ca.read_bytes())
                if self.version() == version:
                    pair.check()
                    return pair
            except OSError as error:
                raise FilesError(f"{error.filename} 读不到 · can't be read: {error.strerror}") from error
        raise FilesError(f"{self.cert}、{self.key}、{self.ca} 正在更换 · are being replaced")

    def server(self) -> grpc.ServerCredentials:
        """Credentials of one port; who shows no certificate of the CA is refused. New connections see renewed files."""
        pair = self.read()
        return grpc.dynamic_ssl_server_credentials(
            pair.server(), cast(Any, _Renewed(pair)), require_client_authentication=True
        )


@dataclass(frozen=True)
class Pair:
    """What the files held at a moment: a certificate, what lies between it and its CA behind it, its key, and the CAs."""

    files: Files
    version: tuple[int, ...]
    cert: bytes
    key: bytes
    ca: bytes

    def check(self) -> None:
        """Tell by the gauge when it ends. Raises `FilesError` where the key is of another one, or it is not of the CA beside
        it, not for both ends, not of today, or not for the names by which it is called: its peers would refuse it.
        """
        chain, authorities = _certificates(self.files.cert, self.cert), _certificates(self.files.ca, self.ca)
        own, key = chain[0], self._key()
        if key.public_key() != own.public_key():
            raise FilesError(
                f"{self.files.key} 不是证书 {self.files.cert} 的私钥 · is not the key of the certificate {self.files.cert}"
            )
        ways = [*_ways(own, chain[1:], authorities)]
        if not ways:
            raise FilesError(
                f"证书 {self.files.cert} 不是由 {self.files.ca} 中的 CA 签发 · "
                f"the certificate {self.files.cert} is not of the CA in {self.files.ca}: {own.issuer.rfc4514_string()}"
            )
        if not _is_for_both_ends(own):
            raise FilesError(
                f"证书 {self.files.cert} 须可同时用于服务端与客户端 · "
                f"the certificate {self.files.cert} has to be for both server auth and client auth"
            )
        self._check_names(own)
        begin, end = max(map(_days, ways), key=lambda days: days[1])
        if not begin <= datetime.now(UTC) < end:
            days = f"{begin:{_MINUTE}} – {end:{_MINUTE}}"
            raise FilesError(
                f"证书 {self.files.cert}（连同签发它的 CA）仅在 {days} 有效 · "
                f"the certificate {self.files.cert}, with the CA that issued it, is valid in {days} alone"
            )
        metrics.CERTIFICATE_END.set(end.timestamp())

    def _check_names(self, own: x509.Certificate) -> None:
        """Raises `FilesError` where callers that know the service by one of its names would refuse the certificate."""
        given = _dns_names(own)
        if missing := [name for name in self.files.names if not any(_covers(one, name) for one in given)]:
            raise FilesError(
                f"证书 {self.files.cert} 不含调用方所用的名称（SAN）{'、'.join(missing)}，只有 {'、'.join(given) or '–'} · "
                f"the certificate {self.files.cert} is not for {', '.join(missing)}, by which it is called, "
                f"but for {', '.join(given) or 'no name'} (SAN)"
            )

    def _key(self) -> PrivateKeyTypes:
        try:
            return load_pem_private_key(self.key, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise FilesError(
                f"{self.files.key} 不是无口令的 PEM 私钥 · is no private key in PEM without a passphrase"
            ) from error

    def client(self) -> grpc.ChannelCredentials:
        """Credentials of a caller."""
        return grpc.ssl_channel_credentials(self.ca, self.key, self.cert)

    def server(self) -> grpc.ServerCertificateConfiguration:
        """What a port shows to new connections."""
        return grpc.ssl_server_certificate_configuration([(self.key, self.cert)], self.ca)


_Days = tuple[datetime, datetime]


def _certificates(file: Path, content: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise FilesError(f"{file} 不是 PEM 证书 · holds no certificate in PEM") from error


def _ways(
    one: x509.Certificate, between: list[x509.Certificate], authorities: list[x509.Certificate]
) -> Iterator[list[x509.Certificate]]:
    """From a certificate to an authority, each issued by the next one."""
    if one in authorities:
        yield [one]
    yield from ([one, authority] for authority in authorities if authority != one and _has_issued(authority, one))
    for step in between:
        if _has_issued(step, one):
            for rest in _ways(step, [other for other in between if other != step], authorities):
                yield [one, *rest]


def _has_issued(issuer: x509.Certificate, one: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _is_for_both_ends(one: x509.Certificate) -> bool:
    """A service is called, and calls. Which names no use is for all."""
    try:
        named = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH} <= set(named)


def _dns_names(one: x509.Certificate) -> list[str]:
    try:
        named = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return named.get_values_for_type(x509.DNSName)


def _covers(given: str, name: str) -> bool:
    """Whether a caller takes a certificate's name for the one that it asks for, as gRPC does: `*` stands for the leftmost
    label, whole, and for no other; what follows has two labels at least.
    """
    given, name = given.lower().removesuffix("."), name.lower().removesuffix(".")
    _, _, rest = name.partition(".")
    return given == name or ("." in rest and given == f"*.{rest}")


def _days(way: list[x509.Certificate]) -> _Days:
    """When all of them are valid, from and to."""
    return max(one.not_valid_before_utc for one in way), min(one.not_valid_after_utc for one in way)


class Watched:
    """Looks at the files for as long as a service runs: what becomes of them is told before somebody is refused for it."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._version: tuple[int, ...] = ()
        self._missed = 0  # looks in a row at which one could not be read

    async def run(self) -> None:
        """Never ends by itself."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK)

    def look(self) -> None:
        """Check the files once they have changed, and tell what is wrong; also where one stays away, as it is being replaced
        for no longer than a moment.
        """
        try:
            version = self._files.version()
        except OSError as error:
            self._missed += 1
            if self._missed == _MISSED:
                log.error("tls: %s", f"{error.filename} 读不到 · can't be read: {error.strerror}")
            return
        self._missed = 0
        if version == self._version:
            return
        self._version = version
        try:
            self._files.read()
        except FilesError as error:
            log.error("tls: %s", error)


class _Renewed:
    """Gives gRPC the files again after they have changed; asked at each new connection."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair

    def __call__(self) -> grpc.ServerCertificateConfiguration | None:
        found = _renewed(self._pair.files, self._pair.version)
        if found is None:
            return None
        self._pair = found
        return found.server()


def _renewed(files: Files, known: tuple[int, ...]) -> Pair | None:
    """What they hold, where they have changed; None also where that lets nobody in, so that the old ones stay."""
    with suppress(OSError, FilesError):  # `Watched` tells
        return files.read() if files.version() != known else None
    return None


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
        if found := _renewed(self._files, self._version):
            connected = self._connect(found.client())
            self._give_up(self._channel)
            self._channel, self._version = connected, found.version
        if self._channel is None:
            raise Unavailable("证书不可用", "the certificate can't be used")
        return self._channel

    def _give_up(self, old: grpc.aio.Channel | None) -> None:
        """Let the calls of a channel end, and close it."""
        if old is not None:
            closing = asyncio.create_task(old.close(_GRACE))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
