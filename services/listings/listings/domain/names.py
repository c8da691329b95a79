"""The contract's numbers, for code that knows no protobuf; a test holds them against the contract."""

from enum import IntEnum


class State(IntEnum):
    """State of a listing."""

    DRAFT = 1
    PUBLISHED = 2
    WITHDRAWN = 3
    EXPIRED = 4
    FULFILLED = 5


class Kind(IntEnum):
    """Kind of a listing."""

    TALENT_DEMAND = 1
    TECH_DEMAND = 2
    PROJECT_DEMAND = 3
    INDUSTRY_CHALLENGE = 4
    JOB_POSITION = 5
    INTERNSHIP = 6
    TALENT_SUPPLY = 7
    RESEARCH_OUTCOME = 8
    GRADUATE_EMPLOYMENT_INFO = 9
    TALENT_SUPPLY_DEMAND_LIST = 10
    TECH_SUPPLY_DEMAND_LIST = 11
    PRACTICE_BASE = 12
    PRACTICE_PROJECT = 13
    EQUIPMENT_SHARING = 14
    TECH_SERVICE = 15
    EXPERT = 16
    COURSE = 17
    MICRO_MAJOR = 18
    MICRO_COURSE = 19
    MICRO_CREDENTIAL = 20
    TEXTBOOK = 21
    TEACHING_RESOURCE = 22
    TEACHING_EQUIPMENT = 23
    TRAINING = 24
    TRAINING_MODE = 25
    TEACHER_POST = 26
    CASE = 27
    ISSUE = 28
    SUGGESTION = 29
    VEHICLE = 30


class RoundKind(IntEnum):
    """Kind of a round."""

    FIRST = 1
    QUARTERLY = 2
    CHALLENGE_LIST = 3
    TALENT_LIST = 4
    TECH_LIST = 5


class RoundState(IntEnum):
    """State of a round."""

    OPEN = 1
    CLOSED = 2


class RoundChange(IntEnum):
    """What became of a listing since it was told last."""

    ADDED = 1
    REVISED = 2
    KEPT = 3
    REMOVED = 4


class BodyKind(IntEnum):
    """Kinds of bodies that have rounds."""

    ALLIANCE = 1
    COMMUNITY = 3


class OrgType(IntEnum):
    """Types of organizations, as far as a rule names them."""

    UNIVERSITY = 3
    HIGHER_VOCATIONAL = 4
    VOCATIONAL_UNDERGRADUATE = 5
    SECONDARY_VOCATIONAL = 6
    SECONDARY_COLLEGE = 7
    ENTERPRISE = 8
    GOV_DEPARTMENT = 14
    TASK_FORCE = 15


AUTHORITIES = (OrgType.GOV_DEPARTMENT, OrgType.TASK_FORCE)
STATE_NAMES = {
    State.DRAFT: ("草稿", "draft"),
    State.PUBLISHED: ("已发布", "published"),
    State.WITHDRAWN: ("已撤回", "withdrawn"),
    State.EXPIRED: ("已到期", "expired"),
    State.FULFILLED: ("已达成", "fulfilled"),
}

YEAR_LISTS = (Kind.TALENT_SUPPLY_DEMAND_LIST, Kind.TECH_SUPPLY_DEMAND_LIST)
DETAILS = {kind: kind.name.lower() for kind in Kind} | dict.fromkeys(YEAR_LISTS, "supply_demand_list")
"""Kind → the field that holds its details."""
