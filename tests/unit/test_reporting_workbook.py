"""Reporting: the workbook says what the report says, in the same bytes every time."""

import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

from openpyxl import load_workbook

from chassis.clock import start_of_day
from reporting.domain.figures import Fact, Figure, figures
from reporting.workbook import Cover, build, content_sha256
from tests.unit.test_reporting_figures import FIRST, LAST, fact

CUTOFF = datetime(2026, 3, 31, 16, tzinfo=UTC)  # 2026-04-01 00:00 in Shanghai
COVER = Cover("虚构示例联盟", "2026Q1", 2, ["虚构示例专班"], ["市教委"], CUTOFF, "补充说明口径")


def _facts() -> list[Fact]:
    return [
        replace(fact("listing", "published", "listings/a", kind=5, counts=True), event_id="e1"),
        replace(fact("match", "proposed", "matches/a"), event_id="e2"),
    ]


def _figures() -> list[Figure]:
    return figures(_facts(), FIRST, LAST)


def test_the_same_report_gives_the_same_bytes() -> None:
    first = build(COVER, _figures())
    assert build(COVER, _figures()) == first
    assert build(replace(COVER, revision=3), _figures()) != first


def test_it_does_not_say_when_it_was_written() -> None:
    with zipfile.ZipFile(io.BytesIO(build(COVER, _figures()))) as content:
        assert {info.date_time for info in content.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = content.read("docProps/core.xml").decode()
    assert re.findall(r"W3CDTF\">([^<]*)<", core) == ["2026-03-31T16:00:00Z"] * 2


def test_it_says_what_the_report_says() -> None:
    book = load_workbook(io.BytesIO(build(COVER, _figures())))
    assert book.sheetnames == ["封面", "指标", "来源说明"]
    cover = {row[0]: row[1] for row in book["封面"].iter_rows(values_only=True)}
    assert (cover["组织"], cover["期次"], cover["版次"]) == ("虚构示例联盟", "2026Q1", "第 2 版")
    assert (cover["报送"], cover["抄送"], cover["更正原因"]) == ("虚构示例专班", "市教委", "补充说明口径")
    assert cover["统计截止"] == "2026-04-01 00:00:00 北京时间（不含）"
    told = {row[0]: row[2] for row in book["指标"].iter_rows(min_row=2, values_only=True)}
    assert told == {figure.definition.id: figure.value for figure in _figures()}
    sources = list(book["来源说明"].iter_rows(min_row=2, values_only=True))
    assert [(row[0], row[1], row[5]) for row in sources] == [
        ("listings.demand.published", "e1", 1),
        ("listings.job_position.published", "e1", 1),
        ("matches.proposed", "e2", 1),
    ]
    assert sources[0][6] == "2026-01-01 00:00:00 北京时间"
    assert start_of_day(FIRST).hour == 16


def test_every_sheet_is_signed_with_revision_cutoff_and_digest() -> None:
    book = load_workbook(io.BytesIO(build(COVER, _figures())))
    for sheet in book.worksheets:
        footer = str(sheet.oddFooter and sheet.oddFooter.left.text)
        assert "第 2 版" in footer
        assert "2026-04-01 00:00:00" in footer
        assert content_sha256(_figures()) in footer
    assert content_sha256(_figures()) != content_sha256(figures(_facts()[:1], FIRST, LAST))


def test_what_people_wrote_stays_text() -> None:
    reason = '=HYPERLINK("http://example.org")\x07'
    book = load_workbook(io.BytesIO(build(replace(COVER, amendment_reason=reason), _figures())))
    cell = next(row[1] for row in book["封面"].iter_rows() if row[0].value == "更正原因")
    assert (cell.value, cell.data_type) == (reason.removesuffix("\x07"), "s")
