"""Registry: the days of a membership."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access import register
from alliance.registry.v1 import body_pb2
from chassis.clock import parsed_date
from registry import store
from registry.changes import last_day
from registry.mapping.bodies import membership_problems, membership_row
from registry.store import MembershipRow
from tests.unit.conditions import holds

FIRST, LAST = date(2026, 1, 31), date(2026, 6, 30)
DAY = timedelta(days=1)
TODAY, NOW = date(2026, 3, 2), datetime(2026, 3, 2, 4, tzinfo=UTC)
CHAIR, VICE = body_pb2.MEMBER_ROLE_CHAIR, body_pb2.MEMBER_ROLE_VICE_CHAIR
_days = st.dates(date(2025, 1, 1), date(2027, 12, 31))

in_registry_and_elsewhere = pytest.mark.parametrize("valid", [store.valid_on, register._valid])
Valid = Callable[[date], Any]


def membership(valid_from: str = "", valid_to: str = "", roles: Any = (CHAIR,)) -> Any:
    return body_pb2.Membership(organization="organizations/a", roles=roles, valid_from=valid_from, valid_to=valid_to)


def row(valid_from: str, valid_to: str = "") -> MembershipRow:
    return membership_row(membership(valid_from, valid_to), "bodies/a", 1, TODAY, NOW)


def rules(given: Any) -> list[tuple[str, str]]:
    return [(problem.field, problem.rule) for problem in membership_problems(given)]


@in_registry_and_elsewhere
@pytest.mark.parametrize(
    ("day", "expected"),
    [(FIRST - DAY, False), (FIRST, True), (FIRST + DAY, True), (LAST - DAY, True), (LAST, True), (LAST + DAY, False)],
)
def test_it_is_valid_from_its_first_day_to_its_last(valid: Valid, day: date, expected: bool) -> None:
    assert holds(valid(day), {"valid_from": FIRST, "valid_to": LAST}) is expected


@in_registry_and_elsewhere
def test_it_can_be_of_one_day(valid: Valid) -> None:
    one = {"valid_from": FIRST, "valid_to": FIRST}
    assert [holds(valid(FIRST + number * DAY), one) for number in (-1, 0, 1)] == [False, True, False]


@in_registry_and_elsewhere
@pytest.mark.parametrize(("day", "expected"), [(FIRST - DAY, False), (FIRST, True), (date.max, True)])
def test_an_open_one_begins_and_does_not_end(valid: Valid, day: date, expected: bool) -> None:
    assert holds(valid(day), {"valid_from": FIRST, "valid_to": None}) is expected


@in_registry_and_elsewhere
@given(first=_days, last=st.none() | _days, day=_days)
def test_everybody_reckons_its_days_alike(valid: Valid, first: date, last: date | None, day: date) -> None:
    assert holds(valid(day), {"valid_from": first, "valid_to": last}) == (first <= day <= (last or date.max))


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-01-31", "2026-01-31", []),
        ("2026-01-31", "2026-02-01", []),
        ("2026-01-31", "2026-01-30", [("valid_to", "order")]),
        ("2026-01-31", "", []),
        ("", "2026-01-31", []),
        ("", "", []),
        ("2026-02-29", "", [("valid_from", "ISO 8601")]),
        ("2028-02-29", "", []),
        ("", "2026-06-31", [("valid_to", "ISO 8601")]),
        ("31.01.2026", "明天", [("valid_from", "ISO 8601"), ("valid_to", "ISO 8601")]),
        ("2026-01-31T00:00:00", "", [("valid_from", "ISO 8601")]),
    ],
)
def test_its_last_day_is_not_before_its_first(first: str, last: str, expected: list[tuple[str, str]]) -> None:
    assert rules(membership(first, last)) == expected


@pytest.mark.parametrize(
    ("roles", "right"),
    [
        ((), False),
        ((CHAIR,), True),
        ((CHAIR, VICE), True),
        ((CHAIR, CHAIR), False),
        ((body_pb2.MEMBER_ROLE_UNSPECIFIED,), False),
        ((CHAIR, body_pb2.MEMBER_ROLE_UNSPECIFIED), False),
        ((max(body_pb2.MemberRole.values()),), True),
        ((max(body_pb2.MemberRole.values()) + 1,), False),
        ((CHAIR, 99), False),
    ],
)
def test_it_has_roles_each_once(roles: tuple[int, ...], right: bool) -> None:
    assert rules(membership(roles=roles)) == ([] if right else [("roles", "required")])


def test_it_begins_today_where_it_does_not_say_when_and_stays_open() -> None:
    assert (row("").valid_from, row("").valid_to) == (TODAY, None)
    assert (row("2026-01-31", "2026-06-30").valid_from, row("2026-01-31", "2026-06-30").valid_to) == (FIRST, LAST)


@pytest.mark.parametrize(
    ("first", "expected"),
    [(TODAY - DAY, TODAY), (TODAY, TODAY), (TODAY + DAY, TODAY + DAY)],
)
def test_with_its_body_it_ends_today_or_on_its_first_day(first: date, expected: date) -> None:
    assert last_day(row(first.isoformat()), TODAY) == expected


def test_a_date_that_is_none_is_not_known() -> None:
    assert parsed_date("") is None
    assert parsed_date("2026-13-01") is None
    assert parsed_date("2026-01-31") == FIRST
