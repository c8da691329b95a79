"""Grants."""

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import grant_pb2
from chassis.errors import Violation
from chassis.etag import etag
from chassis.personal import principal_problems
from registry.store import GrantRow

_OF_ORGANIZATION = {access_pb2.ROLE_ORGANIZATION_ADMIN, access_pb2.ROLE_ORGANIZATION_EDITOR}


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
    found += principal_problems("grant.principal", given.principal)
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
