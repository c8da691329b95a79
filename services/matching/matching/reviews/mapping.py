"""Between messages, rows and the domain."""

from typing import TYPE_CHECKING, Any

from alliance.matching.v1 import match_pb2
from alliance.matching.v1 import review_pb2 as pb
from chassis.errors import Invalid, Violation
from chassis.etag import etag
from matching.domain.pairs import STAMP
from matching.domain.reviews import OUTCOMES, State
from matching.domain.score import Verdict
from matching.entry import Entry
from matching.mapping import part_message

if TYPE_CHECKING:
    from matching.reviews.store import ReviewRow


def message_of(row: "ReviewRow") -> pb.Review:
    """The review of a row."""
    found = pb.Review(
        name=row.name,
        match=match_pb2.Match.FromString(row.shown),
        organization=row.organization,
        reason=row.reason,
        state=row.state,  # type: ignore[arg-type]
        due_on=row.due_on.isoformat(),
        finding=row.finding,
        reviewed_by=row.reviewed_by,
        etag=etag(row.version),
    )
    found.create_time.FromDatetime(row.create_time)
    if row.settle_time is not None:
        found.settle_time.FromDatetime(row.settle_time)
    return found


def recomputation_of(
    shown: match_pb2.Match, demand: Entry, supply: Entry, verdict: Verdict, sentence_model: str
) -> pb.Recomputation:
    """What today's verdict on the pair is, beside the match as it was shown."""
    found = pb.Recomputation(
        algorithm_version=STAMP,
        sentence_model=sentence_model,
        demand_version=demand.facts.version,
        supply_version=supply.facts.version,
        broken=verdict.broken,
        score=verdict.score,
        parts=[part_message(part) for part in verdict.parts],
    )
    found.same = (found.score, list(found.parts), list(verdict.gaps)) == (shown.score, list(shown.parts), list(shown.gaps))
    return found


def outcome_of(outcome: int) -> State:
    """The outcome of a review; raises `Invalid` where it is none."""
    if outcome not in OUTCOMES:
        text = ("请说明复核结论：维持（UPHELD）或撤销（OVERTURNED）", "say what the review found: UPHELD or OVERTURNED")
        raise Invalid([Violation("outcome", "required", *text)])
    return State(outcome)


def states_of(states: Any) -> list[State]:
    """States asked for in a list; unset ones are passed over."""
    return [State(state) for state in states if state]
