"""The contract's numbers, for code that knows no protobuf; a test holds them against the contract."""

from enum import IntEnum


class OrgType(IntEnum):
    """Types of organizations, as far as a rule names them."""

    UNIVERSITY = 3
    HIGHER_VOCATIONAL = 4
    VOCATIONAL_UNDERGRADUATE = 5
    SECONDARY_VOCATIONAL = 6
    SECONDARY_COLLEGE = 7
    ENTERPRISE = 8
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


class Verdict(IntEnum):
    """What a rule says of a body."""

    SATISFIED = 1
    VIOLATED = 2
    NOT_APPLICABLE = 3
    CANNOT_BE_TOLD = 4


WITHOUT_CODE = frozenset({OrgType.TASK_FORCE, OrgType.SECONDARY_COLLEGE})
"""Types that are no legal persons: they have no credit code and name a parent."""
