"""Channels to other services: the service's own token, the trace, and Chinese texts unless asked otherwise."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import grpc

from chassis import telemetry
from chassis.tls import Files, RenewedChannel

_OPTIONS = [
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Pods come and go within seconds; gRPC's own 30 s would leave calls with the addresses of those that are gone.
    ("grpc.dns_min_time_between_resolutions_ms", 2_000),
    ("grpc.lb_policy_name", "round_robin"),  # over all addresses that a name has, as that of a headless Service
]


def channel(target: str, token_file: Path | None, files: Files | None = None) -> grpc.aio.Channel:
    """A channel to another service of the platform, by mTLS where there are `files`; calls name their own deadlines."""
    interceptors = [_Metadata(token_file)]
    if files is None:
        return grpc.aio.insecure_channel(target, options=_OPTIONS, interceptors=interceptors)
    connect = partial(grpc.aio.secure_channel, target, options=_OPTIONS, interceptors=interceptors)
    return cast(grpc.aio.Channel, RenewedChannel(files, connect))


class _Metadata(grpc.aio.UnaryUnaryClientInterceptor):
    """Adds token and trace to every call; the token is read again when its file changes."""

    def __init__(self, token_file: Path | None) -> None:
        self._file = token_file
        self._token = ""
        self._read_at = 0

    async def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        """Go on with the metadata added."""
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        if token := self._current():
            metadata.add("authorization", f"Bearer {token}")
        if trace := telemetry.traceparent():
            metadata.add("traceparent", trace)
        return await continuation(details._replace(metadata=metadata), request)

    def _current(self) -> str:
        if self._file is None:
            return ""
        changed = self._file.stat().st_mtime_ns
        if changed != self._read_at:
            self._token, self._read_at = self._file.read_text(encoding="utf-8").strip(), changed
        return self._token
