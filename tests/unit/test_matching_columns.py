"""The columns of the index: of any slots, in any order, what was added, wherever it lies."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import columns
from matching.columns import Columns
from matching.domain.passage import Passage
from matching.terms import Held, Lexicon, Terms

SIZE, FULL = 8, 4
TEXTS = [
    "数据分析",
    "",
    "Java 开发工程师",
    "封装 热仿真 封装",
    "园林苗木",
    "报表",
    "services",
    "散热设计",
    "数据",
    "分析报表",
    "苗",
]
HELD = [Held.of(Passage(text)) for text in TEXTS]
MEANINGS = [bytes([number + 1] * SIZE) if number % 3 else b"" for number in range(len(TEXTS))]
SLOTS = st.lists(st.integers(0, len(TEXTS) - 1), unique=True)


def filled(made: Columns) -> Columns:
    for held, meaning in zip(HELD, MEANINGS, strict=True):
        made.add(held, meaning)
    return made


@pytest.fixture(params=["memory", "folder", "reopened"])
def made(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Columns:
    """In memory, in a folder, and out of the files of one."""
    monkeypatch.setattr(columns, "_FULL", FULL)
    found = Columns(SIZE)
    if request.param != "memory":
        found.open(tmp_path, [])
    filled(found)
    if request.param == "reopened":
        names = found.save("stamp")
        assert len(names) == len(TEXTS) // FULL + 1
        found = Columns(SIZE)
        found.open(tmp_path, names)
    return found


def test_it_has_of_every_slot_what_was_added(made: Columns) -> None:
    assert made.end == len(TEXTS)

    @given(SLOTS)
    def holds(slots: list[int]) -> None:
        terms, expected = made.terms(slots), Terms.of([HELD[slot] for slot in slots])
        order = np.argsort(terms.owners, kind="stable")
        assert terms.owners[order].tolist() == expected.owners.tolist()
        assert terms.terms[order].tolist() == expected.terms.tolist()
        assert terms.counts[order].tolist() == expected.counts.tolist()
        assert [row.tobytes() for row in made.meanings(slots)] == [MEANINGS[slot] or bytes(SIZE) for slot in slots]
        assert terms.listings == len(slots)

    holds()


def test_it_goes_on_where_it_was(made: Columns) -> None:
    filled(made)
    assert made.end == 2 * len(TEXTS)
    slots = [1, len(TEXTS) + 1, 4, len(TEXTS) + 4]
    one, one_again, other, other_again = (row.tobytes() for row in made.meanings(slots))
    assert one == one_again != other == other_again


def test_closeness_is_the_same_as_of_what_was_read(made: Columns) -> None:
    lexicon = Lexicon()
    for held in HELD:
        lexicon.add(held)
    weights, slots = lexicon.weights(Passage("数据分析 封装")), [8, 0, 3, 1, 9, 2]
    by_slot = lexicon.closeness(weights, made.terms(slots))
    assert by_slot == pytest.approx(lexicon.closeness(weights, Terms.of([HELD[slot] for slot in slots])), abs=1e-12)
    assert by_slot[1] > 0 == by_slot[3]


def test_of_no_slot_there_is_nothing(made: Columns) -> None:
    for one in (made, Columns(SIZE)):
        assert (len(one.meanings([])), one.terms([]).listings, len(one.terms([]).terms)) == (0, 0, 0)
