"""Golden bytes: what was once written to a topic is read for ever, with the same meaning.

For every event there is a file of messages in which every field is set, as bytes and as what they mean. A field that was
removed, renumbered, renamed or given another type is a break: mend the contract. A field that is new leaves the old bytes
readable; the golden files then need an additive update, which refuses to write over a break:

    python -m tests.contract.test_golden --write
"""

import json
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from chassis.topics import load, message_class
from tests.contract.filling import choices, fill

FOLDER = Path(__file__).parent / "golden"
UPDATE = "the golden files need an additive update: python -m tests.contract.test_golden --write"
EVENTS = sorted({topic.message for topic in load().all})

each_event = pytest.mark.parametrize("event", EVENTS)


def golden(event: str) -> list[dict[str, Any]]:
    """The golden messages of an event: `wire` in base64, and `meaning`."""
    file = FOLDER / f"{event}.json"
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    return found


def fresh(event: str) -> list[dict[str, Any]]:
    """What the golden messages would be today, one for each choice of the event's oneofs."""
    found = []
    for choice in range(choices(message_class(event).DESCRIPTOR)):
        message = message_class(event)()
        fill(message, choice)
        wire = b64encode(message.SerializeToString(deterministic=True)).decode()
        found.append({"wire": wire, "meaning": meaning(message)})
    return found


def meaning(message: Message) -> dict[str, Any]:
    """What a message says, field by field, as JSON has it."""
    said: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return said


def unknown(message: Any, path: str) -> list[str]:
    """Where the current classes don't know what stands in a message."""
    unread: Any = UnknownFieldSet(message)
    found = [f"{path}.{one.field_number}" for one in unread]
    for field, held in message.ListFields():
        if field.message_type and not field.message_type.GetOptions().map_entry:
            for one in held if field.is_repeated else [held]:
                found += unknown(one, f"{path}.{field.name}")
    return found


def breaks(event: str, one: dict[str, Any]) -> list[str]:
    """What the current classes no longer read as it was meant."""
    wire = b64decode(one["wire"])
    try:
        message = message_class(event).FromString(wire)
    except DecodeError:
        return [f"{event}: the bytes can't be read"]
    found = [f"{path}: removed, renumbered or of another type" for path in unknown(message, event)]
    if meaning(message) != one["meaning"]:
        found.append(f"{event}: the same bytes mean something else")
    if message.SerializeToString(deterministic=True) != wire:
        found.append(f"{event}: the same message has other bytes")
    return found


def broken(event: str) -> list[str]:
    """Breaks in all golden messages of an event."""
    return [found for one in golden(event) for found in breaks(event, one)]


@each_event
def test_golden_bytes_are_read_as_they_were_meant(event: str) -> None:
    assert broken(event) == []


def test_what_the_classes_do_not_know_is_noticed() -> None:
    body, organization = "alliance.public.v1.PublicBodyEvent", "alliance.public.v1.PublicOrganizationEvent"
    found = breaks(organization, golden(body)[0])
    assert f"{organization}.organization.4: removed, renumbered or of another type" in found
    assert f"{organization}: the same bytes mean something else" in found
    assert breaks(organization, {**golden(organization)[0], "wire": "CgA="}) == [
        f"{organization}: the same bytes mean something else"
    ]
    assert breaks(organization, {"wire": "Cgo=", "meaning": {}}) == [f"{organization}: the bytes can't be read"]


@each_event
def test_golden_files_hold_every_field(event: str) -> None:
    assert broken(event) or golden(event) == fresh(event), UPDATE


def test_there_are_golden_files_of_events_and_nothing_else() -> None:
    assert sorted(file.stem for file in FOLDER.glob("*.json")) == EVENTS, UPDATE


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    if refused := [found for event in EVENTS for found in broken(event)]:
        sys.exit("\n".join(refused))
    FOLDER.mkdir(exist_ok=True)
    for event in EVENTS:
        content = json.dumps(fresh(event), ensure_ascii=False, indent=1)
        (FOLDER / f"{event}.json").write_text(f"{content}\n", encoding="utf-8")
