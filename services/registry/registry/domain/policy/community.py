"""COMMUNITY 行业产教融合共同体 (S2): R14–R18."""

from registry.domain.conditions import Happened, Is, Number, SoFar
from registry.domain.names import BodyKind
from registry.domain.policy.rule import ALWAYS, ENCOURAGED, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "R14",
        "S2 一",
        ("牵头企业、牵头高校、牵头职业学校各 1 家", "one lead enterprise, one lead university, one lead vocational school"),
        (BodyKind.COMMUNITY,),
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
        (BodyKind.COMMUNITY,),
        ALWAYS,
        (Is("matching_discipline"), Is("research_direction_and_team"), Is("masters_authority"), Is("doctoral_authority")),
        ("请更换牵头高校或补充事实", "choose another lead university, or enter what is missing"),
        documents=("EVIDENCE",),
    ),
    Rule(
        "R16",
        "S2 一(一)",
        (
            "牵头职业学校特色专业（群）相符，设有独立的培训或继续教育机构",
            "the lead vocational school has a matching speciality and an independent training body",
        ),
        (BodyKind.COMMUNITY,),
        ALWAYS,
        (Is("matching_speciality"), Is("independent_training_body")),
        ("请更换牵头职业学校或补充事实", "choose another lead vocational school, or enter what is missing"),
        documents=("EVIDENCE",),
    ),
    Rule(
        "R17",
        "S2 一(一)",
        (
            "鼓励中央管理企业、中国 500 强、产教融合型企业牵头",
            "a central SOE, a top-500 enterprise or a certified 产教融合型企业 is encouraged to lead",
        ),
        (BodyKind.COMMUNITY,),
        ALWAYS,
        (Is("lead_is_central_soe"), Is("lead_is_top_500"), Is("lead_is_certified")),
        ("鼓励项，不影响组建", "encouraged only; it hinders nothing"),
        severity=ENCOURAGED,
        any_is_enough=True,
        ours=(
            "产教融合型企业以平台认证名录为准，名录未载的按登记",
            "certified as 产教融合型企业 is what the platform's catalogue says, else what was entered",
        ),
        documents=("EVIDENCE",),
    ),
    Rule(
        "R18.1",
        "S2 一(二)",
        ("跨区域吸收参与单位", "members from several regions"),
        (BodyKind.COMMUNITY,),
        ALWAYS,
        (SoFar("provinces", "community_provinces", unit=("个", ""), still="members_without_region"),),
        (
            "请吸收其他省份的单位，并登记各单位的所在地区",
            "take in members of other provinces, and enter where the members are",
        ),
        ours=("文件未规定省份个数", "the document gives no number of provinces"),
        revision=2,
    ),
    Rule(
        "R18.2",
        "S2 二(一)",
        (
            "领导小组、成立大会、章程、利益共享机制、专兼职人员",
            "a governing body, a founding meeting, a charter, benefit sharing, staff",
        ),
        (BodyKind.COMMUNITY,),
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
        documents=("EVIDENCE",),
        is_task=True,
    ),
)
