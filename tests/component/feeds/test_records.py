"""Records of an outside system: taken once, refused with the reason, mended, deleted."""

from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from alliance.listings.v1 import feed_pb2
from listings import changes
from listings import store as listings
from listings.domain.feeds import KEYLESS_DAYS
from listings.feeds import store
from tests.component.conftest import CAUSE
from tests.component.feeds.conftest import MAPPING, Bench, history, published, refusals
from tests.outside_system import CIRCLING, Outside, serving


async def test_a_refusal_is_kept_until_the_record_is_mended(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("a", title="封装工程师")
    outside.put("b", title="a", headcount="三")
    outside.put("c", title="工程师", skills="电话 13800138000")
    outside.put("d", title="工程师", headcount="请致电 一三 或 13800138000-13900139000 人,")
    outside.changes.append(["no", "record"])  # type: ignore[arg-type]
    await bench.until_done()
    refused = await refusals(bench, feed)
    assert {key: refused[key] for key in ("b", "c")} == {
        "b": [("quantity", "mapping")],
        "c": [("job_position.skills", "personal-data")],
    }
    assert len(refused) == 4
    (row,) = await bench.probe.rows("SELECT problems::text AS said FROM feed_refusal WHERE record = 'd'")
    assert "1380" not in row["said"]
    assert await published(bench.probe, feed) == {"a": "封装工程师"}
    outside.put("b", title="测试工程师", headcount=3)
    outside.delete("c")
    outside.delete("d")
    await bench.until_done()
    assert set(await refusals(bench, feed)) == set(refused) - {"b", "c", "d"}
    assert await published(bench.probe, feed) == {"a": "封装工程师", "b": "测试工程师"}


async def test_an_older_version_that_comes_late_mends_no_newer_one(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("a", title="封装工程师")
    outside.put("a", title="")
    outside.changes.reverse()
    outside.page = 1
    await bench.until_done()
    assert set(await refusals(bench, feed)) == {"a"}
    assert await published(bench.probe, feed) == {"a": "封装工程师"}


async def test_of_many_refusals_the_newest_are_kept(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    for number in range(store.MAX_REFUSALS + 7):
        outside.put(f"{number:03}", title="")
    await bench.until_done()
    assert sorted(await refusals(bench, feed)) == [f"{number:03}" for number in range(7, store.MAX_REFUSALS + 7)]


async def test_a_key_that_was_deleted_does_not_come_back(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("a", title="封装工程师")
    outside.delete("a")
    outside.delete("never there")
    outside.put("a", title="测试工程师")
    outside.put("never there", title="测试工程师")
    await bench.until_done()
    assert await refusals(bench, feed) == {"a": [("key", "deleted")], "never there": [("key", "deleted")]}
    assert [verb for verb, _ in (await history(bench.probe, feed))["a"]] == ["created", "published", "withdrawn"]
    (row,) = await bench.probe.rows("SELECT reason FROM event WHERE type LIKE '%.listing.withdrawn.v1'")
    assert feed in row["reason"]


@pytest.mark.parametrize("page", [1, 100])
@pytest.mark.parametrize("restarted", [False, True])
async def test_what_was_refused_of_a_deleted_key_is_right_once_it_is_deleted_again(
    bench: Bench, outside: Outside, page: int, restarted: bool
) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.page = page
    outside.put("a", title="封装工程师")
    outside.delete("a")
    outside.put("a", title="测试工程师")
    if restarted:
        await bench.until_done()
        assert await refusals(bench, feed) == {"a": [("key", "deleted")]}
    outside.delete("a")
    await bench.until_done()
    assert await refusals(bench, feed) == {}
    if restarted:
        await bench.start_over(feed, before="")
        outside.delete("a")
        await bench.until_done()
        assert await refusals(bench, feed) == {}
    assert [verb for verb, _ in (await history(bench.probe, feed))["a"]] == ["created", "published", "withdrawn"]
    outside.put("a", title="测试工程师")
    await bench.until_done()
    assert await refusals(bench, feed) == {"a": [("key", "deleted")]}, "it does not come back all the same"


async def test_what_comes_right_within_a_page_is_refused_no_more(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.page = 100
    for key, titles in (("a", ("", "封装工程师")), ("b", ("测试工程师", ""))):
        for title in titles:
            outside.put(key, title=title)
    await bench.until_done()
    assert set(await refusals(bench, feed)) == {"b"}, "its newest version is wrong"
    assert await published(bench.probe, feed) == {"a": "封装工程师", "b": "测试工程师"}


async def test_what_comes_again_in_the_same_version_is_not_looked_at(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("a", title="封装工程师")
    await bench.until_done()
    outside.changes.append({**outside.changes[0], "data": {"title": "另一内容"}})
    await bench.until_done()
    assert await published(bench.probe, feed) == {"a": "封装工程师"}


_SAID = [
    (feed_pb2.FEED_DIRECTION_IN, "drops", "broke off"),
    (feed_pb2.FEED_DIRECTION_IN, "drips", "not done within"),
    *((feed_pb2.FEED_DIRECTION_IN, misdeed, "signature") for misdeed in ("forges", "unsigned", "outdated", "replays")),
    (feed_pb2.FEED_DIRECTION_IN, "cut off", "cut off"),
    (feed_pb2.FEED_DIRECTION_IN, "fails", "HTTP 503"),
    (feed_pb2.FEED_DIRECTION_IN, "redirects", "HTTP 302"),
    (feed_pb2.FEED_DIRECTION_IN, "compresses", "compressed"),
    (feed_pb2.FEED_DIRECTION_IN, "stuck", "does not move"),
    *((feed_pb2.FEED_DIRECTION_OUT, misdeed, "signature") for misdeed in ("forges", "unsigned", "outdated")),
    (feed_pb2.FEED_DIRECTION_OUT, "drops after", "broke off"),
    (feed_pb2.FEED_DIRECTION_OUT, "wrong cursor", "another cursor"),
]


async def test_what_is_wrong_is_said_and_nothing_is_taken(bench: Bench) -> None:
    async with AsyncExitStack() as stack:
        outsides = [await stack.enter_async_context(serving(Outside(0))) for _ in _SAID]
        feeds = [await bench.feed(one, direction) for one, (direction, _, _) in zip(outsides, _SAID, strict=True)]
        for outside in outsides:
            outside.put("a", title="封装工程师")
        await bench.until_done()
        before = [(await bench.row(feed)).cursor for feed in feeds]
        for outside, (_, misdeed, _) in zip(outsides, _SAID, strict=True):
            outside.put("b", title="测试工程师")
            outside.mischief, outside.limited_to = 1.0, (misdeed,)
        bench.timeout = 1.0
        await bench.pass_by(minutes=20)
        await bench.exchanging.once()  # eight at a time
        for feed, cursor, (_, misdeed, said) in zip(feeds, before, _SAID, strict=True):
            row = await bench.row(feed)
            assert said in row.error_en, misdeed
            assert (row.failures, row.cursor, row.claim) == (1, cursor, None), misdeed
            assert set(await published(bench.probe, feed)) <= {"a"}, misdeed


@pytest.mark.parametrize("known", [2, 3])  # the cursor goes from 3 back to 1, which is found out at the one that is known
async def test_cursors_that_go_in_a_circle_are_a_failure_and_not_asked_without_a_pause(
    bench: Bench, outside: Outside, known: int
) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.page = 1
    for number in range(known):
        outside.put(f"k{number}", title="封装工程师")
    await bench.until_done()
    for number in range(known, 3):
        outside.put(f"k{number}", title="封装工程师")
    outside.mischief, outside.limited_to = 1.0, (CIRCLING,)
    for failures in range(1, 9):
        bench.clock.at += timedelta(hours=1)
        asked = outside.asked
        while await bench.exchanging.once():
            assert outside.asked < asked + 20
        row = await bench.row(feed)
        assert (row.failures, row.cursor, "comes back" in row.error_en) == (failures, str(known), True)
    assert row.silent, "the same pages again are no sign of life"
    outside.mischief = 0.0
    outside.put("k3", title="测试工程师")
    await bench.until_done()
    row = await bench.row(feed)
    assert (row.failures, row.cursor, row.lap_pages, row.lap_mark, row.silent) == (0, "4", 0, "", False)
    assert len(await published(bench.probe, feed)) == 4


async def test_a_line_without_a_key_is_refused_for_a_week_or_until_all_is_read_again(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("b", title="")
    outside.changes.append(["no", "record"])  # type: ignore[arg-type]
    await bench.until_done()
    (keyless,) = set(await refusals(bench, feed)) - {"b"}
    await bench.pass_by(days=KEYLESS_DAYS)
    assert set(await refusals(bench, feed)) == {"b", keyless}
    await bench.pass_by(minutes=2)
    assert set(await refusals(bench, feed)) == {"b"}, "a record with a key waits for its mending"
    for line, left in ((["no", "record"], {"b", keyless}), ({"key": "c", "version": 9, "deleted": True}, {"b"})):
        outside.changes[1] = line  # type: ignore[assignment]
        bench.clock.at += timedelta(hours=1)
        await bench.start_over(feed, before="")
        await bench.until_done()
        assert set(await refusals(bench, feed)) == left


async def test_an_outside_system_that_was_put_back_is_read_from_the_start_and_its_higher_versions_count(
    bench: Bench, outside: Outside
) -> None:
    """Its cursors fall behind: it refuses, the operator is told, and has all of it read again."""
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("a", title="封装工程师")
    outside.put("b", title="测试工程师")
    outside.put("a", title="资深封装工程师")
    outside.put("lost", title="设备工程师")
    await bench.until_done()
    del outside.changes[2:]
    await bench.pass_by(minutes=20)
    row = await bench.row(feed)
    assert (row.failures, row.cursor, "HTTP 409" in row.error_en) == (1, "4", True)
    await bench.start_over(feed, before="")
    await bench.until_done()
    assert (await bench.row(feed)).cursor == "2"
    unchanged = {"a": "资深封装工程师", "b": "测试工程师", "lost": "设备工程师"}
    assert await published(bench.probe, feed) == unchanged, "an older version counts for nothing"
    outside.ahead = 1000
    outside.put("a", title="封装工程师")
    outside.delete("lost")
    await bench.until_done()
    assert await published(bench.probe, feed) == {"a": "封装工程师", "b": "测试工程师"}
    assert await refusals(bench, feed) == {}


async def test_from_the_start_what_was_withdrawn_is_refused_where_it_says_something_new_alone(
    bench: Bench, outside: Outside
) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("a", title="封装工程师")
    outside.put("b", title="测试工程师")
    await bench.until_done()
    row = await bench.row(feed)
    async with bench.database.transaction(CAUSE) as tx:
        known = await listings.identified(tx, row.issuer, row.source, ["a", "b"])
        await changes.save(tx, [changes.taken(one, "withdraw", "withdrawn") for one in known])
    await bench.start_over(feed, before="")
    await bench.until_done()
    assert await refusals(bench, feed) == {}
    outside.put("a", title="封装工程师")
    outside.put("b", title="资深测试工程师")
    await bench.until_done()
    assert await refusals(bench, feed) == {"b": [("external_key", "state")]}
    assert [verb for verb, _ in (await history(bench.probe, feed))["a"]] == ["created", "published", "withdrawn"]


async def test_from_the_start_a_changed_mapping_counts_for_what_came_before(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("a", title="封装工程师", headcount=2)
    outside.put("b", title="测试工程师")
    outside.delete("b")
    await bench.until_done()
    changed = MAPPING.replace("title: title", "title: title\n  description: {value: 由外部系统提供}")
    (bench.folder / "outside.yaml").write_text(changed, encoding="utf-8")
    await bench.start_over(feed, before="")
    await bench.until_done()
    assert [verb for verb, _ in (await history(bench.probe, feed))["a"]] == ["created", "published", "revised"]
    await bench.start_over(feed, before="")
    await bench.until_done()
    assert len((await history(bench.probe, feed))["a"]) == 3, "the same again is unchanged"
    outside.changes.append({**outside.changes[0], "data": {"title": "另一内容"}})
    await bench.until_done()
    assert len((await history(bench.probe, feed))["a"]) == 3, "and taken again once only"
    assert await refusals(bench, feed) == {}
