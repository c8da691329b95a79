"""What a rule is, and the words that the tables use."""

from dataclasses import dataclass

from registry.domain.conditions import Condition, SoFar, Text
from registry.domain.names import BodyKind, Programme, Severity, Stage

REQUIRED, ENCOURAGED, IN_PRINCIPLE = Severity.REQUIRED, Severity.ENCOURAGED, Severity.IN_PRINCIPLE
ALWAYS = frozenset({Stage.FORMING, Stage.STANDING})
STANDING = frozenset({Stage.STANDING})
SUBMITTING = frozenset({Stage.SUBMITTING})
PERCENT: Text = ("%", " %")
PLAIN: Text = ("", "")


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        kinds: the kinds of bodies that it holds for.
        stages: when; at other times it is not applicable.
        conditions: all of them have to hold, or with `any_is_enough` one.
        when: the rule is applicable only where all of these hold.
        fix: what mends it.
        ours: what of it the document leaves open and we have chosen.
        programmes: the programmes whose applications it holds for.
        documents: kinds of documents of its programme that are the evidence of its facts; none where the register knows them.
        is_task: what it asks is a task of the body's further life 建设任务, for which no decision on an application waits.
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
    when: tuple[Condition, ...] = ()
    ours: Text = ("", "")
    programmes: tuple[Programme, ...] = ()
    documents: tuple[str, ...] = ()
    is_task: bool = False
    revision: int = 1

    @property
    def open(self) -> tuple[str, ...]:
        """Names of the facts that say what is still to be entered, where there is anything in them."""
        return tuple(condition.still for condition in self.conditions if isinstance(condition, SoFar))

    @property
    def evidence(self) -> tuple[str, ...]:
        """Names of the facts that it looks at."""
        return tuple(dict.fromkeys(condition.fact for condition in (*self.conditions, *self.when)))
