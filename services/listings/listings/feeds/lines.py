"""JSON lines as docs/feeds.md has them: records, then one line that ends them."""

import json
import unicodedata
from collections.abc import Iterator
from typing import Any, NoReturn

from chassis.errors import Violation
from chassis.personal import is_telling
from listings.feeds import keys
from listings.feeds.port import Batch, ExchangeError, Flaw, Page, Record

MAX_LINE = 256 * 1024  # bytes
_MAX_KEY = 128
_MAX_CURSOR = 512
_MAX_NAME = 100  # characters of a name in `data` that a refusal repeats
_MAX_VERSION = 2**63 - 1
_TELLING = (
    "游标含有个人信息（如手机号），或形似，未予保存；请对方改用序号，并在数字前紧接一个拉丁字母（如 s8812），不用记录的编号",
    "the cursor holds personal data (such as a phone number), or looks so, and is not kept; have the other end take a sequence"
    " number with a Latin letter right before it (s8812), and no key of a record",
)
_NO_END = ("内容不完整：没有有效的结束行 {“end”: …}", 'the body was cut off: no sound last line {"end": …}')


class _WrongError(Exception):
    """What is wrong with a record."""

    def __init__(self, field: str, rule: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.problem = Violation(field, rule, zh, en)


def read(body: bytes, limit: int) -> Page:
    """The page that a body holds. Raises `ExchangeError` where it does not end as it has to, or holds more than asked for."""
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    cursor, more = _end(lines.pop()[1] if lines else b"")
    if len(lines) > limit:
        raise ExchangeError(f"一页超过 {limit} 条记录", f"the page holds more than {limit} records")
    read_ones = [_read(number, line) for number, line in lines]
    # It is kept, listed, and sent in an address. A key that says who somebody is does so there too, whatever stands before it.
    if is_telling(cursor) or any(one.key in cursor and keys.problems(one.key) for one in read_ones if one.key):
        raise ExchangeError(*_TELLING)
    return Page(
        [one for one in read_ones if isinstance(one, Record)],
        [one for one in read_ones if isinstance(one, Flaw)],
        cursor,
        more,
    )


def written(batch: Batch) -> str:
    """A batch as lines."""
    end = {"end": {"since": batch.since, "cursor": batch.cursor, "more": batch.more}}
    return "".join(f"{_dumped(one)}\n" for one in (*map(_object, batch.records), end))


def acknowledged(body: bytes) -> str:
    """The cursor that an answer acknowledges. Raises `ExchangeError`."""
    try:
        answer = _loaded(body)
        return _text(answer["cursor"], "cursor", _MAX_CURSOR)
    except (_WrongError, KeyError, TypeError):
        raise ExchangeError("应答须为 {“cursor”: “…”}", 'the answer has to be {"cursor": "…"}') from None


def _end(line: bytes) -> tuple[str, bool]:
    try:
        end = _loaded(line)["end"]
        cursor, more = _text(end["cursor"], "cursor", _MAX_CURSOR), end["more"]
    except (_WrongError, KeyError, TypeError):
        raise ExchangeError(*_NO_END) from None
    if not isinstance(more, bool):
        raise ExchangeError(*_NO_END)
    return cursor, more


def _read(number: int, line: bytes) -> Record | Flaw:
    key, version = "", 0
    try:
        given = _loaded(line)
        if not isinstance(given, dict):
            raise _WrongError("", "json", "每行须为一个 JSON 对象", "a line has to be a JSON object")
        key = _key(given.get("key"))
        version = _version(given.get("version"))
        if given.get("deleted") is True:
            return Record(key, version, None, number)
        return Record(key, version, dict(_flat(given.get("data"))), number)
    except _WrongError as error:
        return Flaw(number, key, version, keys.stand_in(line), error.problem)


def _loaded(line: bytes) -> Any:
    if len(line) > MAX_LINE:
        raise _WrongError("", "size", f"一行不得超过 {MAX_LINE // 1024} KiB", f"a line has at most {MAX_LINE // 1024} KiB")
    try:
        return json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError):  # no JSON, no UTF-8, a number without end; json goes as deep as a line says
        raise _WrongError("", "json", "该行不是有效的 JSON", "the line is no sound JSON") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _text(value: Any, field: str, longest: int) -> str:
    """A key or a cursor: something that a database can hold, and people can read."""
    if isinstance(value, str) and 1 <= len(value) <= longest and not any(map(_is_strange, value)):
        return value
    raise _WrongError(
        field, "text", f"须为 1–{longest} 个字符的文字，不含控制字符", f"1 to {longest} characters without control characters"
    )


def _key(value: Any) -> str:
    """Blanks around it would make it another record's, of the same listing."""
    return _text(value.strip() if isinstance(value, str) else value, "key", _MAX_KEY)


def _is_strange(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs")


def _version(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MAX_VERSION:
        return value
    raise _WrongError(
        "version",
        "range",
        f"须为 1 至 {_MAX_VERSION}（2^63−1）的整数，不加引号；可用最后变更时间的毫秒数",
        f"a whole number from 1 to {_MAX_VERSION} (2^63−1), without quotes; milliseconds of its last change will do",
    )


def _flat(data: Any) -> Iterator[tuple[str, str]]:
    """Name → text, as the cells of a row."""
    if not isinstance(data, dict):
        raise _WrongError(
            "data", "required", "须填写 data（对象），或 deleted: true", "give data, an object, or deleted: true"
        )
    for name, value in data.items():
        text = _cell(value)
        if text is None or not _is_unicode(name + text):
            raise _WrongError(_field(name), "flat", "须为文字、数字、true/false 或 null", "text, a number, true/false or null")
        yield name, text


def _field(name: str) -> str:
    """Where a value stands. A long name is not repeated: cut off, it might hold a number that nobody finds in it any more."""
    return f"data.{name}" if len(name) <= _MAX_NAME and not any(map(_is_strange, name)) else "data"


def _is_unicode(text: str) -> bool:
    """Whether it can be written as UTF-8: JSON can name halves of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cell(value: Any) -> str | None:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else None


def _object(record: Record) -> dict[str, Any]:
    said: dict[str, Any] = {"deleted": True} if record.data is None else {"data": record.data}
    return {"key": record.key, "version": record.version, **said}


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
