"""Personal data 个人信息 in free texts (PIPL art. 6): `screen` finds what must not stand there, `repeated` what a record says.

What has to be kept of persons is in `chassis.vault`.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from html import unescape
from urllib.parse import unquote

from chassis import numbers
from chassis.errors import Violation
from chassis.variants import simplified

# Of a messenger only what is an id is found: posts are full of 微信小程序, QQ音乐, 微信：JSSDK and WXG01, and a public account
# (公众号, gh_…) is nobody's.
_WECHAT = re.compile(
    r"""
    (?P<asked> (?<![增添追])加 | 我的?|本人|联系|咨询)?
    (?:微信|薇信 | (?P<latin> (?<![a-z])(?:wechat|weixin|v信|[vw]x)))
    (?:
        \s*(?:号码?|id)\s*[:是为(]?\s*  # it is called one
        | \s*:\s*(?=[a-z]*[\d_-])  # after a colon it has a digit, a hyphen or an underscore
        | (?(latin) (?:\s+|\s*\(\s*) | \s*\(?\s*) (?=[a-z_-]+\d\d)  # without one, letters and then two digits
        | (?(asked) \s*[:(]?\s* | (?!))  # where to write is said
    )
    (?!gh_|windows|android|openid|unionid|oauth|python)(?:[a-z][\w-]{5,19}|[1-9]\d{5,9})(?![\w.-])
    """,
    re.ASCII | re.VERBOSE,
)
_NUMBERS = {
    "mobile": ("手机号", "a mobile number"),
    "landline": ("固定电话", "a phone number"),
    "identity": ("身份证号", "an identity number"),
}
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TOP = "(?:com|cn|net|org|edu|gov|ac|io|me|cc|info|top|xyz|vip|hk|tw|中国)(?![a-z0-9-])"
_DOT = r"(?:\.|。|[ ]?[(\[{<][ ]?(?:dot|点|\.)[ ]?[)\]}>][ ]?|[ ]dot[ ]|[ ]?点[ ]?|[ ]\.[ ])"
_HOST = rf"[a-z0-9-]{{1,63}}(?:{_DOT}[a-z0-9-]{{1,63}}){{0,3}}{_DOT}{_TOP}"
_MAIL_HOST = (
    rf"(?:qq|vip|163|126|139|189|sina|sohu|yeah|foxmail|aliyun|gmail|outlook|hotmail|live|msn|yahoo|icloud){_DOT}{_TOP}"
)
_DISGUISED = re.compile(  # what follows an address's first part
    rf"""
    (?<=[a-z0-9_])
    (?: [ ]?[(\[{{<][ ]?(?:at|艾特|@)[ ]?[)\]}}>][ ]?[a-z0-9-]{{2,63}}(?:{_DOT}|$|[^a-z0-9-])
      | [ ]?[(\[{{<]a[)\]}}>][ ]?(?:{_HOST})
      | [ ]?艾特[ ]?(?:{_HOST})
      | \#(?:{_HOST})
      | (?:[*&$!^]|[ ]at[ ])(?:{_MAIL_HOST})
      | [ ]at[ ][a-z0-9-]{{1,63}}(?:[ ]dot[ ][a-z0-9-]{{1,63}}){{1,3}}(?![a-z0-9])
      | (?:@[ ]|[ ]@[ ])(?:{_HOST})
      | @[a-z0-9-]{{1,63}}(?:{_DOT}[a-z0-9-]{{1,63}}){{0,3}}{_DOT}{_TOP}
    )
    """,
    re.VERBOSE,
)
_MAY_BE_DISGUISED = re.compile(  # every part begins with a character, none with a set: these are found ten times as fast
    r"艾特|[ ]at[ ]|\#|\*|&|\$|!|\^|@|" + "|".join(rf"\{bracket}[ ]?(?:a|艾|@)" for bracket in "([{<")
)
_FIRST_PART = re.compile(r"(?<![a-z0-9.+/_-])[a-z0-9][a-z0-9._+-]+$")
_LONGEST_PART = 64  # characters of it (RFC 5321)
_PASSPORT = re.compile(
    r"""
    (?:护照|通行证|passport)\s?(?:号码?|证?件?号码?|编号|no\.?|number|id)?\s?[:是为(\#]?\s?
        (?: [a-z]{1,2}[ -]?\d(?:[ -]?\d){6,7} | \d{9} )(?![a-z0-9])
      | (?<![a-z0-9])[a-z]{1,2}\d{7,8}\s?\(?\s?(?:护照|passport)
    """,
    re.VERBOSE,
)
_QQ = re.compile(
    r"(?<![a-z])(?:qq|扣扣)\s*(?:号码?)?\s*(?:[:是为(]?\s*[1-9]\d{5,9}|[:是为(]\s*[1-9](?:[ -]?\d){5,9})(?!\d)", re.ASCII
)
_IDS = (
    ("微信号", "a WeChat id", _WECHAT),
    ("QQ 号", "a QQ number", _QQ),
)
# A hotline is a company's and nobody's own; what follows it is an extension. Its hyphen tells it from an amount before a
# mobile number: 补贴 400 138….
_HOTLINE = re.compile(r"(?<![\d-])[48]00-\d{3}-?\d{4}(?!\d)")
_PASSPORTS = ("护照", "通行证", "passport")
_MESSENGERS = ("微信", "薇信", "wechat", "weixin", "v信", "vx", "wx", "qq", "扣扣")

_ENCODED = re.compile("%[0-9A-Fa-f]{2}|&(?:#|[A-Za-z]+;)")
_TWICE = 2  # an entity of an entity: &amp;#49;
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_UUIDS = re.compile(rf"(?<![a-z0-9]){_UUID.pattern}(?![a-z0-9])", re.ASCII)  # in a text that is `usual`
_WORD = re.compile(  # of a token that is `usual`: a UUID, or a word with a letter, but for an identity number with its x
    rf"(?<![a-z0-9])(?:{_UUID.pattern}(?![a-z0-9])|(?!\d{{17}}x(?![a-z0-9]))(?=\d*[a-z])[a-z0-9]+)", re.ASCII
)
_LAST, _FIRST = re.compile(rf"{numbers.PART}\Z"), re.compile(rf"\s*{numbers.PART}")  # of a text: digits at its edge
_EDGE = 100  # characters there that are looked at
_SHORTEST = 5  # characters of what can be personal data: a@b.c


def screen(field: str, text: str) -> list[Violation]:
    """Violations for numbers of phones and identity cards, e-mail addresses, WeChat and QQ ids in a text; none is repeated.

    A UUID is random, whatever number its digits look like, also as a part of a text, such as an address.
    """
    if len(text) < _SHORTEST or _UUID.fullmatch(text.strip()):
        return []
    plain = _readable(text)
    if "00-" in plain:
        plain = _HOTLINE.sub(" ", plain)
    return [
        Violation(
            field,
            "personal-data",
            f"文字中含有{zh}；请删去，联系方式由平台另行保管",
            f"the text holds {en}; take it out, contacts are kept apart by the platform",
        )
        for zh, en in _held(plain, _UUIDS.sub(" ", plain))
    ]


def is_telling(token: str) -> bool:
    """Whether a token that a machine makes (a cursor) holds what `screen` finds in a text. Digits that are part of a word of
    Latin letters, and those of a UUID, are no number there: of random ones, some look like any number there is.
    """
    plain = _readable(token)
    return any(_held(plain, _WORD.sub(" ", plain)))


def screen_across(first: str, field: str, second: str) -> list[Violation]:
    """Violations of a field for what begins at the end of the text that is shown before it: 138… in a title, the rest below.

    What one of the two says by itself is none.
    """
    end = _LAST.search(numbers.usual(first[-_EDGE:]))
    begin = _FIRST.match(numbers.usual(second[:_EDGE])) if end else None
    if not end or not begin or screen(field, end[0]) or screen(field, begin[0]):
        return []
    return screen(field, end[0] + begin[0])


def principal_problems(field: str, principal: str) -> list[Violation]:
    """What is wrong with the account that a caller names: it stays in tables and on topics, so it says nothing of a person."""
    return [
        Violation(
            field,
            "personal-data",
            f"{one.zh.partition('；')[0]}；账号标识请填写身份提供方的 sub，不用手机号、邮箱等个人信息",
            f"{one.en.partition('; ')[0]}; name the account by the identity provider's sub, not by a phone number, an e-mail "
            "address or the like",
        )
        for one in screen(field, principal)
    ]


_NAMING: Mapping[str, tuple[str, str]] = {
    "display_name": ("姓名", "the name"),
    "phone": ("电话", "the phone number"),
    "email": ("电子邮箱", "the e-mail address"),
}
"""Fields of a record that say who somebody is. A position (教授) alone does not, and is a word of many purposes."""
_FEWEST = 2  # characters that are looked for: one alone (甲) stands in every other text
APART = r"[\s()·•・.\-_‐-―]"  # stands within names and numbers in some writings and not in others


def repeated(field: str, text: str, records: Collection[Mapping[str, str]]) -> list[Violation]:
    """Violations for what a text that stays (a reason, a purpose) repeats of personal records; they name the field alone.

    Names, numbers and addresses are found in any case, width and spacing, names also in traditional characters, Latin ones as
    words of their own; what has one character is no match.
    """
    plain = simplified(_readable(text))
    return [
        Violation(
            field,
            "personal-data",
            f"文字中含有该个人信息记录的{zh}，删除后仍会留存；请删去（事由可写“本人要求”）",
            f"the text holds {en} of the personal record, and outlives its erasure; take it out (a reason can be “at the "
            "person's request”)",
        )
        for name, (zh, en) in _NAMING.items()
        if any(_says(plain, one.get(name, "")) for one in records)
    ]


def _readable(text: str) -> str:
    """A text that is `usual`, and after it what it says where signs are written as those of a URL (RFC 3986) or of HTML."""
    plain = numbers.usual(text)
    if not _ENCODED.search(text):
        return plain
    for _ in range(_TWICE):
        text = unescape(unquote(text))
    return f"{plain} {numbers.usual(text)}"


def _says(plain: str, value: str) -> bool:
    """Whether a text that is `usual` and `simplified` holds a value, however the two are spaced."""
    number = numbers.canonical(value)
    signs = re.sub(APART, "", number.removeprefix("+") if number else simplified(numbers.usual(value)))
    if len(signs) < _FEWEST:
        return False
    pattern = f"{APART}*".join(map(re.escape, signs))
    if number is None:  # what precedes a number is its country's or its area's
        pattern = rf"{_edge('(?<!', signs[0])}{pattern}{_edge('(?!', signs[-1])}"
    return re.search(pattern, plain) is not None


def _edge(beside: str, sign: str) -> str:
    """No word of Latin letters or digits goes on beyond a sign that is one of them."""
    return f"{beside}[a-z0-9])" if re.fullmatch("[a-z0-9]", sign) else ""


def _held(plain: str, numbered: str) -> Iterator[tuple[str, str]]:
    """Names of what a text that is `usual` holds; numbers are looked for in `numbered`."""
    held = numbers.found(numbered)
    yield from (names for kind, names in _NUMBERS.items() if kind in held)
    if ("@" in plain and _EMAIL.search(plain)) or _is_disguised_email(plain):
        yield "电子邮箱", "an e-mail address"
    if any(map(plain.__contains__, _PASSPORTS)) and _PASSPORT.search(plain):
        yield "护照号", "a passport number"
    if any(map(plain.__contains__, _MESSENGERS)):
        yield from ((zh, en) for zh, en, pattern in _IDS if pattern.search(plain))


def _is_disguised_email(plain: str) -> bool:
    """Whether another sign stands for an address's @ or dot: `name (at) host.cn`, `name#host.cn`, `name@host。cn`."""
    if not _MAY_BE_DISGUISED.search(plain):
        return False
    return any(
        _FIRST_PART.search(plain, max(0, found.start() - _LONGEST_PART), found.start()) for found in _DISGUISED.finditer(plain)
    )


def subject_problems(subject: str) -> list[Violation]:
    """What is wrong with whom somebody asks for: a number that can't be read would be found nowhere."""
    if not numbers.is_unreadable(subject):
        return []
    return [
        Violation(
            "subject",
            "format",
            "看不懂这个号码；请只写号码本身，如 13800138000 或 010-68207837，一次一个，不加文字和分机",
            "the number can't be read; write one number alone, like 13800138000 or 010-68207837, without words or extension",
        )
    ]
