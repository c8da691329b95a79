"""Writes `docs/policy-rules.md` out of the rules: `python -m registry.policy_table docs/policy-rules.md`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from registry.domain.limits import DEFAULTS, limits
from registry.domain.names import BodyKind, Programme, Severity, Stage
from registry.domain.policy import RULES, Rule
from registry.domain.rules import thresholds

_LIMITS = limits({})
_SEVERITIES = {
    Severity.REQUIRED: "必须 required",
    Severity.IN_PRINCIPLE: "原则上 in principle",
    Severity.ENCOURAGED: "鼓励 encouraged",
}
_STAGES = {Stage.FORMING: "组建 forming", Stage.STANDING: "成立后 standing", Stage.SUBMITTING: "申报 submitting"}
_HEADINGS = (
    *("rule", "clause", "for", "stage", "weight", "要求 what it asks", "conditions", "facts", "evidence 佐证"),
    *("ours 文件未定", "revision"),
)
_HEAD = """# Policy rules 政策规则

Made out of `services/registry/registry/domain/policy` by `make docs`; do not edit. Every rule of R10–R28: what it asks of
a body (`alliance body check`) or of an application, by which clause, how much it weighs, and which facts it looks at. S0–S4
are the five source documents.

- **Required 必须**: a body is not formed, and nothing is submitted, where it is violated. What cannot be told stays open, and
  no application is decided in its favour with it, but for tasks of a body's further life (stage marked 建设任务 task).
- **In principle 原则上**: an exception hinders nothing and stays open to be seen.
- **Encouraged 鼓励** (also preferred, allowed): hinders nothing.
- *Evidence*: kinds of documents of its programme that prove its facts; `alliance application check` says which of them are
  attached. What the register knows itself (members, verifications, the catalogue) needs none.
- A rule's *revision* rises with every change of what it asks; each verdict names it, with the thresholds that differ.
"""


def table() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_rules(), "", *_thresholds(), ""])


def _rules() -> Iterator[str]:
    yield "## Rules 规则\n"
    yield f"| {' | '.join(_HEADINGS)} |"
    yield f"|{'---|' * len(_HEADINGS)}"
    for rule in RULES:
        cells = (
            rule.id,
            rule.clause,
            _for(rule),
            "<br>".join([*(_STAGES[stage] for stage in sorted(rule.stages)), *(["建设任务 task"] if rule.is_task else [])]),
            _SEVERITIES[rule.severity],
            "<br>".join(rule.title),
            _conditions(rule),
            "<br>".join(f"`{name}`" for name in rule.evidence),
            "<br>".join(f"`{kind}`" for kind in rule.documents),
            "<br>".join(part for part in rule.ours if part),
            str(rule.revision),
        )
        yield f"| {' | '.join(cells)} |"


def _for(rule: Rule) -> str:
    kinds: list[BodyKind | Programme] = [*rule.kinds, *rule.programmes]
    return "<br>".join(kind.name for kind in kinds)


def _conditions(rule: Rule) -> str:
    glue_zh, glue_en = ("；或 ", "; or ") if rule.any_is_enough else ("；", "; ")
    asked = [condition.asked(_LIMITS) for condition in rule.conditions]
    zh, en = glue_zh.join(zh for zh, _ in asked), glue_en.join(en for _, en in asked)
    if rule.when:
        when = [condition.asked(_LIMITS) for condition in rule.when]
        when_zh, when_en = "；".join(zh for zh, _ in when), "; ".join(en for _, en in when)
        return f"适用于：{when_zh}。{zh}<br>where {when_en}: {en}"
    return f"{zh}<br>{en}"


def _thresholds() -> Iterator[str]:
    yield "## Thresholds 阈值\n"
    yield 'Set otherwise by `ALLIANCE_POLICY_LIMITS`, e.g. `{"secretariat_staff": 2}`.\n'
    yield "| threshold | default | clause | rules |"
    yield "|---|---|---|---|"
    for limit in DEFAULTS.values():
        users = ", ".join(rule.id for rule in RULES if limit.name in thresholds(rule))
        yield f"| `{limit.name}` | {limit.default} | {limit.clause or 'our default 平台默认'} | {users} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(table(), encoding="utf-8")
