"""Whoever adds an event type, or a field to what events carry, says in notify's table who is told of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from alliance.registry.v1 import application_pb2
from alliance.registry.v1.events_pb2 import ApplicationEvent
from chassis import topics
from chassis.record import Record
from notify.abouts import TOPICS, about, told
from notify.shown import SHOWN, Shown, resource_of
from registry.applications.mapping import keep_scores_back
from tests.contract.filling import choices, fill

_PERSONAL = {
    "alliance.registry.v1.TakenStep.actor",
    "alliance.registry.v1.TakenStep.named_principal",
    "alliance.registry.v1.TakenStep.released",
    "alliance.registry.v1.EmployeeIntakeFacts.candidate",
    "alliance.listings.v1.Listing.contact",
    "alliance.listings.v1.Expert.person",
}
_KEPT_BACK = {
    "alliance.registry.v1.Organization.credit_code",
    "alliance.registry.v1.Organization.external_key",
    "alliance.registry.v1.Body.external_key",
    "alliance.listings.v1.Feed.url",
    "alliance.listings.v1.Feed.cursor",
    "alliance.listings.v1.Feed.secret",
}
"""What is told to no stranger. Scores in a review and listings that are gone have tests of their own."""


def record(topic: str, choice: int = 0) -> Record:
    """A record of a topic in which every field is set."""
    declared = topics.load().named(topic)
    message: Any = declared.message_class()()
    fill(message, choice)
    now = datetime(2026, 3, 2, tzinfo=UTC)
    return Record(topic, 0, 0, "a/b", 2, declared.type_of(declared.types[0]), "e1", now, message, "")


def _unnamed(descriptor: Any, table: Shown) -> list[str]:
    """Fields that the table has not, has twice, or has and the message has not."""
    fields = {one.name: one for one in descriptor.fields}
    named = [*table.told.split(), *table.own.split(), *table.nobody.split()]
    wrong = sorted({*fields}.symmetric_difference(named) | {one for one in named if named.count(one) > 1})
    found = [f"{descriptor.full_name}.{one}" for one in wrong]
    for name, inner in table.within.items():
        found += _unnamed(fields[name].message_type, inner)
    return found


def test_what_can_be_subscribed_to_has_its_place_in_the_table() -> None:
    assert set(SHOWN) == set(TOPICS)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_event_type_and_every_field_is_somebodys_or_nobodys(topic: str) -> None:
    declared = topics.load().named(topic)
    assert SHOWN[topic].verbs.split() == list(declared.types)
    message = declared.message_class()
    assert _unnamed(message.DESCRIPTOR.fields_by_name[resource_of(message)].message_type, SHOWN[topic]) == []


def _paths(message: Any, name: str = "") -> set[str]:
    """The full names of all fields that are set, however deep."""
    found = set[str]()
    for one, value in message.ListFields():
        found.add(one.full_name)
        if one.message_type and not one.message_type.GetOptions().map_entry:
            for inner in value if one.is_repeated else (value,):
                found |= _paths(inner)
    return found


@pytest.mark.parametrize("topic", TOPICS)
def test_what_is_kept_back_is_in_no_webhook_of_a_stranger(topic: str) -> None:
    seen, whole = "", ""
    declared = topics.load().named(topic)
    for choice in range(choices(declared.message_class().DESCRIPTOR)):
        one = record(topic, choice)
        seen += str(told(one, about(one), whole=False)[1])
        whole += str(told(one, about(one), whole=True)[1])
        for field in _paths(one.message) & (_PERSONAL | _KEPT_BACK):
            assert f"'{field.rpartition('.')[2]}'" not in seen, field
    if "credit_code" in SHOWN[topic].own:
        assert "'credit_code'" in whole


@pytest.mark.parametrize("state", application_pb2.ApplicationState.values())
def test_scores_are_kept_back_as_the_registry_does(state: Any) -> None:
    """Held equal: it shows them to who gave them, too, which here is nobody, and asks the state itself (`rpc._shown`)."""
    one = record("alliance.internal.registry.application.v1")
    event: Any = one.message
    event.application.state = state
    expected = ApplicationEvent()
    expected.CopyFrom(event)
    if state == application_pb2.APPLICATION_STATE_IN_REVIEW:
        keep_scores_back(expected.application, "nobody")
    for whole in (False, True):
        steps = told(one, about(one), whole=whole)[1]["resource"]["steps"]
        shown = expected.application.steps if not whole else event.application.steps
        assert [(step.get("score"), step.get("reason", "")) for step in steps] == [
            (step.score if step.HasField("score") else None, step.reason) for step in shown
        ]
