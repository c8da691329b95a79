"""EVALUATION 第三方建设效能评价 (S3 十六; R33): commissioned from a third party, published, used in assessment and support.

Of use the document says that results are a basis (重要依据), and no more: what was published is laid before the departments
that decide on an application of the same organization (`CheckApplication`), and decides nothing by itself. It names
assessment, funding, pilots and commendation, and makes departments responsible: to them results are published
(`ListEvaluations`), and the organization reads its own. Of publication to everybody it says nothing.
"""

from registry.domain.names import Programme
from registry.domain.procedure import Party, Procedure, State, Step
from registry.domain.programmes.common import no_conflict

_CLAUSE = "S3 十六"
_AUTHORITY = (Party.AUTHORITY,)

PROCEDURE = Procedure(
    Programme.EVALUATION,
    ("产教融合建设效能第三方评价", "third-party evaluation of effectiveness"),
    _CLAUSE,
    {"REPORT": ("评价报告", "evaluation report")},
    (
        Step(
            "commission",
            ("委托第三方", "commission"),
            _CLAUSE,
            (State.DRAFT,),
            State.ASSIGNED,
            _AUTHORITY,
            asks=("organization",),
            in_window=True,
            guards=(no_conflict(("该机构", "this evaluator")),),
        ),
        Step(
            "report",
            ("提交评价报告", "report"),
            _CLAUSE,
            (State.ASSIGNED,),
            State.SCORED,
            (Party.EVALUATOR,),
            brings=("REPORT",),
            asks=("score",),
            ours=("百分制", "out of 100"),
        ),
        Step("return", ("退回补充", "return"), _CLAUSE, (State.SCORED,), State.ASSIGNED, _AUTHORITY, asks=("reason",)),
        Step(
            "publish",
            ("公布结果", "publication"),
            _CLAUSE,
            (State.SCORED,),
            State.PUBLISHED,
            _AUTHORITY,
            ours=("向政府部门公布，不向社会公布", "to government departments, not to everybody"),
        ),
        Step(
            "cancel",
            ("取消", "cancellation"),
            _CLAUSE,
            (State.DRAFT, State.ASSIGNED),
            State.WITHDRAWN,
            _AUTHORITY,
            asks=("reason",),
        ),
    ),
)
