"""What the rules say of a body or an application: one finding a rule, from facts and thresholds alone.

A rule says *cannot be told* where a fact is missing, and *violated* only on what is known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from registry.domain.conditions import Condition, Limits, Text
from registry.domain.facts import FACTS, Facts, called
from registry.domain.limits import DEFAULTS
from registry.domain.names import Severity, Stage, Verdict
from registry.domain.policy import Rule

_STAGES: Mapping[Stage, Text] = {
    Stage.FORMING: ("组建时适用", "applies when a body is formed"),
    Stage.STANDING: ("成立后适用", "applies once a body is formed"),
    Stage.SUBMITTING: ("申报时适用", "applies to what is submitted"),
}


@dataclass(frozen=True)
class Finding:
    """What one rule says; `seen` are the facts that it looked at, `missing` is what is to be entered.

    `version` names what gave the verdict: the rule's revision, and each threshold that is not the default. `documents` are the
    kinds of documents that are its evidence; none where it is not applicable. `is_task`: see `Rule`.
    """

    rule: str
    version: str
    clause: str
    severity: Severity
    verdict: Verdict
    zh: str
    en: str
    fix: Text = ("", "")
    seen: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    is_task: bool = False

    @property
    def hinders(self) -> bool:
        """Whether a body can't be formed, or an application not be submitted, with it."""
        return self.verdict is Verdict.VIOLATED and self.severity is Severity.REQUIRED

    @property
    def suspends(self) -> bool:
        """Whether an application can't be decided in its favour as long as it cannot be told."""
        return self.verdict is Verdict.CANNOT_BE_TOLD and self.severity is Severity.REQUIRED and not self.is_task

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to settle it."""
        return self.verdict in (Verdict.VIOLATED, Verdict.CANNOT_BE_TOLD) and self.severity is not Severity.ENCOURAGED


def check(rules: Iterable[Rule], stage: Stage, facts: Facts, limits: Limits) -> list[Finding]:
    """What every rule says, in their order."""
    return [finding(rule, stage, facts, limits) for rule in rules]


def after_the_end(rules: Iterable[Rule], ended_on: date, reason: str, limits: Limits) -> list[Finding]:
    """What there is to say of a body that was dissolved on a business date; `reason` is "" where none is known."""
    because_zh, because_en = (f"；原因：{reason}", f"; reason: {reason}") if reason else ("", "")
    zh = f"组织已于 {ended_on} 解散，此后不再适用{because_zh}"
    en = f"the body was dissolved on {ended_on}, and it applies no more{because_en}"
    verdict = Verdict.NOT_APPLICABLE
    return [Finding(rule.id, version_of(rule, limits), rule.clause, rule.severity, verdict, zh, en) for rule in rules]


def finding(rule: Rule, stage: Stage, facts: Facts, limits: Limits) -> Finding:
    """What one rule says."""
    verdict, (zh, en), missing = _judged(rule, stage, facts, limits)
    seen = {name: _text(facts, name) for name in rule.evidence if facts.get(name) is not None}
    seen |= {name: _text(facts, name) for name in rule.open if facts.get(name)}
    version = version_of(rule, limits)
    documents = () if verdict is Verdict.NOT_APPLICABLE else rule.documents
    fix = _fix(rule, verdict, missing)
    return Finding(rule.id, version, rule.clause, rule.severity, verdict, zh, en, fix, seen, missing, documents, rule.is_task)


def version_of(rule: Rule, limits: Limits) -> str:
    """The rule's revision with each of its thresholds that is not the default, e.g. `2` or `1 vice_chairs_least=3`."""
    chosen = [f"{name}={limits[name]}" for name in thresholds(rule) if limits[name] != DEFAULTS[name].default]
    return " ".join([str(rule.revision), *chosen])


def thresholds(rule: Rule) -> list[str]:
    """Names of the thresholds that a rule uses."""
    bounds = [getattr(condition, bound, None) for condition in (*rule.conditions, *rule.when) for bound in ("least", "most")]
    return list(dict.fromkeys(bound for bound in bounds if isinstance(bound, str)))


def _judged(rule: Rule, stage: Stage, facts: Facts, limits: Limits) -> tuple[Verdict, Text, tuple[str, ...]]:
    if stage not in rule.stages:
        return Verdict.NOT_APPLICABLE, _joined([_STAGES[one] for one in sorted(rule.stages)]), ()
    answers = [(condition, condition.holds(facts, limits)) for condition in rule.when]
    if fail := [condition for condition, holds in answers if holds is False]:
        return Verdict.NOT_APPLICABLE, _joined(condition.found(facts, limits) for condition in fail), ()
    if missing := _entries((condition for condition, holds in answers if holds is None), facts):
        return Verdict.CANNOT_BE_TOLD, _not_entered(missing), missing
    return _of_conditions(rule, facts, limits)


def _of_conditions(rule: Rule, facts: Facts, limits: Limits) -> tuple[Verdict, Text, tuple[str, ...]]:
    by_answer: dict[bool | None, list[Condition]] = {True: [], False: [], None: []}
    for condition in rule.conditions:
        by_answer[condition.holds(facts, limits)].append(condition)
    kept, failed, unknown = by_answer[True], by_answer[False], by_answer[None]
    missing = _entries(unknown, facts)
    if kept and (rule.any_is_enough or not (failed or unknown)):
        return Verdict.SATISFIED, _joined(condition.found(facts, limits) for condition in kept), missing
    if failed and not (rule.any_is_enough and unknown):
        return Verdict.VIOLATED, _joined(condition.found(facts, limits) for condition in failed), missing
    return Verdict.CANNOT_BE_TOLD, _not_entered(missing), missing


def _entries(conditions: Iterable[Condition], facts: Facts) -> tuple[str, ...]:
    """What is to be entered for the conditions' facts: what is not there yet, or all of it where that does not do."""
    wanted = dict.fromkeys(name for condition in conditions for name in FACTS[condition.fact].entered_as)
    return tuple(name for name in wanted if facts.get(name) is None) or tuple(wanted)


def _not_entered(missing: Iterable[str]) -> Text:
    zh, en = _listed(missing)
    return f"尚未登记：{zh}", f"not entered yet: {en}"


def _listed(entries: Iterable[str]) -> Text:
    names = [(entry, *called(entry)) for entry in entries]
    return "、".join(f"{zh}（{entry}）" for entry, zh, _ in names), ", ".join(f"{en} ({entry})" for entry, _, en in names)


def _fix(rule: Rule, verdict: Verdict, missing: tuple[str, ...]) -> Text:
    """What mends it: of what cannot be told, which facts are to be entered and by which command."""
    if verdict is Verdict.VIOLATED:
        return rule.fix
    if verdict is not Verdict.CANNOT_BE_TOLD:
        return "", ""
    (zh, en), holder = _listed(missing), "application" if Stage.SUBMITTING in rule.stages else "body"
    if missing == (_OF_MEMBERS,):
        holder = "org"
    options = " ".join(_OPTIONS.get(entry, f"--fact {entry}=…") for entry in missing)
    command, (by_zh, by_en) = f"alliance {holder} update … {options}", _BY[holder]
    return f"请登记{zh}：{command}{by_zh}", f"enter {en}: {command}{by_en}"


_OF_MEMBERS = "member_regions"
_BY: Mapping[str, Text] = {
    "application": ("", ""),
    "org": ("（由各成员单位办理）", " (by each of the members)"),
    "body": (
        "（由秘书处、平台运营或填报中的申报单位办理）",
        " (by the secretariat, the operator, or the applicant while it fills in)",
    ),
}
"""Who enters it, where that is not whoever applies."""


_OPTIONS: Mapping[str, str] = {"region_code": "--region …", _OF_MEMBERS: "--region …"}
"""How the command line takes what is entered, where it is no fact of the kind or programme."""


def _joined(texts: Iterable[Text]) -> Text:
    texts = list(texts)
    return "；".join(zh for zh, _ in texts), "; ".join(en for _, en in texts)


def _text(facts: Facts, name: str) -> str:
    value = facts.get(name)
    if isinstance(value, tuple):
        return "、".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
