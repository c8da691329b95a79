"""Personal data 个人信息: kept in one table, referred to by a random id, never on a topic (PIPL art. 6, 45, 47).

`screen` finds in free texts what must not stand there, `repeated` what a record says. `Vault` keeps what has to be kept, with
purpose, legal basis, source and the date until which; every read records reader and purpose. `Papers` are files about the same
persons, which go with their records.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import unescape
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, insert, not_, select

from chassis import numbers
from chassis.clock import business_date
from chassis.crypto import hex_digest
from chassis.database import Tx
from chassis.errors import Unavailable, Violation, refuse
from chassis.ids import id_of, new_id
from chassis.tables import personal_data, personal_data_access
from chassis.variants import simplified

COLLECTION = "personalRecords"

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
_WORD = re.compile(  # of a token that is `usual`: a UUID, or a word with a letter, but for an identity number with its x
    rf"(?<![a-z0-9])(?:{_UUID.pattern}(?![a-z0-9])|(?!\d{{17}}x(?![a-z0-9]))(?=\d*[a-z])[a-z0-9]+)", re.ASCII
)
_LAST, _FIRST = re.compile(rf"{numbers.PART}\Z"), re.compile(rf"\s*{numbers.PART}")  # of a text: digits at its edge
_EDGE = 100  # characters there that are looked at
_SHORTEST = 5  # characters of what can be personal data: a@b.c


def screen(field: str, text: str) -> list[Violation]:
    """Violations for numbers of phones and identity cards, e-mail addresses, WeChat and QQ ids in a text; none is repeated."""
    if len(text) < _SHORTEST:
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
        for zh, en in _held(plain, plain)
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
    """What is wrong with the account that a caller names: it stays in tables and on topics, so it says nothing of a person.

    A UUID is random, whatever number its digits look like.
    """
    if _UUID.fullmatch(principal.strip()):
        return []
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
_APART = r"[\s()·•・.\-_‐-―]"  # stands within names and numbers in some writings and not in others


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
    signs = re.sub(_APART, "", number.removeprefix("+") if number else simplified(numbers.usual(value)))
    if len(signs) < _FEWEST:
        return False
    pattern = f"{_APART}*".join(map(re.escape, signs))
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


@dataclass(frozen=True)
class PersonalRecord:
    """One record of personal data; `name` is `personalRecords/{id}`."""

    name: str
    kind: str
    fields: Mapping[str, str]
    purpose: str
    legal_basis: str
    source: str
    retain_until: date
    created_at: datetime


class Paper(NamedTuple):
    """A file that is about somebody, e.g. `documents/{document}`, and the resources that it is attached to."""

    name: str
    kind: str
    attached_to: Sequence[str]
    file_name: str


class Erasure(NamedTuple):
    """Papers that were erased, and those that are left to judge."""

    erased: Sequence[Paper] = ()
    left: Sequence[Paper] = ()


class Papers(Protocol):
    """What a service keeps of persons beside the vault: files that are about whom its records tell of."""

    async def listed(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Sequence[Paper]:
        """Those of some records, which are given by their fields."""

    async def lock(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> None:
        """Lock what those of some records are attached to, in the order of names."""

    async def erase(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Erasure:
        """Erase those of some records, `lock`ed, as far as they are about nobody else. Contents go after the commit."""

    async def mentions(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Sequence[str]:
        """Resources of whoever kept some records whose texts hold a name of them, now or before: these stay."""


Lock = Callable[[Tx, Sequence[Mapping[str, str]]], Awaitable[None]]
"""Locks what records are of, e.g. `Papers.lock`."""


class NoPapers:
    """Of a service that keeps none."""

    async def listed(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Sequence[Paper]:
        """See `Papers`."""
        return ()

    async def lock(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> None:
        """See `Papers`."""

    async def erase(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Erasure:
        """See `Papers`."""
        return Erasure()

    async def mentions(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Sequence[str]:
        """See `Papers`."""
        return ()


class Vault:
    """The service's one table of personal data."""

    async def keep(
        self,
        tx: Tx,
        *,
        subjects: Collection[str],
        kind: str,
        fields: Mapping[str, str],
        purpose: str,
        legal_basis: str,
        source: str,
        retain_until: date,
    ) -> str:
        """Keep a record; returns its name. `subjects` (addresses, numbers, a `sub`) are what it is found by later."""
        identifier = new_id()
        await tx.conn.execute(
            insert(personal_data).values(
                id=identifier,
                subject_hashes=_hashes(subjects, fields),
                kind=kind,
                fields=dict(fields),
                purpose=purpose,
                legal_basis=legal_basis,
                source=source,
                retain_until=retain_until,
                created_at=tx.recorded_at,
            )
        )
        return f"{COLLECTION}/{identifier}"

    async def read(self, tx: Tx, name: str, purpose: str) -> PersonalRecord | None:
        """One record, or None once it was erased or is past its date; the read is recorded."""
        query = select(personal_data).where(personal_data.c.id == UUID(id_of(name)), _is_in_time(tx))
        row = (await tx.conn.execute(query)).one_or_none()
        if row is None:
            return None
        await self._record_read(tx, [row.id], purpose)
        return _record(row)

    async def kept(self, tx: Tx, names: Collection[str]) -> set[str]:
        """Which of some records are kept still: neither erased nor past their date. Nothing of them is read."""
        ids = [UUID(id_of(name)) for name in names]
        found = await tx.conn.execute(select(personal_data.c.id).where(personal_data.c.id.in_(ids), _is_in_time(tx)))
        return {f"{COLLECTION}/{one}" for one in found.scalars()}

    async def says(self, tx: Tx, name: str, fields: Mapping[str, str], legal_basis: str, retain_until: date) -> bool:
        """Whether a record is kept that says just this. Nothing of it is read."""
        c = personal_data.c
        same = and_(c.fields == dict(fields), c.legal_basis == legal_basis, c.retain_until == retain_until)
        return (await tx.conn.execute(select(c.id).where(_is_called(name), same, _is_in_time(tx)))).first() is not None

    async def is_about(self, tx: Tx, name: str, subjects: Collection[str], fields: Mapping[str, str]) -> bool:
        """Whether a record is kept of a person with one of these subjects, or of this name. Nothing of it is read."""
        shared = personal_data.c.subject_hashes.overlap(_hashes(subjects, fields))
        found = await tx.conn.execute(select(personal_data.c.id).where(_is_called(name), shared, _is_in_time(tx)))
        return found.first() is not None

    async def of_subject(self, tx: Tx, subject: str, purpose: str) -> list[PersonalRecord]:
        """Everything that is kept on a subject and not past its date; the read is recorded."""
        query = select(personal_data).where(_is_of(subject), _is_in_time(tx)).order_by(personal_data.c.id)
        rows = (await tx.conn.execute(query)).all()
        await self._record_read(tx, [row.id for row in rows], purpose)
        return [_record(row) for row in rows]

    async def namesakes(self, tx: Tx, subject: str) -> int:
        """How many records bear a subject as a name and are kept by something else: they may be another person's."""
        of_the_name = personal_data.c.subject_hashes.contains([_name(subject)])
        query = select(func.count()).select_from(personal_data).where(of_the_name, not_(_is_of(subject)), _is_in_time(tx))
        return int((await tx.conn.execute(query)).scalar_one())

    async def erase(self, tx: Tx, subject: str, lock: Lock) -> Sequence[Mapping[str, str]]:
        """Erase everything that is kept on a subject; returns the fields of the records. Raises `Invalid` as `forget`, and
        `Unavailable` where a record came meanwhile.
        """
        erased = await self._locked_and_deleted(tx, _is_of(subject), lock)
        refuse(repeated("reason", tx.cause.reason, erased))
        return erased

    async def forget(self, tx: Tx, name: str) -> None:
        """Erase one record. Raises `Invalid` where the reason of the transaction, which stays, says what is to be erased."""
        erased = await self._deleted(tx, _is_called(name))
        refuse(repeated("reason", tx.cause.reason, list(erased.values())))

    async def repeated(self, tx: Tx, names: Collection[str], texts: Iterable[tuple[str, str]]) -> list[Violation]:
        """`repeated` of some records, for texts that stay with the names of their fields. Nothing of the records is told."""
        ids, said = [UUID(id_of(name)) for name in names if name], [(field, text) for field, text in texts if text]
        if not ids or not said:
            return []
        found = await tx.conn.execute(select(personal_data.c.fields).where(personal_data.c.id.in_(ids)))
        records = found.scalars().all()
        return [one for field, text in said for one in repeated(field, text, records)]

    async def past(self, tx: Tx) -> list[str]:
        """Names of records that are past their date, the oldest first."""
        c = personal_data.c
        found = await tx.conn.execute(select(c.id).where(not_(_is_in_time(tx))).order_by(c.retain_until, c.id))
        return [f"{COLLECTION}/{one}" for one in found.scalars()]

    async def purge(self, tx: Tx, name: str, lock: Lock) -> Sequence[Mapping[str, str]]:
        """Erase a record that is past its date; returns its fields, or nothing where it is gone already."""
        return await self._locked_and_deleted(tx, and_(_is_called(name), not_(_is_in_time(tx))), lock)

    async def _locked_and_deleted(self, tx: Tx, which: ColumnElement[bool], lock: Lock) -> Sequence[Mapping[str, str]]:
        """What records are of is locked before them, as by whoever changes one: the other way round, each would wait for the
        other. What came between the look and the locks is of something that is not locked.
        """
        c = personal_data.c
        found = {row.id: row.fields for row in await tx.conn.execute(select(c.id, c.fields).where(which))}
        await lock(tx, list(found.values()))
        erased = await self._deleted(tx, which)
        if erased.keys() - found.keys():
            raise Unavailable("个人信息记录刚有变动，请稍后重试", "records of the person have just changed; try again shortly")
        return list(erased.values())

    async def _deleted(self, tx: Tx, which: ColumnElement[bool]) -> dict[UUID, Mapping[str, str]]:
        c = personal_data.c
        return {
            row.id: row.fields for row in await tx.conn.execute(delete(personal_data).where(which).returning(c.id, c.fields))
        }

    async def _record_read(self, tx: Tx, records: list[UUID], purpose: str) -> None:
        if records:
            rows = [
                {"id": new_id(), "record": one, "reader": tx.cause.actor, "purpose": purpose, "read_at": tx.recorded_at}
                for one in records
            ]
            await tx.run_each(insert(personal_data_access), rows)


def _is_in_time(tx: Tx) -> ColumnElement[bool]:
    """Its date is the last day on which it is kept: what is past it counts as erased, also before `purge` comes by."""
    return personal_data.c.retain_until >= business_date(tx.now)


def _is_called(name: str) -> ColumnElement[bool]:
    return personal_data.c.id == UUID(id_of(name))


def _is_of(subject: str) -> ColumnElement[bool]:
    return personal_data.c.subject_hashes.contains([_subject(subject)])


def _hashes(subjects: Collection[str], fields: Mapping[str, str]) -> list[str]:
    """What a record is found by: its subjects, and its person's name as one."""
    name = fields.get("display_name", "")
    return sorted({*map(_subject, subjects), *([_name(name)] if name else [])})


def _subject(subject: str) -> str:
    """Hash of a subject, however it is written: `+86 138-0000-0000` is `13800000000`, `张 三` is `张三`."""
    return hex_digest((numbers.canonical(subject) or _plain(subject)).encode())


def _name(name: str) -> str:
    """Hash of a name as one, which is no subject's: a subject has no blanks."""
    return hex_digest(f"name {_plain(name)}".encode())


def _plain(text: str) -> str:
    """However a name or an address is spaced, and a name that is not in ASCII dotted: `买买提·吐尔逊` is `买买提吐尔逊`, but
    `li.si@…` is another than `lisi@…`.
    """
    plain = "".join(numbers.usual(text).split())
    return plain if plain.isascii() else re.sub(_APART, "", plain)


def _record(row: Any) -> PersonalRecord:
    return PersonalRecord(
        f"{COLLECTION}/{row.id}",
        row.kind,
        row.fields,
        row.purpose,
        row.legal_basis,
        row.source,
        row.retain_until,
        row.created_at,
    )
