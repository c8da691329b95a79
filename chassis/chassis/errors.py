"""What a handler raises, and what the caller is told of it (AIP-193).

Every fault has a machine-readable `reason` and a text in Chinese and English that says what to do; `chassis.status`
turns it into `google.rpc` details.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import grpc


class Violation(NamedTuple):
    """One wrong field: its path, the rule it breaks, and what to do, in Chinese and English."""

    field: str
    rule: str
    zh: str
    en: str


class Fault(Exception):
    """A refusal that the caller can understand. Subclasses fix the gRPC code."""

    code = grpc.StatusCode.UNKNOWN

    def __init__(self, reason: str, zh: str, en: str, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{reason}: {en}")
        self.reason = reason
        self.zh = zh
        self.en = en
        self.metadata = dict(metadata or {})


class Invalid(Fault):
    """Wrong input; names every field, rule and fix."""

    code = grpc.StatusCode.INVALID_ARGUMENT

    def __init__(self, violations: Sequence[Violation]) -> None:
        count = len(violations)
        super().__init__(
            "INVALID_FIELDS",
            f"有 {count} 处需要改正：{violations[0].zh}",
            f"{count} field(s) to mend: {violations[0].en}",
            {"violations": str(count)},
        )
        self.violations = list(violations)


def refuse(found: Sequence[Violation]) -> None:
    """Raises `Invalid` where something is wrong."""
    if found:
        raise Invalid(found)


class NotFound(Fault):
    """No such resource, or not for this caller's eyes."""

    code = grpc.StatusCode.NOT_FOUND

    def __init__(self, name: str, zh: str = "", en: str = "") -> None:
        super().__init__("NOT_FOUND", zh or f"没有找到 {name}", en or f"{name} was not found", {"resource": name})


class Unauthenticated(Fault):
    """No token where one is needed, or one that does not hold."""

    code = grpc.StatusCode.UNAUTHENTICATED

    def __init__(self, zh: str = "请先登录", en: str = "log in first") -> None:
        super().__init__("UNAUTHENTICATED", zh, en)


class Denied(Fault):
    """The caller may not do this; says nothing of whether the resource exists (AIP-211)."""

    code = grpc.StatusCode.PERMISSION_DENIED

    def __init__(self, permission: str, resource: str = "") -> None:
        where = resource or "the platform"
        super().__init__(
            "PERMISSION_DENIED",
            f"没有权限 {permission}（对象：{resource or '平台'}），或对象不存在；请向单位管理员申请授权",
            f"permission {permission} on {where} is missing, or there is no such resource; ask an administrator",
            {"permission": permission, "resource": resource},
        )


class Precondition(Fault):
    """Right input at the wrong time: a rule, a state or a window forbids it."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class AlreadyExists(Fault):
    """Something with this unique key is there already."""

    code = grpc.StatusCode.ALREADY_EXISTS


class Conflict(Fault):
    """The resource changed since the caller read it (AIP-154)."""

    code = grpc.StatusCode.ABORTED

    def __init__(self, name: str) -> None:
        super().__init__(
            "ETAG_MISMATCH",
            f"{name} 已被他人修改；请重新读取后再提交",
            f"{name} has changed since it was read; read it again and retry",
            {"resource": name},
        )


class Unavailable(Fault):
    """A part that is needed can't be reached; try again after `retry_after` seconds."""

    code = grpc.StatusCode.UNAVAILABLE

    def __init__(self, zh: str, en: str, retry_after: float = 1.0) -> None:
        super().__init__("UNAVAILABLE", zh, en)
        self.retry_after = retry_after


class Exhausted(Fault):
    """More than the service takes at once; try again after `retry_after` seconds."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, retry_after: float = 1.0) -> None:
        super().__init__("OVERLOADED", "请求过多，请稍后重试", "too many calls at once; try again shortly")
        self.retry_after = retry_after
