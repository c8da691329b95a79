"""How a client is begun anew: pauses that grow, and one line for one trouble."""

import asyncio
import logging

import pytest
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry, Counter

from chassis import backoff, told
from chassis.backoff import Backoff

_A, _B = KafkaError("a"), KafkaError("b")


class _Pauses:
    """Takes the place of sleeping; `at` is the time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.all: list[float] = []
        monkeypatch.setattr(asyncio, "sleep", self._slept)
        monkeypatch.setattr(told, "monotonic", lambda: sum(self.all))

    async def _slept(self, seconds: float) -> None:
        self.all.append(seconds)


def _made() -> Backoff:
    return Backoff("relay", Counter("rebuilds", "", registry=CollectorRegistry()))


def _lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records]


async def test_pauses_grow_to_a_limit_and_begin_again_after_success(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses, made = _Pauses(monkeypatch), _made()
    while sum(pauses.all) < 70:
        await made.after(_A)
    assert pauses.all[0] == backoff.FIRST
    assert max(pauses.all) == backoff.MOST
    assert len(pauses.all) < 35  # where there were 107
    for number, pause in enumerate(pauses.all[1:-1], 1):  # the longer it was away, the longer it may take
        assert pause <= 0.25 * sum(pauses.all[:number]) + backoff.FIRST
    made.worked()
    await made.after(_A)
    assert pauses.all[-1] == backoff.FIRST


async def test_the_same_trouble_is_told_once_a_minute_and_another_at_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses, made = _Pauses(monkeypatch), _made()
    caplog.set_level(logging.INFO)
    while sum(pauses.all) < 59:
        await made.after(_A)
    assert _lines(caplog) == ["relay: starting over"]
    while sum(pauses.all) < 119:
        await made.after(_A)
    assert _lines(caplog) == ["relay: starting over"] * 2
    await made.after(_B)
    assert _lines(caplog) == ["relay: starting over"] * 3
    made.worked()
    made.worked()
    assert _lines(caplog)[3:] == ["relay: gets on again"]
    await made.after(_B)
    assert _lines(caplog)[4:] == ["relay: starting over"]
