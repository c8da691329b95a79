"""Between messages and rows; what callers write is checked here."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

from alliance.common.v1 import text_pb2
from alliance.listings.v1 import feed_pb2 as pb
from alliance.listings.v1 import feed_service_pb2 as rpc
from alliance.listings.v1 import listings_service_pb2
from chassis import targets
from chassis.errors import Violation
from chassis.etag import etag
from chassis.personal import screen
from intake import WrongError
from listings.domain import feeds as rules
from listings.domain.formats import is_name
from listings.feeds.mappings import Mappings
from listings.feeds.store import FeedRefusalRow, FeedRow

WRITABLE = ("display_name", "system", "url", "mapping", "publish", "body", "interval", "expected_every", "silence")
"""Fields that an update may change."""
IDENTITY = ("direction", "issuer", "source", "kind")
_IN_ONLY = ("source", "mapping", "publish")


def message_of(row: FeedRow, refusals: int = 0) -> pb.Feed:
    """The feed of a row, without its secret."""
    message = pb.Feed(
        name=row.name,
        cursor=row.cursor,
        state=cast(Any, row.state),
        failures=row.failures,
        refusals=refusals,
        etag=etag(row.version),
        **{field: cast(Any, getattr(row, field)) for field in (*WRITABLE, *IDENTITY)},
    )
    if row.error_zh:
        message.last_error.CopyFrom(text_pb2.LocalizedText(zh=row.error_zh, en=row.error_en))
    instants = {
        "last_heard_time": row.last_heard_at,
        "last_record_time": row.last_record_at,
        "silent_since_time": row.quiet_from if row.silent else None,
        "next_run_time": row.next_run_at if row.state == pb.FEED_STATE_ACTIVE else None,
        "create_time": row.create_time,
        "update_time": row.update_time,
    }
    for field, instant in instants.items():
        _set(message, field, instant)
    return message


def refusal_message(row: FeedRefusalRow) -> rpc.FeedRefusal:
    """The refusal of a row."""
    problems = [
        listings_service_pb2.ImportProblem(
            field=one["field"], rule=one["rule"], message=text_pb2.LocalizedText(zh=one["zh"], en=one["en"])
        )
        for one in row.problems
    ]
    message = rpc.FeedRefusal(external_key=row.external_key, version=row.version, line=row.line, problems=problems)
    _set(message, "create_time", row.create_time)
    return message


def filled(given: pb.Feed, mappings: Mappings) -> pb.Feed:
    """What was written, with what stands for the fields that were left open."""
    made = pb.Feed()
    made.CopyFrom(given)
    made.display_name = given.display_name.strip()
    made.interval = given.interval or rules.INTERVAL
    made.expected_every = given.expected_every or rules.EXPECTED_EVERY
    made.silence = given.silence or pb.FEED_SILENCE_ANSWER
    if made.direction == pb.FEED_DIRECTION_IN and not made.source:
        with suppress(WrongError):  # then it is refused for its mapping
            made.source = mappings.load(made.mapping).source
    return made


def problems(
    given: pb.Feed, mappings: Mappings, *, allow_private: bool, networks: Sequence[targets.Network] = ()
) -> list[Violation]:
    """Everything that is wrong with a feed as it was written and filled in; whether its body is there, `Standing` knows."""
    found = [*_of_any(given), *screen("display_name", given.display_name)]
    if wrong := targets.problem(given.url, allow_private=allow_private, networks=networks):
        found.append(Violation("url", "target", *wrong))
    return found + (_of_in(given, mappings) if given.direction == pb.FEED_DIRECTION_IN else _of_out(given))


def _of_any(given: pb.Feed) -> list[Violation]:
    most, longest = rules.MAX_INTERVAL, rules.MAX_EXPECTED_EVERY
    checks = (
        (
            "display_name",
            "length",
            not 2 <= len(given.display_name) <= 100 or len(given.display_name.splitlines()) > 1,
            "名称须为 2–100 个字，一行；请改正",
            "the name has to have 2 to 100 characters, in one line; mend it",
        ),
        ("direction", "required", not given.direction, "请选择方向：流入或流出", "choose the direction: IN or OUT"),
        ("system", "required", not given.system, "请选择对方系统（R3–R6）", "choose the system at the other end (R3–R6)"),
        (
            "interval",
            "range",
            not 1 <= given.interval <= most,
            f"须为 1–{most} 秒；请改正",
            f"it has to be 1 to {most} seconds; mend it",
        ),
        (
            "expected_every",
            "range",
            not 1 <= given.expected_every <= longest,
            f"须为 1–{longest} 小时；请改正",
            f"it has to be 1 to {longest} hours; mend it",
        ),
    )
    return [Violation(field, rule, zh, en) for field, rule, wrong, zh, en in checks if wrong]


def _of_in(given: pb.Feed, mappings: Mappings) -> list[Violation]:
    found = []
    if not 1 <= len(given.source) <= 64:
        found.append(Violation("source", "length", "请填写来源系统（1–64 字符）", "name the source, 1 to 64 characters"))
    if not given.kind:
        found.append(Violation("kind", "required", "请填写信息类型", "the kind is required"))
    if given.body:
        found.append(
            Violation(
                "body",
                "direction",
                "只用于流出；请去掉，所属组织由映射填写",
                "it is for OUT; leave it out, the mapping fills in bodies",
            )
        )
    try:
        mappings.load(given.mapping)
    except WrongError as error:
        found.append(Violation("mapping", "mapping", error.zh, error.en))
    return found


def _of_out(given: pb.Feed) -> list[Violation]:
    found = [
        Violation(field, "direction", "只用于流入；请去掉", "it is for IN; leave it out")
        for field in _IN_ONLY
        if getattr(given, field)
    ]
    if given.silence == pb.FEED_SILENCE_RECORD:
        found.append(
            Violation(
                "silence", "direction", "新记录只能向流入要求；请另选", "records are expected of feeds IN only; choose another"
            )
        )
    if given.body and not is_name("bodies", given.body):
        found.append(Violation("body", "AIP-122", "须写成 bodies/{编号}；请改正", "it is written as bodies/{id}; mend it"))
    return found


def _set(message: Any, field: str, instant: datetime | None) -> None:
    if instant is not None:
        getattr(message, field).FromDatetime(instant)
