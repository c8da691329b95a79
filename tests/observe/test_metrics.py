"""Every metric can be understood and afforded: help in both languages, names by convention, labels with few values."""

import re
from math import prod

import grpc
import pytest
from prometheus_client import REGISTRY

from alliance.notify.v1 import notify_pb2
from alliance_local.state import SERVICES
from chassis import topics
from chassis.contract import methods
from listings.domain.names import Kind, State
from matching.domain.life import Verb
from observe.exported import OF_THE_PROCESS, Metric, metrics
from registry.domain.names import BodyKind, BodyState
from reporting.domain import deadlines
from tests.contract.descriptors import services

_MOST = 2_000  # series of one metric in one process
_UNITS = ("seconds", "ratio", "bytes")
_COUNTED = ("events", "records", "proposals")  # what histograms count where they measure no unit
_METHODS = max(
    sum(len(list(methods(one))) for one in services() if one.full_name.split(".")[1] in (service, "admin"))
    for service in SERVICES
)
_BOUNDS = {  # label → how many values it has in one process at most
    "band": 10,
    "body": 200,
    "channel": len(notify_pb2.Channel.keys()),
    "client": 2,  # relay, consumer
    "code": len(grpc.StatusCode),
    "direction": 2,  # in, out
    "figure": 5,
    "group": max(sum(name in one.consumers for one in topics.load().all) for name in SERVICES),
    "kind": max(len(Kind), len(BodyKind)) + 1,
    "method": _METHODS,
    "name": 1,  # of a body
    "outcome": 10,
    "pool": 2,  # calls, plumbing
    "rule": len(deadlines.RULES),
    "service": 1,
    "state": max(map(len, (State, BodyState, deadlines.State))) + 1,
    "task": 20,
    "verb": len(Verb),
    "version": 1,
}


def test_there_are_metrics() -> None:
    """Of every service, and of the plumbing."""
    assert {service for one in metrics() for service in one.services} == set(SERVICES)
    assert sum(not one.services for one in metrics()) > 20


@pytest.mark.parametrize("metric", metrics(), ids=lambda one: one.name)
def test_it_is_told_in_both_languages(metric: Metric) -> None:
    chinese, separator, english = metric.told.partition(" · ")
    assert separator
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert re.fullmatch(r"[^\u4e00-\u9fff]+\.", english)


@pytest.mark.parametrize("metric", metrics(), ids=lambda one: one.name)
def test_it_is_named_as_prometheus_has_it(metric: Metric) -> None:
    """A prefix, base units, `_total` on counters alone."""
    assert re.fullmatch(r"alliance_[a-z]+(_[a-z]+)*", metric.name)
    assert not re.search(r"(_total|_count|_sum|_bucket|_ms|_millis\w*|_minutes|_hours|_percent|_kb|_mb)$", metric.name)
    if metric.kind == "histogram":
        assert metric.name.rpartition("_")[2] in _UNITS + _COUNTED
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", label) and label != "le" for label in metric.labels)


@pytest.mark.parametrize("metric", metrics(), ids=lambda one: one.name)
def test_its_series_are_bounded(metric: Metric) -> None:
    assert set(metric.labels) <= set(_BOUNDS)
    assert prod(_BOUNDS[label] for label in metric.labels) * (len(metric.bounds) + 2 if metric.bounds else 1) <= _MOST


def test_what_the_process_says_of_itself_is_there() -> None:
    assert {sample.name for family in REGISTRY.collect() for sample in family.samples} >= OF_THE_PROCESS
