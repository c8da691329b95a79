"""CERTIFICATION 产教融合型区域、行业、企业 (S3 十四, 十五; R32): apply, cultivate, certify; entry and exit.

Those that are certified are the public catalogue.
"""

from registry.domain.names import Programme
from registry.domain.procedure import Deadline, Party, Procedure, State, Step
from registry.domain.programmes.common import correction_ends, lapse, withdraw

_ENTRY, _CATALOGUE = "S3 十四", "S3 十五"
_AUTHORITY = (Party.AUTHORITY,)

PROCEDURE = Procedure(
    Programme.CERTIFICATION,
    ("产教融合型区域、行业、企业认证", "certification as 产教融合型 region, industry or enterprise"),
    _ENTRY,
    {
        "APPLICATION_FORM": ("申请材料", "application"),
        "CULTIVATION_PLAN": ("培育方案", "cultivation plan"),
        "CULTIVATION_REPORT": ("培育总结", "report on the cultivation"),
    },
    (
        Step(
            "submit",
            ("申请", "application"),
            _ENTRY,
            (State.DRAFT,),
            State.SUBMITTED,
            (Party.APPLICANT,),
            documents=("APPLICATION_FORM",),
            in_window=True,
            checks_rules=True,
        ),
        Step("return", ("退回补正", "return"), _ENTRY, (State.SUBMITTED,), State.RETURNED, _AUTHORITY, asks=("reason",)),
        Step(
            "resubmit",
            ("补正后提交", "submission after correction"),
            _ENTRY,
            (State.RETURNED,),
            State.SUBMITTED,
            (Party.APPLICANT,),
            documents=("APPLICATION_FORM",),
            checks_rules=True,
        ),
        Step(
            "cultivate",
            ("纳入培育", "cultivation"),
            _ENTRY,
            (State.SUBMITTED,),
            State.CULTIVATED,
            _AUTHORITY,
            documents=("CULTIVATION_PLAN",),
        ),
        Step(
            "certify",
            ("认证", "certification"),
            _CATALOGUE,
            (State.CULTIVATED,),
            State.CERTIFIED,
            _AUTHORITY,
            documents=("CULTIVATION_REPORT",),
            checks_rules=True,
        ),
        Step(
            "reject",
            ("不予认证", "rejection"),
            _ENTRY,
            (State.SUBMITTED, State.CULTIVATED),
            State.REJECTED,
            _AUTHORITY,
            asks=("reason",),
        ),
        Step(
            "exit",
            ("退出", "exit"),
            _ENTRY,
            (State.CULTIVATED, State.CERTIFIED),
            State.REMOVED,
            (Party.APPLICANT, Party.AUTHORITY),
            asks=("reason",),
        ),
        withdraw(_ENTRY, State.DRAFT, State.SUBMITTED, State.RETURNED),
        lapse(_ENTRY, State.RETURNED),
    ),
    (Deadline((State.RETURNED,), correction_ends, ("补正截止", "end of the correction"), _ENTRY, "lapse"),),
)
