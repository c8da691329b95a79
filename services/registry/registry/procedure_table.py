"""Writes `docs/procedures.md` out of the programmes: `python -m registry.procedure_table docs/procedures.md`."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from registry.domain.conditions import Text
from registry.domain.procedure import PARTIES, STATES, Procedure, State, Step
from registry.domain.programmes import PROCEDURES

_HEADINGS = ("step", "步骤", "from", "to", "who 办理", "needs 需要", "clause", "ours 文件未定")
_ASKED = {
    "reason": "`--reason`",
    "organization": "`--organization`",
    "principal": "`--principal`",
    "score": "`--score`",
    "day": "`--day`",
}
_HEAD = """# Procedures 工作程序

Made out of `services/registry/registry/domain/programmes` by `make docs`; do not edit. Every programme of R28–R37: its
states, who takes which step, what each needs, and what a last day does. S0–S4 are the five source documents.

```sh
alliance call open certification 2026 --authority ORG …                # the authority's call 征集; its window is the clause's
alliance application create certification "题名" --call CALL [--applicant ORG] [--body BODY] [--fact NAME=VALUE]
alliance application steps APPLICATION                                 # what can be taken now, by whom, and what is in the way
alliance application take APPLICATION submit --document APPLICATION_FORM=表.pdf --reason "…"
alliance application check APPLICATION                                 # what the rules say of it (policy-rules.md)
```

A draft body (community, pilot, support unit, consortium, alliance) is opened by the platform's operator (`alliance body
create`); the applicant fills it in from when its application begins. *Needs*: kinds of documents that have to be there (with +
those that come with the very step), what the call has to say, *window* where it counts only within the call's days, *rules*
where no required rule may be violated, *rules told* where each also has to be known. Each step records who, when and why; a
refusal names what is missing.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for one in PROCEDURES.values() for line in _procedure(one)), ""])


def _procedure(one: Procedure) -> Iterator[str]:
    yield f"## {one.programme.name} {one.title[0]}\n"
    yield f"{one.title[1]} ({one.clause}).\n"
    yield f"- For 申报单位: {_both(one.applicants.title)}."
    yield f"- Documents 材料: {'; '.join(_paper(one, kind) for kind in one.documents) or 'none'}."
    for deadline in one.deadlines:
        then = f"then `{deadline.step}`" if deadline.step else "told, and nothing else"
        yield f"- Last day 期限: {_both(deadline.title)}, in {_states(deadline.at)}; {then} ({deadline.clause})."
    yield "\n```mermaid\nstateDiagram-v2"
    yield from _diagram(one)
    yield "```\n"
    yield f"| {' | '.join(_HEADINGS)} |"
    yield f"|{'---|' * len(_HEADINGS)}"
    for step in one.steps:
        to = "as the case is 视情况" if step.after else _state(step.to) if step.to else "stays 不变"
        ours = "<br>".join(part for part in step.ours if part)
        cells = (
            f"`{step.name}`",
            _both(step.title, "<br>"),
            _states(step.at),
            to,
            _takers(step),
            _needs(step),
            step.clause,
            ours,
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _diagram(one: Procedure) -> Iterator[str]:
    for state in dict.fromkeys(state for step in one.steps for state in (*step.at, *([step.to] if step.to else []))):
        yield f"  {state.name} : {_both(STATES[state])}"
    yield "  [*] --> DRAFT"
    for step in one.steps:
        yield from (f"  {state.name} --> {step.to.name} : {step.name}" for state in step.at if step.to and step.to != state)


def _paper(one: Procedure, kind: str) -> str:
    marks = [*(["PDF"] if kind in one.pdf_only else []), *(["personal 个人材料"] if kind in one.personal else [])]
    marked = f" ({', '.join(marks)})" if marks else ""
    return f"`{kind}` {_both(one.documents[kind])}{marked}"


def _takers(step: Step) -> str:
    if step.turns:
        return "<br>".join(f"{_state(state)}: {_both(PARTIES[party])}" for state, party in step.turns.items())
    return "<br>".join(_both(PARTIES[party]) for party in step.by)


def _needs(step: Step) -> str:
    needs = [
        *(f"`{kind}`" for kind in step.documents),
        *(f"+`{kind}`" for kind in step.brings),
        *(_ASKED[one] for one in step.asks),
        *(f"[{_ASKED[one]}]" for one in step.takes),
        *(["window 受理期内"] if step.in_window else []),
        *(["rules told 规则均已明确"] if step.settles_rules else ["rules 无违反"] if step.checks_rules else []),
    ]
    return "<br>".join(needs)


def _states(states: Iterable[State]) -> str:
    return "<br>".join(_state(one) for one in states)


def _state(state: State) -> str:
    return STATES[state][0]


def _both(text: Text, glue: str = " ") -> str:
    return glue.join(text)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
