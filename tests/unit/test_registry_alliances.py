"""Registry: the ten alliances of S0 附件2, and what the rules say of them as the document has them."""

from datetime import date
from importlib import resources
from typing import Any

import pytest
import yaml

from registry.domain.facts import Facts, Member, of_members
from registry.domain.limits import limits
from registry.domain.names import BodyKind, MemberRole, OrgType, Stage, Verdict
from registry.domain.policy import of_kind
from registry.domain.rules import check

DATA: dict[str, Any] = yaml.safe_load(
    resources.files("alliance_demo").joinpath("data", "alliances.yaml").read_text(encoding="utf-8")
)
ALLIANCES: list[dict[str, Any]] = DATA["alliances"]

each_alliance = pytest.mark.parametrize("alliance", ALLIANCES, ids=lambda alliance: str(alliance["number"]))


_GUIDED: dict[str, tuple[str, ...]] = {
    "task_forces_of_another_type": (),
    "lead_departments_of_another_type": (),
    "unverified_task_force_or_leads": ("虚构示例专班",),  # the document names no codes: nobody is verified by it
}


def facts(alliance: dict[str, Any]) -> Facts:
    """What is known of an alliance from the document alone."""
    secretariat = Member(alliance["secretariat"], OrgType.ENTERPRISE, frozenset({MemberRole.SECRETARIAT}))
    universities = [Member(name, OrgType.UNIVERSITY, frozenset({7})) for name in alliance["universities"]]
    known = {"key_industry": alliance["industry"], "same_industry": (), **_GUIDED, **of_members((secretariat, *universities))}
    return Facts(date(2026, 3, 2), known)


def test_there_are_ten_of_ten_industries() -> None:
    assert [alliance["number"] for alliance in ALLIANCES] == list(range(1, 11))
    for field in ("industry", "task_force", "secretariat"):
        assert len({alliance[field] for alliance in ALLIANCES}) == 10


@each_alliance
def test_only_the_third_and_sixth_have_two_lead_departments(alliance: dict[str, Any]) -> None:
    assert len(set(alliance["departments"])) == (2 if alliance["number"] in (3, 6) else 1)
    assert set(alliance["departments"]) <= set(DATA["departments"])


@each_alliance
def test_only_the_first_has_three_universities_and_two_colleges(alliance: dict[str, Any]) -> None:
    counts = (len(set(alliance["universities"])), len(set(alliance["colleges"])))
    assert counts == ((3, 2) if alliance["number"] == 1 else (2, 1))
    assert set(alliance["colleges"]) <= set(DATA["colleges"])


@each_alliance
def test_no_lead_enterprise_is_named(alliance: dict[str, Any]) -> None:
    assert set(alliance) == {"number", "industry", "task_force", "departments", "secretariat", "universities", "colleges"}
    assert alliance["secretariat"] in DATA["secretariats"]


@each_alliance
def test_the_document_alone_forms_no_alliance(alliance: dict[str, Any]) -> None:
    found = check(of_kind(BodyKind.ALLIANCE), Stage.FORMING, facts(alliance), limits({}))
    assert {finding.rule: finding.verdict for finding in found} == {
        "R10": Verdict.SATISFIED,
        "R10.2": Verdict.SATISFIED,
        "R10.3": Verdict.VIOLATED,
        "R11": Verdict.VIOLATED,
        "R12": Verdict.CANNOT_BE_TOLD,
        **{f"R13.{part}": Verdict.CANNOT_BE_TOLD for part in range(1, 5)},
    }
