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
    """Kind of a listing, as far as a rule names it."""

    TALENT_DEMAND = 1
    TECH_DEMAND = 2
    PROJECT_DEMAND = 3
    INDUSTRY_CHALLENGE = 4
    JOB_POSITION = 5
    INTERNSHIP = 6
    TALENT_SUPPLY = 7
    RESEARCH_OUTCOME = 8
    GRADUATE_EMPLOYMENT_INFO = 9


STATE_NAMES = {
    State.DRAFT: ("草稿", "draft"),
    State.PUBLISHED: ("已发布", "published"),
    State.WITHDRAWN: ("已撤回", "withdrawn"),
    State.EXPIRED: ("已到期", "expired"),
    State.FULFILLED: ("已达成", "fulfilled"),
}

DETAILS = {
    Kind.TALENT_DEMAND: "talent_demand",
    Kind.TECH_DEMAND: "tech_demand",
    Kind.PROJECT_DEMAND: "project_demand",
    Kind.INDUSTRY_CHALLENGE: "industry_challenge",
    Kind.JOB_POSITION: "job_position",
    Kind.INTERNSHIP: "internship",
    Kind.TALENT_SUPPLY: "talent_supply",
    Kind.RESEARCH_OUTCOME: "research_outcome",
    Kind.GRADUATE_EMPLOYMENT_INFO: "graduate_employment_info",
}
"""Kinds with typed details (R38–R42) and the field that holds them; the other kinds have none yet."""
