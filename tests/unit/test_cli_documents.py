"""The type of an upload follows from its name alone, the same on every machine."""

import mimetypes

import pytest
import typer

from alliance_cli.commands.document import media_type
from registry.applications.contents import TYPES


def test_whatever_registry_takes_has_a_type() -> None:
    told = {ending: kind for kind, one in TYPES.items() for ending in one.endings}
    assert {ending: media_type(f"材料{ending.upper()}") for ending in told} == told


def test_a_machine_that_knows_other_types_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mimetypes, "guess_type", lambda *_, **__: ("text/plain", None))
    assert media_type("a.b.docx").endswith("wordprocessingml.document")


@pytest.mark.parametrize("name", ["a.docm", "a.doc", "a.pdf.exe", "pdf", "a.pdf.gz", ""])
def test_another_ending_is_refused_with_those_that_are_taken(name: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"\.pdf .*\.docx"):
        media_type(name)
