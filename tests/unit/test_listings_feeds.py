"""Listings: feeds as they are written, lines as they come, waits and silence."""

import hashlib
import json
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from random import Random
from typing import Any

import pytest

from alliance.listings.v1 import feed_pb2 as pb
from listings.domain.feeds import Lap, delay, further, is_mapping, is_silent, is_stopped
from listings.feeds import keys, lines
from listings.feeds.mapping import filled, problems
from listings.feeds.mappings import Mappings
from listings.feeds.port import Batch, ExchangeError, Record

NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)
END = '{"end": {"cursor": "7", "more": false}}'


@pytest.mark.parametrize(
    ("failures", "interval", "least", "most"),
    [(1, 300, 5, 10), (2, 300, 10, 20), (4, 300, 40, 80), (8, 300, 450, 900), (99, 300, 450, 900), (1, 2, 1, 2), (3, 2, 4, 8)],
)
def test_each_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(failures: int, interval: int, least: int, most: int) -> None:
    assert delay(failures, interval, 0).total_seconds() == least
    assert delay(failures, interval, 1).total_seconds() == most


@pytest.mark.parametrize(("later", "silent"), [(timedelta(hours=6, seconds=-1), False), (timedelta(hours=6), True)])
def test_a_feed_is_silent_from_the_hour_on(later: timedelta, silent: bool) -> None:
    assert is_silent(NOON, 6, NOON + later) is silent


@pytest.mark.parametrize(
    ("interval", "later", "stopped"),
    [(300, 3599, False), (300, 3600, True), (1800, 3600, True), (3600, 7199, False), (3600, 7200, True)],
)
def test_a_feed_has_stopped_after_two_intervals_and_an_hour(interval: int, later: int, stopped: bool) -> None:
    assert is_stopped(NOON, interval, NOON + timedelta(seconds=later)) is stopped


@pytest.mark.parametrize(("before", "circle"), [(0, 1), (0, 2), (3, 1), (5, 7), (40, 3), (2, 100)])
def test_a_circle_of_cursors_is_found_soon_and_nothing_else_is_one(before: int, circle: int) -> None:
    """`circle` cursors that come again and again after so many that do not."""
    lap = Lap()
    for asked in range(3 * (before + circle) + 1):
        place = asked if asked < before else before + (asked - before) % circle
        found = further(lap, str(place))
        if found is None:
            assert asked >= before + circle, "it comes again"
            return
        lap = found
    raise AssertionError("it was not found")


def test_a_long_reading_is_no_circle() -> None:
    lap = Lap()
    for place in range(5000):
        found = further(lap, str(place))
        assert found is not None
        lap = found
    assert lap == Lap(5000, str(4095))


@pytest.mark.parametrize(
    ("name", "may"),
    [
        *(("sme-jobs", True), ("zh_job_postings", True), ("A1", True), ("a" * 64, True)),
        *(("", False), ("a" * 65, False), ("../secret", False), ("a/b", False), (".hidden", False), ("a.yaml", False)),
        *(("映射", False), ("a\n", False), ("a\x00", False), ("-a", False)),
    ],
)
def test_the_name_of_a_mapping_leads_nowhere(name: str, may: bool) -> None:
    assert is_mapping(name) is may


# Lines


def page(*given: str | bytes, limit: int = 10) -> Any:
    return lines.read(b"\n".join(one if isinstance(one, bytes) else one.encode() for one in given), limit)


def test_a_page_is_its_records_and_its_end() -> None:
    found = page(
        '{"key": "甲", "version": 3, "data": {"a": "b"}, "more": 1}', "", '{"key": "乙", "version": 1, "deleted": true}\r', END
    )
    assert found.records == [Record("甲", 3, {"a": "b"}, 1), Record("乙", 1, None, 3)]
    assert (found.cursor, found.more, found.flaws) == ("7", False, [])


def test_values_become_the_cells_of_a_row() -> None:
    data = '{"t": "字", "n": 3, "f": 2.0, "g": 2.5, "y": true, "no": false, "null": null}'
    (record,) = page(f'{{"key": "a", "version": 1, "data": {data}}}', END).records
    assert record.data == {"t": "字", "n": "3", "f": "2", "g": "2.5", "y": "true", "no": "false", "null": ""}


@pytest.mark.parametrize(
    ("line", "field", "rule"),
    [
        ("garbage", "", "json"),
        (b'{"key": "\xff"}', "", "json"),
        ("[1, 2]", "", "json"),
        ("[" * 100_000, "", "json"),
        ('{"key": "a", "version": NaN}', "", "json"),
        ('{"key": "a", "version": ' + "9" * 5000 + "}", "", "json"),
        ('{"version": 1, "data": {}}', "key", "text"),
        ('{"key": 7, "version": 1, "data": {}}', "key", "text"),
        ('{"key": "", "version": 1, "data": {}}', "key", "text"),
        ('{"key": " \\u3000", "version": 1, "data": {}}', "key", "text"),
        (json.dumps({"key": "x" * 129, "version": 1, "data": {}}), "key", "text"),
        ('{"key": "a\\u0000", "version": 1, "data": {}}', "key", "text"),
        ('{"key": "a\\ud800", "version": 1, "deleted": true}', "key", "text"),
        ('{"key": "a", "data": {}}', "version", "range"),
        ('{"key": "a", "version": 0, "data": {}}', "version", "range"),
        ('{"key": "a", "version": true, "data": {}}', "version", "range"),
        ('{"key": "a", "version": 1.5, "data": {}}', "version", "range"),
        ('{"key": "a", "version": 9223372036854775808, "data": {}}', "version", "range"),
        ('{"key": "a", "version": 1}', "data", "required"),
        ('{"key": "a", "version": 1, "deleted": "yes"}', "data", "required"),
        ('{"key": "a", "version": 1, "data": {"b": {"c": 1}}}', "data.b", "flat"),
        ('{"key": "a", "version": 1, "data": {"b": ["c"]}}', "data.b", "flat"),
        ('{"key": "a", "version": 1, "data": {"b": "\\udc00"}}', "data.b", "flat"),
        ('{"key": "a", "version": 1, "data": {"\\udc00": "b"}}', "data", "flat"),
        ('{"key": "a", "version": 1, "data": {"\\u0000": ["b"]}}', "data", "flat"),
        (json.dumps({"key": "a", "version": 1, "data": {"b" * 100: []}}), f"data.{'b' * 100}", "flat"),
        (json.dumps({"key": "a", "version": 1, "data": {"b" * 101: []}}), "data", "flat"),
        ('{"key": "a", "version": 1, "data": {"b": "' + "x" * lines.MAX_LINE + '"}}', "", "size"),
    ],
)
def test_a_wrong_record_is_a_flaw_and_the_others_are_read(line: str | bytes, field: str, rule: str) -> None:
    found = page(line, '{"key": "b", "version": 1, "data": {}}', END)
    assert [one.key for one in found.records] == ["b"]
    assert [(one.line, one.problem.field, one.problem.rule) for one in found.flaws] == [(1, field, rule)]


def test_a_version_that_is_too_high_is_told_how_high_it_may_be() -> None:
    (flaw,) = page('{"key": "a", "version": 9223372036854775808, "data": {}}', END).flaws
    assert all(str(2**63 - 1) in said for said in (flaw.problem.zh, flaw.problem.en))


def test_what_stands_for_a_line_or_a_key_is_no_hash_that_can_be_tried_out() -> None:
    (first, again) = page("13800138000", "13800138000", END).flaws
    key = keys.called("13800138000")
    assert first.digest == again.digest != key == keys.called("13800138000")
    for known in (hashlib.sha256, hashlib.sha1, hashlib.md5):
        assert known(b"13800138000").hexdigest()[: len(key)] not in (first.digest, key)


@pytest.mark.parametrize(
    ("key", "telling"),
    [
        *((key, True) for key in ("13800138000", "联系人 138-0013-8000", "a@example.org", "110101199003070011")),
        *((key, False) for key in ("A-17", "1767225600123", "", "0019a1c4-1380-7013-8000-138001380001", "岗-7")),
    ],
)
def test_a_key_tells_of_nobody(key: str, telling: bool) -> None:
    found = keys.problems(key)
    assert {(one.field, one.rule) for one in found} == ({("key", "personal-data")} if telling else set())
    assert not any(key in text for one in found for text in (one.zh, one.en))
    assert (keys.called(key) == key) is not telling


@pytest.mark.parametrize(
    "cursor",
    [
        *(
            "13800138000",
            "after:13800138000",
            "s-13800138000",
            "7_13800138000",
            "s 13800138000",
            "138-0013-8000",
            "%2B8613800138000",
        ),
        *("110101199003070011", "11010519491231002X", "s/11010519491231002x", "wang.wu@example.org", "seq7@example.org"),
        *("手机13800138000", "１３８００１３８０００", "微信:wangwu88"),
    ],
)
def test_a_cursor_tells_of_nobody(cursor: str) -> None:
    with pytest.raises(ExchangeError, match="personal data") as refused:
        page(json.dumps({"end": {"cursor": cursor, "more": False}}))
    assert "138" not in refused.value.zh + refused.value.en
    assert all("s8812" in said for said in (refused.value.zh, refused.value.en)), "what to do is said"


@pytest.mark.parametrize(
    "cursor",
    [
        *(
            "s13800138000",
            "s19999999999",
            "seq13800138000",
            "s110101199003070011",
            "S13800138000.s8",
        ),  # as docs/feeds.md has it
        *("0019a1c4-1380-7013-8000-138001380001", "s:0019a1c4-1380-7013-8000-013800138000", "a1b13800138000c2"),
        *("1767225600123", "0013800138000", "2026-11-28T22:06:23Z", "a" * 512, "8812"),
    ],
)
def test_a_cursor_of_a_letter_and_a_number_or_of_a_uuid_is_taken(cursor: str) -> None:
    assert page(json.dumps({"end": {"cursor": cursor, "more": False}})).cursor == cursor


@pytest.mark.parametrize("named", ["feeds.md", "feeds.zh.md"])
def test_a_cursor_is_taken_or_refused_as_the_page_says(named: str) -> None:
    said = (Path(__file__).resolve().parents[2] / "docs" / named).read_text(encoding="utf-8")
    for cursor, taken in (("s8812", True), ("13800138000", False), ("after:13800138000", False), ("s-13800138000", False)):
        assert f"`{cursor}`" in said
        with nullcontext() if taken else pytest.raises(ExchangeError, match="personal data"):
            assert page(json.dumps({"end": {"cursor": cursor, "more": False}})).cursor == cursor


def test_every_number_may_be_a_cursor_with_a_letter_before_it() -> None:
    """What docs/feeds.md says is right for all of them: of eleven digits, of eighteen, and whatever comes."""
    random_ones = Random(7)
    for digits in range(1, 20):
        for _ in range(200):
            cursor = f"s{random_ones.randrange(10 ** (digits - 1), 10**digits)}"
            assert page(json.dumps({"end": {"cursor": cursor, "more": False}})).cursor == cursor


@pytest.mark.parametrize("record", ['"version": 1, "data": {}', '"version": 1, "deleted": true', '"version": 0'])
def test_a_cursor_of_a_key_that_says_who_somebody_is_is_refused_whatever_stands_before_it(record: str) -> None:
    end = '{"end": {"cursor": "s13800138000", "more": false}}'
    with pytest.raises(ExchangeError, match="no key of a record"):
        page(f'{{"key": "13800138000", {record}}}', end)
    with pytest.raises(ExchangeError, match="no key of a record"):
        page(f'{{"key": "s13800138000", {record}}}', end)
    assert page(f'{{"key": "13900139000", {record}}}', end).cursor == "s13800138000"


def test_blanks_around_a_key_make_no_other_record() -> None:
    """As an import has it: the listing of both would be one."""
    found = page('{"key": "a ", "version": 2, "deleted": true}', '{"key": "\\ta", "version": 1, "data": {}}', END)
    assert [one.key for one in found.records] == ["a", "a"]


def test_a_record_of_the_longest_line_is_taken() -> None:
    line = '{"key": "a", "version": 9223372036854775807, "data": {"b": "%s"}}'
    found = page(line % ("x" * (lines.MAX_LINE - len(line) + 2)), END)
    assert (len(found.records), found.flaws) == (1, [])


@pytest.mark.parametrize(
    "last",
    [
        "",
        '{"key": "a", "version": 1, "data": {}}',
        '{"end": {"cursor": "7"}}',
        '{"end": {"cursor": 7, "more": false}}',
        '{"end": {"cursor": "", "more": false}}',
        '{"end": {"cursor": "7", "more": 1}}',
        '{"end": {"cursor": "\\u0000", "more": false}}',
        json.dumps({"end": {"cursor": "7" * 513, "more": False}}),
        '{"end": {"cursor": "7", "more": false}',
        '{"end": 7}',
        "[]",
    ],
)
def test_a_page_without_a_sound_end_was_cut_off(last: str) -> None:
    with pytest.raises(ExchangeError, match="cut off"):
        page('{"key": "b", "version": 1, "data": {}}', last)


def test_no_more_records_than_were_asked_for() -> None:
    records = ['{"key": "a", "version": 1, "data": {}}'] * 3
    assert len(page(*records, END, limit=3).records) == 3
    with pytest.raises(ExchangeError, match="more than 2"):
        page(*records, END, limit=2)


def test_a_batch_is_lines_too() -> None:
    batch = Batch([Record("listings/a", 3, {"title": "岗位"}), Record("listings/b", 4, None)], "1", "2", more=True)
    assert lines.written(batch).splitlines() == [
        '{"key":"listings/a","version":3,"data":{"title":"岗位"}}',
        '{"key":"listings/b","version":4,"deleted":true}',
        '{"end":{"since":"1","cursor":"2","more":true}}',
    ]


@pytest.mark.parametrize("answer", [b"", b"ok", b"[]", b'"2"', b'{"cursor": 2}', b'{"cursor": ""}', b"{}", b"\xff"])
def test_an_answer_acknowledges_a_cursor(answer: bytes) -> None:
    assert lines.acknowledged(b'{"cursor": "2"}\n') == "2"
    with pytest.raises(ExchangeError, match="cursor"):
        lines.acknowledged(answer)


# Feeds as they are written

_IN: dict[str, Any] = {
    "display_name": "服务网岗位",
    "direction": pb.FEED_DIRECTION_IN,
    "system": pb.OUTSIDE_SYSTEM_SME_SERVICE_NETWORK,
    "url": "https://feeds.example.org/jobs",
    "kind": 5,
    "mapping": "zh_job_postings",
}
_OUT = {**_IN, "direction": pb.FEED_DIRECTION_OUT, "kind": 0, "mapping": ""}


def wrong(given: dict[str, Any], **fields: Any) -> list[tuple[str, str]]:
    mappings = Mappings(None)
    made = filled(pb.Feed(**{**given, **fields}), mappings)
    found = problems(made, mappings, allow_private=False, networks=[ip_network("10.20.0.0/16")])
    return [(one.field, one.rule) for one in found]


def test_what_is_left_open_is_filled_in() -> None:
    made = filled(pb.Feed(**_IN), Mappings(None))
    assert (made.source, made.interval, made.expected_every) == ("zh-job-postings", 300, 6)
    assert made.silence == pb.FEED_SILENCE_ANSWER


@pytest.mark.parametrize(
    ("given", "fields", "expected"),
    [
        (_IN, {}, []),
        (_OUT, {}, []),
        (_OUT, {"body": "bodies/a", "kind": 5}, []),
        (_IN, {"interval": 3600, "expected_every": 720, "silence": pb.FEED_SILENCE_RECORD}, []),
        (_IN, {"display_name": "服"}, [("display_name", "length")]),
        (_IN, {"display_name": "两\n行"}, [("display_name", "length")]),
        (_IN, {"display_name": "联系 13800138000"}, [("display_name", "personal-data")]),
        (_IN, {"system": 0}, [("system", "required")]),
        (_OUT, {"direction": 0}, [("direction", "required")]),
        (_IN, {"url": "http://feeds.example.org/"}, [("url", "target")]),
        (_IN, {"url": "https://user:secret@feeds.example.org/"}, [("url", "target")]),
        (_IN, {"url": "https://10.1.2.3/"}, [("url", "target")]),
        (_OUT, {"url": "https://127.0.0.1:8443/jobs"}, [("url", "target")]),
        (_OUT, {"url": "https://10.20.0.7/jobs"}, []),
        (_IN, {"interval": -1}, [("interval", "range")]),
        (_IN, {"interval": 3601}, [("interval", "range")]),
        (_IN, {"expected_every": 721}, [("expected_every", "range")]),
        (_IN, {"kind": 0}, [("kind", "required")]),
        (_IN, {"source": "x" * 65}, [("source", "length")]),
        (_IN, {"mapping": "none", "source": "a"}, [("mapping", "mapping")]),
        (_IN, {"mapping": "../../etc/passwd", "source": "a"}, [("mapping", "mapping")]),
        (_IN, {"body": "bodies/a"}, [("body", "direction")]),
        (
            _OUT,
            {"mapping": "zh_job_postings", "source": "a", "publish": True},
            [(one, "direction") for one in ("source", "mapping", "publish")],
        ),
        (_OUT, {"silence": pb.FEED_SILENCE_RECORD}, [("silence", "direction")]),
        (_OUT, {"body": "organizations/a"}, [("body", "AIP-122")]),
    ],
)
def test_a_feed_as_it_is_written(given: dict[str, Any], fields: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert wrong(given, **fields) == expected


def test_a_mapping_of_the_folder_counts_before_a_built_in_one(tmp_path: Path) -> None:
    text = "source: mine\nkey: id\nfields: {title: title}\n"
    (tmp_path / "zh_job_postings.yaml").write_text(text, encoding="utf-8")
    assert Mappings(tmp_path).load("zh_job_postings").source == "mine"
    assert Mappings(None).load("zh_job_postings").source == "zh-job-postings"
