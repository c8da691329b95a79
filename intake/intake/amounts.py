"""Numbers as people write them into tables: 招3人, 1,200, 1.5万, 8-12k, 20-30万/年."""

import re
from decimal import Decimal

from intake.errors import WrongError

_UNITS = {"亿": 10**8, "千万": 10**7, "百万": 10**6, "万": 10**4, "w": 10**4, "千": 10**3, "k": 10**3, "百": 10**2}
_NUMBER = r"(\d+(?:,\d+)*(?:\.\d+)?)\s*(亿|千万|百万|万|千|百|[kw](?![a-z]))?"
_RANGE = rf"{_NUMBER}(?:\s*[-~–—〜至到]\s*{_NUMBER})?"
_COUNT = re.compile(rf"(?P<minus>^-)?{_RANGE}", re.ASCII)
_PAY = re.compile(  # ·13薪 says how many months are paid, and nothing of a month
    rf"(?:(?P<before>[年月])薪)?¥?{_RANGE}元?(?:[/每]?(?P<per>[年月]))?(?:[·・•*x×,]\d+薪)?", re.ASCII
)
_OPEN = re.compile("若干|不限|多名|several|any")  # no number is named on purpose
_HALF = {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0xFFE5: "¥"}
_LEAST_PAY = 100  # CNY a month; what is below has lost its 千 or 万


def count(text: str) -> int | None:
    """The first whole number in a text, the lower end of a range; None where there is none.

    Raises `WrongError` for a number that is not whole, or whose commas do not part thousands.
    """
    found = _COUNT.search(_usual(text))
    if found is None:
        return None
    number = _ends(*found.group(2, 3, 4, 5))[0]
    if number % 1:
        raise WrongError("不是整数", "it is no whole number")
    return -int(number) if found["minus"] else int(number)


def quantity(text: str) -> int | None:
    """How many there are; None where that is open (若干): the service takes it for one. Raises `WrongError` as `count` does,
    and for any other text without a number.
    """
    found = count(text)
    if found is None and text.strip() and not _OPEN.search(_usual(text)):
        raise WrongError("看不出数量；请写成 3、1,200 或若干", "it is no quantity; write 3, 1,200 or several")
    return found


def pay(text: str) -> tuple[int, int] | None:
    """Both ends of a post's pay, CNY a month; None where no number is named (面议). Raises `WrongError` for any other text."""
    usual = "".join(_usual(text).split())
    found = _PAY.fullmatch(usual)
    if found is None and not any(letter.isdigit() for letter in usual):
        return None
    if found:
        months = 12 if "年" in (found["before"], found["per"]) else 1
        low, high = (round(end / months) for end in _ends(*found.group(2, 3, 4, 5)))
        if low <= high and not any(0 < end < _LEAST_PAY for end in (low, high)):  # of 2-1万 the lower end has lost its 万
            return low, high
    raise WrongError(
        "看不出月薪；请写成 8000-12000、0.8-1.2万、8-12k 或 20-30万/年",
        "it is no pay by the month; write 8000-12000, 0.8-1.2万, 8-12k or 20-30万/年",
    )


def half_width(text: str) -> str:
    """The text with full-width letters, figures and signs as the usual ones. Not NFKC, by which 3² is 32 and ½ is 1 of 2."""
    return text.translate(_HALF)


def _usual(text: str) -> str:
    return half_width(text).strip().lower()


def _ends(low: str, unit: str | None, high: str | None, high_unit: str | None) -> tuple[Decimal, Decimal]:
    """Both ends of a range; of 8-12k both are thousands, of 8000-1.2万 the upper one alone is 万."""
    least, most = _plain(low), _plain(high or low)
    if high is None:
        high_unit = unit
    elif unit is None and least <= most:
        unit = high_unit
    return least * _UNITS.get(unit or "", 1), most * _UNITS.get(high_unit or "", 1)


def _plain(number: str) -> Decimal:
    """A number without the commas between its thousands."""
    if "," in number and not re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", number):
        raise WrongError("逗号须分隔千位", "commas have to part thousands")
    return Decimal(number.replace(",", ""))
