"""The life of a body: draft → formed ⇄ suspended → dissolved; a table, and a look-up in it."""

from registry.domain.names import BodyState

STEPS: dict[tuple[BodyState, str], BodyState] = {
    (BodyState.DRAFT, "form"): BodyState.FORMED,
    (BodyState.FORMED, "suspend"): BodyState.SUSPENDED,
    (BodyState.SUSPENDED, "resume"): BodyState.FORMED,
    (BodyState.DRAFT, "dissolve"): BodyState.DISSOLVED,
    (BodyState.FORMED, "dissolve"): BodyState.DISSOLVED,
    (BodyState.SUSPENDED, "dissolve"): BodyState.DISSOLVED,
}
STATES = {
    BodyState.DRAFT: "筹建",
    BodyState.FORMED: "已成立",
    BodyState.SUSPENDED: "暂停",
    BodyState.DISSOLVED: "已解散",
}
_VERBS = {"form": "成立", "suspend": "暂停", "resume": "恢复", "dissolve": "解散"}


class IllegalStepError(Exception):
    """A step that the body's state does not allow; says what is possible, in both languages."""

    def __init__(self, state: BodyState, verb: str) -> None:
        possible = [done for (at, done) in STEPS if at is state]
        super().__init__(f"{state.name}: {verb}")
        self.zh = (
            f"组织{STATES[state]}，不能{_VERBS[verb]}；可进行：{'、'.join(_VERBS[one] for one in possible) or '无（终态）'}"
        )
        self.en = f"the body is {state.name.lower()}, so it can't {verb}; possible: {', '.join(possible) or 'nothing (final)'}"


def step(state: BodyState, verb: str) -> BodyState:
    """The state after a verb. Raises `IllegalStepError`."""
    after = STEPS.get((state, verb))
    if after is None:
        raise IllegalStepError(state, verb)
    return after
