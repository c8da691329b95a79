"""What an issuer wrote, checked field by field by what the contract knows of each (alliance.common.v1.field).

`settled` puts codes in place of the names that were written for them and says everything that is wrong.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from alliance.common.v1 import field_pb2
from alliance.listings.v1 import listing_pb2 as pb
from chassis.clock import parsed_date
from chassis.errors import Violation
from chassis.personal import screen
from codes import NoCodeError, education, fields, industries, majors, occupations, regions
from listings.domain import formats
from listings.domain.fairness import unfair
from listings.domain.names import DETAILS

MAX_TITLE = 200
MAX_DESCRIPTION = 20_000
MAX_BODIES = 20
MAX_INDUSTRIES = 10
MAX_FIELDS = 10
MAX_REGIONS = 40
MAX_WORDS = 100
"""Skills, majors, positions and the like, in one field."""
MAX_WORD = 100
"""Characters of one of them."""
MAX_TEXT = 5_000
"""Characters of a text in the details."""
_POSTGRADUATE = 6
_KINDS = frozenset(pb.ListingKind.values())
_DETAILS_OF = {int(kind): field for kind, field in DETAILS.items()}
_IDENTITY = frozenset({"issuer", "bodies", "source", "external_key"})
_TABLES: Mapping[int, tuple[str, Callable[[str], str]]] = {
    field_pb2.CODE_TABLE_REGIONS: ("GB/T 2260", regions.read),
    field_pb2.CODE_TABLE_INDUSTRIES: ("GB/T 4754", industries.read),
    field_pb2.CODE_TABLE_OCCUPATIONS: ("职业分类大典 2022", occupations.read),
    field_pb2.CODE_TABLE_EDUCATION: ("GB/T 4658", education.read),
    field_pb2.CODE_TABLE_MAJORS: ("专业目录", majors.read),
    field_pb2.CODE_TABLE_FIELDS: ("S4 三(一)", fields.read),
}
_FORMATS: Mapping[int, tuple[str, Callable[[str], bool], str, str]] = {
    field_pb2.TEXT_FORMAT_DATE: (
        "ISO 8601",
        lambda text: parsed_date(text) is not None,
        "日期须为真实日期，格式如 2026-01-31；请改正",
        "it has to be a day of the calendar like 2026-01-31; mend it",
    ),
    field_pb2.TEXT_FORMAT_TIME: (
        "ISO 8601",
        formats.is_time,
        "时刻格式须如 08:00，一日之末为 24:00；请改正",
        "the time has to look like 08:00, the end of the day is 24:00; mend it",
    ),
    field_pb2.TEXT_FORMAT_HTTPS: (
        "https",
        formats.is_https,
        "须为 https:// 开头的网址；请改正",
        "it has to be an https:// address; mend it",
    ),
    field_pb2.TEXT_FORMAT_ISBN: (
        "ISBN-13",
        formats.is_isbn,
        "须为 13 位 ISBN，末位校验码须相符；请核对",
        "it has to be an ISBN-13 with its check digit; look it up again",
    ),
    **{
        number: (
            "AIP-122",
            partial(formats.is_name, collection),
            f"须写成 {collection}/{{编号}}；请改正",
            f"it is written as {collection}/{{id}}; mend it",
        )
        for number, collection in (
            (field_pb2.TEXT_FORMAT_ORGANIZATION, "organizations"),
            (field_pb2.TEXT_FORMAT_LISTING, "listings"),
            (field_pb2.TEXT_FORMAT_ROUND, "rounds"),
            (field_pb2.TEXT_FORMAT_BODY, "bodies"),
        )
    },
}


def settled(bare: pb.Listing, unread: Collection[str] = ()) -> list[Violation]:
    """Everything that is wrong with what the issuer wrote, in which codes take the place of names.

    `unread` are fields that could not be read: of them, and of what can't be judged without them, nothing is said.
    """
    details = bare.WhichOneof("details")
    found = [*_kind(bare), *_top(bare), *_known(bare, "", is_postgraduate=False), *_across(bare, "", unread)]
    if details:
        inner, prefix = getattr(bare, details), f"{details}."
        is_postgraduate = _is_postgraduate(inner) or f"{prefix}education_code" in unread
        found += [*_known(inner, prefix, is_postgraduate=is_postgraduate), *_across(inner, prefix, unread)]
    # Keys and sources are published, too.
    for field, value in (*texts(bare), ("source", bare.source), ("external_key", bare.external_key)):
        found += screen(field, value)
    return [one for one in found if not concerns(one.field, unread)]


def concerns(field: str, others: Iterable[str]) -> bool:
    """Whether a field, as refusals name it (`bodies[0]`), is one of the others, lies in one of them or holds one."""
    path = f"{field.partition('[')[0]}."
    return any(path.startswith(f"{one}.") or f"{one}.".startswith(path) for one in others)


def flagged(bare: pb.Listing) -> list[Violation]:
    """What breaks a rule and is taken in all the same, since only its issuer can say it better."""
    return [
        Violation(
            field,
            demand.attribute.rule,
            f"“{demand.words}”对{demand.attribute.zh}提出要求；请删去，匹配不会考虑",
            f'"{demand.words}" asks for {demand.attribute.en}; take it out, matching never looks at it',
        )
        for field, demand in unfair(bare.kind, texts(bare))
    ]


def texts(message: Message, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every free text of a message with the path of its field."""
    for field, value in message.ListFields():
        if field.name in _IDENTITY or _is_formatted(field):
            continue
        path = f"{prefix}{field.name}"
        if field.message_type is not None:
            if field.message_type.full_name.startswith("alliance.") and not field.is_repeated:
                yield from texts(value, f"{path}.")
        elif field.type == field.TYPE_STRING:
            for one in value if field.is_repeated else [value]:
                yield path, one


@cache
def _is_formatted(field: FieldDescriptor) -> bool:
    format_ = _of(field).format
    return format_ not in (field_pb2.TEXT_FORMAT_UNSPECIFIED, field_pb2.TEXT_FORMAT_HTTPS)


def _of(field: FieldDescriptor) -> field_pb2.Field:
    known: field_pb2.Field = field.GetOptions().Extensions[field_pb2.field]
    return known


# What the contract knows


@cache
def _checked(message: Descriptor) -> dict[str, field_pb2.Field]:
    """What is known of the fields of a message; kind and identity, and those of the platform, are looked at apart."""
    apart = ("kind", "visibility", "issuer", "source", "external_key", "etag")
    return {
        field.name: known
        for field in message.fields
        if not (known := _of(field)).output_only and field.name not in apart and known.zh
    }


@cache
def _required(message: Descriptor) -> list[tuple[FieldDescriptor, field_pb2.Field]]:
    """Those that can't be left out; a number that has to be more than 0 is one of them."""
    wanted = {name: known for name, known in _checked(message).items() if known.required or known.min > 0}
    return [(message.fields_by_name[name], known) for name, known in wanted.items()]


def _known(message: Message, prefix: str, *, is_postgraduate: bool) -> Iterator[Violation]:
    checked, given = _checked(message.DESCRIPTOR), message.ListFields()
    for field, value in given:
        if (known := checked.get(field.name)) is not None:
            yield from _field(message, field, value, known, f"{prefix}{field.name}", is_postgraduate)
    filled = {field.name for field, _ in given}
    for field, known in _required(message.DESCRIPTOR):
        if field.name not in filled:
            yield from _left_out(field, known, f"{prefix}{field.name}")


def _left_out(field: FieldDescriptor, known: field_pb2.Field, path: str) -> Iterator[Violation]:
    if field.enum_type is not None:
        yield from _chosen(0, field.enum_type, known, path)
    elif known.min > 0:
        yield from _number(0, known, path)
    else:
        yield _missing(known, path)


def _field(
    message: Message, field: FieldDescriptor, value: Any, known: field_pb2.Field, path: str, is_postgraduate: bool
) -> Iterator[Violation]:
    """Checks a field that is filled in."""
    if field.is_repeated:
        yield from _listed(value, known, path, is_postgraduate)
    elif field.enum_type is not None:
        yield from _chosen(value, field.enum_type, known, path)
    elif field.type == field.TYPE_STRING:
        given, found = _text(value, known, path, is_postgraduate)
        yield from found
        if given != value:
            setattr(message, field.name, given)
        if "." in path and len(given) > MAX_TEXT:
            yield Violation(path, "length", f"最多 {MAX_TEXT} 个字；请缩短", f"at most {MAX_TEXT} characters; shorten it")
    elif field.message_type is None and field.type != field.TYPE_BOOL:
        yield from _number(value, known, path)


def _listed(values: Any, known: field_pb2.Field, path: str, is_postgraduate: bool) -> Iterator[Violation]:
    """Checks a repeated text, in place: items of one line, without empty ones; codes for names, each code once."""
    kept = []
    for value in filter(None, map(_on_one_line, values)):
        text, found = _text(value, known, path, is_postgraduate)
        yield from found
        kept.append(text)
    if known.codes or known.format:
        kept = list(dict.fromkeys(kept))
    if kept != list(values):
        values[:] = kept
    if known.required and not kept:
        yield _missing(known, path)
    if "." not in path:
        return
    if len(values) > MAX_WORDS:
        yield Violation(path, "range", f"最多 {MAX_WORDS} 项；请删减", f"at most {MAX_WORDS} items; leave some out")
    if any(len(word) > MAX_WORD for word in values):
        yield Violation(
            path, "length", f"每项最多 {MAX_WORD} 个字；请缩短", f"at most {MAX_WORD} characters an item; shorten it"
        )


def _text(value: str, known: field_pb2.Field, path: str, is_postgraduate: bool) -> tuple[str, list[Violation]]:
    """The text as it is kept, and what is wrong with it: blanks around it say nothing, and no table brings them back."""
    value = _on_one_line(value) if known.codes or known.format else value.strip()
    if not value:
        return value, [_missing(known, path)] if known.required else []
    if known.codes:
        return _coded(value, known, path, is_postgraduate)
    if known.format:
        rule, is_right, zh, en = _FORMATS[known.format]
        return value, [] if is_right(value) else [Violation(path, rule, zh, en)]
    return value, []


def _on_one_line(text: str) -> str:
    """A text with single blanks in place of line breaks and runs of blanks."""
    return " ".join(text.split())


def _coded(value: str, known: field_pb2.Field, path: str, is_postgraduate: bool) -> tuple[str, list[Violation]]:
    rule, read = _TABLES[known.codes]
    try:
        return read(value), []
    except NoCodeError as error:
        if is_postgraduate and known.codes == field_pb2.CODE_TABLE_MAJORS:
            return value, []  # their disciplines are in a catalogue of their own, which the platform does not have
        return value, [Violation(path, rule, error.zh, str(error))]


def _chosen(value: int, enum: EnumDescriptor, known: field_pb2.Field, path: str) -> Iterator[Violation]:
    if value in enum.values_by_number and (value or not known.required):
        return
    names = [(one.GetOptions().Extensions[field_pb2.zh], one.name) for one in enum.values if one.number]
    allowed_zh = "、".join(f"{zh}（{name}）" for zh, name in names)
    yield Violation(
        path,
        "required" if not value else "enum",
        f"请选择{known.zh}：{allowed_zh}",
        f"choose one of {', '.join(name for _, name in names)}",
    )


def _number(value: float, known: field_pb2.Field, path: str) -> Iterator[Violation]:
    low, high = known.min if known.HasField("min") else None, known.max if known.HasField("max") else None
    if (low is None or low <= value) and (high is None or value <= high):  # not a number is neither
        return
    zh = f"须为 {low:g}–{high:g}" if high is not None else f"须不小于 {low:g}"
    en = f"{low:g} to {high:g}" if high is not None else f"at least {low:g}"
    yield Violation(path, "range", f"{known.zh}{zh}；请改正", f"{path} has to be {en}; mend it")


def _missing(known: field_pb2.Field, path: str) -> Violation:
    return Violation(path, "required", f"请填写{known.zh}", f"{path} is required; enter it")


# What it doesn't


def _kind(bare: pb.Listing) -> Iterator[Violation]:
    if bare.kind not in _KINDS or not bare.kind:
        yield Violation("kind", "required", "请填写信息类型", "the kind is required; choose one of ListingKind")
        return
    wanted = _DETAILS_OF[int(bare.kind)]
    given = bare.WhichOneof("details")
    if given and given != wanted:
        yield Violation(
            given,
            "details-kind",
            f"{given} 与信息类型不符；请改填此类型的详情 {wanted}",
            f"{given} does not belong to this kind; fill in its details, {wanted}",
        )
    if not given:
        zh, en = _some_details(wanted)
        yield Violation(
            wanted,
            "required",
            f"此类型须有详情（R38–R53）；请填写至少一项，如{zh}",
            f"this kind needs its details (R38–R53); fill in {wanted}, say {en}",
        )
    if not bare.visibility or bare.visibility not in pb.Visibility.values():
        yield Violation(
            "visibility",
            "required",
            "请填写可见范围：公开、成员可见或政府可见",
            "the visibility is required; choose PUBLIC, MEMBERS or GOVERNMENT",
        )


@cache
def _some_details(name: str) -> tuple[str, str]:
    """The first of a kind's details, as people know them and as the contract does."""
    known = dict(list(_checked(pb.Listing.DESCRIPTOR.fields_by_name[name].message_type).items())[:3])
    return "、".join(one.zh for one in known.values()), ", ".join(known)


def _too_long(field: str, most: int) -> Callable[[pb.Listing], bool]:
    return lambda bare: len(getattr(bare, field)) > most


_TOP: Sequence[tuple[str, str, Callable[[pb.Listing], bool], str, str]] = (
    (
        "title",
        "length",
        lambda bare: bool(bare.title.strip()) and not 2 <= len(bare.title) <= MAX_TITLE,  # required is said already
        f"标题须为 2–{MAX_TITLE} 个字；请补充或缩短",
        f"the title has to have 2 to {MAX_TITLE} characters; say more, or less",
    ),
    # It is the subject of mails.
    (
        "title",
        "one-line",
        lambda bare: len(bare.title.splitlines()) > 1,
        "标题不得换行；请写成一行",
        "the title has to be one line; take the breaks out",
    ),
    (
        "description",
        "length",
        _too_long("description", MAX_DESCRIPTION),
        f"说明不得超过 {MAX_DESCRIPTION} 个字；请缩短",
        f"the description is over {MAX_DESCRIPTION} characters; shorten it",
    ),
    *(
        (field, "range", _too_long(field, most), f"最多 {most} 个{zh}；请删减", f"at most {most} {en}; leave some out")
        for field, most, zh, en in (
            ("bodies", MAX_BODIES, "组织", "bodies"),
            ("region_codes", MAX_REGIONS, "地区", "regions"),
            ("industry_codes", MAX_INDUSTRIES, "行业", "industries"),
            ("field_codes", MAX_FIELDS, "领域", "fields"),
        )
    ),
    (
        "bodies",
        "range",
        lambda bare: len(set(bare.bodies)) < len(bare.bodies),
        "同一组织只填一次；请去掉重复的",
        "name each body once; leave the others out",
    ),
    (
        "bodies",
        "required",
        lambda bare: bare.visibility == pb.VISIBILITY_MEMBERS and not bare.bodies,
        "成员可见的信息须写明组织，否则无人可见；请填写 bodies，或改为公开",
        "for the members of a body it has to name one, or nobody sees it; name the body, or make it public",
    ),
    ("source", "length", _too_long("source", 64), "最多 64 个字符；请缩短", "at most 64 characters; shorten it"),
    (
        "external_key",
        "length",
        _too_long("external_key", 128),
        "最多 128 个字符；请缩短",
        "at most 128 characters; shorten it",
    ),
)


def _top(bare: pb.Listing) -> list[Violation]:
    return [Violation(field, rule, zh, en) for field, rule, is_wrong, zh, en in _TOP if is_wrong(bare)]


def _is_postgraduate(details: Message) -> bool:
    code = getattr(details, "education_code", "")
    try:
        return bool(code) and education.level(education.read(code)) >= _POSTGRADUATE
    except NoCodeError:
        return False


# Across fields


@dataclass(frozen=True)
class _Relation:
    """A rule across fields. Where it is broken, each of them is named: any of them may be the wrong one.

    Attributes:
        prefix: of the details that hold the fields, "case."; "" for the listing itself.
        fields: their paths below it.
    """

    prefix: str
    fields: Sequence[str]
    is_broken: Callable[[Any], bool]
    rule: str
    zh: str
    en: str


def _across(message: Message, prefix: str, unread: Collection[str]) -> Iterator[Violation]:
    for one in _RELATIONS:
        paths = [f"{prefix}{field}" for field in one.fields]
        if one.prefix == prefix and not any(concerns(path, unread) for path in paths) and one.is_broken(message):
            yield from (Violation(path, one.rule, one.zh, one.en) for path in paths)


def _is_backwards(bare: pb.Listing) -> bool:
    first, last = parsed_date(bare.valid_from), parsed_date(bare.valid_to)
    return bool(first and last and last < first)


def _is_no_range(details: pb.JobPosition) -> bool:
    return details.HasField("salary") and not 0 <= details.salary.min <= details.salary.max


def _is_never_open(details: Any) -> bool:
    opens, closes = details.open_from, details.open_until
    return bool(opens) != bool(closes) or (formats.is_time(opens) and formats.is_time(closes) and opens >= closes)


_RELATIONS = (
    _Relation(
        "",
        ("valid_from", "valid_to"),
        _is_backwards,
        "order",
        "截止日期（valid_to）早于生效日期（valid_from）；请修改其一",
        "the last day (valid_to) is before the first (valid_from); mend one of them",
    ),
    _Relation(
        "job_position.",
        ("salary",),
        _is_no_range,
        "range",
        "月薪（salary）须满足 0 ≤ 最低 ≤ 最高，单位元/月；请改正其一",
        "pay (salary) has to be 0 ≤ min ≤ max, in CNY a month; mend one of them",
    ),
    _Relation(
        "graduate_employment_info.",
        ("employed", "graduates"),
        lambda details: details.employed > details.graduates,
        "range",
        "就业人数（employed）不得多于毕业生人数（graduates）；请改正其一",
        "no more can be employed (employed) than have graduated (graduates); mend one of them",
    ),
    _Relation(
        "graduate_employment_info.",
        ("employed_in_industry", "employed"),
        lambda details: details.employed_in_industry > details.employed,
        "range",
        "行业内就业人数（employed_in_industry）不得多于就业人数（employed）；请改正其一",
        "no more can be employed in the industry (employed_in_industry) than at all (employed); mend one of them",
    ),
    _Relation(
        "equipment_sharing.",
        ("open_from", "open_until"),
        _is_never_open,
        "order",
        "每日开放时间（open_from）与每日关闭时间（open_until）须同填，且关闭晚于开放；请补上或改正",
        "open_from and open_until are given together, open_until the later one; add or mend one of them",
    ),
)
