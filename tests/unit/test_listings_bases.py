"""Listings: shared practice bases against the target of R44."""

from datetime import date

import pytest

from access.register import OrganizationRow
from alliance.listings.v1 import details_pb2
from alliance.listings.v1 import listing_pb2 as pb
from listings.domain.bases import Base, counted
from listings.domain.names import OrgType
from listings.mapping import base_of

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


@pytest.mark.parametrize(
    ("sharing", "schools"),
    [
        (["u", "c"], 1),
        (["c", "d"], 1),
        (["u", "v"], 2),
        (["c", "v"], 2),
        (["c", "stray"], 2),
        (["u", "u"], 1),
        (["u", "?"], 1),
    ],
)
def test_a_college_is_its_university(sharing: list[str], schools: int) -> None:
    """多校共享: of several schools, not of several parts of one."""

    def known(name: str, org_type: int, parent: str = "") -> OrganizationRow:
        return OrganizationRow(name, name, org_type, verified=True, parent=parent)

    part = OrgType.SECONDARY_COLLEGE
    some = [known("u", SCHOOL, "group"), known("v", SCHOOL, "group"), known("c", part, "u"), known("d", part, "u")]
    base = pb.Listing(issuer="u", practice_base=details_pb2.PracticeBase(sharing=sharing))
    assert len(base_of(base, {one.name: one for one in [*some, known("stray", part)]}).sharing) == schools
