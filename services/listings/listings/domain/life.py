"""The life of a listing: draft → published → withdrawn, expired or fulfilled; a table, and a look-up in it."""

from listings.domain.names import STATE_NAMES, State

STEPS: dict[tuple[State, str], State] = {
    (State.DRAFT, "revise"): State.DRAFT,
    (State.DRAFT, "publish"): State.PUBLISHED,
    (State.DRAFT, "withdraw"): State.WITHDRAWN,
    (State.PUBLISHED, "revise"): State.PUBLISHED,
    (State.PUBLISHED, "withdraw"): State.WITHDRAWN,
    (State.PUBLISHED, "expire"): State.EXPIRED,
    (State.PUBLISHED, "fulfil"): State.FULFILLED,
}
_VERBS = {"revise": "修订", "publish": "发布", "withdraw": "撤回", "expire": "到期", "fulfil": "标记达成"}


class IllegalStepError(Exception):
    """A step that the listing's state does not allow; says what is possible, in both languages."""

    def __init__(self, state: State, verb: str) -> None:
        possible = [done for (at, done) in STEPS if at is state and done != "expire"]
        zh, en = STATE_NAMES[state]
        super().__init__(f"{en}: {verb}")
        can_zh = f"请改为{'、'.join(_VERBS[one] for one in possible)}" if possible else "这是终态，请另行新建"
        can_en = ", ".join(possible) or "nothing (final), enter a new listing"
        self.zh = f"该信息{zh}，不能{_VERBS[verb]}；{can_zh}"
        self.en = f"the listing is {en}, so it can't {verb}; possible: {can_en}"


def may(state: State, verb: str) -> bool:
    """Whether a state allows a verb."""
    return (state, verb) in STEPS


def step(state: State, verb: str) -> State:
    """The state after a verb. Raises `IllegalStepError`."""
    after = STEPS.get((state, verb))
    if after is None:
        raise IllegalStepError(state, verb)
    return after
