"""Between messages and rows; what callers write is checked here, field by field."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from alliance.common.v1 import access_pb2
from alliance.public.v1 import public_pb2
from alliance.registry.v1 import body_pb2, grant_pb2, organization_pb2
from chassis.clock import parsed_date
from chassis.errors import Invalid, Violation
from chassis.etag import etag
from chassis.personal import screen
from codes import industries, majors, regions
from registry.domain import credit_code, industry
from registry.domain.facts import FACTS, Value
from registry.domain.names import PARENT_TYPES, WITHOUT_CODE, BodyKind
from registry.domain.rules import Finding
from registry.store import BodyRow, GrantRow, MembershipRow, OrganizationRow

ORGANIZATION_FIELDS = (
    "display_name",
    "org_type",
    "region_code",
    "industry_codes",
    "credit_code",
    "parent",
    "external_key",
)
VERIFIED_FIELDS = ("display_name", "org_type", "credit_code", "parent")
"""What a verification vouches for."""
FACTS_OF: Mapping[int, str] = {
    BodyKind.ALLIANCE: "alliance",
    BodyKind.COMMUNITY: "community",
    BodyKind.CONSORTIUM: "consortium",
    BodyKind.PILOT_UNIT: "pilot_unit",
    BodyKind.SUPPORT_UNIT: "support_unit",
}
"""Which field holds the facts of a kind."""
BODY_FIELDS = ("display_name", "region_code", *FACTS_OF.values(), "external_key")
MEMBERSHIP_FIELDS = ("roles", "valid_from", "valid_to")
_DAY = ("_on", "_since")  # how names of facts end that are business dates
_TEXTS = ("key_industry", "park_leading_industry")
_CODES = {"industry_code": (industries.problem, "GB/T 4754"), "major_code": (majors.problem, "教育部专业目录")}
_MAX_TEXT = 100
_MAX_LEADS = 2
_MAX_INDUSTRIES = 10
_Message = TypeVar("_Message", bound=Message)


def refuse(found: Sequence[Violation]) -> None:
    """Raises `Invalid` where something is wrong."""
    if found:
        raise Invalid(found)


def organization_problems(given: organization_pb2.Organization) -> list[Violation]:
    """Everything that is wrong with an organization as it was written."""
    return [*_named(given), *_external_key(given), *_organization_kind(given), *_codes(given)]


def _named(given: Any) -> Iterator[Violation]:
    if not 2 <= len(given.display_name.strip()) <= 200:
        yield Violation("display_name", "length", "名称须为 2–200 个字", "the name has to have 2 to 200 characters")
    if len(given.display_name.splitlines()) > 1:
        yield Violation("display_name", "one-line", "名称不得换行", "the name has to be one line")
    yield from screen("display_name", given.display_name)


def _external_key(given: Any) -> Iterator[Violation]:
    if len(given.external_key) > 128:
        yield Violation(
            "external_key",
            "length",
            "外部编号最多 128 个字符；请缩短",
            "an external key has at most 128 characters; shorten it",
        )


def _organization_kind(given: organization_pb2.Organization) -> Iterator[Violation]:
    if not given.org_type or given.org_type not in organization_pb2.OrgType.values():
        yield Violation("org_type", "required", "请填写单位类型", "the type is required; see OrgType")
        return
    if int(given.org_type) in WITHOUT_CODE:
        if not given.parent:
            yield Violation(
                "parent",
                "parent-required",
                "专班须填写牵头部门，二级学院须填写所属高校",
                "a task force names its lead department as parent, a secondary college its university",
            )
        if given.credit_code:
            yield Violation(
                "credit_code",
                "no-code",
                "此类单位不是法人，没有信用代码；请留空",
                "this type is no legal person and has no code; leave it empty",
            )
    if given.credit_code and (wrong := credit_code.problem(given.credit_code)):
        yield Violation("credit_code", "GB 32100", *wrong)


def parent_problems(given: organization_pb2.Organization, parent_type: int) -> list[Violation]:
    """What is wrong with the type of an organization's parent."""
    fitting = PARENT_TYPES.get(int(given.org_type))
    if fitting is None or parent_type in fitting:
        return []
    return [
        Violation(
            "parent",
            "parent-type",
            "专班的上级须为政府部门或园区管委会（S0 附件2），二级学院的上级须为高校；请改为其牵头部门或所属高校",
            "the parent of a task force is a government department or a park's committee (S0 附件2), that of a secondary "
            "college a university or college; name that one",
        )
    ]


def _codes(given: organization_pb2.Organization) -> Iterator[Violation]:
    if given.region_code and (wrong := regions.problem(given.region_code)):
        yield Violation("region_code", "GB/T 2260", *wrong)
    for code in given.industry_codes:
        if wrong := industries.problem(code):
            yield Violation("industry_codes", "GB/T 4754", *wrong)
    if len(given.industry_codes) > _MAX_INDUSTRIES:
        yield Violation(
            "industry_codes",
            "range",
            f"最多 {_MAX_INDUSTRIES} 个行业；请只留主要的",
            f"at most {_MAX_INDUSTRIES} industries; keep the main ones",
        )


def tidy(given: body_pb2.Body) -> None:
    """Bring what a caller wrote of a body into its one form."""
    if given.HasField("alliance"):
        given.alliance.key_industry = industry.plain(given.alliance.key_industry)


def body_problems(given: body_pb2.Body) -> list[Violation]:
    """Everything that is wrong with a body as it was written."""
    return [*_named(given), *_external_key(given), *_body_kind(given), *_facts(given)]


def _body_kind(given: body_pb2.Body) -> Iterator[Violation]:
    if not given.kind or given.kind not in body_pb2.BodyKind.values():
        yield Violation("kind", "required", "请填写组织类型", "the kind is required; see BodyKind")
    if given.region_code and (wrong := regions.problem(given.region_code)):
        yield Violation("region_code", "GB/T 2260", *wrong)
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
        yield _bad_date(path)
    elif name.endswith("_code") and (wrong := _CODES[name][0](value)):
        yield Violation(path, _CODES[name][1], *wrong)
    elif name in _TEXTS:
        if len(value) > _MAX_TEXT:
            long = f"最多 {_MAX_TEXT} 个字符；请缩短", f"at most {_MAX_TEXT} characters; shorten it"
            yield Violation(path, "length", *long)
        yield from screen(path, value)
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
        found.append(_bad_date("valid_from"))
    if given.valid_to and last is None:
        found.append(_bad_date("valid_to"))
    if first and last and last < first:
        found.append(
            Violation(
                "valid_to", "order", "结束日期早于开始日期；请修改其一", "the last day is before the first; mend one of them"
            )
        )
    return found


def _bad_date(field: str) -> Violation:
    return Violation(field, "ISO 8601", "日期格式须为 2026-01-31", "the date has to look like 2026-01-31")


def masked(before: _Message, given: _Message, mask: FieldMask, allowed: Sequence[str]) -> _Message:
    """The message with the masked fields taken from the request (AIP-134). Raises `Invalid` for other paths."""
    wrong = [path for path in mask.paths if path.split(".")[0] not in allowed]
    if wrong or not mask.paths:
        listed = ", ".join(allowed)
        problem = Violation(
            "update_mask",
            "AIP-134",
            f"请在 update_mask 中列出要修改的字段；可修改：{listed}",
            f"name the fields to change in update_mask; allowed: {listed}",
        )
        raise Invalid([problem])
    merged = type(before)()
    merged.CopyFrom(before)
    for path in mask.paths:
        if "." not in path:
            merged.ClearField(path)
        if "." in path or not _is_message(given, path) or given.HasField(path):
            FieldMask(paths=[path]).MergeMessage(given, merged, replace_repeated_field=True)
    return merged


def _is_message(given: Message, path: str) -> bool:
    field = given.DESCRIPTOR.fields_by_name.get(path)
    return field is not None and field.message_type is not None and not field.is_repeated


def only(given: _Message, fields: Sequence[str]) -> _Message:
    """A message with nothing but the fields that the caller may write."""
    bare, there = type(given)(), {descriptor.name for descriptor, _ in given.ListFields()}
    FieldMask(paths=[field for field in fields if field in there]).MergeMessage(given, bare)
    return bare


def organization_row(message: organization_pb2.Organization, version: int, now: datetime) -> OrganizationRow:
    """The row of an organization in a new version; sets its etag and times."""
    message.etag = etag(version)
    message.update_time.FromDatetime(now)
    if version == 1:
        message.create_time.FromDatetime(now)
    return OrganizationRow(
        name=message.name,
        version=version,
        display_name=message.display_name,
        org_type=message.org_type,
        verified=message.verification == organization_pb2.VERIFICATION_STATE_VERIFIED,
        credit_code=message.credit_code,
        parent=message.parent,
        region_code=message.region_code,
        external_key=message.external_key,
        create_time=message.create_time.ToDatetime(tzinfo=now.tzinfo),
        content=message.SerializeToString(deterministic=True),
    )


def organization_message(row: OrganizationRow) -> organization_pb2.Organization:
    """The organization of a row."""
    message = organization_pb2.Organization.FromString(row.content)
    message.etag = etag(row.version)
    return message


def outside_organization(row: OrganizationRow) -> organization_pb2.Organization:
    """The organization of a row without what is not everybody's."""
    message = organization_message(row)
    message.ClearField("credit_code")
    message.ClearField("external_key")
    return message


def public_organization(message: organization_pb2.Organization) -> public_pb2.PublicOrganization:
    """An organization as everybody may see it."""
    return public_pb2.PublicOrganization(
        name=message.name,
        display_name=message.display_name,
        org_type=message.org_type,
        region_code=message.region_code,
        industry_codes=message.industry_codes,
        verified=message.verification == organization_pb2.VERIFICATION_STATE_VERIFIED,
    )


def body_row(message: body_pb2.Body, version: int, now: datetime) -> BodyRow:
    """The row of a body in a new version; sets its etag and times."""
    message.etag = etag(version)
    message.update_time.FromDatetime(now)
    if version == 1:
        message.create_time.FromDatetime(now)
    return BodyRow(
        name=message.name,
        version=version,
        display_name=message.display_name,
        kind=message.kind,
        state=message.state,
        key_industry=message.alliance.key_industry,
        applicant=message.pilot_unit.institution or message.support_unit.unit,
        task_force=message.alliance.task_force,
        external_key=message.external_key,
        create_time=message.create_time.ToDatetime(tzinfo=now.tzinfo),
        content=message.SerializeToString(deterministic=True),
    )


def body_message(row: BodyRow) -> body_pb2.Body:
    """The body of a row; its etag is of the row's version, which memberships and a restore raise too."""
    message = body_pb2.Body.FromString(row.content)
    message.etag = etag(row.version)
    return message


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
    """The facts that were entered of a body; one that was never set is not known."""
    kind = message.WhichOneof("facts")
    found: dict[str, Value] = {}
    for leaf, value in getattr(message, kind).ListFields() if kind else ():
        if leaf.name not in FACTS:
            continue
        if leaf.enum_type:
            found[leaf.name] = leaf.enum_type.values_by_number[value].name.removeprefix("PILOT_FIELD_")
        elif leaf.name.endswith(_DAY):
            found[leaf.name] = date.fromisoformat(value)
        else:
            found[leaf.name] = value
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


def grant_message(row: GrantRow) -> grant_pb2.Grant:
    """The grant of a row."""
    message = grant_pb2.Grant(
        name=row.name,
        principal=row.principal,
        role=row.role,  # type: ignore[arg-type]
        organization=row.organization,
        body=row.body,
        state=grant_pb2.GRANT_STATE_ACTIVE if row.active else grant_pb2.GRANT_STATE_REVOKED,
        etag=etag(row.version),
    )
    message.create_time.FromDatetime(row.create_time)
    message.update_time.FromDatetime(row.update_time)
    return message


_OF_ORGANIZATION = {access_pb2.ROLE_ORGANIZATION_ADMIN, access_pb2.ROLE_ORGANIZATION_EDITOR}


def grant_problems(given: grant_pb2.Grant) -> list[Violation]:
    """Everything that is wrong with a grant as it was written: each role has its scope."""
    found = []
    if not given.principal.strip() or len(given.principal) > 128:
        found.append(
            Violation(
                "grant.principal",
                "required",
                "请填写账号标识（至多 128 个字符）",
                "name the principal, at most 128 characters",
            )
        )
    if given.principal.startswith("service:"):
        found.append(
            Violation("grant.principal", "service", "服务账号不由授权取得权限", "services have their rights without a grant")
        )
    if given.organization and given.body:
        found.append(Violation("grant.body", "one-scope", "单位与组织只填一个", "set organization or body, not both"))
    if not given.role or given.role == access_pb2.ROLE_SERVICE or given.role not in access_pb2.Role.values():
        found.append(Violation("grant.role", "role", "请填写可授予的角色", "name a role that can be granted"))
    wrong_scope = (
        (given.role in _OF_ORGANIZATION and not given.organization)
        or (given.role == access_pb2.ROLE_SECRETARIAT and not given.body)
        or (given.role == access_pb2.ROLE_PLATFORM_OPERATOR and bool(given.organization or given.body))
    )
    if wrong_scope:
        found.append(
            Violation(
                "grant.role",
                "scope",
                "单位管理员和经办人须指定单位，秘书处须指定组织，平台运营不指定范围",
                "organization roles name an organization, the secretariat a body, platform operators neither",
            )
        )
    return found
