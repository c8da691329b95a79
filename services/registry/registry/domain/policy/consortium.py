"""CONSORTIUM 产教科融合发展联合体 (S1): R19, R20."""

from registry.domain.conditions import Is, Named, Nothing, Number
from registry.domain.names import BodyKind
from registry.domain.policy.rule import ALWAYS, IN_PRINCIPLE, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "R19.1",
        "S1 二(一)",
        (
            "牵头高校为全日制本科院校或高等职业院校，具备独立办学资质",
            "the lead is an undergraduate or higher vocational institution, independently qualified",
        ),
        (BodyKind.CONSORTIUM,),
        ALWAYS,
        (Number("higher_education_leads", 1, unit=("所", "")), Is("lead_independently_qualified")),
        ("请设置牵头高校，并登记其办学资质", "name the lead institution, and enter its qualification"),
        documents=("APPLICATION_FORM",),
    ),
    Rule(
        "R19.2",
        "S1 二, 二(二)",
        (
            "企业主体在境内依法注册，具有独立法人地位",
            "the enterprises are registered in China as independent legal persons",
        ),
        (BodyKind.CONSORTIUM,),
        ALWAYS,
        (Number("enterprises", 1), Nothing("unverified_enterprises")),
        ("请吸收企业，并完成各企业的核验", "take enterprises in, and have each verified"),
        ours=("以统一社会信用代码核验", "shown by a verified unified social credit code"),
    ),
    Rule(
        "R19.3",
        "S1 二(二)",
        ("园区主体具有明确的主导产业方向", "a park has a clear leading industry"),
        (BodyKind.CONSORTIUM,),
        ALWAYS,
        (Named("park_leading_industry"),),
        ("请登记园区的主导产业", "enter the park's leading industry"),
        when=(Number("parks", 1),),
        ours=("没有园区参加时不适用", "not applicable where no park takes part"),
        documents=("APPLICATION_FORM",),
    ),
    Rule(
        "R19.4",
        "S1 二",
        ("按“区域+行业领域”确定建设方向", "the direction is a region and an industry field"),
        (BodyKind.CONSORTIUM,),
        ALWAYS,
        (Named("region_code"), Named("industry_code")),
        ("请填写区域和行业领域", "enter the region and the industry field"),
        documents=("APPLICATION_FORM",),
    ),
    Rule(
        "R20.1",
        "S1 二(三)",
        ("具备场地、设备、资金、人员", "venue, equipment, funds and staff"),
        (BodyKind.CONSORTIUM,),
        ALWAYS,
        (Is("venue"), Is("equipment"), Is("funds"), Is("staff")),
        ("请落实并登记资源条件", "provide the resources and enter them"),
        documents=("APPLICATION_FORM",),
    ),
    Rule(
        "R20.2",
        "S1 一",
        ("建设目标为 3–5 年", "goals for 3 to 5 years"),
        (BodyKind.CONSORTIUM,),
        ALWAYS,
        (Number("goal_years", "goal_years_least", "goal_years_most", unit=("年", "")),),
        ("请按 3–5 年制订目标", "set the goals for 3 to 5 years"),
        severity=IN_PRINCIPLE,
        ours=("文件以此为总目标，不作为硬性条件", "the document names it as the overall goal, not as a condition"),
        documents=("APPLICATION_FORM",),
    ),
)
