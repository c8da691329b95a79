"""Bodies, their members, and what is said of them."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from alliance.public.v1 import public_pb2
from alliance.registry.v1 import body_pb2
from chassis.clock import parsed_date
from chassis.errors import Violation
from chassis.etag import etag
from chassis.personal import screen
from registry.domain import industry
from registry.domain.facts import ENTRIES, Value
from registry.domain.names import BodyKind
from registry.domain.rules import Finding
from registry.mapping.checks import bad_date, coded, external_key, named
from registry.mapping.versions import stamp
from registry.store import BodyRow, MembershipRow

FACTS_OF: Mapping[int, str] = {
    BodyKind.ALLIANCE: "alliance",
    BodyKind.COMMUNITY: "community",
    BodyKind.CONSORTIUM: "consortium",
    BodyKind.PILOT_UNIT: "pilot_unit",
    BodyKind.SUPPORT_UNIT: "support_unit",
}
"""Which field holds the facts of a kind."""
HANDED_IN_FIELDS = ("display_name", "region_code", *FACTS_OF.values())
"""What an application hands in of the body that it is to form."""
BODY_FIELDS = (*HANDED_IN_FIELDS, "external_key")
MEMBERSHIP_FIELDS = ("roles", "valid_from", "valid_to")
_DAY = ("_on", "_since")  # how names of facts end that are business dates
_YEARS, _FOUR_DIGITS = ("annual_plan_year", "call_year"), range(2000, 3000)
_TEXTS = ("key_industry", "park_leading_industry")
_MAX_TEXT = 100
_MAX_LEADS = 2


def tidy(given: body_pb2.Body) -> None:
    """Bring what a caller wrote of a body into its one form."""
    if given.HasField("alliance"):
        given.alliance.key_industry = industry.plain(given.alliance.key_industry)


def body_problems(given: body_pb2.Body) -> list[Violation]:
    """Everything that is wrong with a body as it was written, in which codes take the place of names."""
    return [*named(given), *external_key(given), *_body_kind(given), *coded(given), *_facts(given)]


def _body_kind(given: body_pb2.Body) -> Iterator[Violation]:
    if not given.kind or given.kind not in body_pb2.BodyKind.values():
        yield Violation("kind", "required", "请填写组织类型", "the kind is required; see BodyKind")
    facts = given.WhichOneof("facts")
    if facts and facts != FACTS_OF.get(int(given.kind)):
        yield Violation(
            facts,
            "facts-kind",
            f"{facts} 与组织类型不符；请去掉",
            f"{facts} does not belong to this kind of body; leave it out",
        )


def _facts(given: body_pb2.Body) -> Iterator[Violation]:
    if len(given.alliance.lead_departments) > _MAX_LEADS:
        yield Violation(
            "alliance.lead_departments",
            "S0 附件2",
            f"牵头部门为 {_MAX_LEADS} 家以内；请只留牵头的",
            f"an alliance has at most {_MAX_LEADS} lead departments; keep those that lead",
        )
    kind = given.WhichOneof("facts")
    for leaf, value in getattr(given, kind).ListFields() if kind else ():
        yield from _fact(f"{kind}.{leaf.name}", leaf.name, value)


def _fact(path: str, name: str, value: Any) -> Iterator[Violation]:
    """What is wrong with one fact, by what kind of fact its name says that it is."""
    if name.endswith(_DAY) and parsed_date(value) is None:
        yield bad_date(path)
    elif name in _TEXTS:
        if len(value) > _MAX_TEXT:
            long = f"最多 {_MAX_TEXT} 个字符；请缩短", f"at most {_MAX_TEXT} characters; shorten it"
            yield Violation(path, "length", *long)
        yield from screen(path, value)
    elif name in _YEARS and value not in _FOUR_DIGITS:
        yield Violation(path, "range", "请填四位年份，如 2026；未知请不填", "a year like 2026; leave it out where unknown")
    elif type(value) is int and value < 0:
        yield Violation(path, "range", "不能为负数；未知请不填", "it can't be negative; leave it out where unknown")


def membership_problems(given: body_pb2.Membership) -> list[Violation]:
    """Everything that is wrong with a membership as it was written."""
    found = []
    known = set(body_pb2.MemberRole.values()) - {0}
    if not given.roles or len(set(given.roles)) < len(given.roles) or not known.issuperset(given.roles):
        found.append(
            Violation(
                "roles", "required", "请填写 MemberRole 中的角色，至少一个且不重复", "name roles of MemberRole, each once"
            )
        )
    first, last = parsed_date(given.valid_from), parsed_date(given.valid_to)
    if given.valid_from and first is None:
        found.append(bad_date("valid_from"))
    if given.valid_to and last is None:
        found.append(bad_date("valid_to"))
    if first and last and last < first:
        found.append(
            Violation(
                "valid_to", "order", "结束日期早于开始日期；请修改其一", "the last day is before the first; mend one of them"
            )
        )
    return found


def named_organizations(message: body_pb2.Body) -> dict[str, list[str]]:
    """The organizations that a body's facts name, by field."""
    named = {
        "alliance.task_force": [message.alliance.task_force],
        "alliance.lead_departments": list(message.alliance.lead_departments),
        "pilot_unit.institution": [message.pilot_unit.institution],
        "pilot_unit.college": [message.pilot_unit.college],
        "support_unit.unit": [message.support_unit.unit],
    }
    return {field: names for field, names in named.items() if any(names)}


def vies_for(message: body_pb2.Body) -> list[str]:
    """What a body has to itself among others, as they call it: its key industry (R10), its institution's majors (R21.2)."""
    found = []
    if message.alliance.key_industry:
        found.append(f"key industry {industry.stem(message.alliance.key_industry)}")
    if message.pilot_unit.institution:
        found.append(f"majors {message.pilot_unit.institution}")
    return found


def judged_by(message: body_pb2.Body) -> list[str]:
    """What the rules look at beside a body and its members: the organizations that it names, and what its rivals have."""
    named = {name for names in named_organizations(message).values() for name in names}
    return sorted({*named, *vies_for(message)})


def forget_of_another_year(before: body_pb2.Body, after: body_pb2.Body, paths: Iterable[str]) -> None:
    """Full councils are those of the plan's year (R13): where another year alone is entered, their number is not known. What
    was entered before any year is of the first.
    """
    given, year = {path.removeprefix("alliance.") for path in paths}, before.alliance.annual_plan_year
    is_another = year and year != after.alliance.annual_plan_year
    if is_another and "annual_plan_year" in given and "full_councils_in_year" not in given:
        after.alliance.ClearField("full_councils_in_year")


def of_whom(message: body_pb2.Body) -> str:
    """The organization that a PILOT_UNIT or SUPPORT_UNIT is; "" where it is none yet, and for other kinds."""
    return message.pilot_unit.institution or message.support_unit.unit


def moved(before: body_pb2.Body, after: body_pb2.Body) -> list[Violation]:
    """A body stays of whom it is: who fills it in does not make it another's, whose majors (R21.2) it would count among."""
    if of_whom(after) == of_whom(before):
        return []
    field = "pilot_unit.institution" if before.HasField("pilot_unit") else "support_unit.unit"
    told = (
        "申报期间不能改换试点或支撑单位的主体；请由平台运营更改，或撤回后以新的组织另行申报",
        "whose body it is does not change while it is applied for; have the platform's operator change it, or withdraw, "
        "and apply for another body",
    )
    return [Violation(field, "R30", *told)]


def body_row(message: body_pb2.Body, version: int, now: datetime) -> BodyRow:
    """The row of a body in a new version; sets its etag and times."""
    stamp(message, version, now)
    return BodyRow(
        name=message.name,
        version=version,
        display_name=message.display_name,
        kind=message.kind,
        state=message.state,
        formed=bool(message.formed_on),
        key_industry=industry.stem(message.alliance.key_industry),
        applicant=of_whom(message),
        task_force=message.alliance.task_force,
        judged_by=judged_by(message),
        external_key=message.external_key,
        create_time=message.create_time.ToDatetime(tzinfo=now.tzinfo),
        content=message.SerializeToString(deterministic=True),
    )


def body_message(row: BodyRow) -> body_pb2.Body:
    """The body of a row; its etag is of the row's version, which memberships and a restore raise too."""
    message = body_pb2.Body.FromString(row.content)
    message.etag = etag(row.version)
    return message


def outside_body(message: body_pb2.Body) -> body_pb2.Body:
    """A body without the key of the system that entered it, which is not everybody's."""
    shown = body_pb2.Body()
    shown.CopyFrom(message)
    shown.ClearField("external_key")
    return shown


def public_body(message: body_pb2.Body) -> public_pb2.PublicBody:
    """A body as everybody may see it."""
    return public_pb2.PublicBody(
        name=message.name,
        display_name=message.display_name,
        kind=message.kind,
        state=message.state,
        region_code=message.region_code,
        formed_on=message.formed_on,
    )


def entered(message: body_pb2.Body) -> dict[str, Value]:
    """What was entered of a body, the facts among it; what was never set is not known."""
    kind = message.WhichOneof("facts")
    found: dict[str, Value] = {}
    for leaf, value in getattr(message, kind).ListFields() if kind else ():
        if leaf.name not in ENTRIES:
            continue
        if leaf.enum_type:
            found[leaf.name] = leaf.enum_type.values_by_number[value].name.removeprefix("PILOT_FIELD_")
        elif leaf.name.endswith(_DAY):
            found[leaf.name] = date.fromisoformat(value)
        else:
            found[leaf.name] = tuple(value) if leaf.is_repeated else value
    return found


def finding_message(finding: Finding) -> body_pb2.RuleFinding:
    """The message of a finding."""
    message = body_pb2.RuleFinding(
        rule=finding.rule,
        clause=finding.clause,
        verdict=int(finding.verdict),  # type: ignore[arg-type]
        facts=finding.seen,
        missing=finding.missing,
        severity=int(finding.severity),  # type: ignore[arg-type]
        rule_version=finding.version,
    )
    message.message.zh, message.message.en = finding.zh, finding.en
    if any(finding.fix):
        message.fix.zh, message.fix.en = finding.fix
    return message


def membership_message(row: Any) -> body_pb2.Membership:
    """The membership of a row."""
    message = body_pb2.Membership(
        name=row.name,
        organization=row.organization,
        roles=row.roles,
        valid_from=row.valid_from.isoformat(),
        valid_to=row.valid_to.isoformat() if row.valid_to else "",
        etag=etag(row.version),
    )
    message.create_time.FromDatetime(row.create_time)
    message.update_time.FromDatetime(row.update_time)
    return message


def membership_row(message: body_pb2.Membership, body: str, version: int, today: date, now: datetime) -> MembershipRow:
    """The row of a new membership; it begins today where it does not say when."""
    return MembershipRow(
        name=message.name,
        version=version,
        body=body,
        organization=message.organization,
        roles=list(message.roles),
        valid_from=parsed_date(message.valid_from) or today,
        valid_to=parsed_date(message.valid_to),
        create_time=now,
        update_time=now,
    )
