"""The contract's numbers, for code that knows no protobuf; a test holds them against the contract."""

from collections.abc import Mapping
from enum import IntEnum


class OrgType(IntEnum):
    """Types of organizations, as far as a rule names them."""

    PARK_COMMITTEE = 1
    PARK = 2
    UNIVERSITY = 3
    HIGHER_VOCATIONAL = 4
    VOCATIONAL_UNDERGRADUATE = 5
    SECONDARY_VOCATIONAL = 6
    SECONDARY_COLLEGE = 7
    ENTERPRISE = 8
    INDUSTRY_ASSOCIATION = 9
    PROFESSIONAL_SERVICE_ORG = 13
    GOV_DEPARTMENT = 14
    TASK_FORCE = 15


class BodyKind(IntEnum):
    """Kinds of bodies."""

    ALLIANCE = 1
    CONSORTIUM = 2
    COMMUNITY = 3
    PILOT_UNIT = 4
    SUPPORT_UNIT = 5
    MUNICIPAL_CONSORTIUM = 6


class BodyState(IntEnum):
    """States of a body."""

    DRAFT = 1
    FORMED = 2
    SUSPENDED = 3
    DISSOLVED = 4


class MemberRole(IntEnum):
    """Roles of a member, as far as a rule names them."""

    CHAIR = 1
    VICE_CHAIR = 2
    SECRETARIAT = 3
    LEAD_ENTERPRISE = 4
    LEAD_UNIVERSITY = 5
    LEAD_VOCATIONAL = 6


class Programme(IntEnum):
    """Programmes 申报与工作程序 that have applications."""

    COMMUNITY = 1
    PILOT = 2
    SUPPORT = 3
    CONSORTIUM = 4
    CERTIFICATION = 5
    EVALUATION = 6
    CHALLENGE = 7
    MEETING = 8
    PERFORMANCE = 9
    MAJOR_ADJUSTMENT = 10
    EMPLOYEE_INTAKE = 11


class CertifiedKind(IntEnum):
    """What is certified as 产教融合型."""

    REGION = 1
    INDUSTRY = 2
    ENTERPRISE = 3


class CertificationState(IntEnum):
    """States in the catalogue of what is certified."""

    CULTIVATING = 1
    CERTIFIED = 2
    EXITED = 3


class Stage(IntEnum):
    """When a rule is looked at."""

    FORMING = 1
    STANDING = 2
    SUBMITTING = 3


class Severity(IntEnum):
    """How much a rule weighs: only a required one hinders."""

    REQUIRED = 1
    IN_PRINCIPLE = 2
    ENCOURAGED = 3


class Verdict(IntEnum):
    """What a rule says of a body or an application."""

    SATISFIED = 1
    VIOLATED = 2
    NOT_APPLICABLE = 3
    CANNOT_BE_TOLD = 4


BODY_KINDS: Mapping[BodyKind, tuple[str, str]] = {
    BodyKind.ALLIANCE: ("产教联盟", "alliance"),
    BodyKind.CONSORTIUM: ("联合体", "consortium"),
    BodyKind.COMMUNITY: ("共同体", "community"),
    BodyKind.PILOT_UNIT: ("试点单位", "pilot unit"),
    BodyKind.SUPPORT_UNIT: ("支撑单位", "support unit"),
    BodyKind.MUNICIPAL_CONSORTIUM: ("市域联合体", "municipal consortium"),
}
"""What people call each."""
VOCATIONAL = frozenset({OrgType.HIGHER_VOCATIONAL, OrgType.VOCATIONAL_UNDERGRADUATE, OrgType.SECONDARY_VOCATIONAL})
"""Vocational schools 职业学校 (S2: 含中职学校、高职专科学校和本科层次职业学校)."""
HIGHER_EDUCATION = frozenset({OrgType.UNIVERSITY, OrgType.HIGHER_VOCATIONAL, OrgType.VOCATIONAL_UNDERGRADUATE})
"""Undergraduate and higher vocational institutions 全日制本科院校、高等职业院校 (S1 二(一))."""
INSTITUTIONS = HIGHER_EDUCATION | VOCATIONAL
"""Institutions of every level 各层次院校 (S4 三(一))."""
PARKS = frozenset({OrgType.PARK_COMMITTEE, OrgType.PARK})

PARENT_TYPES: Mapping[int, frozenset[int]] = {
    OrgType.TASK_FORCE: frozenset({OrgType.GOV_DEPARTMENT, OrgType.PARK_COMMITTEE}),
    OrgType.SECONDARY_COLLEGE: frozenset({OrgType.UNIVERSITY, OrgType.HIGHER_VOCATIONAL, OrgType.VOCATIONAL_UNDERGRADUATE}),
}
"""What the parent of an organization has to be; other types may have any.

A task force's is its lead department (S0 附件2), which for three of the ten is 市科委中关村管委会, a park's committee too.
"""

LEADING = PARENT_TYPES[OrgType.TASK_FORCE]
"""What leads a task force can be a lead department 牵头部门 of its alliance (S0 附件2)."""

GOVERNING = LEADING | {OrgType.TASK_FORCE}
"""Parts of the state: no third parties, and what they run is not told by them what to find."""
WITHOUT_CODE = frozenset(PARENT_TYPES)
"""Types that are no legal persons: they have no credit code, and are verified by their parent."""
