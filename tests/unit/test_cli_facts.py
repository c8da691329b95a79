"""Facts of a body as staff type them."""

import pytest
import typer

from alliance.registry.v1 import body_pb2
from alliance_cli import facts


def alliance(**known: object) -> body_pb2.Body:
    return body_pb2.Body(kind=body_pb2.BODY_KIND_ALLIANCE, alliance=body_pb2.AllianceFacts(**known))  # type: ignore[arg-type]


def test_what_is_typed_is_set_and_the_rest_stays() -> None:
    body = alliance(key_industry="集成电路", secretariat_space=True, annual_plan_year=2025)
    typed = ["secretariat_funding=否", "annual_plan_year=2026", "charter_adopted_on=2026-03-01", "secretariat_space="]
    assert facts.enter(body, typed) == [
        *("alliance.secretariat_funding", "alliance.annual_plan_year", "alliance.charter_adopted_on"),
        "alliance.secretariat_space",
    ]
    assert body.alliance == body_pb2.AllianceFacts(
        key_industry="集成电路", secretariat_funding=False, annual_plan_year=2026, charter_adopted_on="2026-03-01"
    )
    assert not body.alliance.HasField("secretariat_space")


@pytest.mark.parametrize("typed", ["ai", "AI", "人工智能"])
def test_a_field_is_typed_by_its_code_or_name(typed: str) -> None:
    body = body_pb2.Body(kind=body_pb2.BODY_KIND_PILOT_UNIT)
    facts.enter(body, [f"field={typed}"])
    assert body.pilot_unit.field == body_pb2.PILOT_FIELD_AI
    assert facts.known(body) == "field=ai", "as it is typed"


def test_what_is_shown_can_be_typed() -> None:
    body = alliance(key_industry="集成电路", three_year_goals=False, secretariat_full_time_staff=0)
    again = body_pb2.Body(kind=body.kind)
    facts.enter(again, facts.known(body).splitlines())
    assert again.alliance == body.alliance
    assert facts.known(body_pb2.Body()) == ""


def test_nothing_typed_changes_nothing() -> None:
    body = body_pb2.Body(kind=body_pb2.BODY_KIND_MUNICIPAL_CONSORTIUM)
    assert facts.enter(body, []) == []
    assert body.WhichOneof("facts") is None


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("charter", "名称=值"),
        ("charter=2026-03-01", "charter_adopted_on"),
        ("industry_code=39", "key_industry"),
        ("secretariat_space=maybe", "secretariat_space"),
        ("annual_plan_year=next", "annual_plan_year"),
        ("annual_plan_year=2147483648", "annual_plan_year"),
        ("secretariat_full_time_staff=-1", "secretariat_full_time_staff"),
    ],
)
def test_a_fact_that_cannot_be_is_refused_by_name(typed: str, says: str) -> None:
    with pytest.raises(typer.BadParameter, match=says):
        facts.enter(alliance(), [typed])


def test_a_body_without_facts_takes_none() -> None:
    with pytest.raises(typer.BadParameter, match="consortium"):
        facts.enter(body_pb2.Body(kind=body_pb2.BODY_KIND_MUNICIPAL_CONSORTIUM), ["industry_code=39"])
