"""Every programme's procedure from its draft to its end by the command line, with a refusal each that says what to do.

`pytest -s tests/e2e/test_programmes.py` prints what was walked as a table.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from alliance_local.clock import Clocks
from alliance_local.control import Platform
from alliance_local.state import SERVICES
from chassis.clock import business_date, start_of_day
from registry.domain.calls import CLOSING, window
from registry.domain.names import Programme
from registry.domain.programmes import PROCEDURES
from tests import world
from tests.e2e.program import REFUSED, Here
from tests.papers import PDF


@dataclass(frozen=True)
class Walk:
    """One application on its way.

    Attributes:
        applicant, authority, begins: of the cast; who begins it is the applicant where none is named.
        body: what its body is created with; its members are those of the cast with their roles.
        facts: what is entered of the application.
        steps: a line each, `who step options`. `@who` is somebody's organization, `#who` the person, `+KIND` a document of
            the kind, `^days` a business date. A line with `✗` is refused and says all that stands behind it; `update` and
            `attach` fill the application in, `body` what is known of its body.
        ends: state at the end.
    """

    programme: Programme
    applicant: str
    steps: str
    ends: str
    authority: str = "部门"
    begins: str = ""
    body: str = ""
    members: str = ""
    facts: tuple[str, ...] = ()


CAST = {  # type, region, whose it is
    "部门": ("gov_department", "110000", ""),
    "教育厅": ("gov_department", "120000", ""),
    "企业": ("enterprise", "110000", ""),
    "高校": ("university", "120000", ""),
    "学校": ("higher_vocational", "310000", ""),
    "机构": ("professional_service_org", "310000", ""),
    "学院": ("secondary_college", "120000", "高校"),
    "专班": ("task_force", "110000", "部门"),
    "园区": ("park_committee", "110000", ""),
}
_LEADS = "企业=lead_enterprise 高校=lead_university 学校=lead_vocational"
_COUNCIL = "企业=chair 机构=vice_chair,secretariat 高校=vice_chair,lead_university 学校=vice_chair 学院=vice_chair"
_ENTERING = {"update": ["update"], "attach": ["attach"], "candidate": ["candidate", "set"], "body": []}
WALKS = (
    Walk(
        Programme.COMMUNITY,
        "企业",
        """
        企业 start_sealing --organization @部门 +APPLICATION_FORM ✗ “形成申报书并送盖章” EVIDENCE
        企业 start_sealing --organization @教育厅 +APPLICATION_FORM +EVIDENCE
        企业 seal
        高校 seal
        学校 seal
        企业 submit +SEALED_FORM ✗ S2 四 尚缺盖章 @教育厅
        教育厅 seal
        企业 submit +SEALED_FORM
        教育厅 return --reason 佐证材料不全
        企业 resubmit +SEALED_FORM
        教育厅 approve
        部门 accept
        """,
        "running",
        body="community --fact industry_code=39 --fact matching_discipline=true --fact research_direction_and_team=true "
        "--fact masters_authority=true --fact doctoral_authority=true --fact matching_speciality=true "
        "--fact independent_training_body=true",
        members=_LEADS,
    ),
    Walk(
        Programme.PILOT,
        "高校",
        """
        学院 submit +SEALED_FORM +PLATFORM_RECEIPT
        部门 qualify ✗ R22.1 S4 三(一)3 连续招生起始日期（enrolling_since） R24.1 退回补正（return，主管单位）
        部门 return --reason 缺少培养方案
        学院 body --fact enrolling_since=2010-09-01 --fact cooperation_experience=true
        学院 resubmit
        部门 qualify
        部门 assign_expert --organization @机构 --principal #机构
        机构 score --score 86 --reason 基础扎实
        部门 select
        部门 warn --reason 招生下降
        部门 restore --reason 已整改
        部门 complete ✗ S4 四(三) 建设周期 2 年
        部门 remove --reason 停止招生
        """,
        "removed",
        body="pilot_unit --fact institution=@高校 --fact college=@学院 --fact call_year=2026 "
        "--fact major_code=计算机科学与技术 --fact fits_regional_plan=true --fact strong_major=true --fact field=ai",
    ),
    Walk(
        Programme.SUPPORT,
        "企业",
        """
        企业 submit +SEALED_FORM
        部门 qualify
        部门 assign_expert --organization @企业 --principal #企业 ✗ S4 四(二) 须回避 请另选
        部门 assign_expert --organization @机构 --principal #机构
        机构 score --score 80 --reason 可行
        部门 select
        """,
        "running",
        body="support_unit --fact unit=@企业 --fact operating_since=2010-09-01 --fact teams=true "
        "--fact venues_and_equipment=true --fact technical_support=true --fact cooperation_experience=true "
        "--fact representative_cases=true",
    ),
    Walk(
        Programme.CONSORTIUM,
        "高校",
        """
        高校 submit +APPLICATION_FORM
        部门 return --reason 目标不清
        高校 resubmit
        部门 list
        高校 summarise ✗ S1 五 工作总结（SUMMARY）
        高校 summarise +SUMMARY
        部门 commend +CASE
        部门 warn --reason 整改
        部门 restore --reason 已整改
        高校 exit --reason 合并
        """,
        "removed",
        body="consortium --region 北京市 --fact industry_code=39 --fact lead_independently_qualified=true --fact venue=true "
        "--fact equipment=true --fact funds=true --fact staff=true",
        members="高校=lead_university 企业=participant",
    ),
    Walk(
        Programme.CERTIFICATION,
        "企业",
        """
        企业 attach +APPLICATION_FORM
        企业 submit ✗ R27.1 S3 七 请调整教育培训经费的使用
        企业 update --fact front_line_training_percent=60
        企业 submit
        部门 cultivate +CULTIVATION_PLAN
        部门 certify +CULTIVATION_REPORT
        """,
        "certified",
        facts=("kind=enterprise", "front_line_training_percent=59"),
    ),
    Walk(
        Programme.EVALUATION,
        "园区",
        """
        部门 commission --organization @部门 ✗ S3 十六 不是第三方 请另选
        部门 commission --organization @机构
        机构 report --score 88 +REPORT
        部门 return --reason 补充数据
        机构 report --score 90 +REPORT
        部门 publish
        """,
        "published",
        begins="部门",
    ),
    Walk(
        Programme.CHALLENGE,
        "企业",
        """
        企业 publish ✗ S0 附件1 二(三) 请填写出题供需信息的名称
        企业 publish +PROBLEM
        企业 answer +ANSWER ✗ S0 附件1 二(三) 出题企业不能自行解题
        高校 answer +ANSWER
        学校 answer +ANSWER
        企业 team --organization @高校
        企业 team --organization @学校
        企业 start --day ^200
        高校 deliver +RESULT
        企业 rework --reason 未达指标
        学校 deliver +RESULT
        企业 accept
        """,
        "completed",
        authority="机构",
        body="alliance",
        members=_COUNCIL,
    ),
    Walk(
        Programme.MEETING,
        "机构",
        """
        机构 compile +PROGRESS ✗ S0 附件1 二(五) 成员单位建议（SUGGESTIONS）
        机构 compile +PROGRESS +SUGGESTIONS
        机构 submit
        专班 request_experts --reason 论证技术路线
        机构 name_expert --organization @高校
        专班 hold
        机构 relay +POLICY
        """,
        "completed",
        body="alliance",
        members=_COUNCIL,
        facts=("meeting_on=^0",),
    ),
    Walk(
        Programme.PERFORMANCE,
        "高校",
        """
        部门 set_indicators +INDICATORS
        高校 report +SELF_REPORT
        部门 return --reason 补充数据
        高校 report +SELF_REPORT
        部门 rate --score 91 --reason 优秀
        部门 close ✗ S0 四(三) 须送市教委 forward
        部门 forward --organization @教育厅
        """,
        "completed",
        begins="部门",
        body="alliance --region 120000",
        members=_COUNCIL,
    ),
    Walk(
        Programme.MAJOR_ADJUSTMENT,
        "学校",
        """
        学校 attach +PROPOSAL +PROGRAMME
        学校 submit ✗ R26 S3 四 请与企业签订深度合作
        学校 update --fact deep_cooperation_enterprises=1
        学校 submit
        部门 return --reason 课程不全
        学校 resubmit
        部门 approve
        """,
        "completed",
        facts=("change=new", "major_code=460301", "deep_cooperation_enterprises=0", "practice_hours_percent=55"),
    ),
    Walk(
        Programme.MAJOR_ADJUSTMENT,
        "学校",
        """
        部门 warn --reason 就业率低
        部门 resolve ✗ “解除预警”（S3 四） 请待他方办理：提交整改方案（respond，申报单位）
        学校 respond +ANSWER
        部门 warn_again --reason 措施不够
        学校 respond +ANSWER
        部门 resolve
        """,
        "completed",
        begins="部门",
        facts=("change=adjust", "major_code=460301"),
    ),
    Walk(
        Programme.EMPLOYEE_INTAKE,
        "企业",
        """
        企业 attach +APPLICATION_FORM
        企业 apply ✗ R28 S0 三(二) 请在满 3 年后申请
        企业 update --fact front_line_since=^-1200
        企业 apply ✗ R28 S0 三(二) employee_intake.candidate
        企业 candidate --name 虚构示例候选人 --phone 010-00000000 --evidence 书面同意
        企业 apply
        企业 recommend +RECOMMENDATION
        高校 assess --score 85
        高校 admit
        """,
        "completed",
        authority="高校",
        facts=("front_line_since=^-300",),
    ),
)


@dataclass
class Stage:
    """The cast on a platform, each logged in, and what was walked so far."""

    operator: Here
    paper: Path
    today: date
    programs: dict[str, Here] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    calls: dict[tuple[Programme, str], str] = field(default_factory=dict)
    walked: list[tuple[str, str, str]] = field(default_factory=list)

    def enter(self, platform: Platform, who: str) -> None:
        """Enter somebody's organization, verified, with a person who acts for it."""
        org_type, region, parent = CAST[who]
        self.names[who] = world.unique(who)
        above = ("--parent", self.names[parent]) if parent else ("--code", world.credit_code())
        self.operator("org", "create", self.names[who], "--type", org_type, "--region", region, *above)
        self.operator("org", "verify", self.names[who], "--reason", "测试")
        self.operator(*self.words(f"org grant #{who} --role organization_editor --org @{who}"))
        self.programs[who] = Here(platform, self.operator.folder, f"{who}.json")
        self.programs[who](*self.words(f"login #{who} --as @{who}"))

    def words(self, line: str) -> list[str]:
        """The words of a line, its marks replaced."""
        line = re.sub(r"\+([A-Z_]+)", rf"--document \1={self.paper}", line)
        line = re.sub(r"@(\w+)", lambda found: self.names[found[1]], line)
        line = re.sub(r"#(\w+)", lambda found: f"person-{self.names[found[1]]}", line)
        line = re.sub(r"\^(-?\d+)", lambda found: (self.today + timedelta(days=int(found[1]))).isoformat(), line)
        return shlex.split(line)

    def opened(self, walk: Walk) -> str:
        """The call that a walk answers."""
        key = walk.programme, walk.authority
        if key not in self.calls:
            until = "--to ^30" if walk.programme in CLOSING else ""
            words = self.words(f"call open {key[0].name} {self.today.year} --authority @{key[1]} {until} --reason 测试")
            self.calls[key] = str(self.operator.json(*words)["name"])
        return self.calls[key]

    def body(self, walk: Walk) -> str:
        """What the body that a walk is for is called, with its members in it."""
        more, name = walk.body, world.unique("组织")
        if more.startswith("alliance"):
            more += f" --fact key_industry={world.unique('产业')} --fact task_force=@专班 --fact lead_departments=@部门"
        self.operator(*self.words(f"body create {name} --kind {more}"))
        for member, roles in (one.split("=") for one in walk.members.split()):
            named = "".join(f" --role {role}" for role in roles.split(","))
            self.operator(*self.words(f"body join {name} @{member}{named} --from ^0"))
            if "secretariat" in roles:
                self.operator(*self.words(f"org grant #{member} --role secretariat --body {name}"))
        if more.startswith("alliance"):
            self.operator("body", "form", name, "--reason", "测试")
        return name

    def begun(self, walk: Walk) -> str:
        """A walk's application."""
        body = ("--body", self.body(walk)) if walk.body else ()
        facts = [word for fact in walk.facts for word in self.words(f"--fact {fact}")]
        who = self.words(f"--applicant @{walk.applicant}")
        create = ("application", "create", walk.programme.name, world.unique("申报"), "--call", self.opened(walk))
        name: str = self.programs[walk.begins or walk.applicant].json(*create, *who, *body, *facts)["name"]
        return name

    def taken(self, application: str, line: str) -> str:
        """Take a line's step; the refusal where the line says that it is one."""
        said, _, wanted = line.partition("✗")
        who, step, *options = self.words(said)
        command = self.command(application, step)
        if not wanted:
            self.programs[who](*command, *options)
            return ""
        text = self.programs[who](*command, *options, code=REFUSED)
        missing = [one for one in self.words(wanted) if one not in "".join(text.split("\n"))]
        assert not missing, f"{missing} is not said: {text}"
        return text

    def command(self, application: str, step: str) -> tuple[str, ...]:
        """The command that a line of an application stands for."""
        if step == "body":
            return "body", "update", str(self.shown(application)["body"])
        return (
            ("application", *_ENTERING[step], application) if step in _ENTERING else ("application", "take", application, step)
        )

    def shown(self, application: str) -> Any:
        """An application as the operator sees it."""
        return self.operator.json("application", "show", application)


@pytest.fixture(scope="module")
def stage(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The cast, on a day on which communities may be submitted; prints what was walked."""
    folder = tmp_path_factory.mktemp("programmes")
    paper = folder / "虚构示例材料.pdf"
    paper.write_bytes(PDF)
    operator = Here(platform, folder, "operator.json")
    operator("login", world.OPERATOR)
    made = Stage(operator, paper, _within_the_window(platform))
    for who in CAST:
        made.enter(platform, who)
    yield made
    rows = (("programme", "steps", "refusal"), ("---",) * 3, *made.walked)
    print("\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows))


def _within_the_window(platform: Platform) -> date:
    """Today, or the next day on which communities may be submitted (S2 五)."""
    with Clocks(platform, SERVICES) as clocks:
        today = business_date(clocks.now())
        if window(Programme.COMMUNITY, today.year).holds(today):
            return today
        opens = date(today.year + 1, 1, 1)
        clocks.move(start_of_day(opens))
        clocks.settle(60)
        return opens


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: f"{walk.programme.name}-{walk.ends}")
def test_a_programme_is_walked_to_its_end(stage: Stage, walk: Walk) -> None:
    application = stage.begun(walk)
    lines = [line.strip() for line in walk.steps.strip().splitlines()]
    refusals = [text for text in (stage.taken(application, line) for line in lines) if text]
    assert refusals
    found = stage.shown(application)
    assert found["state"] == f"APPLICATION_STATE_{walk.ends.upper()}"
    steps = [one["step"] for one in found["steps"]]
    assert steps == [line.split()[1] for line in lines if "✗" not in line and line.split()[1] not in _ENTERING]
    stage.walked.append((walk.programme.name, " → ".join(steps), " ".join(refusals[0].split())))


def test_every_programme_is_walked() -> None:
    assert {walk.programme for walk in WALKS} == set(PROCEDURES)
