"""Between messages and rows; what the issuer wrote is checked here, field by field."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from google.protobuf.message import Message

from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import round_pb2
from chassis.clock import parsed_date
from chassis.crypto import hex_digest
from chassis.errors import Violation
from chassis.etag import etag
from chassis.personal import screen
from codes import education, industries, regions
from listings.domain.names import DETAILS
from listings.domain.window import window
from listings.store import ListingRow, RoundRow

MAX_TITLE = 200
MAX_DESCRIPTION = 20_000
MAX_BODIES = 20
MAX_INDUSTRIES = 10
MAX_REGIONS = 40
MAX_WEEKS = 104
MAX_WORDS = 100
"""Skills, majors, positions and the like, in one field."""
MAX_WORD = 100
"""Characters of one of them."""
WRITABLE = (
    "bodies",
    "title",
    "description",
    "visibility",
    "region_codes",
    "industry_codes",
    "valid_from",
    "valid_to",
    "quantity",
    *DETAILS.values(),
)
"""Fields that a revision may change."""
_KINDS = frozenset(pb.ListingKind.values())
_IDENTITY = ("issuer", "kind", "source", "external_key")
_DETAILS_OF = {int(kind): field for kind, field in DETAILS.items()}
_EDUCATION = "education_code"
_CODED = frozenset({"issuer", "bodies", "region_codes", "industry_codes", "valid_from", "valid_to", "source", "external_key"})
"""Names, codes, dates and keys: no free texts."""
_WITH_EDUCATION = ("talent_demand", "job_position", "internship", "talent_supply", "graduate_employment_info")


def written(message: pb.Listing) -> pb.Listing:
    """What the issuer wrote: the message without the fields that are the platform's to set."""
    bare = pb.Listing()
    bare.CopyFrom(message)
    for field in ("name", "state", "etag", "create_time", "update_time", "publish_time"):
        bare.ClearField(field)
    bare.title = bare.title.strip()
    bare.quantity = bare.quantity or 1
    return bare


def content_hash(bare: pb.Listing) -> str:
    """Hash of what the issuer wrote (hex SHA-256)."""
    return hex_digest(bare.SerializeToString(deterministic=True))


def problems(bare: pb.Listing) -> list[Violation]:
    """Everything that is wrong with what the issuer wrote."""
    return [
        *_texts(bare),
        *_words(bare),
        *_kind(bare),
        *_codes(bare),
        *_dates(bare),
        *_numbers(bare),
        *_identity(bare),
    ]


def _texts(bare: pb.Listing) -> Iterator[Violation]:
    if not 2 <= len(bare.title) <= MAX_TITLE:
        yield Violation(
            "title", "length", f"标题须为 2–{MAX_TITLE} 个字", f"the title has to have 2 to {MAX_TITLE} characters"
        )
    if len(bare.title.splitlines()) > 1:  # it is the subject of mails
        yield Violation("title", "one-line", "标题不得换行", "the title has to be one line")
    if len(bare.description) > MAX_DESCRIPTION:
        yield Violation(
            "description",
            "length",
            f"说明不得超过 {MAX_DESCRIPTION} 个字；请缩短",
            f"the description is over {MAX_DESCRIPTION} characters; shorten it",
        )
    for field, value in texts(bare):
        yield from screen(field, value)


def _words(bare: pb.Listing) -> Iterator[Violation]:
    given = bare.WhichOneof("details")
    details: Sequence[Any] = getattr(bare, given).ListFields() if given else []
    for field, words in details:
        if not field.is_repeated:
            continue
        path = f"{given}.{field.name}"
        if len(words) > MAX_WORDS:
            yield Violation(path, "range", f"最多 {MAX_WORDS} 项", f"at most {MAX_WORDS} items")
        if any(len(word) > MAX_WORD for word in words):
            yield Violation(path, "length", f"每项最多 {MAX_WORD} 个字", f"at most {MAX_WORD} characters an item")


def texts(message: Message, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every free text of a message with the path of its field."""
    for field, value in message.ListFields():
        if field.name in _CODED:
            continue
        path = f"{prefix}{field.name}"
        if field.message_type is not None:
            if field.message_type.full_name.startswith("alliance.") and not field.is_repeated:
                yield from texts(value, f"{path}.")
        elif field.type == field.TYPE_STRING:
            for one in value if field.is_repeated else [value]:
                yield path, one


def _kind(bare: pb.Listing) -> Iterator[Violation]:
    if bare.kind not in _KINDS or not bare.kind:
        yield Violation("kind", "required", "请填写信息类型", "the kind is required; see ListingKind")
        return
    wanted = _DETAILS_OF.get(int(bare.kind))
    given = bare.WhichOneof("details")
    if given and given != wanted:
        yield Violation(
            given,
            "details-kind",
            f"{given} 与信息类型不符；此类型的详情字段是 {wanted or '（无）'}",
            f"{given} does not belong to this kind; its details are {wanted or 'none'}",
        )
    if wanted and not given:
        yield Violation(wanted, "required", f"此类型须填写详情 {wanted}", f"this kind needs its details in {wanted} (R38–R42)")
    if not bare.visibility or bare.visibility not in pb.Visibility.values():
        yield Violation(
            "visibility",
            "required",
            "请填写可见范围：公开、成员可见或政府可见",
            "the visibility is required: PUBLIC, MEMBERS or GOVERNMENT",
        )


def _codes(bare: pb.Listing) -> Iterator[Violation]:
    for code in bare.region_codes:
        if wrong := regions.problem(code):
            yield Violation("region_codes", "GB/T 2260", *wrong)
    for code in bare.industry_codes:
        if wrong := industries.problem(code):
            yield Violation("industry_codes", "GB/T 4754", *wrong)
    given = bare.WhichOneof("details")
    code = getattr(getattr(bare, given), _EDUCATION) if given in _WITH_EDUCATION else ""
    if code and (wrong := education.problem(code)):
        yield Violation(f"{given}.{_EDUCATION}", "GB/T 4658", *wrong)


def _dates(bare: pb.Listing) -> Iterator[Violation]:
    given = {field: getattr(bare, field) for field in ("valid_from", "valid_to")}
    wrong = [field for field, text in given.items() if text and parsed_date(text) is None]
    for field in wrong:
        yield Violation(field, "ISO 8601", "日期格式须为 2026-01-31", "the date has to look like 2026-01-31")
    if not wrong and bare.valid_from and bare.valid_to and bare.valid_to < bare.valid_from:
        yield Violation(
            "valid_to", "order", "截止日期早于开始日期；请修改其一", "the last day is before the first; mend one of them"
        )


def _numbers(bare: pb.Listing) -> Iterator[Violation]:
    checks: Sequence[tuple[str, bool, str, str]] = (
        ("quantity", bare.quantity < 1, "数量至少为 1", "the quantity has to be at least 1"),
        ("bodies", len(bare.bodies) > MAX_BODIES, f"最多 {MAX_BODIES} 个组织", f"at most {MAX_BODIES} bodies"),
        ("region_codes", len(bare.region_codes) > MAX_REGIONS, f"最多 {MAX_REGIONS} 个地区", f"at most {MAX_REGIONS} regions"),
        (
            "industry_codes",
            len(bare.industry_codes) > MAX_INDUSTRIES,
            f"最多 {MAX_INDUSTRIES} 个行业",
            f"at most {MAX_INDUSTRIES} industries",
        ),
        (
            "bodies",
            not all(body.startswith("bodies/") for body in bare.bodies),
            "组织须写成 bodies/{编号}",
            "bodies are named as bodies/{id}",
        ),
        ("bodies", len(set(bare.bodies)) < len(bare.bodies), "同一组织只填一次", "name each body once"),
    )
    for field, wrong, zh, en in checks:
        if wrong:
            yield Violation(field, "range", zh, en)
    given = bare.WhichOneof("details")
    if given in _DETAIL_CHECKS:
        yield from _DETAIL_CHECKS[given](getattr(bare, given))


def _job(details: pb.JobPosition) -> Iterator[Violation]:
    if details.HasField("salary") and not 0 <= details.salary.min <= details.salary.max:
        yield Violation(
            "job_position.salary",
            "range",
            "月薪须满足 0 ≤ 最低 ≤ 最高（元/月）",
            "pay has to be 0 ≤ min ≤ max, in CNY a month",
        )
    if details.experience_years < 0:
        yield Violation(
            "job_position.experience_years", "range", "年限不能为负；未知填 0", "years can't be negative; 0 where unknown"
        )


def _internship(details: pb.Internship) -> Iterator[Violation]:
    if not 1 <= details.weeks <= MAX_WEEKS:
        yield Violation("internship.weeks", "range", f"周数须为 1–{MAX_WEEKS}", f"weeks have to be 1 to {MAX_WEEKS}")


def _outcome(details: pb.ResearchOutcome) -> Iterator[Violation]:
    if not 0 <= details.readiness_level <= 9:
        yield Violation(
            "research_outcome.readiness_level",
            "range",
            "技术成熟度须为 1–9，未知填 0",
            "the readiness level has to be 1 to 9, or 0 where unknown",
        )


def _graduates(details: pb.GraduateEmploymentInfo) -> Iterator[Violation]:
    if not 0 <= details.employed_in_industry <= details.employed <= details.graduates:
        yield Violation(
            "graduate_employment_info",
            "range",
            "人数须满足 0 ≤ 行业内就业 ≤ 就业 ≤ 毕业生",
            "persons have to be 0 ≤ employed_in_industry ≤ employed ≤ graduates",
        )


_DETAIL_CHECKS: dict[str, Callable[[Any], Iterator[Violation]]] = {
    "job_position": _job,
    "internship": _internship,
    "research_outcome": _outcome,
    "graduate_employment_info": _graduates,
}


def _identity(bare: pb.Listing) -> Iterator[Violation]:
    for field, most in (("source", 64), ("external_key", 128)):
        if len(getattr(bare, field)) > most:
            yield Violation(field, "length", f"最多 {most} 个字符", f"at most {most} characters")


def row_of(
    message: pb.Listing, *, version: int, today: date, hashed: str, counts_on: date | None, published_at: datetime | None
) -> ListingRow:
    """The row of a listing in a new version; fills in the message's dates, etag and time of publication."""
    first, last = window(parsed_date(message.valid_from), parsed_date(message.valid_to), today)
    if message.state != pb.LISTING_STATE_DRAFT:  # a draft's open dates are filled in on the day it is published
        message.valid_from, message.valid_to = first.isoformat(), last.isoformat()
    if published_at is not None:
        message.publish_time.FromDatetime(published_at)
    message.etag = etag(version)
    return ListingRow(
        name=message.name,
        version=version,
        issuer=message.issuer,
        kind=message.kind,
        state=message.state,
        visibility=message.visibility,
        bodies=list(message.bodies),
        areas=sorted({area for code in message.region_codes for area in regions.path(code)}),
        source=message.source,
        external_key=message.external_key,
        content_hash=hashed,
        valid_from=first,
        valid_to=last,
        counts_on=counts_on,
        published_at=published_at,
        create_time=message.create_time.ToDatetime(tzinfo=UTC),
        update_time=message.update_time.ToDatetime(tzinfo=UTC),
        content=message.SerializeToString(deterministic=True),
    )


def message_of(row: ListingRow) -> pb.Listing:
    """The listing of a row; its etag is of the row's version, which a restore raises too."""
    message = pb.Listing.FromString(row.content)
    message.etag = etag(row.version)
    return message


def changed_fields(before: pb.Listing, after: pb.Listing) -> list[str]:
    """Names of the fields that a revision changed."""
    return [field for field in WRITABLE if getattr(before, field) != getattr(after, field)]


def identity_problems(before: pb.Listing, after: pb.Listing) -> list[Violation]:
    """Violations for fields that can't change once they are set."""
    return [
        Violation(field, "immutable", f"{field} 不能修改；请另行新建", f"{field} can't change; enter a new listing")
        for field in _IDENTITY
        if getattr(before, field) != getattr(after, field)
    ]


def round_message(row: RoundRow, counted: Sequence[tuple[int, int]]) -> round_pb2.Round:
    """The message of a round."""
    found = round_pb2.Round(
        name=row.name,
        body=row.body,
        kind=row.kind,  # type: ignore[arg-type]
        period=row.period,
        opens_on=row.opens_on.isoformat(),
        closes_on=row.closes_on.isoformat(),
        state=row.state,  # type: ignore[arg-type]
        etag=etag(row.version),
        counts=[round_pb2.RoundCount(kind=kind, listings=number) for kind, number in counted],  # type: ignore[arg-type]
    )
    found.create_time.FromDatetime(row.create_time)
    found.update_time.FromDatetime(row.update_time)
    return found
