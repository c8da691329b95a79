"""A phone number is the same in whatever writing, when it is kept and when it is asked for."""

import pytest

from chassis.numbers import canonical, is_unreadable
from chassis.personal import subject_problems


@pytest.mark.parametrize(
    ("number", "writings"),
    [
        (
            "13800138333",
            [
                "13800138333",
                "0086 13800138333",
                "+86 138 0013 8333",
                "0086-138-0013-8333",
                "86 13800138333",
                "8613800138333",
                "013800138333",
                "(138) 0013-8333",
                "138·0013·8333",
                "138—0013—8333",
                "１３８００１３８３３３",
                "一三八零零一三八三三三",
                "幺三八洞洞幺三八叁叁叁",
                "١٣٨٠٠١٣٨٣٣٣",
                "138\u200b0013\u200b8333",
            ],
        ),
        (
            "1068207837",
            [
                "010-68207837",
                "+86 10 68207837",
                "86-10-68207837",
                "+86 10 6820 7837",
                "+86 (0)10 6820 7837",
                "0086-10-68207837",
                "（010）6820-7837",
                "零一零-六八二零七八三七",
            ],
        ),
        ("75526012345", ["0755 2601 2345", "+86-755-26012345"]),
        ("86123456", ["86123456", "8612 3456"]),  # no country's code: too short without it
        ("+18645551234", ["+1 864 555 1234", "001-864-555-1234"]),  # not the mobile number 186 4555 1234
    ],
)
def test_a_number_has_one_form(number: str, writings: list[str]) -> None:
    assert {canonical(one) for one in writings} == {number}


@pytest.mark.parametrize("subject", ["li.wei@example.com", "李雷", "users/8613800138333", "1234", "138a0013b8333", ""])
def test_what_is_no_number_has_none(subject: str) -> None:
    assert canonical(subject) is None
    assert not is_unreadable(subject)


@pytest.mark.parametrize(
    "subject", ["13800138333 转 1", "电话：13800138333", "tel:13800138333", "13800138333、13900139000", "138*0013*8333"]
)
def test_a_number_that_cannot_be_read_is_refused(subject: str) -> None:
    (problem,) = subject_problems(subject)
    assert (problem.field, problem.rule) == ("subject", "format")
    assert not any(subject in text for text in (problem.zh, problem.en))


def test_a_number_that_can_be_read_is_not() -> None:
    assert subject_problems("+86 138 0013 8333") == []
