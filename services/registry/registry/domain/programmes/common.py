"""What several programmes ask in the same way."""

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, timedelta

from registry.domain.conditions import Text
from registry.domain.names import MemberRole, OrgType
from registry.domain.procedure import FILLED_IN, Case, Guard, Party, Refusal, State, Step, Unit

CORRECTION_DAYS = 30
"""Days in which what was returned can be handed in again; our default, the documents name none."""


def withdraw(clause: str, *at: State) -> Step:
    """The applicant takes it back."""
    return Step("withdraw", ("撤回", "withdrawal"), clause, at, State.WITHDRAWN, (Party.APPLICANT,), asks=("reason",))


def withdraw_of_leads(clause: str, roles: Collection[MemberRole], *at: State) -> Step:
    """The applicant takes it back; or, of what it fills in, who holds one of the roles by which the body is applied for,
    once the applicant does not: else nobody could apply for it anew.
    """
    alone = {state: Party.APPLICANT for state in at if state not in FILLED_IN}

    def left_by_its_applicant(case: Case) -> Refusal | None:
        if Party.APPLICANT in case.parties or Party.LEAD not in case.parties:
            return None
        takes_its_place = any(role in case.leads and case.leads[role].name == case.unit.name for role in roles)
        if takes_its_place and not case.is_admitted:
            return None
        who = case.called(case.applicant.name)
        return Refusal("NOT_WHO_BEGAN", f"由{who}申报，请由该单位办理", f"{who} applies; leave it to them")

    return replace(
        withdraw(clause, *at),
        by=(Party.APPLICANT, Party.LEAD),
        turns=alone,
        guards=(left_by_its_applicant,),
        ours=(
            "申报单位不再牵头的，可由接替它的牵头单位撤回",
            "also by the lead that took the applicant's place, once that leads no more",
        ),
    )


def by_who_began(case: Case) -> Refusal | None:
    """What the authority began is its own to go on with, and not the applicant's; and the other way round."""
    own, other = Party.APPLICANT, Party.AUTHORITY
    if case.begun_by == case.authority:
        own, other = other, own
    if not case.begun_by or own in case.parties or other not in case.parties:
        return None
    who = case.called(case.begun_by)
    return Refusal("NOT_WHO_BEGAN", f"由{who}发起，请由该单位办理", f"{who} began it; leave it to them")


def lapse(clause: str, *at: State) -> Step:
    """The platform ends what was not handed in in time."""
    return Step("lapse", ("逾期失效", "lapse"), clause, at, State.LAPSED, (Party.PLATFORM,))


def window_closes(case: Case) -> date | None:
    """The last day of the window."""
    return case.window.closes_on


def correction_ends(case: Case) -> date | None:
    """The last day on which what was returned can be handed in again."""
    returned = case.steps("return")
    return returned[-1].day + timedelta(days=CORRECTION_DAYS) if returned else None


def day_of(fact: str) -> Callable[[Case], date | None]:
    """The day that a fact of the application names."""

    def last(case: Case) -> date | None:
        day = case.facts.get(fact)
        return day if isinstance(day, date) else None

    return last


def related(one: Unit, other: Unit) -> bool:
    """Whether two organizations are the same, or one belongs to the other, or both to a third."""
    return (
        one.name in (other.name, other.parent) or other.name == one.parent or bool(one.parent and one.parent == other.parent)
    )


_EDUCATION_DEPARTMENT = re.compile("(?:教育厅|教育局|教育委员会|(?<!宗)教委|教育行政部门)(?![\u4e00-\u9fff])")


def is_education_department(one: Unit, called: str) -> bool:
    """Whether an organization is an education department 教育行政部门 such as 市教委.

    Nothing but its name tells what a department is for; its verification vouches for that. The name ends in what such a
    department is called, before brackets: a 教育考试院 is a public institution 事业单位 and no department, and so is whatever
    belongs to one (教育委员会考试中心); 民族宗教委 is another.
    """
    return one.org_type == OrgType.GOV_DEPARTMENT and one.verified and bool(_EDUCATION_DEPARTMENT.search(called))


def is_college_of(one: Unit, other: Unit) -> bool:
    """Whether an organization is a secondary college that acts for another (S4 三(一)).

    Only its verification vouches for whose it is: anybody can name a parent.
    """
    return one.org_type == OrgType.SECONDARY_COLLEGE and one.verified and one.parent == other.name


def has_interest(case: Case, one: Unit) -> bool:
    """Whether an organization has a part in what is judged: with the applicant, as a member of the body, or as who decides."""
    return related(one, case.applicant) or one.name in {case.authority, *case.members}


def no_conflict(what: Text) -> Guard:
    """The organization that the step names has no interest in what it is to judge."""

    def guard(case: Case) -> Refusal | None:
        return conflict(what, ANOTHER) if case.named is not None and has_interest(case, case.named) else None

    return guard


ANOTHER: Text = ("请另选", "choose another one")
"""What mends it for who names somebody."""


def conflict(what: Text, fix: Text) -> Refusal:
    """Somebody has an interest in what they are to judge."""
    return Refusal(
        "CONFLICT_OF_INTEREST",
        f"{what[0]}与申报单位、其组织成员或主管单位有利益关系，须回避；{fix[0]}",
        f"{what[1]} has an interest in the applicant, a member of its body or the authority; {fix[1]}",
    )


def experts(case: Case) -> dict[str, bool]:
    """The principals who are to score it, and whether each has; who was taken off takes the score along."""
    found: dict[str, bool] = {}
    for one in case.steps("assign_expert", "unassign_expert", "score"):
        if one.step == "assign_expert":
            found[one.principal] = False
        elif one.step == "unassign_expert":
            found.pop(one.principal, None)
        elif one.actor in found:
            found[one.actor] = True
    return found


def once_for_each(step: str, what: tuple[str, str]) -> Guard:
    """An organization takes the step once."""

    def guard(case: Case) -> Refusal | None:
        if case.unit.name not in {one.organization for one in case.steps(step)}:
            return None
        return Refusal(
            "ALREADY_DONE", f"贵单位已{what[0]}，无须再办", f"your organization has {what[1]} already; there is nothing to do"
        )

    return guard
