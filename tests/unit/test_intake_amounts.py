"""Numbers as people write them: understood, or refused, and never silently another number."""

import pytest

from intake import amounts


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", 3),
        ("招3人", 3),
        ("３人", 3),
        ("3-4年经验", 3),
        ("-1", -1),
        ("2.0", 2),
        ("1,200", 1200),
        ("1，200人", 1200),
        ("1.5万", 15_000),
        ("1-2万人", 10_000),
        ("5 weeks", 5),
        ("100万元", 1_000_000),
        ("2千万", 20_000_000),
        ("若干人", None),
        ("", None),
    ],
)
def test_the_first_whole_number_in_a_text(text: str, number: int | None) -> None:
    assert amounts.count(text) == number


@pytest.mark.parametrize("text", ["1.5", "1.5人", "3,4", "1,0000", "１．５"])
def test_a_number_that_is_not_whole_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"整数|千位"):
        amounts.count(text)


@pytest.mark.parametrize(("text", "number"), [("招3人", 3), ("若干人", None), ("不限", None), ("", None)])
def test_a_quantity_is_named_or_open(text: str, number: int | None) -> None:
    assert amounts.quantity(text) == number


@pytest.mark.parametrize("text", ["abc", "三千", "-", "1.5", "½", "②"])
def test_a_text_that_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"看不出|整数"):
        amounts.quantity(text)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("10000", (10_000, 10_000)),
        ("0", (0, 0)),
        ("1万", (10_000, 10_000)),
        ("15K", (15_000, 15_000)),
        ("8-12k", (8_000, 12_000)),
        ("８－１２Ｋ", (8_000, 12_000)),
        ("8k~1.2万", (8_000, 12_000)),
        ("8000-1.2万/月", (8_000, 12_000)),
        ("0.8-1万/月", (8_000, 10_000)),
        ("4.5-6千/月", (4_500, 6_000)),
        ("8,000-12,000元/月", (8_000, 12_000)),
        ("1.5-2万·13薪", (15_000, 20_000)),
        ("15-20k/月·14薪", (15_000, 20_000)),
        ("15-20万/年", (12_500, 16_667)),
        ("年薪24万", (20_000, 20_000)),
        ("面议", None),
        ("100", (100, 100)),
        ("100-1万", (100, 10_000)),
        ("0-1万", (0, 10_000)),
    ],
)
def test_both_ends_of_a_months_pay(text: str, ends: tuple[int, int] | None) -> None:
    assert amounts.pay(text) == ends


@pytest.mark.parametrize(
    "text", ["8-12", "99", "2-1万", "99-1万", "0-99", "250元/天", "2000美元/月", "20000-10000", "1万以上", "8000/13", "约1万"]
)
def test_a_text_that_is_no_months_pay_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="8-12k"):
        amounts.pay(text)
