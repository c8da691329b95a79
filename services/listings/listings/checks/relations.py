"""Rules across fields: dates in order, pay as a range, no more employed than there are graduates."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from alliance.listings.v1 import listing_pb2 as pb
from chassis.clock import parsed_date
from chassis.errors import Violation
from listings.domain import formats


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


def relation_problems(message: Message, prefix: str, unread: Collection[str]) -> Iterator[Violation]:
    """Rules that a listing (prefix "") or its details ("case.") break; not those that need a field that could not be read."""
    for one in _RELATIONS:
        paths = [f"{prefix}{field}" for field in one.fields]
        if one.prefix == prefix and not any(concerns(path, unread) for path in paths) and one.is_broken(message):
            yield from (Violation(path, one.rule, one.zh, one.en) for path in paths)


def concerns(field: str, others: Iterable[str]) -> bool:
    """Whether a field, as refusals name it (`bodies[0]`), is one of the others, lies in one of them or holds one."""
    path = f"{field.partition('[')[0]}."
    return any(path.startswith(f"{one}.") or f"{one}.".startswith(path) for one in others)


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
