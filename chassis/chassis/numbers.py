"""Numbers of phones and identity cards as people write them: in any digits, with all kinds of signs between their groups."""

import re
import unicodedata
from datetime import date

_ZH = {0: "〇零○洞", 1: "一幺壹", 2: "二贰两", 3: "三叁", 4: "四肆", 5: "五伍", 6: "六陆", 7: "七柒拐", 8: "八捌", 9: "九玖勾"}
_SPOKEN = str.maketrans({sign: str(digit) for digit, signs in _ZH.items() for sign in signs})
_READ_OUT = "".join(_ZH.values())  # numbers are also written as they are read out: 一三八…, 幺三八…, 洞 on the radio
_ANY = rf"[\d{_READ_OUT}]"
_FOREIGN = re.compile(r"[^\D0-9]")  # digits of other scripts
_ODD = "|¦‖丨:;*#+&^…\\[]{}"  # signs that part no number by custom, but cells, sizes and terms of sums
_ODD_SIGNS = frozenset(_ODD)
_USUAL_GAPS = frozenset("-. ")
_BETWEEN = rf"[\s().,/·•_\-~〜‐-―{re.escape(_ODD)}]"  # of a text in NFKC: its full-width signs are half-width
_GAPS = re.compile(rf"(?<=\d){_BETWEEN}{{1,8}}(?=\d)")
_LONG_ENOUGH = re.compile(rf"{_ANY}(?:{_BETWEEN}{{0,8}}{_ANY}){{6}}")
PART = rf"{_ANY}(?:{_BETWEEN}{{0,2}}{_ANY}){{0,17}}{_BETWEEN}{{0,2}}"
"""A part of a number, with a sign where it goes on."""
_INVISIBLE = re.compile(
    # What stands between signs and is not seen (Default_Ignorable_Code_Point of Unicode, and other formats); and, of a text in
    # NFKC, what strikes a sign through or puts it on a key.
    "[\u00ad\u0300-\u036f\u20d0-\u20ff\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# What follows looks at a text as `_joined` leaves it: ASCII digits, and between two groups "-"; or "," where a comma, a slash
# or an underscore stood, which also part the numbers of a list; or ")" where a bracket stood alone; or "|" for one of `_ODD`.
_MOBILE = re.compile(
    r"""
    (?<!\d)(?:(?:(?:\+|00)?86[-)]?)?(?:0[-)]?)?1[3-9]
        (?: \d[-)]?\d{4}-?\d{4} | \d[-)]?\d{3}-?\d{5} )
      | (?<!\d-)1-[3-9](?:-\d){9}(?!-\d)  # digit by digit
      | 1[3-9]\d,(?!(?:19|20)\d\d,(?:0[1-9]|1[0-2]))\d{4},\d{4}(?!,|-?\d|\s*[元万亿人名])  # no day, no list of amounts
    )(?!\d)
    """,
    re.VERBOSE,
)
_MOBILE_ODD = re.compile(
    r"""
    (?<!\d)(?<!\d[|,-])(?<!尺寸)(?<!尺寸[ :为])(?<!规格)(?<!规格[ :为])
    1[3-9](?: \d[|,)-](?!(?:19|20)\d\d[|,)-])\d{4}[|,)-]\d{4} | \d\|\d{8} | \d{5}\|\d{4} )
    (?!\d|[|,-]\d|\s*(?:[元万亿人名米|=×]|[cm]?m(?![a-z])|[毫厘]米))  # no row of a table, no sum, no size
    """,
    re.VERBOSE,
)
_AREA = r"(?:10|2\d|[3-9]\d\d)"
_LOCAL = r"[2-9]\d{6,7}"
_LOCAL_APART = r"[2-9]\d{2,3}-\d{4}"
_LANDLINE = re.compile(
    rf"""
    (?<!\d)(?: 0{_AREA}(?: -\d{{7,8}} | [-)]?{_LOCAL} )
      | (?<!\d-)0{_AREA}[-)]?{_LOCAL_APART}
      | (?:\+|00)86[-)]?(?:0[-)]?)?{_AREA}[-)]?(?: {_LOCAL} | {_LOCAL_APART} )
      | 86-{_AREA}-{_LOCAL}
    )(?!\d)
    """,
    re.VERBOSE,
)
_IDENTITY = re.compile(r"(?<!\d)[1-9]\d{5}-?(?:19|20)\d\d-?[01]\d-?[0-3]\d-?\d{3}[\dx](?![\da-z])")
# A letter may follow where the check digit tells it from a longer key.
_IDENTITY_APART = re.compile(r"(?<!\d)(?<!\d-)[1-9](?:-?\d){16}-?[\dx](?!-?\d)")
_IDENTITY_OLD = re.compile(r"(?<!\d)(?<!\d-)[1-9]\d{5}-?\d\d[01]\d[0-3]\d-?\d{3}(?!-?\d)")  # 15 digits, until 1999
_PROVINCE = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999

_LETTERS = str.maketrans("oοоiіl", "000111")  # written for digits; among them Greek and Cyrillic ones
_LETTERED = re.compile(rf"(?<![a-z\d])[\doοоiіl](?:{_BETWEEN}{{0,2}}[\doοоiіl]){{10,}}(?![a-z\d])")
_FEWEST_AMONG_LETTERS = 5  # digits

_NUMBER = re.compile(r"\+?[\d\s()./·•_\-‐-―]{5,}")
_FEWEST = 5  # digits of what is a number
_DOMESTIC = range(9, 13)  # digits of a number in China, with its area code


def usual(text: str) -> str:
    """The text with half-width signs and small letters, and without characters that are not seen."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).lower()


def found(text: str) -> set[str]:
    """Which kinds of numbers a text that is `usual` holds: `mobile`, `landline`, `identity`."""
    kinds = set[str]()
    if _LONG_ENOUGH.search(text):
        kinds |= _found(_joined(text))
        if (spoken := text.translate(_SPOKEN)) != text:
            kinds |= _found(_joined(spoken))
    for lettered in _LETTERED.findall(text):
        if any(map(str.isalpha, lettered)) and sum(map(str.isdecimal, lettered)) >= _FEWEST_AMONG_LETTERS:
            kinds |= _found(_joined(lettered.translate(_LETTERS)))
    return kinds


def canonical(subject: str) -> str | None:
    """What stands for a phone number in whatever writing: its digits without 86 and the area code's 0, of another country `+`
    and its digits. None for what is no number.
    """
    plain = usual(subject).translate(_SPOKEN).strip()
    if not _NUMBER.fullmatch(plain):
        return None
    digits = re.sub(r"\D", "", _ascii(plain))
    if len(digits) < _FEWEST:
        return None
    is_abroad = plain.startswith("+") or digits.startswith("00")
    digits = digits.removeprefix("00")
    inland = digits.removeprefix("86").removeprefix("0")
    if digits.startswith("86") and len(inland) in _DOMESTIC:
        return inland
    return f"+{digits}" if is_abroad else digits.removeprefix("0")


def is_unreadable(subject: str) -> bool:
    """Whether a subject is meant for a number, having its digits and no letters, and can't be read as one."""
    plain = usual(subject)
    digits = sum(one.isdecimal() for one in plain.translate(_SPOKEN))
    return digits > _FEWEST and not re.search(r"[a-z@]", plain.removeprefix("tel")) and canonical(subject) is None


def _joined(text: str) -> str:
    return _GAPS.sub(_gap, _ascii(text))


def _ascii(text: str) -> str:
    return _FOREIGN.sub(lambda digit: str(int(digit[0])), text)


def _gap(match: re.Match[str]) -> str:
    between = match[0]
    if between in "()":
        return ")"
    if between in _USUAL_GAPS:
        return "-"
    if not _ODD_SIGNS.isdisjoint(between):
        return "|"
    return "," if any(sign in between for sign in ",/_") else "-"


def _found(joined: str) -> set[str]:
    kinds = set()
    plain = joined.replace("|", "-")  # what is told by an area's code, a day or a check digit may be parted by anything
    if _MOBILE.search(joined) or (plain != joined and _MOBILE_ODD.search(joined)):
        kinds.add("mobile")
    if _LANDLINE.search(joined) or (plain != joined and _LANDLINE.search(plain)):
        kinds.add("landline")
    if (
        any(map(_has_birthday, _IDENTITY.findall(plain)))
        or any(map(_has_check_digit, _IDENTITY_APART.findall(plain)))
        or any(map(_is_old_identity, _IDENTITY_OLD.findall(plain)))
    ):
        kinds.add("identity")
    return kinds


def _has_birthday(written: str) -> bool:
    return _is_day(written.replace("-", "")[6:14])


def _has_check_digit(written: str) -> bool:
    digits = written.replace("-", "")
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=False))
    return _is_day(digits[6:14]) and "10x98765432"[total % 11] == digits[17]


def _is_old_identity(written: str) -> bool:
    digits = written.replace("-", "")
    return _PROVINCE.match(digits) is not None and _is_day(f"19{digits[6:12]}")


def _is_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
