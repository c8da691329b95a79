"""What says who somebody is, in a record's key, in the names of its fields or in a cursor, is refused and stays nowhere."""

import json
import logging
from typing import Any

import pytest

from alliance.listings.v1 import feed_pb2
from alliance.listings.v1 import listing_pb2 as pb
from listings import changes
from listings.feeds import store
from listings.feeds.mapping import refusal_message
from listings.mapping import content_hash
from tests.component.conftest import CAUSE
from tests.component.feeds.conftest import Bench, published, told
from tests.outside_system import Outside

MOBILE, NAMED, MAIL = "13899990002", "联系人王五13899990006", "wang.wu@example.org"
_TABLES = ("feed", "feed_record", "feed_refusal", "listing", "event")
_DATA = {"title": "封装工程师"}
_NESTED = {"手机13899990008": {"a": 1}}


async def _kept(bench: Bench) -> str:
    """Everything that the database holds of feeds and what came of them, as text; of bytes the text that is in them."""
    found = []
    for table in _TABLES:
        for row in await bench.probe.rows(f"SELECT * FROM {table}"):  # noqa: S608 - our own tables
            found += [bytes(one).decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in row.values()]
    return "\n".join(found)


async def _listed(bench: Bench, feed: str) -> list[tuple[str, int, list[tuple[str, str]]]]:
    """(key, line, (field, rule) of each problem) of the refusals that are listed, in the order of their lines."""
    async with bench.database.transaction(CAUSE, read_only=True) as tx:
        messages = [refusal_message(row) for row in await store.refusals(tx, feed, None, 1000)]
    return sorted((one.external_key, one.line, [(p.field, p.rule) for p in one.problems]) for one in messages)


_PERSONAL = ("key", "personal-data")
_WRONG: list[tuple[Any, list[tuple[str, str]]]] = [
    ({"key": MOBILE, "version": 1, "data": _DATA}, [_PERSONAL]),
    ({"key": NAMED, "version": 1, "deleted": True}, [_PERSONAL]),
    ({"key": MAIL, "version": 0, "data": _DATA}, [_PERSONAL, ("version", "range")]),
    ({"key": "138-9999-0004", "version": 1, "data": {"title": "封装工程师", "headcount": "三"}}, [_PERSONAL]),
    ({"key": "", "手机": MOBILE}, [("key", "text")]),
    (int(MOBILE), [("", "json")]),
]
_BY_NAME: list[tuple[str, Any, list[tuple[str, str]]]] = [
    ("n1", {**_DATA, **_NESTED}, [("data", "flat")]),
    ("n2", {**_DATA, f"{'字' * 97}13899990009": []}, [("data", "flat")]),
    ("n3", {**_DATA, "\u0000": []}, [("data", "flat")]),
    ("n4", {"title": "封装工程师", "headcount": "\u0000三"}, [("quantity", "mapping")]),
    ("n5", {**_DATA, "备注": []}, [("data.备注", "flat")]),
]


async def test_a_key_or_name_that_says_who_somebody_is_is_refused_and_stays_nowhere(
    bench: Bench, outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "listings")
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.page = 100
    outside.changes += [one for one, _ in _WRONG]
    outside.changes += [{"key": key, "version": 1, "data": data} for key, data, _ in _BY_NAME]
    outside.put("a", title="测试工程师", 电话13899990007="不认识的字段")
    await bench.until_done()
    row = await bench.row(feed)
    assert (row.failures, row.error_en) == (0, "")
    expected = [("", line, problems) for line, (_, problems) in enumerate(_WRONG, 1)]
    expected += [(key, line, problems) for line, (key, _, problems) in enumerate(_BY_NAME, len(_WRONG) + 1)]
    assert await _listed(bench, feed) == sorted(expected)
    assert await published(bench.probe, feed) == {"a": "测试工程师"}
    kept = await _kept(bench) + caplog.text + json.dumps([vars(one) for one in caplog.records], default=str)
    assert [one for one in ("9999", "王五", "wang.wu") if one in kept] == []
    assert "名称含有个人信息" in kept, "and it is said why a field is not named"


async def test_what_is_refused_again_is_one_refusal(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    for version in (1, 2):
        outside.changes.append({"key": MOBILE, "version": version, "deleted": True})
        outside.changes.append({"key": MAIL, "version": version, "data": _DATA})
        await bench.until_done()
    async with bench.database.transaction(CAUSE, read_only=True) as tx:
        assert [one.version for one in await store.refusals(tx, feed, None, 10)] == [2, 2]
    assert await bench.probe.rows("SELECT 1 FROM feed_record") == []


async def test_a_listing_that_has_such_a_key_already_can_be_ended(bench: Bench, outside: Outside) -> None:
    """It came in while the rules found less: its record is refused, but that it is gone is taken."""
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    row = await bench.row(feed)
    content = pb.Listing(issuer=row.issuer, source=row.source, external_key=MOBILE, kind=pb.LISTING_KIND_JOB_POSITION)
    content.title, content.visibility = "封装工程师", pb.VISIBILITY_PUBLIC
    async with bench.database.transaction(CAUSE) as tx:
        (made,) = await changes.save(tx, [changes.created(content, content_hash(content))])
        await changes.save(tx, [changes.taken(made, "publish", "published")])
    outside.put(MOBILE, title="测试工程师")
    await bench.until_done()
    assert await _listed(bench, feed) == [("", 1, [_PERSONAL])]
    assert await published(bench.probe, feed) == {MOBILE: "封装工程师"}
    outside.delete(MOBILE)
    await bench.until_done()
    assert await _listed(bench, feed) == []
    assert await published(bench.probe, feed) == {}


async def test_a_cursor_that_says_who_somebody_is_is_a_failure(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("a", title="封装工程师")
    outside.cursors = "{}-" + MOBILE
    await bench.until_done()
    row = await bench.row(feed)
    assert (row.cursor, "personal data" in row.error_en) == ("", True)
    assert "13899990002" not in await _kept(bench)
    assert await told(bench, feed) == []
    outside.cursors = "{}"
    await bench.until_done()
    assert ((await bench.row(feed)).failures, await published(bench.probe, feed)) == (0, {"a": "封装工程师"})


async def test_a_counter_that_looks_like_a_number_of_a_phone_goes_on_with_a_letter_before_it(
    bench: Bench, outside: Outside
) -> None:
    """As docs/feeds.md has it, which the refusal says, too."""
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.page = 1
    outside.put("a", title="封装工程师")
    outside.cursors = "1389999000{}"
    await bench.until_done()
    row = await bench.row(feed)
    assert (row.cursor, "s8812" in row.error_zh, await published(bench.probe, feed)) == ("", True, {})
    outside.cursors = "s1389999000{}"
    outside.put("b", title="测试工程师")
    await bench.until_done()
    row = await bench.row(feed)
    assert (row.cursor, row.failures) == ("s13899990002", 0)
    assert await published(bench.probe, feed) == {"a": "封装工程师", "b": "测试工程师"}
