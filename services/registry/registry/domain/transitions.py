"""Transitions 办理: whether a step of a procedure may be taken now, and if not, why.

A step is refused with its reason in both languages, before anything is changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from registry.domain.conditions import Text
from registry.domain.procedure import PARTIES, STATES, Case, Party, Procedure, Refusal, State, Step
from registry.domain.rules import Finding


def hurdle(procedure: Procedure, case: Case, step: Step) -> Refusal | None:
    """What stands in the way of a step before anything is said or brought with it; told beside the step's title and clause."""
    could = case.brought | {*step.brings, *step.documents}
    there = replace(case, brought=case.brought | set(step.brings), new=could)
    return (
        _not_now(procedure, case, step)
        or _not_the_party(step, case)
        or _not_admitted(procedure, step, case)
        or _is_anothers(step, case)
        or _out_of_window(step, case)
        or _without_documents(procedure, step, there)
        or _hindered(procedure, step, case)
        or _guarded(step, there, said=False)
    )


def take(procedure: Procedure, case: Case, name: str) -> Step | Refusal:
    """The step, if it may be taken; else why not."""
    step = procedure.step(name)
    if step is None:
        now_zh, now_en = _now(procedure, case)
        return Refusal("ILLEGAL_STATE", f"没有步骤 {name[:40]}；{now_zh}", f"there is no step {name[:40]}; {now_en}")
    found = (
        _not_now(procedure, case, step)
        or _not_the_party(step, case)
        or _not_admitted(procedure, step, case)
        or _is_anothers(step, case)
        or _unsaid(step, case)
        or _out_of_window(step, case)
        or _without_documents(procedure, step, case)
        or _hindered(procedure, step, case)
        or _guarded(step, case, said=True)
    )
    return _told(step, found) if found else step


def fill(procedure: Procedure, case: Case) -> Refusal | None:
    """Why somebody who may change an application does not fill it in."""
    return next((refusal for guard in procedure.filling if (refusal := guard(case))), None)


_NAMED = frozenset({"organization", "principal", "day"})


def _guarded(step: Step, case: Case, *, said: bool) -> Refusal | None:
    """What a guard says; before anything is said, only of steps whose guards don't look at what the call names."""
    if not said and not _NAMED.isdisjoint(step.asks):
        return None
    return next((refusal for guard in step.guards if (refusal := guard(case))), None)


def _told(step: Step, refusal: Refusal) -> Refusal:
    """A refusal that says of which step it is, and by which clause."""
    zh, en = step.title
    return refusal._replace(zh=f"“{zh}”（{step.clause}）：{refusal.zh}", en=f"“{en}” ({step.clause}): {refusal.en}")


def _not_now(procedure: Procedure, case: Case, step: Step) -> Refusal | None:
    return None if case.state in step.at else Refusal("ILLEGAL_STATE", *_now(procedure, case))


def _now(procedure: Procedure, case: Case) -> Text:
    """The state, and what can be done in it: by the caller, else by others."""
    zh, en = STATES[case.state]
    at_zh, at_en = f"当前状态为“{zh}”", f"it is {en}"
    mine = [one for one in procedure.possible(case.state, case.parties) if not _is_out_of_reach(procedure, one, case)]
    if mine:
        listed = "、".join(f"{one.title[0]}（{one.name}）" for one in mine)
        return f"{at_zh}，请改办：{listed}", f"{at_en}; you can take: {', '.join(one.name for one in mine)}"
    others = [one for one in procedure.possible(case.state, frozenset(Party)) if one.by != (Party.PLATFORM,)]
    if others:
        by_zh, by_en = with_takers(others, case.state)
        return f"{at_zh}，请待他方办理：{by_zh}", f"{at_en}; it waits for: {by_en}"
    return f"{at_zh}，此后没有步骤", f"{at_en}, and no step comes after it"


_ANOTHERS = frozenset({"NOT_WHO_BEGAN", "CONFLICT_OF_INTEREST"})
"""Why guards leave a step to somebody else."""
_NEVER = frozenset({"ALREADY_DONE", "NOT_FILED_DIRECT", "NO_CENTRAL_SOE", "NOT_A_UNIVERSITY", "TO_BE_FORWARDED"})
"""Why guards leave it to nobody, as the application is."""


def _is_out_of_reach(procedure: Procedure, step: Step, case: Case) -> bool:
    """Whether the caller can't take a step of their part, whatever they say or bring."""
    refusal = _guarded(step, case, said=False)
    return _not_admitted(procedure, step, case) is not None or (refusal is not None and refusal.reason in _ANOTHERS | _NEVER)


def _is_anothers(step: Step, case: Case) -> Refusal | None:
    """What is somebody else's is told before anything is asked for."""
    refusal = _guarded(step, case, said=False)
    return refusal if refusal and refusal.reason in _ANOTHERS else None


def with_takers(steps: Sequence[Step], state: State) -> Text:
    """Steps, each with who may take it in a state."""
    zh = "、".join(f"{one.title[0]}（{one.name}，{_parties(one, state)[0]}）" for one in steps)
    return zh, ", ".join(f"{one.name} by {_parties(one, state)[1]}" for one in steps)


def _parties(step: Step, state: State) -> Text:
    takers = step.takers(state)
    return "、".join(PARTIES[one][0] for one in takers), " or ".join(PARTIES[one][1] for one in takers)


def _not_the_party(step: Step, case: Case) -> Refusal | None:
    if case.parties.intersection(step.takers(case.state)):
        return None
    zh, en = _parties(step, case.state)
    return Refusal("NOT_THE_PARTY", f"请由{zh}办理", f"it is for {en}")


_IN_ITS_HANDS = frozenset({State.DRAFT, State.SEALING, State.RETURNED})
_GIVEN_UP = frozenset({State.WITHDRAWN, State.REMOVED})


def _not_admitted(procedure: Procedure, step: Step, case: Case) -> Refusal | None:
    """Who has lost what it applied by (left the body, leads it no more) hands nothing in; it may still take it back.

    What others took up since goes on: an enterprise that left accepts the work on its challenge, a unit reports on its year.
    """
    as_applicant = Party.APPLICANT in case.parties and Party.APPLICANT in step.takers(case.state)
    if case.is_admitted or not as_applicant or case.state not in _IN_ITS_HANDS or step.to in _GIVEN_UP:
        return None
    zh, en = procedure.applicants.title
    return Refusal(
        "NOT_ADMITTED",
        f"申报单位今日不是{zh}；请先更正其类型或在组织中的角色，或撤回申报",
        f"the applicant is not {en} today; mend its type or its role in the body first, or withdraw",
    )


_ASKED: Mapping[str, Text] = {
    "reason": ("原因", "reason"),
    "organization": ("单位", "organization"),
    "principal": ("人员账号", "principal"),
    "score": ("评分 0–100", "score, 0–100"),
    "day": ("日期", "day"),
}


def _unsaid(step: Step, case: Case) -> Refusal | None:
    said = {
        "reason": bool(case.reason.strip()),
        "organization": case.named is not None,
        "principal": bool(case.principal),
        "score": case.score is not None,
        "day": case.day is not None,
    }
    missing = [one for one in step.asks if not said[one]]
    if not missing:
        return None
    zh = "、".join(f"{_ASKED[one][0]}（{one}）" for one in missing)
    return Refusal("INPUT_REQUIRED", f"请填写：{zh}", f"it needs: {', '.join(_ASKED[one][1] for one in missing)}")


def _out_of_window(step: Step, case: Case) -> Refusal | None:
    if not step.in_window or case.was_returned or case.window.holds(case.today):
        return None
    opens, closes = case.window
    fix = ("请改为答复受理中的征集（见 call list）", "answer a call that is open (see call list)")
    if opens and case.today < opens:
        fix = (f"请自 {opens} 起办理", f"come from {opens} on")
    return Refusal(
        "WINDOW_CLOSED",
        f"征集 {case.call} 的受理时间为 {opens or '…'} 至 {closes or '…'}，今日 {case.today} 不在其中；{fix[0]}",
        f"the call {case.call} is open from {opens or '…'} to {closes or '…'}, and today is {case.today}; {fix[1]}",
    )


def _without_documents(procedure: Procedure, step: Step, case: Case) -> Refusal | None:
    missing = [one for one in step.documents if one not in case.documents | case.brought]
    missing += [one for one in step.brings if one not in case.brought]
    if not missing:
        return None
    zh = "、".join(f"{procedure.documents[one][0]}（{one}）" for one in missing)
    en = ", ".join(f"{procedure.documents[one][1]} ({one})" for one in missing)
    return Refusal("DOCUMENT_REQUIRED", f"请附：{zh}", f"attach: {en}")


def _hindered(procedure: Procedure, step: Step, case: Case) -> Refusal | None:
    violated = case.hindering if step.checks_rules or step.settles_rules else ()
    untold = case.untold if step.settles_rules else ()
    if not violated and not untold:
        return None
    told = [_broken(one) for one in violated] + [_unknown(one) for one in untold]
    told += [_entering(procedure, case.state)] if untold and case.state not in procedure.facts_in else []
    reason = "RULES_VIOLATED" if violated else "FACTS_MISSING"
    return Refusal(reason, "；".join(zh for zh, _ in told), "; ".join(en for _, en in told))


def _broken(one: Finding) -> Text:
    return f"{one.rule}（{one.clause}）{one.zh}：{one.fix[0]}", f"{one.rule} ({one.clause}) {one.en}: {one.fix[1]}"


def _unknown(one: Finding) -> Text:
    """The fix names the facts that are missing."""
    return f"{one.rule}（{one.clause}）尚不能判定，{one.fix[0]}", f"{one.rule} ({one.clause}) cannot be told: {one.fix[1]}"


def _entering(procedure: Procedure, state: State) -> Text:
    """How facts come into what was handed in already, for it stays as it was."""
    back = procedure.ways_back(state)
    if not back:
        return "本阶段事实不能再改，请不予通过", "facts can't be entered any more, so decide against it"
    zh, en = with_takers(back, state)
    return f"登记前须先办理其一：{zh}", f"before they can be entered, one of these has to be taken: {en}"
