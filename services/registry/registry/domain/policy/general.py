"""What applications are asked beside their body (S0, S3): R26–R28."""

from registry.domain.conditions import Is, Named, Number, Years
from registry.domain.names import Programme
from registry.domain.policy.rule import ENCOURAGED, IN_PRINCIPLE, PERCENT, SUBMITTING, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "R26",
        "S3 四",
        ("职业学校新设专业至少有 1 家深度合作企业", "a new major of a vocational school has a deep-cooperation enterprise"),
        (),
        SUBMITTING,
        (Number("deep_cooperation_enterprises", "deep_cooperation_enterprises"),),
        ("请与企业签订深度合作并共同制定培养方案", "win an enterprise that draws up the programme with the school"),
        when=(Is("is_vocational_school"),),
        programmes=(Programme.MAJOR_ADJUSTMENT,),
        documents=("PROGRAMME",),
    ),
    Rule(
        "R27.1",
        "S3 七",
        ("教育培训经费 60% 以上用于一线职工", "at least 60 % of training funds go to front-line staff"),
        (),
        SUBMITTING,
        (Number("front_line_training_percent", "front_line_training_percent", unit=PERCENT),),
        ("请调整教育培训经费的使用", "spend the training funds accordingly"),
        when=(Named("kind", ("ENTERPRISE",)),),
        ours=("“以上”含本数", "the number itself counts"),
        programmes=(Programme.CERTIFICATION,),
        documents=("APPLICATION_FORM",),
        revision=2,
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
        documents=("PROGRAMME",),
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
        when=(Is("is_vocational_school"),),
        programmes=(Programme.PERFORMANCE,),
        documents=("SELF_REPORT",),
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
        documents=("APPLICATION_FORM", "RECOMMENDATION"),
    ),
)
