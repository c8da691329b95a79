"""ALLIANCE 产教联盟 (S0): R10–R13."""

from registry.domain.conditions import Happened, Is, Named, Nothing, Number, ThisYear
from registry.domain.names import BodyKind
from registry.domain.policy.rule import ALWAYS, IN_PRINCIPLE, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "R10",
        "S0 一, 附件2",
        ("一个重点产业只建一个联盟", "one alliance for each key industry"),
        (BodyKind.ALLIANCE,),
        ALWAYS,
        (Named("key_industry"), Nothing("same_industry")),
        ("请加入已有的联盟，或更正重点产业", "join the alliance that there is, or mend the key industry"),
        ours=("末尾的“产业”“行业”“领域”不作区分", "a 产业, 行业 or 领域 at the end makes no other industry"),
        revision=2,
    ),
    Rule(
        "R10.2",
        "S0 四(三), 附件2",
        ("联盟由工作专班指导、由其牵头部门考核", "a task force guides an alliance, and its lead departments assess"),
        (BodyKind.ALLIANCE,),
        ALWAYS,
        (Nothing("task_forces_of_another_type"), Nothing("lead_departments_of_another_type")),
        (
            "请平台运营改填工作专班和牵头的政府部门（body update … --fact task_force=… --fact lead_departments=…）",
            "have the platform's operator name a task force, and the government departments that lead "
            "(body update … --fact task_force=… --fact lead_departments=…)",
        ),
        ours=("未填写的不作判断", "nothing is said of what is not entered"),
    ),
    Rule(
        "R10.3",
        "S0 四(三), 附件2",
        ("工作专班和牵头部门均已核验", "task force and lead departments are verified"),
        (BodyKind.ALLIANCE,),
        ALWAYS,
        (Nothing("unverified_task_force_or_leads"),),
        ("请平台运营核验该单位（org verify）", "have the platform's operator verify it (org verify)"),
        severity=IN_PRINCIPLE,
        ours=(
            "核验为平台的要求，不妨碍组建；成立后更改的须已核验",
            "verification is asked by the platform and hinders no forming; what is named once it is formed has to be verified",
        ),
    ),
    Rule(
        "R11",
        "S0 附件1 一",
        ("理事会设理事长 1 名、副理事长 4–5 名", "a council has 1 chair and 4 to 5 vice chairs"),
        (BodyKind.ALLIANCE,),
        ALWAYS,
        (
            Number("chairs", 1, 1),
            Number("vice_chairs", "vice_chairs_least", "vice_chairs_most"),
            Nothing("chairs_that_are_vice_chairs"),
        ),
        ("请调整成员的理事长、副理事长角色", "mend the members' roles of chair and vice chair"),
        revision=2,
    ),
    Rule(
        "R12",
        "S0 二, 附件1 二(一)",
        ("秘书处依托实体机构，有专职人员、场地、经费", "the secretariat is an entity with full-time staff, space and funding"),
        (BodyKind.ALLIANCE,),
        ALWAYS,
        (
            Number("secretariats", 1),
            Nothing("secretariats_that_are_task_forces"),
            Number("secretariat_full_time_staff", "secretariat_staff", unit=("人", "")),
            Is("secretariat_space"),
            Is("secretariat_funding"),
        ),
        (
            "请为一家成员设置秘书处角色，并落实专职人员、场地、经费",
            "give one member the role of the secretariat, and provide full-time staff, space and funding",
        ),
        ours=("文件未规定专职人员人数", "the document gives no number of staff"),
        revision=2,
    ),
    Rule(
        "R13.1",
        "S0 附件1 二(一)",
        ("制订联盟章程", "a charter"),
        (BodyKind.ALLIANCE,),
        ALWAYS,
        (Happened("charter_adopted_on"),),
        ("请在章程审议通过后填写日期", "enter the day once the charter is adopted"),
    ),
    Rule(
        "R13.2",
        "S0 附件1 二(一)",
        ("近三年规划目标和任务清单", "three-year goals and a task list"),
        (BodyKind.ALLIANCE,),
        ALWAYS,
        (Is("three_year_goals"),),
        ("请制订近三年规划目标和任务清单", "draw up the three-year goals and the task list"),
    ),
    Rule(
        "R13.3",
        "S0 附件1 二(一)",
        ("年度工作计划", "an annual plan"),
        (BodyKind.ALLIANCE,),
        ALWAYS,
        (ThisYear("annual_plan_year"),),
        ("请制订当年工作计划并更新年份", "draw up this year's plan and enter its year"),
        revision=2,
        ours=("下一年的也算，计划年份最多早填一年", "next year's counts too, and none of a later year"),
    ),
    Rule(
        "R13.4",
        "S0 附件1 二(一)",
        ("每年召开 2 次全体理事会", "two full council meetings a year"),
        (BodyKind.ALLIANCE,),
        ALWAYS,
        (ThisYear("annual_plan_year"), Number("full_councils_in_year", "councils_a_year", unit=("次", ""))),  # of that year
        ("请在当年工作计划中安排全体理事会，并更新次数", "provide for the full councils in this year's plan, and enter them"),
        revision=3,
        ours=("计划召开的也计入，次年计划亦可", "those that are planned count too, also those of next year's plan"),
    ),
)
