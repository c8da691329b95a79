"""The procedure of communities: sealed by every lead and the province, submitted in its window, reviewed, corrected (R29)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from registry.domain.names import MemberRole, OrgType, Programme
from registry.domain.procedure import Effect, Party, State, Step, Unit
from registry.domain.programmes import PROCEDURES
from registry.domain.programmes.common import CORRECTION_DAYS
from registry.domain.transitions import hurdle
from tests.unit.walking import (
    APPLICANT,
    AUTHORITY,
    DAY,
    EXPERTS,
    LEADS,
    PROVINCE,
    SCHOOL,
    UNIVERSITY,
    Walk,
    begun,
    due_on,
)

LAST_DAY = date(2026, 10, 31)  # of the window


def community(**more: Any) -> Walk:
    members = frozenset(lead.name for lead in LEADS.values())
    called = {PROVINCE.name: "某市教委", AUTHORITY.name: "某部教育司"}
    return begun(Programme.COMMUNITY, **{"leads": LEADS, "members": members, "names": called, **more})


def sealing() -> Walk:
    """A community's form that everybody has sealed."""
    walk = community()
    walk.attach("APPLICATION_FORM", "EVIDENCE")
    walk.took("start_sealing", named=PROVINCE)
    for lead in LEADS.values():
        walk.took("seal", lead, Party.LEAD)
    walk.took("seal", PROVINCE, Party.PROVINCE)
    walk.attach("SEALED_FORM")
    return walk


def test_a_community_is_sealed_submitted_reviewed_and_reported() -> None:
    walk = sealing()
    assert walk.took("submit") is State.SUBMITTED
    assert walk.took("approve", PROVINCE, Party.PROVINCE) is State.REPORTED
    assert walk.took("accept", AUTHORITY, Party.AUTHORITY) is State.RUNNING
    assert walk.effects[-1] is Effect.FORM


def test_a_community_is_not_submitted_without_every_seal() -> None:
    walk = community()
    walk.attach("APPLICATION_FORM", "EVIDENCE", "SEALED_FORM")
    walk.took("start_sealing", named=PROVINCE)
    for lead in (APPLICANT, UNIVERSITY):
        walk.took("seal", lead, Party.LEAD)
    walk.refused("ALREADY_DONE", "seal", UNIVERSITY, Party.LEAD)
    walk.case = replace(walk.case, names={**walk.case.names, SCHOOL.name: "某职业学校"})
    refusal = walk.refused("SEALS_MISSING", "submit")
    assert "尚缺盖章：某市教委、某职业学校；请" in refusal.zh
    walk.refused("NOT_THE_PARTY", "seal", EXPERTS, Party.EXPERT)


@pytest.mark.parametrize(
    ("day", "is_open"),
    [(date(2025, 12, 31), False), (date(2026, 1, 1), True), (date(2026, 10, 31), True), (date(2026, 11, 1), False)],
)
def test_a_community_is_submitted_within_the_window(day: date, is_open: bool) -> None:
    walk = sealing()
    walk.on(day)
    if is_open:
        walk.took("submit")
    else:
        assert "2026-10-31" in walk.refused("WINDOW_CLOSED", "submit").zh


def test_the_province_is_that_of_a_lead_and_its_education_department_recommends() -> None:
    walk = community(authority=AUTHORITY.name)
    walk.attach("APPLICATION_FORM", "EVIDENCE")
    walk.refused("NOT_A_PROVINCE_OF_A_LEAD", "start_sealing", named=PROVINCE._replace(region_code="440000"))
    for wrong in (
        PROVINCE._replace(org_type=OrgType.UNIVERSITY),
        PROVINCE._replace(verified=False),
        PROVINCE._replace(region_code="120100"),
        PROVINCE._replace(region_code="120101"),
        PROVINCE._replace(region_code=""),
        AUTHORITY,
    ):
        assert "省级教育行政部门" in walk.refused("NOT_A_PROVINCIAL_DEPARTMENT", "start_sealing", named=wrong).zh
    for called, is_one in (
        *dict.fromkeys(
            ("某市教委", "某省教育厅", "某市教育委员会", "某兵团教育局", "某省教育厅（某省委教育工委）"), True
        ).items(),
        *dict.fromkeys(("某省农业农村厅", "某教育考试院", "某教育科学研究院", "某教育学院", "某市民族宗教委"), False).items(),
        *dict.fromkeys(("某市教育委员会考试中心", "某省教育厅研究院", "某省教育"), False).items(),
    ):
        found = walk.tried("start_sealing", APPLICANT, Party.APPLICANT, named=PROVINCE, names={PROVINCE.name: called})
        assert isinstance(found, Step) is is_one
    walk.refused("INPUT_REQUIRED", "start_sealing")
    for province in ("110000", "120000", "310000"):
        assert isinstance(
            walk.tried("start_sealing", APPLICANT, Party.APPLICANT, named=PROVINCE._replace(region_code=province)), Step
        )


def moved(walk: Walk, region: str) -> None:
    """Let the university be where no lead was before."""
    university = UNIVERSITY._replace(region_code=region)
    walk.case = replace(walk.case, leads={**LEADS, MemberRole.LEAD_UNIVERSITY: university})


def has_become(walk: Walk, province: Unit) -> None:
    """Let the province that sealed be another than it was."""
    walk.case = replace(walk.case, units={**walk.case.units, PROVINCE.name: province})


def test_the_province_that_sealed_is_that_of_a_lead_when_the_form_is_handed_in() -> None:
    walk = sealing()
    moved(walk, "440000")
    assert "reopen" in walk.refused("NOT_A_PROVINCE_OF_A_LEAD", "submit").zh
    moved(walk, "120100")
    assert walk.took("submit") is State.SUBMITTED, "it is where one of its cities is"
    walk.took("return", PROVINCE, Party.PROVINCE, reason="补正")
    moved(walk, "440000")
    told = walk.refused("NOT_A_PROVINCE_OF_A_LEAD", "resubmit", **FORM)
    assert "start_sealing" in told.zh
    assert "reopen" not in told.zh, "it is in their hands"
    moved(walk, UNIVERSITY.region_code)
    assert walk.took("resubmit", **FORM) is State.SUBMITTED
    moved(walk, "440000")
    assert "return" in walk.refused("NOT_A_PROVINCE_OF_A_LEAD", "approve", PROVINCE, Party.PROVINCE).zh
    moved(walk, UNIVERSITY.region_code)
    assert walk.took("approve", PROVINCE, Party.PROVINCE) is State.REPORTED
    moved(walk, "440000")
    assert "return" in walk.refused("NOT_A_PROVINCE_OF_A_LEAD", "accept", AUTHORITY, Party.AUTHORITY).zh


@pytest.mark.parametrize("wrong", [PROVINCE._replace(verified=False), PROVINCE._replace(region_code="120100")])
def test_the_province_that_sealed_is_a_provincial_department_when_the_form_is_handed_in(wrong: Unit) -> None:
    walk = sealing()
    has_become(walk, wrong)
    walk.refused("NOT_A_PROVINCIAL_DEPARTMENT", "submit")
    has_become(walk, PROVINCE)
    walk.took("submit")
    walk.took("return", PROVINCE, Party.PROVINCE, reason="补正")
    has_become(walk, wrong)
    walk.refused("NOT_A_PROVINCIAL_DEPARTMENT", "resubmit", **FORM)


def test_what_was_filed_direct_asks_nothing_of_a_province_that_was_named_for_nothing() -> None:
    walk = community(facts={"lead_is_central_soe": True})
    walk.attach("APPLICATION_FORM", "EVIDENCE", "SEALED_FORM")
    walk.took("start_sealing", named=PROVINCE)
    for lead in LEADS.values():
        walk.took("seal", lead, Party.LEAD)
    walk.took("file_direct")
    walk.took("return", AUTHORITY, Party.AUTHORITY, reason="补正")
    has_become(walk, PROVINCE._replace(verified=False))
    assert walk.took("resubmit", **FORM) is State.REPORTED


def test_a_province_that_is_dropped_has_no_part_any_more() -> None:
    other = PROVINCE._replace(name="organizations/other", region_code="310000")
    walk = community(names={PROVINCE.name: "某市教委", other.name: "另一市教委"})
    walk.attach("APPLICATION_FORM", "EVIDENCE")

    def released(step: str, named: Unit | None = None) -> frozenset[str]:
        found = PROCEDURES[Programme.COMMUNITY].step(step)
        assert found
        return found.releases(replace(walk.case, named=named))

    assert released("start_sealing", PROVINCE) == frozenset(), "nobody was named before"
    walk.took("start_sealing", named=PROVINCE)
    assert released("reopen") == {PROVINCE.name}
    assert released("return") == frozenset(), "what comes back from it goes to it again"
    walk.took("reopen", reason="更换")
    assert released("start_sealing", PROVINCE) == frozenset()
    assert released("start_sealing", other) == {PROVINCE.name}
    assert released("start_sealing") == {PROVINCE.name}, "filed direct"


def test_a_central_soe_files_direct() -> None:
    walk = community(facts={"lead_is_central_soe": True})
    walk.attach("APPLICATION_FORM", "EVIDENCE", "SEALED_FORM")
    walk.took("start_sealing")
    walk.refused("NO_PROVINCE", "submit")
    walk.refused("SEALS_MISSING", "file_direct")
    for lead in LEADS.values():
        walk.took("seal", lead, Party.LEAD)
    assert walk.took("file_direct") is State.REPORTED


def filed_direct() -> Walk:
    """A central SOE's community on the ministry's table, without a province."""
    walk = community(facts={"lead_is_central_soe": True})
    walk.attach("APPLICATION_FORM", "EVIDENCE", "SEALED_FORM")
    walk.took("start_sealing")
    for lead in LEADS.values():
        walk.took("seal", lead, Party.LEAD)
    walk.took("file_direct")
    return walk


def test_what_was_filed_direct_goes_back_to_the_ministry_after_its_correction() -> None:
    walk = filed_direct()
    walk.took("return", AUTHORITY, Party.AUTHORITY, reason="补正")
    form: dict[str, Any] = {"brought": frozenset({"SEALED_FORM"})}
    walk.refused("NO_CENTRAL_SOE", "resubmit", **form, facts={"lead_is_central_soe": False})
    assert walk.took("resubmit", **form) is State.REPORTED
    walk.took("confirm_direct", AUTHORITY, Party.AUTHORITY, reason="已对照央企名录")
    assert walk.took("accept", AUTHORITY, Party.AUTHORITY) is State.RUNNING


def test_a_direct_filing_goes_on_once_the_authority_has_confirmed_that_it_is_a_central_soe() -> None:
    walk = filed_direct()
    told = walk.refused("NOT_CONFIRMED", "accept", AUTHORITY, Party.AUTHORITY)
    assert "confirm_direct" in told.zh
    walk.refused("NOT_THE_PARTY", "confirm_direct", APPLICANT, Party.APPLICANT, reason="我是央企")
    walk.refused("INPUT_REQUIRED", "confirm_direct", AUTHORITY, Party.AUTHORITY)
    assert "confirm_direct" in walk.refused("ILLEGAL_STATE", "magic", AUTHORITY, Party.AUTHORITY).en
    assert walk.took("confirm_direct", AUTHORITY, Party.AUTHORITY, reason="已对照央企名录") is State.REPORTED
    assert "confirm_direct" not in walk.refused("ILLEGAL_STATE", "magic", AUTHORITY, Party.AUTHORITY).en, "not offered again"
    walk.refused("ALREADY_DONE", "confirm_direct", AUTHORITY, Party.AUTHORITY, reason="再次")
    walk.took("return", AUTHORITY, Party.AUTHORITY, reason="补正")
    walk.took("resubmit", brought=frozenset({"SEALED_FORM"}))
    assert walk.took("accept", AUTHORITY, Party.AUTHORITY) is State.RUNNING, "who applies is the same"


def test_what_came_by_way_of_a_province_needs_no_confirmation() -> None:
    walk = sealing()
    walk.took("submit")
    walk.took("approve", PROVINCE, Party.PROVINCE)
    walk.refused("NOT_FILED_DIRECT", "confirm_direct", AUTHORITY, Party.AUTHORITY, reason="核实")
    assert walk.took("accept", AUTHORITY, Party.AUTHORITY) is State.RUNNING


def test_what_was_returned_and_is_sealed_again_has_its_days_for_corrections_not_the_window() -> None:
    walk = filed_direct()
    walk.on(LAST_DAY)
    walk.took("return", AUTHORITY, Party.AUTHORITY, reason="补正")
    last = LAST_DAY + timedelta(days=CORRECTION_DAYS)
    walk.on(last)
    walk.case = replace(walk.case, facts={})
    walk.took("start_sealing", named=PROVINCE)
    for lead in LEADS.values():
        walk.took("seal", lead, Party.LEAD)
    walk.took("seal", PROVINCE, Party.PROVINCE)
    assert due_on(Programme.COMMUNITY, walk.case) == last
    walk.refused("FORM_OUTDATED", "submit")
    form: dict[str, Any] = {"brought": frozenset({"SEALED_FORM"})}
    assert walk.took("submit", **form) is State.SUBMITTED, "now by way of a province"
    walk.took("return", PROVINCE, Party.PROVINCE, reason="补正")
    assert walk.took("resubmit", brought=frozenset({"SEALED_FORM"})) is State.SUBMITTED


def test_who_is_no_central_soe_does_not() -> None:
    sealing().refused("NO_CENTRAL_SOE", "file_direct")


def test_only_the_lead_enterprise_applies() -> None:
    walk = begun(Programme.COMMUNITY, UNIVERSITY, leads=LEADS)
    walk.attach("APPLICATION_FORM", "EVIDENCE")
    walk.refused("NOT_THE_LEAD", "start_sealing", UNIVERSITY, named=PROVINCE)


def test_what_was_returned_is_sealed_again_or_corrected() -> None:
    walk = sealing()
    walk.took("submit")
    walk.refused("INPUT_REQUIRED", "return", PROVINCE, Party.PROVINCE)
    walk.took("return", PROVINCE, Party.PROVINCE, reason="补正")
    walk.refused("DOCUMENT_REQUIRED", "resubmit")
    assert walk.took("resubmit", brought=frozenset({"SEALED_FORM"})) is State.SUBMITTED
    walk.took("return", PROVINCE, Party.PROVINCE, reason="补正")
    walk.took("start_sealing", named=PROVINCE)
    walk.refused("SEALS_MISSING", "submit")


@pytest.mark.parametrize("returned", [False, True])
def test_a_form_that_is_taken_back_for_changes_is_sealed_again(returned: bool) -> None:
    walk = sealing()
    if returned:
        walk.took("submit")
        walk.took("return", PROVINCE, Party.PROVINCE, reason="补正")
        walk.took("start_sealing", named=PROVINCE)
        walk.took("seal", PROVINCE, Party.PROVINCE)
    due = due_on(Programme.COMMUNITY, walk.case)
    walk.refused("INPUT_REQUIRED", "reopen")
    assert walk.took("reopen", reason="更正事实") is (State.RETURNED if returned else State.DRAFT)
    assert due_on(Programme.COMMUNITY, walk.case) == due
    if returned:
        walk.refused("SEALS_MISSING", "resubmit", brought=frozenset({"SEALED_FORM"}))
    walk.took("start_sealing", named=PROVINCE)
    walk.refused("SEALS_MISSING", "submit")


@pytest.mark.parametrize("step", ["return", "reject"])
def test_the_province_reviews_what_is_submitted_and_the_ministry_what_is_reported(step: str) -> None:
    reviewers = ((PROVINCE, Party.PROVINCE), (AUTHORITY, Party.AUTHORITY))
    procedure = PROCEDURES[Programme.COMMUNITY]
    for state, (whose, other) in ((State.SUBMITTED, reviewers), (State.REPORTED, reviewers[::-1])):
        walk = community(state=state)
        walk.refused("NOT_THE_PARTY", step, *other, reason="补正")
        assert isinstance(walk.tried(step, *whose, reason="补正"), Step)
        offered = [{one.name for one in procedure.possible(state, frozenset({party}))} for _, party in (whose, other)]
        assert [step in names for names in offered] == [True, False]


NEW_LEAD = Unit("organizations/new", OrgType.UNIVERSITY, "120000", verified=True)


def swap(walk: Walk) -> None:
    """Let another university lead."""
    walk.case = replace(walk.case, leads={**walk.case.leads, MemberRole.LEAD_UNIVERSITY: NEW_LEAD})


def test_a_community_is_never_formed_with_a_lead_that_has_not_sealed() -> None:
    walk = sealing()
    walk.took("submit")
    before = walk.case
    swap(walk)
    assert "return" in walk.refused("SEALS_MISSING", "approve", PROVINCE, Party.PROVINCE).zh
    walk.case = before
    walk.took("approve", PROVINCE, Party.PROVINCE)
    swap(walk)
    walk.refused("SEALS_MISSING", "accept", AUTHORITY, Party.AUTHORITY)
    walk.took("return", AUTHORITY, Party.AUTHORITY, reason="更换了牵头高校")
    form: dict[str, Any] = {"brought": frozenset({"SEALED_FORM"})}
    assert "start_sealing" in walk.refused("SEALS_MISSING", "resubmit", **form).zh
    walk.took("start_sealing", named=PROVINCE)
    for lead in (APPLICANT, NEW_LEAD, SCHOOL):
        walk.took("seal", lead, Party.LEAD)
    walk.took("seal", PROVINCE, Party.PROVINCE)
    walk.took("submit", **form)
    walk.took("approve", PROVINCE, Party.PROVINCE)
    assert walk.took("accept", AUTHORITY, Party.AUTHORITY) is State.RUNNING


FORM: dict[str, Any] = {"brought": frozenset({"SEALED_FORM"})}


def changed(walk: Walk) -> None:
    """Let the form, its evidence or the body's facts be others."""
    walk.case = replace(walk.case, content=f"{walk.case.content} and more")


def sealed_again(walk: Walk) -> None:
    """Let the form go round once more."""
    walk.took("start_sealing", named=PROVINCE)
    for lead in LEADS.values():
        walk.took("seal", lead, Party.LEAD)
    walk.took("seal", PROVINCE, Party.PROVINCE)


def test_seals_end_with_what_they_were_put_on() -> None:
    walk = sealing()
    walk.took("submit")
    walk.took("return", PROVINCE, Party.PROVINCE, reason="补正")
    before = walk.case
    assert walk.took("resubmit", **FORM) is State.SUBMITTED, "nothing of it has changed"
    walk.case = before
    changed(walk)
    told = walk.refused("SEALS_MISSING", "resubmit", **FORM)
    assert all(part in told.zh for part in ("某市教委", SCHOOL.name, "原章失效", "start_sealing"))
    sealed_again(walk)
    walk.refused("FORM_OUTDATED", "submit")
    walk.refused("FORM_OUTDATED", "submit", **FORM, new=frozenset())  # the old one, brought once more
    assert walk.took("submit", **FORM) is State.SUBMITTED
    assert walk.took("approve", PROVINCE, Party.PROVINCE) is State.REPORTED


def test_who_sealed_what_has_changed_since_seals_again_while_the_form_goes_round() -> None:
    walk = sealing()
    changed(walk)
    walk.refused("SEALS_MISSING", "submit")
    for lead in LEADS.values():
        walk.took("seal", lead, Party.LEAD)
        walk.refused("ALREADY_DONE", "seal", lead, Party.LEAD)
    assert "原章失效" in walk.refused("SEALS_MISSING", "submit").zh
    walk.took("seal", PROVINCE, Party.PROVINCE)
    assert walk.took("submit") is State.SUBMITTED


def test_a_form_of_before_it_was_taken_back_is_not_filed() -> None:
    walk = community(facts={"lead_is_central_soe": True})
    walk.attach("APPLICATION_FORM", "EVIDENCE", "SEALED_FORM")
    walk.took("start_sealing")
    walk.took("reopen", reason="更正")
    walk.took("start_sealing")
    for lead in LEADS.values():
        walk.took("seal", lead, Party.LEAD)
    walk.refused("FORM_OUTDATED", "file_direct")
    step = PROCEDURES[Programme.COMMUNITY].step("file_direct")
    assert step
    assert hurdle(PROCEDURES[Programme.COMMUNITY], walk.case, step) is None, "it comes with the step"
    assert walk.took("file_direct", **FORM) is State.REPORTED


@pytest.mark.parametrize("state", [State.DRAFT, State.SEALING])
def test_what_is_not_submitted_lapses_after_the_window(state: State) -> None:
    walk = community(state=state)
    procedure = PROCEDURES[Programme.COMMUNITY]
    for day, lapses in ((date(2026, 10, 31), False), (date(2026, 11, 1), True)):
        walk.on(day)
        step = procedure.overdue(walk.case)
        assert (step is not None) is lapses
    assert step is not None
    assert walk.took("lapse", party=Party.PLATFORM) is State.LAPSED


def test_a_correction_has_thirty_days() -> None:
    walk = sealing()
    walk.took("submit")
    walk.took("return", PROVINCE, Party.PROVINCE, reason="补正")
    procedure = PROCEDURES[Programme.COMMUNITY]
    last = DAY + timedelta(days=CORRECTION_DAYS)
    assert due_on(Programme.COMMUNITY, walk.case) == last
    for day, lapses in ((last, False), (last + timedelta(days=1), True)):
        walk.on(day)
        assert (procedure.overdue(walk.case) is not None) is lapses
