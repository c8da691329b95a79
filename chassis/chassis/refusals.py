"""Why Kafka can't be reached: no connection, a certificate that is not trusted, or a login that is refused.

aiokafka raises one error for all of it and says the cause to its own log alone, once for each address. So that log is heard
here; nothing of it is written, since who uses a client tells its troubles.
"""

import logging
import ssl
import time
from typing import NamedTuple

from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    KafkaConnectionError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from chassis.kafka import CaFileError

_RECENT = 60.0  # seconds for which what was said of an address counts
_LOGIN = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)


class _Said(NamedTuple):
    at: float
    text: str
    is_refusal: bool


class _Hearing(logging.Handler):
    """Keeps the latest error that aiokafka has met at each address."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: dict[str, _Said] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        errors = [one for one in arguments if isinstance(one, BaseException)]
        if errors and "onnect" in str(record.msg):
            address = ":".join(str(one) for one in arguments if not isinstance(one, BaseException))
            text, is_refusal = _cause(errors[-1])
            self.said[address] = _Said(time.monotonic(), f"{text} ({address})", is_refusal)


_hearing = _Hearing()


def listen() -> None:
    """Hear what aiokafka says, and write nothing of it."""
    log = logging.getLogger("aiokafka")
    log.setLevel(logging.WARNING)
    log.propagate = False
    log.handlers = [_hearing]


def forget() -> None:
    """A client has got in: what was said before is over."""
    _hearing.said.clear()


def is_refusal(error: BaseException) -> bool:
    """Whether a broker is there and the two do not take each other, which no waiting mends."""
    return isinstance(error, CaFileError) or any(one.is_refusal for one in _heard(error))


def why(error: BaseException) -> str:
    """What an error of a client comes to, with what was heard of its cause; a refusal before an absence."""
    heard = sorted(_heard(error), key=lambda one: not one.is_refusal)
    return heard[0].text if heard else str(error) or type(error).__name__


def _heard(error: BaseException) -> list[_Said]:
    if not isinstance(error, (KafkaConnectionError, TimeoutError)):
        return []
    since = time.monotonic() - _RECENT
    return [one for one in _hearing.said.values() if one.at > since]


def _cause(error: BaseException) -> tuple[str, bool]:
    """What an error on the way in means, and whether it is a refusal."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Kafka 的证书不可信 · Kafka's certificate is not trusted: {error}", True
    if isinstance(error, ssl.SSLError):
        # Also where a broker that is ending, or what stands before it, hangs up.
        return f"与 Kafka 的 TLS 握手失败 · the TLS handshake with Kafka failed: {error}", False
    if isinstance(error, _LOGIN):
        return f"Kafka 拒绝登录 · Kafka refuses the login: {error}", True
    return f"连不上 Kafka · no connection to Kafka: {str(error) or type(error).__name__}", False
