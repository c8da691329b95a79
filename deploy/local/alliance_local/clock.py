"""Moving the business clocks 业务时间 of all services, and waiting until what became due is done.

Each service has a clock of its own; reporting's is moved last, so that its deadlines see what the others did in time.
"""

import re
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import grpc

from alliance.admin.v1 import admin_service_pb2 as pb
from alliance.admin.v1 import admin_service_pb2_grpc
from alliance_local.caller import patient_channel
from alliance_local.control import Platform
from alliance_local.supervisor import OPERATOR

LAST = "reporting"
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_CALL = 30.0  # seconds that a call may take
_PAUSE = 0.2  # seconds between two looks at the progress
_LOOKS = 2  # how often in a row nothing may be left: what one service ends can be due in the next


class NotSettledError(Exception):
    """Work was left when the time was over; names it by service."""


def parse(text: str, now: datetime) -> datetime:
    """`2026-04-01T00:00:00+08:00`, or `+1d`, `+12h`, `+30m`, `+5s` from `now`. Raises ValueError."""
    if found := re.fullmatch(r"\+(\d+)([dhms])", text):
        return now + timedelta(**{_UNITS[found[2]]: int(found[1])})
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text}: no offset from UTC")
    return instant


class Clocks:
    """The business clocks of a running platform; use it as a context manager."""

    def __init__(self, platform: Platform, services: Sequence[str]) -> None:
        self._services = list(services)
        self._platform = platform
        self._closing = ExitStack()
        self._stubs = {name: self._stub(name) for name in self._services}

    def __enter__(self) -> "Clocks":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def now(self) -> datetime:
        """The business time: of clocks that differ the one that is furthest, for none may go back."""
        return max(one.business_time.ToDatetime(tzinfo=UTC) for one in self.progress().values())

    def move(self, instant: datetime) -> None:
        """Set every clock, reporting's after all others. Raises grpc.RpcError."""
        others = [name for name in self._services if name != LAST]
        for group in (others, [name for name in self._services if name == LAST]):
            for call in [self._set(name, instant) for name in group]:
                call.result()

    def progress(self) -> dict[str, pb.Progress]:
        """How far every service has got. Raises grpc.RpcError."""
        request, metadata = pb.GetProgressRequest(), self._metadata()
        calls = {
            name: stub.GetProgress.future(request, timeout=_CALL, metadata=metadata) for name, stub in self._stubs.items()
        }
        return {name: call.result() for name, call in calls.items()}

    def settle(self, seconds: float, say: Callable[[str], None] = lambda _: None) -> None:
        """Wait until no service has anything left to do; tells what is left whenever it changes. Raises `NotSettledError`."""
        deadline = time.monotonic() + seconds
        quiet, told = 0, ""
        while quiet < _LOOKS:
            left = _left(self.progress())
            quiet = 0 if left else quiet + 1
            if left and left != told:
                say(left)
            told = left
            if left and time.monotonic() > deadline:
                raise NotSettledError(left)
            time.sleep(_PAUSE if quiet < _LOOKS else 0)

    def _set(self, name: str, instant: datetime) -> "grpc.Future[pb.Progress]":
        request = pb.SetClockRequest(request_id=str(uuid4()))
        request.business_time.FromDatetime(instant.astimezone(UTC))
        return self._stubs[name].SetClock.future(request, timeout=_CALL, metadata=self._metadata())

    def _stub(self, name: str) -> admin_service_pb2_grpc.AdminServiceStub:
        channel = self._closing.enter_context(patient_channel(self._platform.target(name)))
        return admin_service_pb2_grpc.AdminServiceStub(channel)

    def _metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return (("authorization", f"Bearer {self._platform.token(OPERATOR)}"),)


def _left(progress: dict[str, pb.Progress]) -> str:
    """What is left, for people; "" where nothing is. A lag of -1 is one that nobody knows."""
    counts = (
        f"{name}: outbox {one.outbox_depth}, lag {one.consumer_lag}, due {one.due_work}"
        for name, one in progress.items()
        if one.outbox_depth or one.consumer_lag or one.due_work
    )
    return "; ".join(counts)
