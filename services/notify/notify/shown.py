"""What is handed out of a record: the fields that its owner's RPCs show to whoever is told of it, and none beside them.

Texts and webhooks alike are made of what `shown` leaves. A field or an event type that is new is nobody's until the table
below has it; `tests/contract/test_told.py` asks for that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from alliance.listings.v1 import listing_pb2
from alliance.registry.v1 import application_pb2
from chassis.record import Record


@dataclass(frozen=True)
class Shown:
    """Fields of a message, by name and apart by blanks, and for whom they are.

    Attributes:
        told: for everybody who is told of the record.
        own: beside them for those whose it is (`About.owners`).
        nobody: for nobody whom notify tells: who needs them asks the owner.
        within: which fields of those above hold messages that are not shown whole.
        verbs: the events of the record that can be subscribed to.
        by_state: takes away what the record's state does; called with the message, for whomever it is not.
    """

    told: str
    own: str = ""
    nobody: str = ""
    within: Mapping[str, "Shown"] = field(default_factory=dict)
    verbs: str = ""
    by_state: Callable[[Any], None] | None = None


def shown(record: Record, *, whole: bool) -> Record:
    """The record with what is handed out of it; `whole` to those whose it is."""
    given = cast(Any, record.message)
    message = type(given)()
    message.CopyFrom(given)
    table = SHOWN[record.topic]
    resource = getattr(message, resource_of(message))
    if table.by_state and not whole:
        table.by_state(resource)
    _leave(resource, table, whole=whole)
    return record._replace(message=message)


def resource_of(message: Any) -> str:
    """The field of a record's message that holds the resource."""
    return str(next(one.name for one in message.DESCRIPTOR.fields if one.name != "meta"))


def is_told(record: Record) -> bool:
    """Whether the event can be subscribed to."""
    return record.verb in SHOWN[record.topic].verbs.split()


def _leave(message: Any, table: Shown, *, whole: bool) -> None:
    """Leave the fields of a message that the table names."""
    kept = {*table.told.split(), *(table.own.split() if whole else ())}
    for one, value in message.ListFields():
        if one.name not in kept:
            message.ClearField(one.name)
        elif one.name in table.within:
            for inner in value if one.is_repeated else (value,):
                _leave(inner, table.within[one.name], whole=whole)


def _keep_scores_back(application: Any) -> None:
    """As long as experts review it, what they gave and why is the authority's alone: registry's `keep_scores_back`, which a
    test holds equal. Who gave it is told no more than others, since it is an organization that is told.
    """
    if application.state != application_pb2.APPLICATION_STATE_IN_REVIEW:
        return
    for step in application.steps:
        if step.HasField("score"):
            step.ClearField("score")
            step.ClearField("reason")


_OF_ENDED = "name issuer bodies kind state title visibility valid_from valid_to etag create_time update_time publish_time"


def _keep_ended_back(listing: Any) -> None:
    """Of a listing that is no longer published others know that it is not, and read it no more."""
    if listing.state != listing_pb2.LISTING_STATE_PUBLISHED:
        _leave(listing, Shown(_OF_ENDED), whole=False)


_TIMES = "etag create_time update_time"
_MATCH = Shown(
    "name demand supply demand_version supply_version demand_issuer supply_issuer demand_kind supply_kind bodies state score "
    f"parts gaps algorithm_version demand_accepted supply_accepted reason decline_reason filled {_TIMES}",
    verbs="proposed rescored accepted started fulfilled failed declined expired overturned",
)
_STEP = Shown(
    "step state organization take_time reason named_organization score documents open_findings title sealed",
    nobody="actor named_principal released",
)
_DETAILS = (
    "talent_demand tech_demand project_demand industry_challenge job_position internship talent_supply research_outcome "
    "graduate_employment_info supply_demand_list practice_base practice_project equipment_sharing tech_service expert course "
    "micro_major micro_course micro_credential textbook teaching_resource teaching_equipment training training_mode "
    "teacher_post case issue suggestion vehicle"
)

SHOWN: Mapping[str, Shown] = {
    "alliance.internal.registry.organization.v1": Shown(
        f"name display_name org_type region_code industry_codes parent verification {_TIMES}",
        own="credit_code external_key",
        verbs="created updated verified",
    ),
    "alliance.internal.registry.body.v1": Shown(
        "name display_name kind state region_code alliance community consortium pilot_unit support_unit open_findings "
        f"formed_on suspended_on resumed_on {_TIMES}",
        nobody="external_key",
        verbs="created updated formed suspended resumed dissolved",
    ),
    "alliance.internal.registry.membership.v1": Shown(
        f"name organization roles valid_from valid_to {_TIMES}", verbs="created updated ended"
    ),
    "alliance.internal.registry.call.v1": Shown(f"name programme year authority opens_on closes_on {_TIMES}", verbs="opened"),
    "alliance.internal.registry.application.v1": Shown(
        "name programme display_name applicant body call state documents steps due_on due_title authority begun_by "
        f"certification major_adjustment performance employee_intake challenge meeting {_TIMES}",
        within={"steps": _STEP, "employee_intake": Shown("front_line_since", nobody="candidate")},
        verbs="created updated stepped reminded",
        by_state=_keep_scores_back,
    ),
    "alliance.internal.listings.listing.v1": Shown(
        "name issuer bodies kind state title description visibility region_codes industry_codes field_codes valid_from "
        f"valid_to quantity source external_key publish_time {_DETAILS} {_TIMES}",
        nobody="contact",
        within={"expert": Shown("field skills majors rank services", nobody="person")},
        verbs="created revised published withdrawn expired fulfilled assigned",
        by_state=_keep_ended_back,
    ),
    "alliance.internal.listings.round.v1": Shown(
        f"name body kind period opens_on closes_on state counts previous silent_members {_TIMES}", verbs="opened moved closed"
    ),
    "alliance.internal.listings.feed.v1": Shown(
        "name display_name direction system issuer source kind mapping publish body interval expected_every silence state "
        f"last_heard_time last_record_time silent_since_time failures last_error next_run_time refusals {_TIMES}",
        nobody="url cursor secret",
        verbs="created updated silent heard removed",
    ),
    "alliance.internal.listings.silence.v1": Shown("name body round kind period organization last_round", verbs="noticed"),
    "alliance.internal.listings.booking.v1": Shown(
        f"name equipment organization issuer begin_time end_time unit purpose state reason {_TIMES}", verbs="created cancelled"
    ),
    "alliance.internal.matching.match.v1": _MATCH,
    "alliance.internal.matching.review.v1": Shown(
        "name match organization reason state due_on finding reviewed_by etag create_time settle_time",
        within={"match": _MATCH},
        verbs="requested overdue upheld overturned",
    ),
    "alliance.internal.matching.search.v1": Shown(
        "name organization display_name query kinds region_code body issuer source state latest etag create_time",
        verbs="saved met forgotten",
    ),
    "alliance.internal.reporting.deadline.v1": Shown(
        f"name body rule clause period title opens_on due_on state closed_late closed_by_event {_TIMES}",
        verbs="scheduled opened due late closed corrected",
    ),
    "alliance.internal.reporting.report.v1": Shown(
        "name body kind period revision state figures recipients amendment_reason cutoff_time submit_time workbook_sha256 "
        f"{_TIMES}",
        verbs="compiled submitted amended",
    ),
}
"""By topic; `about` (`abouts.py`) says who is told of a record at all."""
