"""Which listings are told what they may not ask of persons."""

import pytest

from listings.domain.fairness import unfair
from listings.domain.names import Kind


@pytest.mark.parametrize(
    "kind", [Kind.JOB_POSITION, Kind.INTERNSHIP, Kind.TALENT_DEMAND, Kind.TEACHER_POST, Kind.PRACTICE_PROJECT]
)
def test_what_asks_for_people_is_told(kind: Kind) -> None:
    found = [
        (field, demand.attribute.name) for field, demand in unfair(kind, [("title", "测绘实践"), ("description", "女生慎投")])
    ]
    assert found == [("description", "gender")]


@pytest.mark.parametrize("kind", [Kind.TECH_DEMAND, Kind.RESEARCH_OUTCOME, Kind.TALENT_SUPPLY])
def test_what_asks_for_none_is_not(kind: Kind) -> None:
    assert not list(unfair(kind, [("description", "女生慎投")]))
