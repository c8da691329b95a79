"""Registry: unified social credit codes by GB 32100-2015."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.credit_code import ALPHABET, LENGTH, check_character, problem

EXAMPLE = "91350100M000100Y43"  # the standard's own
_firsts = st.text(ALPHABET, min_size=LENGTH - 1, max_size=LENGTH - 1)


def first_text(code: str) -> str:
    """What is said of a code, in Chinese; "" where it is right."""
    found = problem(code)
    return found[0] if found else ""


def test_the_example_of_the_standard_is_right() -> None:
    assert problem(EXAMPLE) is None
    assert check_character(EXAMPLE[:-1]) == "3"


def test_a_weighted_sum_that_divides_by_31_has_the_check_character_0() -> None:
    assert check_character("0" * 17) == "0"


@pytest.mark.parametrize(("first", "expected"), [("1" + "0" * 16, "Y"), ("Y" + "0" * 16, "1"), ("0" * 16 + "1", "3")])
def test_the_weights_are_powers_of_three_modulo_31(first: str, expected: str) -> None:
    weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]
    total = sum(ALPHABET.index(character) * weight for character, weight in zip(first, weights, strict=True))
    assert check_character(first) == ALPHABET[(31 - total % 31) % 31] == expected


@given(_firsts)
def test_exactly_one_check_character_is_right(first: str) -> None:
    right = [last for last in ALPHABET if problem(first + last) is None]
    assert right == [check_character(first)]


@given(_firsts, st.integers(0, LENGTH - 2), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(first: str, place: int, other: str) -> None:
    code = first + check_character(first)
    changed = code[:place] + other + code[place + 1 :]
    assert (problem(changed) is None) == (changed == code)


@given(_firsts, st.integers(0, LENGTH - 3))
def test_two_neighbours_that_changed_places_are_noticed(first: str, place: int) -> None:
    code = first + check_character(first)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert (problem(swapped) is None) == (swapped == code)


@pytest.mark.parametrize("last", ["2", "4", "0", "Y"])
def test_a_wrong_check_character_is_named_with_the_right_one(last: str) -> None:
    zh, en = problem(EXAMPLE[:-1] + last) or ("", "")
    assert f"应为 3，现为 {last}" in zh
    assert f"should be 3, not {last}" in en


@pytest.mark.parametrize("letter", "IOSVZ")
@pytest.mark.parametrize("place", [0, 8, 16, 17])
def test_letters_that_look_like_digits_are_none_of_a_code(letter: str, place: int) -> None:
    assert letter not in ALPHABET
    assert "不含 I、O、S、V、Z" in first_text(EXAMPLE[:place] + letter + EXAMPLE[place + 1 :])


@pytest.mark.parametrize(
    "code",
    [
        EXAMPLE.lower(),
        EXAMPLE[:8] + "m" + EXAMPLE[9:],
        EXAMPLE[:-1],
        EXAMPLE + "3",
        "",
        f" {EXAMPLE[1:]}",
        f"{EXAMPLE}\n",
        "９" + EXAMPLE[1:],
        "9135-100M000100Y43",
    ],
)
def test_a_code_has_eighteen_digits_and_capital_letters(code: str) -> None:
    assert "18 位" in first_text(code)


def test_the_alphabet_has_thirty_one_characters_in_order() -> None:
    assert len(ALPHABET) == 31
    assert list(ALPHABET) == sorted(set(ALPHABET))
