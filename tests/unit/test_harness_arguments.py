"""What the fault matrix and the recovery drills are asked for: a wrong word is refused before anything is brought up."""

from collections.abc import Sequence

import pytest

from tests.faults.catalogue import FAULTS
from tests.faults.run import chosen_faults, chosen_seeds
from tests.recovery.drill import chosen_pairs


@pytest.mark.parametrize(("text", "seeds"), [("3", [1, 2, 3]), ("1", [1]), ("4-5", [4, 5]), ("7-7", [7])])
def test_seeds_are_a_number_or_a_range(text: str, seeds: Sequence[int]) -> None:
    assert list(chosen_seeds(text)) == seeds


@pytest.mark.parametrize("text", ["x", "", "0", "-3", "5-4", "1-", "1.5", "1-2-3", "٣"])
def test_other_seeds_are_refused(text: str) -> None:
    with pytest.raises(SystemExit, match="SEEDS: "):
        chosen_seeds(text)


def test_faults_are_chosen_by_their_numbers() -> None:
    assert [fault.number for fault in chosen_faults(["18b", "6"])] == ["6", "18b"]
    assert chosen_faults([]) == list(FAULTS)


@pytest.mark.parametrize(
    ("number", "says"),
    [("18", "no fault 18; it comes as 18a, 18b$"), ("x", "no fault x; there are 0, 1, "), ("1a", "there are")],
)
def test_a_fault_that_there_is_not_is_refused(number: str, says: str) -> None:
    with pytest.raises(SystemExit, match=says):
        chosen_faults(["6", number])


def test_pairs_are_a_number() -> None:
    assert (chosen_pairs([]), chosen_pairs(["7"])) == (50, 7)
    for text in ("x", "0", "-1", "1.5"):
        with pytest.raises(SystemExit, match="PAIRS: "):
            chosen_pairs([text])
