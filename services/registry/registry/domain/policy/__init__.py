"""The policy 政策规则: every rule of R10–R28 as data, one place a rule, a module a document.

`docs/policy-rules.md` is made from it.

A rule's `revision` rises with every change of what it asks; findings keep it, so that a verdict of long ago says which rule
gave it. Conditions that the documents state beside a requirement's own sentence stand under that requirement's number.
"""

from registry.domain.names import BodyKind, Programme
from registry.domain.policy import alliance, community, consortium, general, units
from registry.domain.policy.rule import Rule

__all__ = ["RULES", "Rule", "of_kind", "of_programme"]

RULES: tuple[Rule, ...] = (*alliance.RULES, *community.RULES, *consortium.RULES, *units.RULES, *general.RULES)
"""All rules, in the order of their numbers."""


def of_kind(kind: BodyKind) -> list[Rule]:
    """The rules of a kind of body; none for a kind that can be a draft and no more."""
    return [rule for rule in RULES if kind in rule.kinds]


def of_programme(programme: Programme) -> list[Rule]:
    """The rules of what is submitted in a programme, beside those of the body that it is for."""
    return [rule for rule in RULES if programme in rule.programmes]
