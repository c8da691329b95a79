"""MAJOR_ADJUSTMENT 专业动态调整与预警 (S3 四; S1 三(二), S4 二(一); R37).

Proposed by a school, or begun by a warning that it answers: a draft is a proposal where the school began it and a warning
where the authority did, and neither turns the other's into its own.
"""

from datetime import date, timedelta

from registry.domain.conditions import Text
from registry.domain.names import INSTITUTIONS, Programme
from registry.domain.procedure import Applicants, Case, Deadline, Guard, Party, Procedure, Refusal, State, Step
from registry.domain.programmes.common import by_who_began, correction_ends, lapse

ANSWER_DAYS = 60
"""Days in which a school answers a warning; our default, the documents name none."""
_CLAUSE = "S3 四"
_AUTHORITY, _SCHOOL = (Party.AUTHORITY,), (Party.APPLICANT,)


def _answer_due(case: Case) -> date | None:
    warned = case.steps("warn", "warn_again")
    return warned[-1].day + timedelta(days=ANSWER_DAYS) if warned else None


def _says(**what: Text) -> Guard:
    """Facts of the application are entered, by name, with what people call them."""

    def guard(case: Case) -> Refusal | None:
        missing = [name for name in what if not case.facts.get(name)]
        if not missing:
            return None
        zh = "、".join(f"{what[name][0]}（{name}）" for name in missing)
        return Refusal(
            "INPUT_REQUIRED", f"请填写：{zh}", f"enter {', '.join(f'{what[name][1]} ({name})' for name in missing)}"
        )

    return guard


_says_which = _says(major_code=("专业", "which major it is"))
_says_what = _says(change=("专业调整方式", "how it is changed"), major_code=("专业", "which major it is"))


PROCEDURE = Procedure(
    Programme.MAJOR_ADJUSTMENT,
    ("专业设置动态调整", "adjustment of majors"),
    _CLAUSE,
    {
        "PROPOSAL": ("论证报告", "proposal"),
        "PROGRAMME": ("人才培养方案", "programme of study"),
        "ANSWER": ("整改方案", "answer to the warning"),
    },
    (
        Step(
            "submit",
            ("申报", "proposal"),
            _CLAUSE,
            (State.DRAFT,),
            State.SUBMITTED,
            _SCHOOL,
            documents=("PROPOSAL", "PROGRAMME"),
            in_window=True,
            checks_rules=True,
            guards=(by_who_began, _says_what),
        ),
        Step("return", ("退回补正", "return"), _CLAUSE, (State.SUBMITTED,), State.RETURNED, _AUTHORITY, asks=("reason",)),
        Step(
            "resubmit",
            ("补正后提交", "submission after correction"),
            _CLAUSE,
            (State.RETURNED,),
            State.SUBMITTED,
            _SCHOOL,
            documents=("PROPOSAL", "PROGRAMME"),
            checks_rules=True,
            guards=(_says_what,),
        ),
        Step("approve", ("批准", "approval"), _CLAUSE, (State.SUBMITTED,), State.COMPLETED, _AUTHORITY, settles_rules=True),
        Step("reject", ("不予批准", "rejection"), _CLAUSE, (State.SUBMITTED,), State.REJECTED, _AUTHORITY, asks=("reason",)),
        Step(
            "warn",
            ("专业预警", "warning"),
            _CLAUSE,
            (State.DRAFT,),
            State.WARNED,
            _AUTHORITY,
            asks=("reason",),
            guards=(by_who_began, _says_which),
            ours=(f"答复期 {ANSWER_DAYS} 天", f"{ANSWER_DAYS} days to answer"),
        ),
        Step("respond", ("提交整改方案", "answer"), _CLAUSE, (State.WARNED,), State.RESPONDED, _SCHOOL, brings=("ANSWER",)),
        Step(
            "warn_again",
            ("再次预警", "another warning"),
            _CLAUSE,
            (State.RESPONDED,),
            State.WARNED,
            _AUTHORITY,
            asks=("reason",),
        ),
        Step("resolve", ("解除预警", "end of the warning"), _CLAUSE, (State.RESPONDED,), State.COMPLETED, _AUTHORITY),
        Step(
            "withdraw",
            ("撤回", "withdrawal"),
            _CLAUSE,
            (State.DRAFT, State.SUBMITTED, State.RETURNED),
            State.WITHDRAWN,
            (Party.APPLICANT, Party.AUTHORITY),
            asks=("reason",),
            guards=(by_who_began,),
            ours=("谁发起，谁撤回", "whoever began it takes it back"),
        ),
        lapse(_CLAUSE, State.RETURNED),
    ),
    (
        Deadline((State.RETURNED,), correction_ends, ("补正截止", "end of the correction"), _CLAUSE, "lapse"),
        Deadline((State.WARNED,), _answer_due, ("答复截止", "answer due"), _CLAUSE),
    ),
    Applicants(("院校", "an educational institution"), INSTITUTIONS),
    filling=(by_who_began,),
)
