"""PILOT_UNIT 试点单位 and SUPPORT_UNIT 支撑单位 (S4): R21–R25."""

from codes import fields
from registry.domain.conditions import Is, Named, Nothing, Number, Years
from registry.domain.names import BodyKind
from registry.domain.policy.rule import ALWAYS, ENCOURAGED, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "R21.1",
        "S4 三(一)",
        (
            "申报单位为院校，实施部门为二级学院",
            "the applicant is an institution, the implementing department its secondary college",
        ),
        (BodyKind.PILOT_UNIT,),
        ALWAYS,
        (Is("is_institution"), Is("is_secondary_college")),
        ("请更正申报单位和实施部门", "mend the applicant and the implementing department"),
    ),
    Rule(
        "R21.2",
        "S4 三(一), 四(一)",
        ("1 个单位最多申报 2 个专业，每个专业 1 份申报", "at most 2 majors a unit, one application each"),
        (BodyKind.PILOT_UNIT,),
        ALWAYS,
        (Number("majors", 1, "majors_a_unit", unit=("个", "")), Nothing("same_major")),
        ("请撤回多余的申报", "withdraw what is too many"),
    ),
    Rule(
        "R22.1",
        "S4 三(一)3",
        ("专业连续招生、办学满三年", "the major has enrolled continuously for at least 3 years"),
        (BodyKind.PILOT_UNIT,),
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
        (BodyKind.PILOT_UNIT,),
        ALWAYS,
        (Is("fits_regional_plan"), Is("strong_major")),
        ("请补充佐证或改选专业", "enter the evidence, or choose another major"),
    ),
    Rule(
        "R23",
        "S4 三(一)",
        ("申报方向属于工业和信息化重点产业领域", "the field is one of the key fields"),
        (BodyKind.PILOT_UNIT,),
        ALWAYS,
        (Named("field", tuple(fields.NAMES)),),
        ("请选择所列方向", "choose one of the fields"),
        ours=("文件的清单未穷尽（“等”），可扩充", "the document's list is open and can be extended"),
    ),
    Rule(
        "R24.1",
        "S4 三(一)4",
        ("具备产教融合、校企合作经验", "experience of industry–education cooperation"),
        (BodyKind.PILOT_UNIT,),
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
        (BodyKind.PILOT_UNIT,),
        ALWAYS,
        (Is("results_in_bodies"), Is("regional_policy"), Is("unit_support")),
        ("优先项，不影响申报", "a priority only; it hinders nothing"),
        severity=ENCOURAGED,
        any_is_enough=True,
    ),
    Rule(
        "R25.1",
        "S4 三(二)1",
        (
            "境内依法登记、具有独立法人资格的企业或专业服务机构",
            "an enterprise or professional service organization, a registered legal person",
        ),
        (BodyKind.SUPPORT_UNIT,),
        ALWAYS,
        (Is("is_enterprise_or_service_org"), Is("registered_legal_person")),
        ("请完成单位核验，或更正单位类型", "have the unit verified, or mend its type"),
        ours=("以统一社会信用代码核验", "shown by a verified unified social credit code"),
    ),
    Rule(
        "R25.2",
        "S4 三(二)2",
        ("实际运行满 3 年", "in operation for at least 3 years"),
        (BodyKind.SUPPORT_UNIT,),
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
        (BodyKind.SUPPORT_UNIT,),
        ALWAYS,
        (Is("teams"), Is("venues_and_equipment"), Is("technical_support")),
        ("请补充佐证", "enter the evidence"),
    ),
    Rule(
        "R25.4",
        "S4 三(二)4",
        ("有产教融合、校企合作经验和代表性案例", "experience of cooperation and representative cases"),
        (BodyKind.SUPPORT_UNIT,),
        ALWAYS,
        (Is("cooperation_experience"), Is("representative_cases")),
        ("请登记经验和案例", "enter the experience and the cases"),
    ),
)
