"""An application on its way through its procedure, without any part running."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from registry.domain.facts import Facts
from registry.domain.limits import limits
from registry.domain.names import MemberRole, OrgType, Programme, Stage
from registry.domain.policy import RULES
from registry.domain.procedure import Case, Effect, Party, Refusal, State, Step, Taken, Unit, Window
from registry.domain.programmes import PROCEDURES
from registry.domain.rules import finding
from registry.domain.transitions import take

DAY = date(2026, 3, 2)
WINDOW = Window(date(2026, 1, 1), date(2026, 10, 31))
APPLICANT = Unit("organizations/applicant", OrgType.ENTERPRISE, "110000", verified=True)
UNIVERSITY = Unit("organizations/university", OrgType.UNIVERSITY, "120000", verified=True)
SCHOOL = Unit("organizations/school", OrgType.HIGHER_VOCATIONAL, "310000", verified=True)
PROVINCE = Unit("organizations/province", OrgType.GOV_DEPARTMENT, "120000", verified=True)
AUTHORITY = Unit("organizations/authority", OrgType.GOV_DEPARTMENT, "110000", verified=True)
EXPERTS = Unit("organizations/experts", OrgType.PROFESSIONAL_SERVICE_ORG, "310000", verified=True)
LEADS = {
    MemberRole.LEAD_ENTERPRISE: APPLICANT,
    MemberRole.LEAD_UNIVERSITY: UNIVERSITY,
    MemberRole.LEAD_VOCATIONAL: SCHOOL,
}
HINDERS = next(
    finding(rule, Stage.FORMING, Facts(DAY, {"chairs": 0, "vice_chairs": 0}), limits({})) for rule in RULES if rule.id == "R11"
)
UNTOLD = next(finding(rule, Stage.FORMING, Facts(DAY), limits({})) for rule in RULES if rule.id == "R22.1")


@dataclass
class Walk:
    """One application on its way."""

    programme: Programme
    case: Case
    effects: list[Effect] = field(default_factory=list)

    def tried(self, name: str, unit: Unit, party: Party, **more: Any) -> Step | Refusal:
        """What the machine says of a step."""
        case = replace(self.case, unit=unit, actor=f"{unit.name}#someone", parties=frozenset({party}))
        new = {"new": more.get("brought", frozenset())}
        return take(PROCEDURES[self.programme], replace(case, **{**new, **more}), name)

    def took(self, name: str, unit: Unit = APPLICANT, party: Party = Party.APPLICANT, **more: Any) -> State:
        """The state after a step; what it brings stays attached."""
        found = self.tried(name, unit, party, **more)
        assert isinstance(found, Step), found
        actor = more.get("actor", f"{unit.name}#someone")
        named = more.get("named")
        taken = Taken(
            name,
            unit.name,
            actor,
            self.case.today,
            named.name if named else "",
            more.get("principal", ""),
            more.get("score"),
            self.case.content if name == "seal" else "",
        )
        self.effects.append(found.effect)
        self.case = replace(
            self.case,
            state=found.leads_to(self.case),
            taken=(*self.case.taken, taken),
            documents=self.case.documents | more.get("brought", frozenset()),
            units=self.case.units if named is None else {**self.case.units, named.name: named},
        )
        return self.case.state

    def refused(self, why: str, name: str, unit: Unit = APPLICANT, party: Party = Party.APPLICANT, **more: Any) -> Refusal:
        """Why a step is refused, with the clause and what to do; nothing is changed."""
        found = self.tried(name, unit, party, **more)
        assert isinstance(found, Refusal), found
        assert found.reason == why, found
        step = PROCEDURES[self.programme].step(name)
        assert step is None or (f"（{step.clause}）" in found.zh and f"({step.clause})" in found.en), found
        assert any(one in found.zh for one in ("请", "无须再办", "没有步骤")), found.zh
        return found

    def attach(self, *kinds: str) -> None:
        self.case = replace(self.case, documents=self.case.documents | set(kinds))

    def on(self, day: date) -> None:
        self.case = replace(self.case, today=day)


def due_on(programme: Programme, case: Case) -> date | None:
    """The last day of the present state."""
    due = PROCEDURES[programme].due(case)
    return due[0] if due else None


def begun(programme: Programme, applicant: Unit = APPLICANT, **more: Any) -> Walk:
    known = {
        "state": State.DRAFT,
        "today": DAY,
        "applicant": applicant,
        "unit": applicant,
        "actor": "someone",
        "parties": frozenset({Party.APPLICANT}),
        "window": WINDOW,
        **more,
    }
    return Walk(programme, Case(**known))
