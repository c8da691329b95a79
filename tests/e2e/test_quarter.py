"""Quarters of an alliance, the clocks moved over each boundary: R55 and R56 from opening to late, reports in revisions."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

import asyncpg
import grpc
import pytest
from openpyxl import load_workbook

from alliance.listings.v1 import listings_service_pb2 as listings
from alliance.listings.v1 import round_pb2
from alliance.notify.v1 import notify_pb2, notify_service_pb2
from alliance.registry.v1 import body_pb2, organization_pb2
from alliance.registry.v1 import registry_service_pb2 as registry
from alliance.reporting.v1 import report_pb2 as pb
from alliance.reporting.v1 import reporting_service_pb2 as rpc
from alliance_local.caller import Caller
from alliance_local.clock import Clocks
from alliance_local.control import Platform
from alliance_local.state import SERVICES
from chassis.clock import business_date, start_of_day
from codes import quarters
from codes.quarters import Quarter
from tests import world
from tests.applying import guided, guides
from tests.world import Member

_PATIENCE = 90.0
_GRACE = 14  # days after the quarter in which its report is handed in


@dataclass
class Year:
    """The platform, its clocks, and the quarter in which a test begins."""

    platform: Platform
    clocks: Clocks
    quarter: Quarter
    operator: Caller

    def go_to(self, quarter: Quarter, days: int = 0) -> None:
        """Move to a day of a quarter, as it begins, and wait until what became due is done."""
        self.clocks.move(start_of_day(quarter.first) + timedelta(days=days))
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is left to do."""
        self.clocks.settle(_PATIENCE)

    def deadlines(self, body: str) -> dict[tuple[str, str], pb.Deadline]:
        """Deadlines of a body by rule and period."""
        found = self.operator.reporting.ListDeadlines(rpc.ListDeadlinesRequest(body=body)).deadlines
        return {(one.rule, one.period): one for one in found}

    def compiled(self, body: str, quarter: Quarter) -> pb.Report:
        """The quarterly report, compiled."""
        request = rpc.CompileReportRequest(body=body, kind=pb.REPORT_KIND_ALLIANCE_QUARTERLY, period=str(quarter))
        report: pb.Report = self.operator.reporting.CompileReport(request)
        return report

    async def steps(self, deadline: str) -> list[tuple[str, Any]]:
        """Verb and effective time of a deadline's events, in order."""
        connection = await asyncpg.connect(self.platform.database_url("reporting", owner=True))
        try:
            rows = await connection.fetch("SELECT type, effective_at FROM event WHERE key = $1 ORDER BY version", deadline)
        finally:
            await connection.close()
        return [(row["type"].split(".")[-2], row["effective_at"]) for row in rows]


@pytest.fixture
def year(platform: Platform) -> Iterator[Year]:
    with Clocks(platform, SERVICES) as clocks:
        quarter = quarters.of(business_date(clocks.now())).next()
        found = Year(platform, clocks, quarter, world.operator(platform))
        found.go_to(quarter)
        yield found


def _refused(call: Callable[[], object], code: grpc.StatusCode) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    assert refused.value.code() == code, refused.value


def _alliance(year: Year) -> tuple[body_pb2.Body, Member, Member]:
    """A formed alliance with an enterprise and a college in it."""
    body, council = world.formed_alliance(year.platform)
    college = world.organization(year.platform, organization_pb2.ORG_TYPE_UNIVERSITY)
    world.join(year.platform, body.name, college)
    year.settle()
    return body, council[0], college


def test_a_rounds_deadline_closes_when_both_sides_have_published(year: Year) -> None:
    body, enterprise, college = _alliance(year)
    r55 = ("R55", str(year.quarter))
    assert year.deadlines(body.name)[r55].state == pb.DEADLINE_STATE_OPEN
    world.publish(enterprise, world.job(enterprise.name, "封装工程师", (body.name,)))
    supply = college.caller.listings.CreateListing(
        listings.CreateListingRequest(listing=world.talent(college.name, "封装方向毕业生", (body.name,)))
    )
    year.settle()
    assert year.deadlines(body.name)[r55].state == pb.DEADLINE_STATE_OPEN, "a draft closes nothing"
    college.caller.listings.PublishListing(listings.PublishListingRequest(name=supply.name))
    year.settle()
    closed = year.deadlines(body.name)[r55]
    assert (closed.state, closed.closed_late) == (pb.DEADLINE_STATE_CLOSED, False)


async def test_a_report_that_nobody_hands_in_becomes_due_and_late_once(year: Year) -> None:
    body, _, _ = await asyncio.to_thread(_alliance, year)
    later = year.quarter.next()
    await asyncio.to_thread(year.go_to, later.next(), _GRACE + 6)
    name = year.deadlines(body.name)["R56", str(year.quarter)].name
    steps = await year.steps(name)
    assert [verb for verb, _ in steps] == ["scheduled", "opened", "due", "late"]
    days = [later.first, later.first + timedelta(_GRACE), later.first + timedelta(_GRACE + 1)]
    assert [time for _, time in steps[1:]] == [start_of_day(day) for day in days]
    periods = {period for _, period in year.deadlines(body.name)}
    assert periods == {str(one) for one in (year.quarter, later, later.next())}


def test_a_report_goes_from_compiled_to_submitted_and_is_amended(year: Year) -> None:
    body, enterprise, college = _alliance(year)
    world.publish(enterprise, world.job(enterprise.name, "封装工程师", (body.name,)))
    world.publish(college, world.talent(college.name, "封装方向毕业生", (body.name,)))
    year.settle()
    reporting = year.operator.reporting
    early = year.compiled(body.name, year.quarter)
    submit = rpc.SubmitReportRequest(name=early.name, reason="报送")
    _refused(lambda: reporting.SubmitReport(submit), grpc.StatusCode.FAILED_PRECONDITION)  # the quarter is not over
    for bad in (str(year.quarter.next()), "2020Q1", "x", ""):
        given = rpc.CompileReportRequest(body=body.name, kind=pb.REPORT_KIND_ALLIANCE_QUARTERLY, period=bad)
        _refused(lambda given=given: reporting.CompileReport(given), grpc.StatusCode.INVALID_ARGUMENT)  # type: ignore[misc]

    year.go_to(year.quarter.next())
    submit.request_id = ""
    _refused(lambda: reporting.SubmitReport(submit), grpc.StatusCode.FAILED_PRECONDITION)  # compiled before the end
    report = year.compiled(body.name, year.quarter)
    values = {figure.id: figure.value for figure in report.figures}
    assert (values["members.total"], values["listings.demand.published"], values["listings.supply.published"]) == (6, 1, 1)
    submit.request_id = ""
    assert reporting.SubmitReport(submit).state == pb.REPORT_STATE_SUBMITTED
    year.settle()
    closed = year.deadlines(body.name)["R56", str(year.quarter)]
    assert (closed.state, closed.closed_late) == (pb.DEADLINE_STATE_CLOSED, False)
    _refused(lambda: year.compiled(body.name, year.quarter), grpc.StatusCode.FAILED_PRECONDITION)

    _refused(lambda: reporting.AmendReport(rpc.AmendReportRequest(name=report.name)), grpc.StatusCode.INVALID_ARGUMENT)
    amended = reporting.AmendReport(rpc.AmendReportRequest(name=report.name, reason="补充口径"))
    assert (amended.revision, amended.state) == (2, pb.REPORT_STATE_COMPILED)
    first = reporting.GetReport(rpc.GetReportRequest(name=report.name, revision=1))
    assert (first.state, first.workbook_sha256) == (pb.REPORT_STATE_SUBMITTED, report.workbook_sha256)
    assert reporting.SubmitReport(rpc.SubmitReportRequest(name=report.name, reason="再报")).revision == amended.revision
    _exported(reporting, report.name)
    for figure in amended.figures:
        assert sum(_amounts(reporting, report.name, figure.id)) == figure.value, figure.id


def test_whom_a_report_goes_to_is_told_of_what_was_submitted(year: Year) -> None:
    """The task force is (R56); neither of drafts, nor is a lead department that no copy goes to told at all."""
    body, _, _ = _alliance(year)
    force, lead = guides(year.platform)
    guided(year.platform, body.name, force, lead)
    year.settle()
    for one in (force, lead):
        world.subscribe(one, "alliance.reporting.report.*.v1", channel=notify_pb2.CHANNEL_INBOX)
    year.go_to(year.quarter.next())
    report, reporting = year.compiled(body.name, year.quarter), year.operator.reporting
    reporting.SubmitReport(rpc.SubmitReportRequest(name=report.name, reason="报送"))
    reporting.AmendReport(rpc.AmendReportRequest(name=report.name, reason="补充口径"))
    year.settle()

    def told(member: Member) -> list[str]:
        inbox = notify_service_pb2.ListInboxMessagesRequest(organization=member.name)
        return [one.event_type for one in member.caller.notify.ListInboxMessages(inbox).messages if one.subject == report.name]

    assert told(force) == ["alliance.reporting.report.submitted.v1"]
    assert told(lead) == []


def _exported(reporting: Any, report: str) -> None:
    answer = reporting.ExportReport(rpc.ExportReportRequest(name=report))
    assert hashlib.sha256(answer.content).hexdigest() == answer.sha256
    cover = {row[0]: row[1] for row in load_workbook(BytesIO(answer.content))["封面"].iter_rows(values_only=True)}
    assert cover["更正原因"] == "补充口径"


def _amounts(reporting: Any, report: str, figure: str) -> Iterator[float]:
    request = rpc.ExplainFigureRequest(report=report, figure=figure, page_size=2)
    while True:
        answer = reporting.ExplainFigure(request)
        yield from (source.amount for source in answer.sources)
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token


def test_a_suspended_alliance_owes_nothing_for_the_time(year: Year) -> None:
    body, _, _ = _alliance(year)
    register = year.operator.registry
    register.SuspendBody(registry.SuspendBodyRequest(name=body.name, reason="整改"))
    later = year.quarter.next().next()
    year.go_to(later)
    assert {period for _, period in year.deadlines(body.name)} == {str(year.quarter)}
    register.ResumeBody(registry.ResumeBodyRequest(name=body.name, reason="整改完成"))
    year.settle()
    spent_formed = {str(year.quarter), str(later)}
    assert {period for _, period in year.deadlines(body.name)} == spent_formed
    rounds = year.operator.listings.ListRounds(listings.ListRoundsRequest(body=body.name)).rounds
    assert {one.period for one in rounds if one.kind == round_pb2.ROUND_KIND_QUARTERLY} == spent_formed
