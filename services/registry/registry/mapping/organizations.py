"""Organizations."""

from collections.abc import Iterator
from datetime import datetime

from alliance.public.v1 import public_pb2
from alliance.registry.v1 import organization_pb2
from chassis.errors import Violation
from chassis.etag import etag
from registry.domain import credit_code
from registry.domain.names import PARENT_TYPES, WITHOUT_CODE
from registry.mapping.checks import coded, external_key, named
from registry.mapping.versions import stamp
from registry.store import OrganizationRow

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
_MAX_INDUSTRIES = 10


def organization_problems(given: organization_pb2.Organization) -> list[Violation]:
    """Everything that is wrong with an organization as it was written, in which codes take the place of names."""
    return [*named(given), *external_key(given), *_kind(given), *(_too_many(given) or coded(given))]


def _kind(given: organization_pb2.Organization) -> Iterator[Violation]:
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


def _too_many(given: organization_pb2.Organization) -> list[Violation]:
    if len(given.industry_codes) <= _MAX_INDUSTRIES:
        return []
    zh, en = f"最多 {_MAX_INDUSTRIES} 个行业；请只留主要的", f"at most {_MAX_INDUSTRIES} industries; keep the main ones"
    return [Violation("industry_codes", "range", zh, en)]


def organization_row(message: organization_pb2.Organization, version: int, now: datetime) -> OrganizationRow:
    """The row of an organization in a new version; sets its etag and times."""
    stamp(message, version, now)
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
