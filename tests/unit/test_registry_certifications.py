"""The procedure of certification: applied for by whom it concerns, cultivated, certified, left (R32)."""

from typing import Any

import pytest

from registry.domain.names import CertificationState, OrgType, Programme
from registry.domain.procedure import Party, State, Unit
from registry.domain.programmes.certification import STANDING_ENTRY, catalogued, subject_of
from tests.unit.walking import (
    APPLICANT,
    AUTHORITY,
    PROVINCE,
    UNIVERSITY,
    begun,
)


def test_a_certification_is_cultivated_certified_and_left() -> None:
    walk = begun(Programme.CERTIFICATION, facts={"kind": "ENTERPRISE"})
    walk.attach("APPLICATION_FORM")
    walk.took("submit")
    assert catalogued(walk.case) is None
    walk.refused("DOCUMENT_REQUIRED", "cultivate", AUTHORITY, Party.AUTHORITY)
    walk.took("cultivate", AUTHORITY, Party.AUTHORITY, brought=frozenset({"CULTIVATION_PLAN"}))
    assert catalogued(walk.case) is CertificationState.CULTIVATING
    walk.refused("ILLEGAL_STATE", "submit")
    walk.attach("CULTIVATION_REPORT")
    assert walk.took("certify", AUTHORITY, Party.AUTHORITY) is State.CERTIFIED
    assert catalogued(walk.case) is CertificationState.CERTIFIED
    assert walk.took("exit", AUTHORITY, Party.AUTHORITY, reason="不再符合") is State.REMOVED
    assert catalogued(walk.case) is CertificationState.EXITED


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, "INPUT_REQUIRED"),
        ({"kind": "REGION"}, "INPUT_REQUIRED"),
        ({"kind": "INDUSTRY", "region_code": "110000"}, "INPUT_REQUIRED"),
        ({"kind": "ENTERPRISE"}, "WRONG_APPLICANT"),
        ({"kind": "REGION", "region_code": "110000", "industry_code": "39"}, "CONTRADICTION"),
        ({"kind": "ENTERPRISE", "region_code": "110000"}, "CONTRADICTION"),
        ({"kind": "REGION", "region_code": "120101", STANDING_ENTRY: "applications/other"}, "ALREADY_CATALOGUED"),
        ({"kind": "REGION", "region_code": "120101"}, ""),
        ({"kind": "INDUSTRY", "industry_code": "39"}, ""),
    ],
)
def test_a_certification_says_what_is_to_be_certified_and_stands_once(facts: dict[str, Any], why: str) -> None:
    walk = begun(Programme.CERTIFICATION, PROVINCE, facts=facts)
    walk.attach("APPLICATION_FORM")
    if why:
        walk.refused(why, "submit", PROVINCE)
    else:
        assert walk.took("submit", PROVINCE) is State.SUBMITTED


@pytest.mark.parametrize(
    ("facts", "applicant", "why"),
    [
        ({"kind": "ENTERPRISE"}, APPLICANT, ""),
        ({"kind": "ENTERPRISE"}, APPLICANT._replace(verified=False), "NOT_VERIFIED"),
        ({"kind": "ENTERPRISE"}, UNIVERSITY, "WRONG_APPLICANT"),
        ({"kind": "REGION", "region_code": "110000"}, APPLICANT, "WRONG_APPLICANT"),
        ({"kind": "REGION", "region_code": "120000"}, PROVINCE, ""),
        ({"kind": "REGION", "region_code": "120101"}, PROVINCE, ""),
        ({"kind": "REGION", "region_code": "110000"}, PROVINCE, "ANOTHER_REGION"),
        ({"kind": "REGION", "region_code": "120000"}, PROVINCE._replace(region_code="120101"), "ANOTHER_REGION"),
        ({"kind": "REGION", "region_code": "120000"}, PROVINCE._replace(region_code=""), "REGION_UNKNOWN"),
        ({"kind": "INDUSTRY", "industry_code": "39"}, UNIVERSITY, "WRONG_APPLICANT"),
        ({"kind": "INDUSTRY", "industry_code": "39"}, PROVINCE._replace(org_type=OrgType.INDUSTRY_ASSOCIATION), ""),
    ],
)
def test_a_certification_is_applied_for_by_whom_it_concerns(facts: dict[str, Any], applicant: Unit, why: str) -> None:
    """At every step that admits it: what was verified once may be no more."""
    steps = (
        ("submit", State.DRAFT, Party.APPLICANT),
        ("resubmit", State.RETURNED, Party.APPLICANT),
        ("cultivate", State.SUBMITTED, Party.AUTHORITY),
        ("certify", State.CULTIVATED, Party.AUTHORITY),
    )
    for step, state, party in steps:
        walk = begun(Programme.CERTIFICATION, applicant, facts=facts, state=state)
        walk.attach("APPLICATION_FORM", "CULTIVATION_PLAN", "CULTIVATION_REPORT")
        unit = applicant if party is Party.APPLICANT else AUTHORITY
        if why:
            walk.refused(why, step, unit, party)
        else:
            walk.took(step, unit, party)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((1, "110105", "", "a"), (1, "110105", "", "b"), True),
        ((1, "110105", "", "a"), (1, "110108", "", "a"), False),
        ((2, "", "39", "a"), (2, "", "39", "b"), True),
        ((3, "", "", "a"), (3, "", "", "b"), False),
        ((3, "110105", "", "a"), (3, "", "", "a"), True),
    ],
)
def test_a_region_or_industry_is_the_same_whoever_applies(one: Any, other: Any, same: bool) -> None:
    assert (subject_of(*one) == subject_of(*other)) is same
