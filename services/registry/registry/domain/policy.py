"""The policy 政策规则: every rule of R10–R28 as data, one place a rule. `docs/policy-rules.md` is made from it.

A rule's `revision` rises with every change of what it asks; findings keep it, so that a verdict of long ago says which rule
gave it. Conditions that the documents state beside a requirement's own sentence stand under that requirement's number.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from registry.domain.conditions import Condition, Happened, Is, Named, Nothing, Number, Text, ThisYear, Years
from registry.domain.names import BodyKind, Programme, Severity, Stage

REQUIRED, ENCOURAGED, IN_PRINCIPLE = Severity.REQUIRED, Severity.ENCOURAGED, Severity.IN_PRINCIPLE
ALWAYS = frozenset({Stage.FORMING, Stage.STANDING})
STANDING = frozenset({Stage.STANDING})
SUBMITTING = frozenset({Stage.SUBMITTING})
PERCENT: Text = ("%", " %")
PLAIN: Text = ("", "")

FIELDS: Mapping[str, Text] = {
    "LOW_ALTITUDE": ("低空经济", "low-altitude economy"),
    "AI": ("人工智能", "artificial intelligence"),
    "INDUSTRIAL_INTERNET": ("工业互联网", "industrial internet"),
    "CYBERSECURITY": ("网络安全", "cybersecurity"),
    "BIG_DATA": ("大数据", "big data"),
    "SMART_MANUFACTURING": ("智能制造", "smart manufacturing"),
    "NEV": ("新能源汽车", "new-energy vehicles"),
}
"""The fields that S4 三(一) names; it leaves the list open (“等”)."""


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        kinds: the kinds of bodies that it holds for.
        stages: when; at other times it is not applicable.
        conditions: all of them have to hold, or with `any_is_enough` one.
        when: the rule is applicable only where this holds.
        fix: what mends it.
        ours: what of it the document leaves open and we have chosen.
        programmes: the programmes whose applications it holds for.
    """

    id: str
    clause: str
    title: Text
    kinds: tuple[BodyKind, ...]
    stages: frozenset[Stage]
    conditions: tuple[Condition, ...]
    fix: Text
    severity: Severity = REQUIRED
    any_is_enough: bool = False
    when: Condition | None = None
    ours: Text = ("", "")
    programmes: tuple[Programme, ...] = ()
    revision: int = 1

    @property
    def evidence(self) -> tuple[str, ...]:
        """Names of the facts that it looks at."""
        asked = (*self.conditions, *((self.when,) if self.when else ()))
        return tuple(dict.fromkeys(condition.fact for condition in asked))


_ALLIANCE, _COMMUNITY, _CONSORTIUM = (BodyKind.ALLIANCE,), (BodyKind.COMMUNITY,), (BodyKind.CONSORTIUM,)
_PILOT, _SUPPORT = (BodyKind.PILOT_UNIT,), (BodyKind.SUPPORT_UNIT,)

RULES: tuple[Rule, ...] = (
    # ALLIANCE 产教联盟
    Rule(
        "R10",
        "S0 一, 附件2",
        ("一个重点产业只建一个联盟", "one alliance for each key industry"),
        _ALLIANCE,
        ALWAYS,
        (Named("key_industry"), Nothing("same_industry")),
        ("请加入已有的联盟，或更正重点产业", "join the alliance that there is, or mend the key industry"),
    ),
    Rule(
        "R11",
        "S0 附件1 一",
        ("理事会设理事长 1 名、副理事长 4–5 名", "a council has 1 chair and 4 to 5 vice chairs"),
        _ALLIANCE,
        ALWAYS,
        (Number("chairs", 1, 1), Number("vice_chairs", "vice_chairs_least", "vice_chairs_most")),
        ("请调整成员的理事长、副理事长角色", "mend the members' roles of chair and vice chair"),
    ),
    Rule(
        "R12",
        "S0 二, 附件1 二(一)",
        ("秘书处依托实体机构，有专职人员、场地、经费", "the secretariat is an entity with full-time staff, space and funding"),
        _ALLIANCE,
        ALWAYS,
        (
            Number("secretariats", 1),
            Number("secretariat_full_time_staff", "secretariat_staff", unit=("人", "")),
            Is("secretariat_space"),
            Is("secretariat_funding"),
        ),
        (
            "请为一家成员设置秘书处角色，并落实专职人员、场地、经费",
            "give one member the role of the secretariat, and provide full-time staff, space and funding",
        ),
        ours=("文件未规定专职人员人数", "the document gives no number of staff"),
    ),
    Rule(
        "R13.1",
        "S0 附件1 二(一)",
        ("制订联盟章程", "a charter"),
        _ALLIANCE,
        ALWAYS,
        (Happened("charter_adopted_on"),),
        ("请在章程审议通过后填写日期", "enter the day once the charter is adopted"),
    ),
    Rule(
        "R13.2",
        "S0 附件1 二(一)",
        ("近三年规划目标和任务清单", "three-year goals and a task list"),
        _ALLIANCE,
        ALWAYS,
        (Is("three_year_goals"),),
        ("请制订近三年规划目标和任务清单", "draw up the three-year goals and the task list"),
    ),
    Rule(
        "R13.3",
        "S0 附件1 二(一)",
        ("年度工作计划", "an annual plan"),
        _ALLIANCE,
        ALWAYS,
        (ThisYear("annual_plan_year"),),
        ("请制订当年工作计划并更新年份", "draw up this year's plan and enter its year"),
    ),
    Rule(
        "R13.4",
        "S0 附件1 二(一)",
        ("每年召开 2 次全体理事会", "two full council meetings a year"),
        _ALLIANCE,
        ALWAYS,
        (Number("full_councils_in_year", "councils_a_year", unit=("次", "")),),
        ("请在年度计划中安排全体理事会", "provide for the full councils in the annual plan"),
        ours=("计划召开的也计入", "those that are planned count too"),
    ),
    # COMMUNITY 共同体
    Rule(
        "R14",
        "S2 一",
        ("牵头企业、牵头高校、牵头职业学校各 1 家", "one lead enterprise, one lead university, one lead vocational school"),
        _COMMUNITY,
        ALWAYS,
        tuple(
            Number(f"{lead}{of_the_type}", 1, 1)
            for lead in ("lead_enterprises", "lead_universities", "lead_vocational_schools")
            for of_the_type in ("", "_of_the_type")
        ),
        ("请调整成员的牵头角色，类型须相符", "mend the members' roles of lead; each has its type"),
    ),
    Rule(
        "R15",
        "S2 一(一)",
        (
            "牵头高校学科相符，有科技攻关方向和团队，有硕士、博士学位授予权",
            "the lead university has a matching discipline, a research team, and awards master's and doctoral degrees",
        ),
        _COMMUNITY,
        ALWAYS,
        (Is("matching_discipline"), Is("research_direction_and_team"), Is("masters_authority"), Is("doctoral_authority")),
        ("请更换牵头高校或补充事实", "choose another lead university, or enter what is missing"),
    ),
    Rule(
        "R16",
        "S2 一(一)",
        (
            "牵头职业学校特色专业（群）相符，设有独立的培训或继续教育机构",
            "the lead vocational school has a matching speciality and an independent training body",
        ),
        _COMMUNITY,
        ALWAYS,
        (Is("matching_speciality"), Is("independent_training_body")),
        ("请更换牵头职业学校或补充事实", "choose another lead vocational school, or enter what is missing"),
    ),
    Rule(
        "R17",
        "S2 一(一)",
        (
            "鼓励中央管理企业、中国 500 强、产教融合型企业牵头",
            "a central SOE, a top-500 enterprise or a certified 产教融合型企业 is encouraged to lead",
        ),
        _COMMUNITY,
        ALWAYS,
        (Is("lead_is_central_soe"), Is("lead_is_top_500"), Is("lead_is_certified")),
        ("鼓励项，不影响组建", "encouraged only; it hinders nothing"),
        severity=ENCOURAGED,
        any_is_enough=True,
    ),
    Rule(
        "R18.1",
        "S2 一(二)",
        ("跨区域吸收参与单位", "members from several regions"),
        _COMMUNITY,
        ALWAYS,
        (Number("provinces", "community_provinces", unit=("个", "")),),
        (
            "请吸收其他省份的单位，并登记各单位的所在地区",
            "take in members of other provinces, and enter where the members are",
        ),
        ours=("文件未规定省份个数", "the document gives no number of provinces"),
    ),
    Rule(
        "R18.2",
        "S2 二(一)",
        (
            "领导小组、成立大会、章程、利益共享机制、专兼职人员",
            "a governing body, a founding meeting, a charter, benefit sharing, staff",
        ),
        _COMMUNITY,
        ALWAYS,
        (
            Is("governing_body"),
            Happened("founded_on"),
            Happened("charter_adopted_on"),
            Is("benefit_sharing"),
            Number("working_staff", "community_working_staff", unit=("人", "")),
        ),
        ("请健全运行机制并登记", "put the organs in place and enter them"),
        ours=("文件未规定专兼职人员人数", "the document gives no number of staff"),
    ),
    # CONSORTIUM 联合体
    Rule(
        "R19.1",
        "S1 二(一)",
        (
            "牵头高校为全日制本科院校或高等职业院校，具备独立办学资质",
            "the lead is an undergraduate or higher vocational institution, independently qualified",
        ),
        _CONSORTIUM,
        ALWAYS,
        (Number("higher_education_leads", 1, unit=("所", "")), Is("lead_independently_qualified")),
        ("请设置牵头高校，并登记其办学资质", "name the lead institution, and enter its qualification"),
    ),
    Rule(
        "R19.2",
        "S1 二, 二(二)",
        (
            "企业主体在境内依法注册，具有独立法人地位",
            "the enterprises are registered in China as independent legal persons",
        ),
        _CONSORTIUM,
        ALWAYS,
        (Number("enterprises", 1), Nothing("unverified_enterprises")),
        ("请吸收企业，并完成各企业的核验", "take enterprises in, and have each verified"),
        ours=("以统一社会信用代码核验", "shown by a verified unified social credit code"),
    ),
    Rule(
        "R19.3",
        "S1 二(二)",
        ("园区主体具有明确的主导产业方向", "a park has a clear leading industry"),
        _CONSORTIUM,
        ALWAYS,
        (Named("park_leading_industry"),),
        ("请登记园区的主导产业", "enter the park's leading industry"),
        when=Number("parks", 1),
        ours=("没有园区参加时不适用", "not applicable where no park takes part"),
    ),
    Rule(
        "R19.4",
        "S1 二",
        ("按“区域+行业领域”确定建设方向", "the direction is a region and an industry field"),
        _CONSORTIUM,
        ALWAYS,
        (Named("region_code"), Named("industry_code")),
        ("请填写区域和行业领域", "enter the region and the industry field"),
    ),
    Rule(
        "R20.1",
        "S1 二(三)",
        ("具备场地、设备、资金、人员", "venue, equipment, funds and staff"),
        _CONSORTIUM,
        ALWAYS,
        (Is("venue"), Is("equipment"), Is("funds"), Is("staff")),
        ("请落实并登记资源条件", "provide the resources and enter them"),
    ),
    Rule(
        "R20.2",
        "S1 一",
        ("建设目标为 3–5 年", "goals for 3 to 5 years"),
        _CONSORTIUM,
        ALWAYS,
        (Number("goal_years", "goal_years_least", "goal_years_most", unit=("年", "")),),
        ("请按 3–5 年制订目标", "set the goals for 3 to 5 years"),
        severity=IN_PRINCIPLE,
        ours=("文件以此为总目标，不作为硬性条件", "the document names it as the overall goal, not as a condition"),
    ),
    # PILOT_UNIT 试点单位
    Rule(
        "R21.1",
        "S4 三(一)",
        (
            "申报单位为院校，实施部门为二级学院",
            "the applicant is an institution, the implementing department its secondary college",
        ),
        _PILOT,
        ALWAYS,
        (Is("is_institution"), Is("is_secondary_college")),
        ("请更正申报单位和实施部门", "mend the applicant and the implementing department"),
    ),
    Rule(
        "R21.2",
        "S4 三(一), 四(一)",
        ("1 个单位最多申报 2 个专业，每个专业 1 份申报", "at most 2 majors a unit, one application each"),
        _PILOT,
        ALWAYS,
        (Number("majors", 1, "majors_a_unit", unit=("个", "")), Nothing("same_major")),
        ("请撤回多余的申报", "withdraw what is too many"),
    ),
    Rule(
        "R22.1",
        "S4 三(一)3",
        ("专业连续招生、办学满三年", "the major has enrolled continuously for at least 3 years"),
        _PILOT,
        ALWAYS,
        (Years("enrolling_since", "enrolled_years"),),
        ("请改选连续招生满三年的专业", "choose a major that has enrolled for as long"),
    ),
    Rule(
        "R22.2",
        "S4 三(一)1, 2",
        (
            "专业符合地区产业规划布局，实力较强、基础较好、条件保障到位",
            "the major fits the regional industrial plan, is strong and well provided",
        ),
        _PILOT,
        ALWAYS,
        (Is("fits_regional_plan"), Is("strong_major")),
        ("请补充佐证或改选专业", "enter the evidence, or choose another major"),
    ),
    Rule(
        "R23",
        "S4 三(一)",
        ("申报方向属于工业和信息化重点产业领域", "the field is one of the key fields"),
        _PILOT,
        ALWAYS,
        (Named("field", tuple(FIELDS)),),
        ("请选择所列方向", "choose one of the fields"),
        ours=("文件的清单未穷尽（“等”），可扩充", "the document's list is open and can be extended"),
    ),
    Rule(
        "R24.1",
        "S4 三(一)4",
        ("具备产教融合、校企合作经验", "experience of industry–education cooperation"),
        _PILOT,
        ALWAYS,
        (Is("cooperation_experience"),),
        ("请登记合作经验", "enter the experience"),
    ),
    Rule(
        "R24.2",
        "S4 三(一)4, 5",
        (
            "优先：联合体、共同体中成果突出；区域有支持政策且单位予以倾斜",
            "priority: strong results in a 联合体 or 共同体; a regional support policy that the unit backs",
        ),
        _PILOT,
        ALWAYS,
        (Is("results_in_bodies"), Is("regional_policy"), Is("unit_support")),
        ("优先项，不影响申报", "a priority only; it hinders nothing"),
        severity=ENCOURAGED,
        any_is_enough=True,
    ),
    # SUPPORT_UNIT 支撑单位
    Rule(
        "R25.1",
        "S4 三(二)1",
        (
            "境内依法登记、具有独立法人资格的企业或专业服务机构",
            "an enterprise or professional service organization, a registered legal person",
        ),
        _SUPPORT,
        ALWAYS,
        (Is("is_enterprise_or_service_org"), Is("registered_legal_person")),
        ("请完成单位核验，或更正单位类型", "have the unit verified, or mend its type"),
        ours=("以统一社会信用代码核验", "shown by a verified unified social credit code"),
    ),
    Rule(
        "R25.2",
        "S4 三(二)2",
        ("实际运行满 3 年", "in operation for at least 3 years"),
        _SUPPORT,
        ALWAYS,
        (Years("operating_since", "operating_years"),),
        ("请在运行满 3 年后申报", "apply once it has operated for 3 years"),
    ),
    Rule(
        "R25.3",
        "S4 三(二)2, 3",
        (
            "有运营团队和专家团队、实践教学场地和设备、技术支持能力",
            "operating and expert teams, venues and equipment, technical support",
        ),
        _SUPPORT,
        ALWAYS,
        (Is("teams"), Is("venues_and_equipment"), Is("technical_support")),
        ("请补充佐证", "enter the evidence"),
    ),
    Rule(
        "R25.4",
        "S4 三(二)4",
        ("有产教融合、校企合作经验和代表性案例", "experience of cooperation and representative cases"),
        _SUPPORT,
        ALWAYS,
        (Is("cooperation_experience"), Is("representative_cases")),
        ("请登记经验和案例", "enter the experience and the cases"),
    ),
    # General
    Rule(
        "R26",
        "S3 四",
        ("职业学校新设专业至少有 1 家深度合作企业", "a new major of a vocational school has a deep-cooperation enterprise"),
        (),
        SUBMITTING,
        (Number("deep_cooperation_enterprises", "deep_cooperation_enterprises"),),
        ("请与企业签订深度合作并共同制定培养方案", "win an enterprise that draws up the programme with the school"),
        when=Is("is_vocational_school"),
        programmes=(Programme.MAJOR_ADJUSTMENT,),
    ),
    Rule(
        "R27.1",
        "S3 七",
        ("教育培训经费 60% 以上用于一线职工", "at least 60 % of training funds go to front-line staff"),
        (),
        SUBMITTING,
        (Number("front_line_training_percent", "front_line_training_percent", unit=PERCENT),),
        ("请调整教育培训经费的使用", "spend the training funds accordingly"),
        ours=("“以上”含本数", "the number itself counts"),
        programmes=(Programme.CERTIFICATION,),
    ),
    Rule(
        "R27.2",
        "S3 九",
        ("实践性教学学时原则上占 50% 以上", "practice is in principle at least 50 % of teaching hours"),
        (),
        SUBMITTING,
        (Number("practice_hours_percent", "practice_hours_percent", unit=PERCENT),),
        ("请增加实践学时，或说明理由", "add hours of practice, or say why not"),
        severity=IN_PRINCIPLE,
        ours=("“以上”含本数", "the number itself counts"),
        programmes=(Programme.MAJOR_ADJUSTMENT,),
    ),
    Rule(
        "R27.3",
        "S3 十五",
        (
            "职业学校净收入可按不少于 70% 用于绩效工资",
            "vocational schools may pay at least 70 % of net service income as performance pay",
        ),
        (),
        SUBMITTING,
        (Number("performance_pay_percent", "performance_pay_percent", unit=PERCENT),),
        ("允许项，学校可自行决定", "allowed; the school decides"),
        severity=ENCOURAGED,
        when=Is("is_vocational_school"),
        programmes=(Programme.PERFORMANCE,),
    ),
    Rule(
        "R28",
        "S0 三(二)",
        ("招收的员工在生产一线工作 3 年及以上", "employees taken in have worked on the front line for at least 3 years"),
        (),
        SUBMITTING,
        (Years("front_line_since", "front_line_years"),),
        ("请在满 3 年后申请", "apply once the 3 years are full"),
        programmes=(Programme.EMPLOYEE_INTAKE,),
    ),
)
"""All rules, in the order of their numbers."""


def of_kind(kind: BodyKind) -> list[Rule]:
    """The rules of a kind of body; none for a kind that can be a draft and no more."""
    return [rule for rule in RULES if kind in rule.kinds]


def of_programme(programme: Programme) -> list[Rule]:
    """The rules of what is submitted in a programme, beside those of the body that it is for."""
    return [rule for rule in RULES if programme in rule.programmes]
