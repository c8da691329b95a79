"""Registry: the life of a body."""

import pytest

from registry.domain.life import STEPS, IllegalStepError, step
from registry.domain.names import BodyState

DRAFT, FORMED, SUSPENDED, DISSOLVED = BodyState
VERBS = ("form", "suspend", "resume", "dissolve")
ALLOWED = {
    (DRAFT, "form"): FORMED,
    (DRAFT, "dissolve"): DISSOLVED,
    (FORMED, "suspend"): SUSPENDED,
    (FORMED, "dissolve"): DISSOLVED,
    (SUSPENDED, "resume"): FORMED,
    (SUSPENDED, "dissolve"): DISSOLVED,
}


@pytest.mark.parametrize("state", BodyState)
@pytest.mark.parametrize("verb", VERBS)
def test_a_step_is_taken_where_it_is_allowed_and_refused_everywhere_else(state: BodyState, verb: str) -> None:
    if (state, verb) in ALLOWED:
        assert step(state, verb) is ALLOWED[state, verb]
        return
    with pytest.raises(IllegalStepError) as refused:
        step(state, verb)
    possible = [other for at, other in STEPS if at is state]
    assert refused.value.en.endswith(f"possible: {', '.join(possible) or 'nothing (final)'}")


def test_a_dissolved_body_stays_dissolved() -> None:
    with pytest.raises(IllegalStepError) as refused:
        step(DISSOLVED, "form")
    assert "已解散" in refused.value.zh
    assert "无（终态）" in refused.value.zh


def test_a_refusal_says_state_verb_and_what_is_possible() -> None:
    with pytest.raises(IllegalStepError) as refused:
        step(DRAFT, "suspend")
    assert refused.value.zh == "组织筹建，不能暂停；可进行：成立、解散"
    assert refused.value.en == "the body is draft, so it can't suspend; possible: form, dissolve"


def test_a_suspension_and_its_end_bring_the_body_back() -> None:
    assert step(step(FORMED, "suspend"), "resume") is FORMED


def test_no_step_leads_back_to_a_draft_and_every_state_is_reached() -> None:
    assert set(STEPS.values()) == {FORMED, SUSPENDED, DISSOLVED}


def test_a_verb_that_is_not_in_the_table_is_in_no_state_possible() -> None:
    assert {verb for _, verb in STEPS} == set(VERBS)
