"""What is entered of a person and why it may be kept (PIPL art. 13, 14, 19): checked the same by whoever keeps persons."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from chassis.clock import parsed_date
from chassis.errors import Violation
from chassis.personal import screen

LENGTHS: Mapping[str, int] = {"display_name": 50, "phone": 30, "email": 254, "position": 100}
"""What is kept of a person, and with how many characters at most."""
MOST_DAYS = 3 * 365
"""Days from today that a person is kept at most; our default."""
_PHONE = re.compile(r"\+?\d[\d\s()-]{5,20}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")


def fields_of(person: object) -> dict[str, str]:
    """What is kept of a person, as it was entered."""
    return {field: str(getattr(person, field)).strip() for field in LENGTHS}


def subjects(fields: Mapping[str, str]) -> list[str]:
    """What a person's record is found by later: numbers and addresses, the name where there are none."""
    return [text for text in (fields["phone"], fields["email"]) if text] or [fields["display_name"]]


def person_problems(path: str, fields: Mapping[str, str], *, reachable: bool) -> Iterator[Violation]:
    """What is wrong with a person that stands at a path of the request; `reachable`: a number or an address is needed."""
    if not fields["display_name"]:
        yield Violation(f"{path}.display_name", "required", "请填写姓名", "the name is required")
    for field, most in LENGTHS.items():
        if len(fields[field]) > most:
            yield Violation(f"{path}.{field}", "length", f"最多 {most} 个字符", f"at most {most} characters")
    if fields["phone"] and not _PHONE.fullmatch(fields["phone"]):
        yield Violation(
            f"{path}.phone", "format", "电话须为数字，可含 + - 和空格", "a phone number has digits, +, - and blanks"
        )
    if fields["email"] and not _EMAIL.fullmatch(fields["email"]):
        yield Violation(
            f"{path}.email",
            "format",
            "电子邮箱格式不符；请写成 name@example.com",
            "this is no e-mail address; write it like name@example.com",
        )
    if reachable and not fields["phone"] and not fields["email"]:
        yield Violation(path, "required", "须填写电话或电子邮箱", "a phone number or an e-mail address is needed")


def evidence_problems(evidence: str) -> Iterator[Violation]:
    """What is wrong with where a consent or contract is on record."""
    if not 1 <= len(evidence.strip()) <= 200:
        yield Violation(
            "evidence",
            "PIPL art. 14",
            "请填写依据的出处，如“书面同意 2026-03-01”（1–200 字）",
            "say where the consent or contract is on record, in 1 to 200 characters",
        )
    yield from screen("evidence", evidence)


def retention_problems(wanted: str, until: date, today: date) -> Iterator[Violation]:
    """What is wrong with the last day on which a person is kept: what was written, and the day that it comes to."""
    if wanted and parsed_date(wanted) is None:
        yield Violation(
            "retain_until", "ISO 8601", "须为日历上的日期，如 2026-01-31", "it has to be a day of the calendar, as 2026-01-31"
        )
    elif not today <= until <= today + timedelta(days=MOST_DAYS):
        yield Violation(
            "retain_until",
            "PIPL art. 19",
            f"保存期限自今日起至多 {MOST_DAYS} 天，且不早于今日",
            f"a person is kept from today on and for at most {MOST_DAYS} days",
        )


def purpose_problems(purpose: str) -> Iterator[Violation]:
    """What is wrong with why a person is read."""
    if not 2 <= len(purpose.strip()) <= 200:
        yield Violation("purpose", "length", "请填写读取目的（2–200 字）", "say why it is read, in 2 to 200 characters")
    yield from screen("purpose", purpose)
