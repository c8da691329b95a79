"""One quarter of the ten alliances, through public RPCs and Kafka alone; each step says what came of it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from alliance.listings.v1 import listings_service_pb2 as listings
from alliance.matching.v1 import match_pb2
from alliance.matching.v1 import matching_service_pb2 as matching
from alliance.notify.v1 import notify_pb2
from alliance.notify.v1 import notify_service_pb2 as notify
from alliance.registry.v1 import body_pb2
from alliance.registry.v1 import registry_service_pb2 as registry
from alliance.reporting.v1 import report_pb2
from alliance.reporting.v1 import reporting_service_pb2 as reporting
from alliance_demo import outside, supply
from alliance_demo.cast import Alliance, Casting
from alliance_demo.quarter import Played, before
from alliance_demo.stage import Stage, expect
from alliance_local.caller import Caller
from alliance_local.clock import Clocks
from alliance_local.control import Platform
from alliance_local.kafka import OUTSIDE
from alliance_local.state import SERVICES
from alliance_local.supervisor import OPERATOR
from chassis.clock import start_of_day

_Found = TypeVar("_Found")
_MAIL = "office@demo.example"
_PROPOSED = "alliance.matching.match.proposed.v1"
_DEADLINES = "alliance.reporting.deadline.*.v1"
_PATIENCE = 60.0  # seconds that something may take to arrive
_SETTLE = 120.0  # seconds that the work of a moved clock may take


class Story:
    """The steps in their order."""

    def __init__(self, platform: Platform, stage: Stage, out: Path) -> None:
        self._platform = platform
        self._stage = stage
        self._out = out
        self._operator = Caller(platform, OPERATOR)
        self._anybody = Caller(platform)
        self._clocks = Clocks(platform, SERVICES)
        self._played = Played.next()
        self._alliances: list[Alliance] = []
        self._hook_path = "/demo"

    def play(self) -> None:
        """Everything. Raises `UnexpectedError` where something expected does not happen."""
        self._first_day()
        self._enter()
        self._refused_body()
        self._form()
        self._subscribe()
        self._publish()
        self._matches()
        self._received()
        self._boundaries()
        self._report()
        self._outsider()
        self._nothing_left()

    def _first_day(self) -> None:
        with self._stage.step("业务时间调到季度首日", "the business clock goes to the quarter's first day"):
            self._clocks.move(self._played.first_morning)
            self._stage.say(f"{self._played.period}：{self._played.quarter.first} 至 {self._played.quarter.last}")

    def _enter(self) -> None:
        with self._stage.step("登记单位、联盟和成员", "organizations, alliances and members are entered"):
            self._casting = Casting(self._platform)
            self._alliances = self._casting.alliances()
            self._stage.say(
                f"{self._casting.count} 家单位（真实单位均未核验、无代码），{len(self._alliances)} 个联盟筹建",
                f"{self._casting.count} organizations, all unverified; {len(self._alliances)} drafts",
            )

    def _refused_body(self) -> None:
        with self._stage.step("一个联盟因规则不符被拒绝成立", "one alliance is refused, with its clauses"):
            first = self._alliances[0]
            try:
                self._form_one(first)
            except grpc.RpcError as error:
                self._stage.say(_localized(error))
                expect("R11" in _localized(error), "R11 refuses a council of three vice chairs")
            else:
                expect(False, "an alliance with three vice chairs is refused")
            self._casting.add_vice_chair(first)

    def _form(self) -> None:
        with self._stage.step("十个联盟成立，未知事项留作待补", "ten alliances are formed; what is unknown stays open"):
            rows: list[tuple[object, ...]] = []
            for alliance in self._alliances:
                formed = self._form_one(alliance)
                unknown = "；".join(f"{one.rule} {'、'.join(one.missing)}" for one in formed.open_findings)
                rows.append((alliance.number, formed.display_name, formed.formed_on, unknown))
            self._stage.table(("", "联盟 · alliance", "成立 · formed", "待补 · open"), rows)
            request = listings.OpenFirstRoundRequest(
                body=self._alliances[0].body,
                council_opens_on=self._played.quarter.first.isoformat(),
                council_closes_on=self._played.quarter.first.isoformat(),
            )
            opened = self._alliances[0].secretariat.caller.listings.OpenFirstRound(request)
            self._stage.say(f"首期发布（R54）：{opened.opens_on}", "the first round is open")
            self._settle()

    def _form_one(self, alliance: Alliance) -> body_pb2.Body:
        request = registry.FormBodyRequest(name=alliance.body, reason="筹备完成")
        formed: body_pb2.Body = alliance.secretariat.caller.registry.FormBody(request)
        return formed

    def _subscribe(self) -> None:
        with self._stage.step("订阅：站内信、邮件、回调", "subscriptions: inbox, e-mail, webhook"):
            for alliance in self._alliances:
                self._subscription(alliance.secretariat, _DEADLINES, channel=notify_pb2.CHANNEL_INBOX, body=alliance.body)
            first = self._alliances[0]
            self._subscription(first.supplier, _PROPOSED, channel=notify_pb2.CHANNEL_EMAIL, email=_MAIL)
            url = f"http://127.0.0.1:{self._platform.port('webhook')}{self._hook_path}"
            self._subscription(first.enterprises[0], _PROPOSED, channel=notify_pb2.CHANNEL_WEBHOOK, webhook_url=url)
            self._stage.say(f"{len(self._alliances) + 2} 个订阅", f"{len(self._alliances) + 2} subscriptions")

    def _subscription(self, player: Any, event_type: str, *, body: str = "", **more: Any) -> None:
        given = notify_pb2.Subscription(
            organization=player.name,
            event_types=[event_type],
            filter=notify_pb2.SubscriptionFilter(body=body),
            **more,
        )
        player.caller.notify.CreateSubscription(notify.CreateSubscriptionRequest(subscription=given))

    def _publish(self) -> None:
        with self._stage.step("成员批量发布需求与供给", "members import and publish what they need and have"):
            year = self._played.quarter.first.year
            receipts = [(alliance, receipt) for alliance in self._alliances for receipt in supply.publish(alliance, year)]
            refused = [receipt for _, receipt in receipts if receipt.outcome == listings.IMPORT_OUTCOME_REFUSED]
            accepted = [receipt for _, receipt in receipts if receipt.outcome == listings.IMPORT_OUTCOME_ACCEPTED]
            self._stage.say(f"{len(accepted)} 条发布，{len(refused)} 条拒收", f"{len(accepted)} published")
            for receipt in refused:
                problem = receipt.problems[0]
                self._stage.say(f"拒收第 {receipt.row} 行：{problem.field} {problem.message.zh}", problem.message.en)
            expect(len(refused) == 1, "one row is refused, the one with a phone number")
            expect(len(accepted) + 1 == len(receipts), "every other row is accepted")

    def _matches(self) -> None:
        with self._stage.step("匹配推荐与跟进", "matches are proposed and followed"):
            self._settle()
            rows: list[tuple[object, ...]] = []
            for alliance in self._alliances:
                found = self._of(alliance)
                expect(found, f"{alliance.industry} has matches")
                rows.append((alliance.industry, len(found), found[0].score))
            self._stage.table(("联盟 · alliance", "推荐 · proposed", "最高分 · best"), rows)
            best = self._of(self._alliances[0])
            self._explain(best[0])
            self._fulfil(self._alliances[0], best[0])
            self._decline(self._alliances[0], best[1])
            self._withdraw(self._alliances[1])

    def _of(self, alliance: Alliance) -> list[match_pb2.Match]:
        request = matching.ListMatchesRequest(body=alliance.body, page_size=1000)
        return list(alliance.secretariat.caller.matching.ListMatches(request).matches)

    def _explain(self, match: match_pb2.Match) -> None:
        self._stage.say(f"为什么是 {match.score} 分", f"why {match.score} points")
        rows = [(p.feature, p.weight, p.value, p.contribution, p.reason.zh) for p in match.parts]
        self._stage.table(("特征 · feature", "权重", "取值", "得分", "理由 · why"), list(rows))
        expect(sum(part.contribution for part in match.parts) == match.score, "the parts add up to the score")

    def _fulfil(self, alliance: Alliance, match: match_pb2.Match) -> None:
        sides = [self._side(alliance, match.demand_issuer), self._side(alliance, match.supply_issuer)]
        for side in sides:
            accept = matching.AcceptMatchRequest(name=match.name, organization=side.name, reason="双方有意向")
            side.caller.matching.AcceptMatch(accept)
        side = sides[0]
        start = matching.StartMatchRequest(name=match.name, organization=side.name, reason="开始对接")
        side.caller.matching.StartMatch(start)
        complete = matching.CompleteMatchRequest(
            name=match.name, organization=side.name, outcome=matching.MATCH_OUTCOME_FULFILLED, reason="已签约"
        )
        after = side.caller.matching.CompleteMatch(complete)
        expect(after.state == match_pb2.MATCH_STATE_FULFILLED, "the match is fulfilled")
        explained = side.caller.matching.ExplainMatch(matching.ExplainMatchRequest(name=match.name))
        self._stage.say("经过：" + " → ".join(step.verb for step in explained.steps))

    def _decline(self, alliance: Alliance, match: match_pb2.Match) -> None:
        side = self._side(alliance, match.supply_issuer)
        request = matching.DeclineMatchRequest(
            name=match.name, organization=side.name, decline_reason=match_pb2.DECLINE_REASON_FILLED
        )
        side.caller.matching.DeclineMatch(request)
        self._stage.say("一对被婉拒：名额已满", "one is declined")

    def _withdraw(self, alliance: Alliance) -> None:
        match = self._of(alliance)[0]
        side = self._side(alliance, match.demand_issuer)
        side.caller.listings.WithdrawListing(listings.WithdrawListingRequest(name=match.demand, reason="岗位已招满"))
        listed = matching.ListMatchesRequest(listing=match.demand, page_size=1000)

        def ended() -> bool:
            left = alliance.secretariat.caller.matching.ListMatches(listed).matches
            return all(one.state == match_pb2.MATCH_STATE_EXPIRED for one in left)

        self._until(ended, "the open matches of a withdrawn listing end")
        self._stage.say("一条需求撤回，其未了匹配随之失效", "a demand is withdrawn; its open matches end")

    def _side(self, alliance: Alliance, organization: str) -> Any:
        players = [*alliance.enterprises, alliance.supplier]
        return next(player for player in players if player.name == organization)

    def _received(self) -> None:
        with self._stage.step("收到的邮件与回调", "an e-mail and a webhook received"):
            mail = self._until(lambda: self._sink("smtp"), "an e-mail comes")[0]
            self._stage.say(f"邮件 {mail['headers']['Message-ID']}：{mail['headers']['Subject']}")
            self._stage.say(mail["text"].strip())
            hook = self._until(lambda: self._sink("webhook"), "a webhook comes")[0]
            self._stage.say(f"回调 {hook['headers']['webhook-id']}，签名 {hook['headers']['webhook-signature'][:20]}…")
            self._stage.say(hook["body"][:160] + "…")

    def _sink(self, name: str) -> list[dict[str, Any]]:
        file = self._platform.state.root / "received" / f"{name}.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]

    def _boundaries(self) -> None:
        played = self._played
        with self._stage.step("季度结束：时限逐一触发一次", "the quarter ends; each deadline fires once"):
            expect(self._fired("R55", "closed") == len(self._alliances), "R55 is done in every alliance")
            following = str(played.quarter.next())
            expect(self._fired("R55", "opened", following) == 0, "the next quarter's R55 is not open yet")
            self._boundary(played.report_opens, "R56", "opened", len(self._alliances))
            opened = self._fired("R55", "opened", following)
            expect(opened == len(self._alliances), f"R55 of {following} opens once in every alliance")
            self._stage.say(f"同一时刻：{following} 的 R55 opened × {opened}", "the next rounds open at that instant")
            for alliance in self._alliances[:-1]:
                self._submit(alliance)
            self._boundary(played.report_due, "R56", "due", 1)
            late = date.fromordinal(played.report_due.toordinal() + 1)
            self._boundary(late, "R56", "late", 1)
            self._submit(self._alliances[-1])
            self._settle()
            expect(self._fired("R56", "closed") == len(self._alliances), "every report's deadline is closed")
            last = self._alliances[-1]
            listed = reporting.ListDeadlinesRequest(body=last.body)
            deadlines = last.secretariat.caller.reporting.ListDeadlines(listed).deadlines
            overdue = [one for one in deadlines if one.rule == "R56" and one.period == played.period]
            expect(overdue[0].closed_late, "the last report is closed late")
            self._stage.say(f"{last.industry}：逾期报送，已标记", "the last one is marked as late")

    def _boundary(self, day: date, rule: str, verb: str, times: int) -> None:
        """A minute before nothing fires; at the boundary it fires, once a deadline."""
        self._clocks.move(before(day))
        self._settle()
        expect(self._fired(rule, verb) == 0, f"{rule} {verb} does not fire before {day}")
        self._clocks.move(start_of_day(day))
        self._settle()
        expect(self._fired(rule, verb) == times, f"{rule} {verb} fires {times} times on {day}")
        self._stage.say(f"{day} 零点：{rule} {verb} × {times}；此前一分钟：0", f"{rule} {verb} at the boundary")

    def _fired(self, rule: str, verb: str, period: str = "") -> int:
        """Messages in the secretariats' inboxes about deadlines that the rule set, of the period that is played or another."""
        count = 0
        for alliance in self._alliances:
            caller = alliance.secretariat.caller
            deadlines = caller.reporting.ListDeadlines(reporting.ListDeadlinesRequest(body=alliance.body)).deadlines
            mine = {one.name for one in deadlines if one.rule == rule and one.period == (period or self._played.period)}
            inbox = notify.ListInboxMessagesRequest(organization=alliance.secretariat.name, page_size=1000)
            messages = caller.notify.ListInboxMessages(inbox).messages
            wanted = f"alliance.reporting.deadline.{verb}.v1"
            count += sum(1 for one in messages if one.event_type == wanted and one.subject in mine)
        return count

    def _submit(self, alliance: Alliance) -> None:
        report = self._compile(alliance)
        request = reporting.SubmitReportRequest(name=report.name, reason="按季报送")
        alliance.secretariat.caller.reporting.SubmitReport(request)

    def _compile(self, alliance: Alliance) -> report_pb2.Report:
        request = reporting.CompileReportRequest(
            body=alliance.body, kind=report_pb2.REPORT_KIND_ALLIANCE_QUARTERLY, period=self._played.period
        )
        compiled: report_pb2.Report = alliance.secretariat.caller.reporting.CompileReport(request)
        return compiled

    def _report(self) -> None:
        with self._stage.step("季度信息报送：追溯一个数字，更正再报", "the report: one figure drilled down, amended"):
            alliance = self._alliances[0]
            caller = alliance.secretariat.caller
            listed = reporting.ListReportsRequest(body=alliance.body)
            report = caller.reporting.ListReports(listed).reports[0]
            rows: list[tuple[object, ...]] = [(f.id, f.label.zh, f.value, f.unit) for f in report.figures]
            self._stage.table(("编号", "指标", "数值", "单位"), rows)
            self._drill_down(caller, report)
            reason = "补充说明口径"
            caller.reporting.AmendReport(reporting.AmendReportRequest(name=report.name, reason=reason))
            again = caller.reporting.SubmitReport(reporting.SubmitReportRequest(name=report.name, reason=reason))
            expect(again.revision == 2, "the amended report is revision 2")
            for revision in (1, 2):
                exported = caller.reporting.ExportReport(reporting.ExportReportRequest(name=report.name, revision=revision))
                self._out.mkdir(parents=True, exist_ok=True)
                (self._out / exported.filename).write_bytes(exported.content)
                self._stage.say(f"{self._out / exported.filename}")

    def _drill_down(self, caller: Caller, report: report_pb2.Report) -> None:
        figure = next(one for one in report.figures if one.id == "matches.fulfilled")
        expect(figure.value == 1, "one match was fulfilled")
        request = reporting.ExplainFigureRequest(report=report.name, figure=figure.id)
        sources = caller.reporting.ExplainFigure(request).sources
        expect(sum(source.amount for source in sources) == figure.value, "the events add up to the figure")
        for source in sources:
            self._stage.say(f"{figure.label.zh} = {figure.value} ← {source.event_id} {source.event_type} {source.subject}")

    def _outsider(self) -> None:
        with self._stage.step("外部系统只凭公开契约建立的状态", "an outside subscriber, from the published contract alone"):
            found = self._subscriber()
            shown = {
                "alliance.public.listing.v1": _all(
                    self._anybody.listings.ListListings, listings.ListListingsRequest(page_size=1000), "listings"
                ),
            }
            for topic, resources_ in shown.items():
                expect(found[topic] == resources_, f"{topic} equals what an anonymous list shows")
            self._stage.say(
                "；".join(f"{topic} {len(keys)} 条" for topic, keys in found.items()),
                "its listings equal an anonymous ListListings",
            )
            bodies = _all(self._anybody.registry.ListBodies, registry.ListBodiesRequest(page_size=1000), "bodies")
            expect(set(found["alliance.public.body.v1"]) == set(bodies), "its bodies are those that everybody sees")

    def _subscriber(self) -> dict[str, dict[str, Any]]:
        folder = self._platform.state.folder("outside")
        published = resources.files("alliance")
        for name in ("descriptors.binpb", "asyncapi.yaml"):
            (folder / name).write_bytes(published.joinpath(name).read_bytes())
        access = self._platform.kafka(OUTSIDE)
        credentials = {"bootstrap": access.bootstrap, "username": access.username, "password": access.password}
        file = folder / "credentials.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(credentials), encoding="utf-8")
        command = [sys.executable, "-I", str(Path(outside.__file__)), str(folder)]
        answer = subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603 - our own program
        found: dict[str, dict[str, Any]] = json.loads(answer.stdout)
        return found

    def _nothing_left(self) -> None:
        with self._stage.step("收尾：没有积压，没有死信", "nothing waits, nothing failed"):
            self._settle()
            letters = {name: one.open_dead_letters for name, one in self._clocks.progress().items()}
            expect(not any(letters.values()), f"no dead letters: {letters}")
            self._stage.say("平台保持运行；make down 停止，make reset 清空", "the platform stays up")

    def _settle(self) -> None:
        self._clocks.settle(_SETTLE)

    def _until(self, look: Callable[[], _Found], what: str) -> _Found:
        deadline = time.monotonic() + _PATIENCE
        while not (found := look()):
            expect(time.monotonic() < deadline, what)
            time.sleep(0.1)
        return found


def _all(method: Callable[[Any], Any], request: Any, field: str) -> dict[str, Any]:
    """All resources of a list, as JSON by name."""
    found: dict[str, Any] = {}
    while True:
        answer = method(request)
        for one in getattr(answer, field):
            found[one.name] = MessageToDict(one, preserving_proto_field_name=True)
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


def _localized(error: grpc.RpcError) -> str:
    """The error's text for people."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    for detail in status.details if status else []:
        message = error_details_pb2.LocalizedMessage()
        if detail.Unpack(message):
            return str(message.message)
    return str(error)
