"""What is written down of a failed handler: enough to find the fault, and nothing of the record."""

import sysconfig
from collections.abc import Callable
from types import TracebackType
from typing import Any

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError

from chassis.handling import reason

_CHASSIS, _SERVICE, _LIBRARY = "/app/chassis/records.py", "/app/services/notify/events.py", sysconfig.get_path("purelib")


def _calling(module: str, file: str, inner: Callable[[], object]) -> Callable[[], object]:
    """A function that a module has in its second line, and that calls another."""
    scope: dict[str, Any] = {"__name__": module, "inner": inner}
    exec(compile("def f():\n  inner()", file, "exec"), scope)  # noqa: S102 - a text of this file
    found: Callable[[], object] = scope["f"]
    return found


def _reason(*modules: tuple[str, str], error: Exception) -> str:
    """The reason of an error that went through modules, the outermost first."""

    def raised() -> None:
        raise error

    call = _calling("library", f"{_LIBRARY}/library.py", raised)
    for module, file in reversed(modules):
        call = _calling(module, file, call)
    with pytest.raises(type(error)) as caught:
        call()
    # Neither this test nor what raised the error is a part of the story.
    story = None
    for one in reversed(_links(caught.tb)[1:-1]):
        story = TracebackType(story, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return reason(error.with_traceback(story))


def _links(trace: TracebackType | None) -> list[TracebackType]:
    return [trace, *_links(trace.tb_next)] if trace else []


@pytest.mark.parametrize(
    ("modules", "place"),
    [
        ([("chassis.handling", _CHASSIS), ("notify.events", _SERVICE)], "notify.events:2"),
        ([("chassis.handling", _CHASSIS), ("notify.events", _SERVICE), ("chassis.record", _CHASSIS)], "notify.events:2"),
        ([("chassis.handling", _CHASSIS), ("chassis.record", _CHASSIS)], "chassis.record:2"),
        ([("chassis.handling", f"{_LIBRARY}/chassis/x.py"), ("notify.x", f"{_LIBRARY}/notify/x.py")], "notify.x:2"),
        ([("notify.events", _SERVICE), ("asyncpg.protocol", "asyncpg/protocol.pyx")], "notify.events:2"),
        ([], "library:2"),
    ],
)
def test_the_place_is_the_deepest_of_the_services_code(modules: list[tuple[str, str]], place: str) -> None:
    assert _reason(*modules, error=ValueError("personal")) == f"ValueError at {place}"


def test_an_error_of_postgresql_says_its_names_and_not_its_words() -> None:
    error = asyncpg.UniqueViolationError("Key (phone)=(139…) already exists")
    error.constraint_name, error.table_name, error.detail = "fact_pkey", "fact", "Key (phone)=(139…) already exists"
    assert _reason(error=error) == "UniqueViolationError 23505 fact_pkey fact at library:2"


def test_sqlalchemys_error_is_that_of_the_driver() -> None:
    wrapped = Exception("the dialect's own")
    wrapped.__cause__ = asyncpg.NotNullViolationError("Failing row contains (139…)")
    wrapped.__cause__.column_name = "phone"
    said = _reason(error=IntegrityError("INSERT", ["139…"], wrapped))
    assert said == "NotNullViolationError 23502 phone at library:2"
