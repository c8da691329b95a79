"""Listings: shared practice bases against the target of R44."""

from datetime import date

import pytest

from listings.domain.bases import Base, counted
from listings.domain.names import OrgType

TODAY = date(2026, 3, 2)
SCHOOL, COLLEGE, COMPANY = OrgType.UNIVERSITY, OrgType.HIGHER_VOCATIONAL, OrgType.ENTERPRISE
OTHER = 0  # of a type that listings have no rule for


@pytest.mark.parametrize(
    ("sharing", "since", "reached"),
    [
        ([SCHOOL, COLLEGE], TODAY, True),
        ([SCHOOL, COLLEGE, COMPANY], TODAY, True),
        ([SCHOOL], TODAY, False),
        ([SCHOOL, COMPANY], TODAY, False),
        ([COMPANY, OTHER], TODAY, False),
        ([SCHOOL, COLLEGE], date(2026, 3, 3), False),
        ([SCHOOL, COLLEGE], None, False),
    ],
)
def test_several_schools_share_what_counts(sharing: list[int], since: date | None, reached: bool) -> None:
    schools, enterprises = counted([Base("listings/1", COMPANY, sharing, since)], TODAY)
    assert enterprises.reached == reached
    assert (enterprises.in_use or enterprises.coming) == ["listings/1"]
    assert not schools.reached


def test_a_base_of_neither_counts_for_neither() -> None:
    schools, enterprises = counted([Base("listings/1", OTHER, [SCHOOL, COLLEGE], TODAY)], TODAY)
    assert [*schools.in_use, *schools.coming, *enterprises.in_use, *enterprises.coming] == []
