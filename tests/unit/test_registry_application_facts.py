"""What is entered of an application: nothing personal, since it rides on topics."""

from typing import Any

import pytest

from alliance.registry.v1 import application_pb2 as pb
from registry.applications.mapping import application_problems, call_problems, candidate_problems

_RECORD = "personalRecords/01890000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("candidate", "is_taken"), [("", True), (_RECORD, True), ("李四", False), ("personalRecords/1", False)]
)
def test_a_candidate_is_whoever_the_vault_says_and_is_never_written_here(candidate: str, is_taken: bool) -> None:
    given = pb.Application(programme=pb.PROGRAMME_EMPLOYEE_INTAKE, display_name="职工入学")
    given.employee_intake.candidate = candidate
    found = [(one.field, one.rule) for one in candidate_problems(given, _RECORD)]
    assert found == ([] if is_taken else [("employee_intake.candidate", "personal-data")])
    assert not candidate_problems(pb.Application())


def test_no_fact_holds_a_number_or_an_address() -> None:
    given = pb.Application(programme=pb.PROGRAMME_CHALLENGE, display_name="产业出题")
    given.challenge.listing = "找 13812345678"
    assert ("challenge.listing", "personal-data") in [(one.field, one.rule) for one in application_problems(given)]


@pytest.mark.parametrize(
    ("listing", "is_taken"),
    [
        ("", True),
        ("listings/01890000-0000-7000-8000-000000000000", True),
        ("listings/x", False),
        ("abc", False),
        ("listings/01890000-0000-7000-8000-000000000000/more", False),
        ("organizations/01890000-0000-7000-8000-000000000000", False),
    ],
)
def test_the_listing_that_sets_a_challenge_is_named_as_listings_are(listing: str, is_taken: bool) -> None:
    given = pb.Application(programme=pb.PROGRAMME_CHALLENGE, display_name="产业出题")
    given.challenge.listing = listing
    found = [(one.field, one.rule) for one in application_problems(given)]
    assert found[:1] == ([] if is_taken else [("challenge.listing", "name")])


@pytest.mark.parametrize(
    ("programme", "year", "closes_on", "is_refused"),
    [
        (pb.PROGRAMME_PILOT, 2026, "", True),
        (pb.PROGRAMME_SUPPORT, 2026, "", True),
        (pb.PROGRAMME_PILOT, 2026, "2026-04-18", False),
        (pb.PROGRAMME_PILOT, 2025, "", False),  # the document's own day
        (pb.PROGRAMME_COMMUNITY, 2026, "", False),  # so
        (pb.PROGRAMME_CONSORTIUM, 2026, "", False),  # open until further notice
    ],
)
def test_a_selection_names_its_last_day(programme: Any, year: int, closes_on: str, is_refused: bool) -> None:
    found = call_problems(pb.ApplicationCall(programme=programme, year=year, closes_on=closes_on))
    assert [(one.field, one.rule) for one in found] == ([("closes_on", "S4 四(一)")] if is_refused else [])
