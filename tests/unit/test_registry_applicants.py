"""Registry: whom a programme's applications can be for."""

from collections.abc import Collection

import pytest

from registry.domain.names import MemberRole, OrgType, Programme
from registry.domain.programmes import PROCEDURES

PARTICIPANT = 7
CASES: list[tuple[Programme, OrgType, Collection[int] | None, bool]] = [
    (Programme.COMMUNITY, OrgType.ENTERPRISE, [MemberRole.LEAD_ENTERPRISE], True),
    (Programme.COMMUNITY, OrgType.UNIVERSITY, [MemberRole.LEAD_UNIVERSITY], False),
    (Programme.COMMUNITY, OrgType.ENTERPRISE, None, False),
    (Programme.CONSORTIUM, OrgType.UNIVERSITY, [MemberRole.LEAD_UNIVERSITY], True),
    (Programme.CONSORTIUM, OrgType.HIGHER_VOCATIONAL, [MemberRole.LEAD_VOCATIONAL], True),
    (Programme.CONSORTIUM, OrgType.SECONDARY_VOCATIONAL, [MemberRole.LEAD_VOCATIONAL], False),
    (Programme.CONSORTIUM, OrgType.UNIVERSITY, [PARTICIPANT], False),
    (Programme.CONSORTIUM, OrgType.ENTERPRISE, [PARTICIPANT], False),
    (Programme.CONSORTIUM, OrgType.UNIVERSITY, None, False),
    (Programme.CHALLENGE, OrgType.ENTERPRISE, [PARTICIPANT], True),
    (Programme.CHALLENGE, OrgType.ENTERPRISE, None, False),
    (Programme.CHALLENGE, OrgType.UNIVERSITY, [MemberRole.VICE_CHAIR], False),
    (Programme.MEETING, OrgType.PROFESSIONAL_SERVICE_ORG, [MemberRole.SECRETARIAT], True),
    (Programme.MEETING, OrgType.ENTERPRISE, [MemberRole.CHAIR], False),
    (Programme.MEETING, OrgType.ENTERPRISE, None, False),
    (Programme.PERFORMANCE, OrgType.ENTERPRISE, [MemberRole.VICE_CHAIR, MemberRole.SECRETARIAT], True),
    (Programme.PERFORMANCE, OrgType.ENTERPRISE, [MemberRole.LEAD_ENTERPRISE], True),
    (Programme.PERFORMANCE, OrgType.UNIVERSITY, [MemberRole.LEAD_UNIVERSITY], True),
    (Programme.PERFORMANCE, OrgType.HIGHER_VOCATIONAL, [MemberRole.LEAD_VOCATIONAL], True),
    (Programme.PERFORMANCE, OrgType.HIGHER_VOCATIONAL, [PARTICIPANT], False),
    (Programme.PERFORMANCE, OrgType.ENTERPRISE, None, False),
    (Programme.EVALUATION, OrgType.ENTERPRISE, None, True),
    (Programme.EVALUATION, OrgType.INDUSTRY_ASSOCIATION, None, True),
    (Programme.EVALUATION, OrgType.PARK_COMMITTEE, None, True),
    (Programme.EVALUATION, OrgType.UNIVERSITY, None, False),
    (Programme.MAJOR_ADJUSTMENT, OrgType.SECONDARY_VOCATIONAL, None, True),
    (Programme.MAJOR_ADJUSTMENT, OrgType.UNIVERSITY, None, True),
    (Programme.MAJOR_ADJUSTMENT, OrgType.ENTERPRISE, None, False),
    (Programme.EMPLOYEE_INTAKE, OrgType.ENTERPRISE, None, True),
    (Programme.EMPLOYEE_INTAKE, OrgType.UNIVERSITY, None, False),
]


@pytest.mark.parametrize(("programme", "org_type", "roles", "admitted"), CASES)
def test_an_application_is_for_those_whom_the_document_names(
    programme: Programme, org_type: OrgType, roles: Collection[int] | None, admitted: bool
) -> None:
    assert PROCEDURES[programme].applicants.admit(org_type, roles, is_the_body=False) is admitted


@pytest.mark.parametrize("programme", [Programme.PILOT, Programme.SUPPORT])
@pytest.mark.parametrize("is_the_body", [True, False])
def test_a_pilots_application_is_for_the_institution_that_it_names(programme: Programme, is_the_body: bool) -> None:
    assert PROCEDURES[programme].applicants.admit(OrgType.UNIVERSITY, None, is_the_body) is is_the_body
