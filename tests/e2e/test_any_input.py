"""Every RPC with messages made up at random: each is answered, and never with an error of the platform's own.

Names of things that are there, sensible values and nasty ones are mixed, so that some calls succeed and others break off late.
"""

import random
from collections import Counter
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from alliance.listings.v1 import feed_pb2, feed_service_pb2
from alliance.listings.v1 import listings_service_pb2 as listings
from alliance.registry.v1 import organization_pb2
from alliance.reporting.v1 import reporting_service_pb2 as reporting
from alliance_local.caller import Caller
from alliance_local.control import Platform
from tests import rpcs, world

CALLS = 1500
_OURS = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED}
_LEFT_OUT = {"SetClock", "ReplayTopic"}  # they would change what other tests find
_DEPTH = 4
_TEXTS = {
    "display_name": ("虚构示例甲", "虚构示例%_\\", '"emoji😀"', "两\n行", "<b>x</b>"),
    "title": ("封装工程师", "a", "😀😀", "=1+1"),
    "paths": ("display_name", "title", "alliance.lead_departments", "job_position.skills", "valid_to", "etag", "x.y"),
    "region_code": ("110105", "320000", "北京"),
    "industry_code": ("3973", "C", "65"),
    "education_code": ("10", "20", "本科"),
    "period": ("2027Q1", "2027Q5", "2026"),
    "figure": ("members.total", "matches.fulfilled"),
    "event_types": ("alliance.matching.match.*.v1", "*", "x"),
    "webhook_url": ("https://example.org/hook", "http://127.0.0.1:1/", "ftp://[::1"),
    "url": ("http://127.0.0.1:1/", "ftp://[::1", "http://user:secret@127.0.0.1/"),
    "mapping": ("zh_job_postings", "../zh_job_postings", "none"),
    "email": ("a@example.com", "b"),
    "etag": ("", '"1"', '"2"'),
    "reason": ("测试", "", "13800138000"),
    "request_id": ("", "abc"),
}
_DATES = ("2027-01-01", "2027-12-31", "9999-12-31", "0001-01-01", "2026-02-29", "2027-01-01T00:00:00Z")
_NASTY = (
    "\x00",
    "a\x00b",
    "x" * 70_000,
    "%",
    "\\",
    "'; --",
    "\u202e",
    "𠀀",
    "organizations/",
    "bodies/../x",
    "1e400",
    "-1",
    " ",
)
_NUMBERS = {
    FieldDescriptor.CPPTYPE_INT32: (0, 1, 9, -1, 2**31 - 1, -(2**31)),
    FieldDescriptor.CPPTYPE_INT64: (0, 1, -1, 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 1, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 1, 2**64 - 1),
    FieldDescriptor.CPPTYPE_DOUBLE: (0.0, -1.0, float("nan"), float("inf")),
    FieldDescriptor.CPPTYPE_BOOL: (False, True),
}


class Inventor:
    """Makes messages up: `nasty` is the share of values that nobody would send in good faith."""

    def __init__(self, seed: int, names: list[str]) -> None:
        self._random = random.Random(seed)
        self._names = names
        self._nasty = 0.0

    def pick(self, choices: Any) -> Any:
        """One of several."""
        return self._random.choice(choices)

    def message(self, kind: type[Message]) -> Message:
        """A message of a class."""
        self._nasty = self.pick((0.0, 0.0, 0.05, 0.4))
        made = kind()
        self._fill(made, 0)
        return made

    def _fill(self, message: Message, depth: int) -> None:
        for field in message.DESCRIPTOR.fields:
            if self._random.random() < 0.35 or depth > _DEPTH:
                continue
            if field.is_repeated:
                if field.message_type is None or not field.message_type.GetOptions().map_entry:
                    self._extend(getattr(message, field.name), field, depth)
            elif field.message_type is not None:
                getattr(message, field.name).SetInParent()
                self._fill(getattr(message, field.name), depth + 1)
            else:
                setattr(message, field.name, self._value(field))

    def _extend(self, values: Any, field: Any, depth: int) -> None:
        for _ in range(self.pick((1, 1, 2, 60))):
            if field.message_type is not None:
                self._fill(values.add(), depth + 1)
            else:
                values.append(self._value(field))

    def _value(self, field: Any) -> Any:
        nasty = self._random.random() < self._nasty
        if field.enum_type is not None:
            return self.pick((-1, 99, 2**31 - 1) if nasty else list(field.enum_type.values_by_number))
        if field.type == field.TYPE_BYTES:
            return self.pick((b"", b"\xff\xfe", b"x" * 1000))
        if field.type != field.TYPE_STRING:
            return self.pick(_NUMBERS[field.cpp_type])
        return self.pick(_NASTY) if nasty else self._text(field.name)

    def _text(self, field: str) -> str:
        if field.endswith("_on") or field.startswith("valid_"):
            return str(self.pick(_DATES))
        one = field.removesuffix("s")
        return str(self.pick(_TEXTS.get(field) or _TEXTS.get(one) or [*self._of(one), *self._names]))

    def _of(self, kind: str) -> list[str]:
        """Names that fit a field called like this, often enough to be taken half the time."""
        fit = [name for name in self._names if name.startswith((kind[:3], "organizations/" if kind == "issuer" else kind[:3]))]
        return fit * (1 + len(self._names) // max(1, len(fit)))


@pytest.fixture(scope="module")
def names(platform: Platform) -> list[str]:
    """Names of resources of every kind, none of which other tests look at."""
    operator = world.operator(platform)
    body, council = world.formed_alliance(platform)
    owner, college = council[0], world.organization(platform, organization_pb2.ORG_TYPE_UNIVERSITY)
    membership = world.join(platform, body.name, college)
    title = world.unique("封装")
    demand = world.publish(owner, world.job(owner.name, title, (body.name,)))
    supply = world.publish(college, world.talent(college.name, title, (body.name,)))
    match = world.matched(owner, demand.name, supply.name)
    rounds = listings.ListRoundsRequest(body=body.name)
    feed = feed_pb2.Feed(display_name=title, issuer=owner.name, url="http://127.0.0.1:1/", interval=3600)
    feed.direction, feed.system = feed_pb2.FEED_DIRECTION_OUT, feed_pb2.OUTSIDE_SYSTEM_OTHER
    made = operator.feeds.CreateFeed(feed_service_pb2.CreateFeedRequest(feed=feed))
    deadlines = reporting.ListDeadlinesRequest(body=body.name)
    return [
        body.name,
        world.alliance(platform).name,
        *(one.name for one in (*council, college)),
        membership.name,
        demand.name,
        supply.name,
        match.name,
        made.name,
        *(one.name for one in world.until(lambda: operator.listings.ListRounds(rounds).rounds)),
        *(one.name for one in world.until(lambda: operator.reporting.ListDeadlines(deadlines).deadlines)),
    ]


def test_every_rpc_answers_whatever_comes(platform: Platform, names: list[str]) -> None:
    inventor = Inventor(20261123, names)
    callers = [world.operator(platform), world.operator(platform), Caller(platform), Caller(platform, "any-input")]
    methods = [(service, method) for service, method in rpcs.methods() if method.name not in _LEFT_OUT]
    answers, ours = Counter[str](), []
    for _ in range(CALLS):
        service, method = inventor.pick(methods)
        requests = [inventor.message(method.request) for _ in range(3 if method.client_streaming else 1)]
        try:
            rpcs.call(inventor.pick(callers), service, method, *requests)
            answers["OK"] += 1
        except grpc.RpcError as error:
            answers[error.code().name] += 1
            if error.code() in _OURS:
                ours.append((method.full_name, error.details(), str(requests)[:500]))
    assert not ours
    assert answers["OK"] > CALLS / 20, "most never got beyond the first check"
    assert len(answers) >= 6, answers
    world.settle(platform)  # and what was taken has stopped no handler
