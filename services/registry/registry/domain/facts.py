"""What the rules look at: named facts of a body or an application, each known or not.

A fact that nobody entered is absent: a rule then says *cannot be told*. What the register itself knows (who holds which role,
how many provinces the members come from) is always known: a seat that nobody holds is an empty seat.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from registry.domain.names import HIGHER_EDUCATION, PARKS, VOCATIONAL, MemberRole, OrgType

Value = bool | int | date | str | tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """A fact's name, as in the contract, and what people call it.

    `denied` is what is said where a fact that is a sentence is not so; a fact that is a thing is then missing. `entered_as`
    names what is entered for it where the register works it out.
    """

    name: str
    zh: str
    en: str
    denied: tuple[str, str] | None = None
    entered_as: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What is known on a business date."""

    today: date
    known: Mapping[str, Value] = field(default_factory=dict)

    def get(self, name: str) -> Value | None:
        """A fact; None where it is not known."""
        return self.known.get(name)


@dataclass(frozen=True)
class Member:
    """A membership that is valid on the day of the check; `name` is what the organization is called."""

    name: str
    org_type: int
    roles: frozenset[int]
    province: str = ""
    """First two digits of its region's GB/T 2260 code; "" where it has none."""
    verified: bool = False


_LEADS: Mapping[str, tuple[MemberRole, frozenset[OrgType]]] = {
    "lead_enterprises": (MemberRole.LEAD_ENTERPRISE, frozenset({OrgType.ENTERPRISE})),
    "lead_universities": (MemberRole.LEAD_UNIVERSITY, frozenset({OrgType.UNIVERSITY})),
    "lead_vocational_schools": (MemberRole.LEAD_VOCATIONAL, VOCATIONAL),
}


def of_members(members: Iterable[Member]) -> dict[str, Value]:
    """What the list of members alone says."""
    members = list(members)

    def holders(role: MemberRole, types: frozenset[OrgType] | None = None) -> int:
        return sum(role in one.roles and (types is None or one.org_type in types) for one in members)

    def of_type(*types: OrgType) -> list[Member]:
        return [one for one in members if one.org_type in types]

    def named(which: Callable[[Member], bool]) -> tuple[str, ...]:
        return tuple(one.name for one in members if which(one))

    known: dict[str, Value] = {
        "chairs": holders(MemberRole.CHAIR),
        "vice_chairs": holders(MemberRole.VICE_CHAIR),
        "chairs_that_are_vice_chairs": named(lambda one: {MemberRole.CHAIR, MemberRole.VICE_CHAIR} <= one.roles),
        "secretariats": holders(MemberRole.SECRETARIAT),
        "secretariats_that_are_task_forces": named(
            lambda one: MemberRole.SECRETARIAT in one.roles and one.org_type == OrgType.TASK_FORCE
        ),
        "higher_education_leads": holders(MemberRole.LEAD_UNIVERSITY, HIGHER_EDUCATION)
        + holders(MemberRole.LEAD_VOCATIONAL, HIGHER_EDUCATION),
        "enterprises": len(of_type(OrgType.ENTERPRISE)),
        "unverified_enterprises": named(lambda one: one.org_type == OrgType.ENTERPRISE and not one.verified),
        "parks": len(of_type(*PARKS)),
        "provinces": len({one.province for one in members if one.province}),
        "members_without_region": named(lambda one: not one.province),
    }
    for name, (role, types) in _LEADS.items():
        known[name] = holders(role)
        known[f"{name}_of_the_type"] = holders(role, types)
    return known


_ENTERED_AS: Mapping[str, tuple[str, ...]] = {
    "provinces": ("member_regions",),
    "same_industry": ("key_industry",),
    "task_forces_of_another_type": ("task_force",),
    "lead_departments_of_another_type": ("lead_departments",),
    "unverified_task_force_or_leads": ("task_force", "lead_departments"),
    "is_institution": ("institution",),
    "is_secondary_college": ("college",),
    "majors": ("institution", "major_code", "call_year"),
    "same_major": ("institution", "major_code", "call_year"),
    "is_enterprise_or_service_org": ("unit",),
    "registered_legal_person": ("unit",),
}
_DENIED: Mapping[str, tuple[str, str]] = {
    "matching_discipline": (
        "牵头高校学科与行业领域不相符",
        "the lead university's discipline does not match the industry field",
    ),
    "matching_speciality": (
        "牵头职业学校特色专业（群）与行业领域不相符",
        "the lead vocational school's speciality does not match the industry field",
    ),
    "lead_is_central_soe": ("牵头企业不是中央管理企业", "the lead enterprise is no central state-owned one"),
    "lead_is_top_500": ("牵头企业不是中国 500 强", "the lead enterprise is not among China's top 500"),
    "lead_is_certified": ("牵头企业不是产教融合型企业", "the lead enterprise is not certified as 产教融合型企业"),
    "is_institution": ("申报单位不是已核验的院校", "the applicant is no verified educational institution"),
    "is_secondary_college": (
        "实施部门不是申报单位已核验的二级学院",
        "the implementing department is no verified secondary college of the applicant",
    ),
    "fits_regional_plan": ("专业不符合地区产业规划布局", "the major does not fit the regional industrial plan"),
    "strong_major": (
        "专业综合实力、建设基础、专业特色或条件保障不足",
        "the major lacks strength, foundation, profile or means",
    ),
    "results_in_bodies": (
        "在联合体、共同体中成果不突出",
        "the results in a 联合体 or 共同体 are not strong",
    ),
    "is_enterprise_or_service_org": (
        "申报单位不是企业或专业服务机构",
        "the applicant is neither an enterprise nor a professional service organization",
    ),
    "registered_legal_person": (
        "申报单位尚未核验为境内登记的独立法人",
        "the applicant is not verified as a registered legal person",
    ),
    "is_vocational_school": ("申报单位不是职业学校", "the applicant is no vocational school"),
}
_REGISTERED_AS: Mapping[str, tuple[str, str]] = {
    "task_force": ("工作专班", "task force"),
    "lead_departments": ("牵头部门", "lead departments"),
    "institution": ("申报院校", "institution that applies"),
    "college": ("实施的二级学院", "secondary college that does the work"),
    "major_code": ("专业", "major"),
    "call_year": ("遴选年度", "year of the call"),
    "unit": ("申报单位", "unit that applies"),
    "member_regions": ("各成员单位的所在地区", "where each member is"),
}
"""What people call that which is entered, where it is no fact that a rule looks at itself."""
FACTS: Mapping[str, Fact] = {
    name: Fact(name, zh, en, _DENIED.get(name), _ENTERED_AS.get(name, (name,)))
    for name, zh, en in (
        # What the register knows of the members
        ("chairs", "理事长", "chairs"),
        ("vice_chairs", "副理事长", "vice chairs"),
        ("chairs_that_are_vice_chairs", "兼任副理事长的理事长", "chairs that are vice chairs, too"),
        ("secretariats", "秘书处单位", "secretariats"),
        ("secretariats_that_are_task_forces", "由专班担任的秘书处", "secretariats that are task forces"),
        ("lead_enterprises", "牵头企业", "lead enterprises"),
        ("lead_enterprises_of_the_type", "类型为企业的牵头企业", "lead enterprises that are enterprises"),
        ("lead_universities", "牵头高校", "lead universities"),
        ("lead_universities_of_the_type", "类型为普通高校的牵头高校", "lead universities that are universities"),
        ("lead_vocational_schools", "牵头职业学校", "lead vocational schools"),
        ("lead_vocational_schools_of_the_type", "类型为职业学校的牵头职业学校", "lead vocational schools that are such"),
        ("higher_education_leads", "牵头本科院校或高职院校", "leads that are undergraduate or higher vocational institutions"),
        ("enterprises", "企业成员", "member enterprises"),
        ("unverified_enterprises", "尚未核验的企业成员", "member enterprises that are not verified"),
        ("parks", "园区成员", "member parks"),
        ("provinces", "成员所在省份", "provinces that members come from"),
        # ALLIANCE (S0)
        ("key_industry", "重点产业", "key industry"),
        ("same_industry", "同一重点产业的其他联盟", "other alliances of the key industry"),
        ("task_forces_of_another_type", "不是工作专班而填作专班的单位", "task forces that are of another type"),
        ("lead_departments_of_another_type", "不是政府部门而填作牵头部门的单位", "lead departments that are of another type"),
        ("unverified_task_force_or_leads", "尚未核验的专班或牵头部门", "task force or lead departments that are not verified"),
        ("secretariat_full_time_staff", "秘书处专职人员", "full-time staff of the secretariat"),
        ("secretariat_space", "秘书处场地", "space of the secretariat"),
        ("secretariat_funding", "秘书处经费", "funding of the secretariat"),
        ("charter_adopted_on", "章程审议通过日期", "day on which the charter was adopted"),
        ("three_year_goals", "近三年规划目标和任务清单", "three-year goals and task list"),
        ("annual_plan_year", "年度工作计划", "annual plan"),
        ("full_councils_in_year", "全体理事会", "full council meetings"),
        # COMMUNITY (S2)
        (
            "matching_discipline",
            "牵头高校学科与行业领域相符",
            "the lead university's discipline matches the industry field",
        ),
        ("research_direction_and_team", "科技攻关方向和团队", "research direction and team"),
        ("masters_authority", "硕士学位授予权", "authority to award master's degrees"),
        ("doctoral_authority", "博士学位授予权", "authority to award doctoral degrees"),
        (
            "matching_speciality",
            "牵头职业学校特色专业（群）与行业领域相符",
            "the lead vocational school's speciality matches the industry field",
        ),
        ("independent_training_body", "独立的社会培训或继续教育机构", "independent training or continuing-education body"),
        ("lead_is_central_soe", "牵头企业为中央管理企业", "the lead enterprise is a central state-owned one"),
        ("lead_is_top_500", "牵头企业为中国 500 强", "the lead enterprise is among China's top 500"),
        ("lead_is_certified", "牵头企业为产教融合型企业", "the lead enterprise is certified as 产教融合型企业"),
        ("governing_body", "领导小组（理事会或董事会）", "governing body"),
        ("founded_on", "成立大会日期", "day of the founding meeting"),
        ("benefit_sharing", "利益共享机制", "benefit sharing"),
        ("working_staff", "专兼职人员", "full-time and part-time staff"),
        # CONSORTIUM (S1)
        ("lead_independently_qualified", "牵头高校独立办学资质", "independent qualification of the lead institution"),
        ("park_leading_industry", "园区主导产业方向", "leading industry of the park"),
        ("region_code", "建设区域", "region"),
        ("industry_code", "行业领域", "industry field"),
        ("venue", "场地", "venue"),
        ("equipment", "设备", "equipment"),
        ("funds", "资金", "funds"),
        ("staff", "人员", "staff"),
        ("goal_years", "建设目标年限", "years that the goals span"),
        # PILOT_UNIT and SUPPORT_UNIT (S4)
        ("is_institution", "申报单位为已核验的院校", "the applicant is a verified educational institution"),
        (
            "is_secondary_college",
            "实施部门为申报单位已核验的二级学院",
            "the implementing department is a verified secondary college of the applicant",
        ),
        ("majors", "同一单位申报的专业", "majors that the unit applies for"),
        ("same_major", "同一专业的其他申报", "other applications for the same major"),
        ("fits_regional_plan", "专业符合地区产业规划布局", "the major fits the regional industrial plan"),
        (
            "strong_major",
            "专业综合实力较强、建设基础较好、特色鲜明、条件保障到位",
            "the major is strong, well founded, with a profile of its own, and well provided",
        ),
        ("enrolling_since", "连续招生起始日期", "day since which the major has enrolled continuously"),
        ("field", "申报方向", "field"),
        ("cooperation_experience", "产教融合、校企合作经验", "experience of industry–education cooperation"),
        ("results_in_bodies", "在联合体、共同体中成果突出", "the results in a 联合体 or 共同体 are strong"),
        ("regional_policy", "所在区域支持政策", "support policy of the region"),
        ("unit_support", "单位政策、资金和项目倾斜", "support by policies, funds and projects of the unit itself"),
        (
            "is_enterprise_or_service_org",
            "申报单位为企业或专业服务机构",
            "the applicant is an enterprise or professional service organization",
        ),
        (
            "registered_legal_person",
            "申报单位已核验为境内登记的独立法人",
            "the applicant is verified as a registered legal person",
        ),
        ("operating_since", "实际运行起始日期", "day since which it has operated"),
        ("teams", "运营团队和专家团队", "operating and expert teams"),
        ("venues_and_equipment", "实践教学场地、设备设施", "venues and equipment for practice teaching"),
        ("technical_support", "技术支持能力", "ability to give technical support"),
        ("representative_cases", "代表性服务案例", "representative cases"),
        # General (S0, S3)
        ("kind", "认证对象", "what is to be certified"),
        ("change", "专业调整方式", "how the major is changed"),
        ("deep_cooperation_enterprises", "深度合作企业", "deep-cooperation enterprises"),
        ("is_vocational_school", "申报单位为职业学校", "the applicant is a vocational school"),
        ("front_line_training_percent", "教育培训经费用于一线职工的比例", "share of training funds spent on front-line staff"),
        ("practice_hours_percent", "实践性教学学时占比", "share of practice in all teaching hours"),
        ("performance_pay_percent", "净收入用于绩效工资的比例", "share of net service income paid as performance pay"),
        ("front_line_since", "生产一线工作起始日期", "day since which the employee has worked on the front line"),
    )
}
"""Every fact that a rule looks at."""


ENTRIES = FACTS.keys() | _REGISTERED_AS.keys()
"""What is entered: facts that rules look at, and what the register works others out of."""


def called(entry: str) -> tuple[str, str]:
    """What people call something that is entered, in both languages."""
    return _REGISTERED_AS[entry] if entry in _REGISTERED_AS else (FACTS[entry].zh, FACTS[entry].en)


def turns(days: Iterable[date], after: date, until: date) -> list[date]:
    """Days after one and up to another on which a verdict can turn by the calendar alone, in their order.

    These are the days that facts and memberships name, the days on which years since them are full, and 1 January, on which
    what is asked of this year is asked of another.
    """
    years = range(after.year, until.year + 1)
    named = set(days)
    found = named | {_in_year(day, year) for day in named for year in years} | {date(year, 1, 1) for year in years}
    return sorted(day for day in found if after < day <= until)


def _in_year(day: date, year: int) -> date:
    """The day of another year on which years since a day are full: see `conditions.full_years`."""
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 3, 1)
