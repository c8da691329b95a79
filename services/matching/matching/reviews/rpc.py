"""The RPCs of reviews: thin; rules are in `domain.reviews` and `domain.life`."""

from collections.abc import Callable
from datetime import date

from access.authority import Authority
from access.register import ProjectedRegister
from alliance.matching.v1 import review_pb2 as pb
from alliance.matching.v1 import review_service_pb2 as rpc
from chassis import etag, paging
from chassis.clock import business_date
from chassis.database import Tx
from chassis.errors import Invalid, NotFound, Precondition, Violation
from chassis.ids import resource
from chassis.rpc import Call
from matching import store as matches
from matching.domain import life
from matching.domain.life import OPEN, Match
from matching.domain.reviews import OUTCOMES, State, due_on, is_partial
from matching.domain.score import judge
from matching.index import Index, near
from matching.mapping import message_of as match_message
from matching.mapping import required
from matching.reviews import store
from matching.reviews.mapping import message_of, outcome_of, recomputation_of, states_of
from matching.reviews.store import Place, ReviewRow, Wanted


class Reviews:
    """`alliance.matching.v1.ReviewsService`."""

    def __init__(
        self, authority: Authority, index: Index, sentence_model: str, days: int, require_all: Callable[[], None]
    ) -> None:
        """`days`: in which a review is to be settled; `require_all` raises `Unavailable` while the index has not all yet."""
        self._authority = authority
        self._index = index
        self._sentence_model = sentence_model
        self._days = days
        self._require_all = require_all
        self._register = ProjectedRegister()

    async def RequestReview(self, call: Call, request: rpc.RequestReviewRequest) -> pb.Review:
        """See the contract."""
        tx = call.tx
        reason = required("reason", request.reason, "请填写申请复核的原因", "say why a review is asked for")
        match = await matches.get(tx, request.match, lock=True)
        if match is None or request.organization not in (match.demand_issuer, match.supply_issuer):
            raise NotFound(request.match)
        await _require_reviewable(tx, match)
        row = ReviewRow(
            name=resource("reviews"),
            version=1,
            match=match.name,
            shown=match_message(match).SerializeToString(),
            sides=[match.demand_issuer, match.supply_issuer],
            bodies=list(match.bodies),
            organization=request.organization,
            requested_by=tx.cause.actor,
            reason=reason,
            state=State.REQUESTED,
            due_on=due_on(business_date(tx.now), self._days),
            finding="",
            reviewed_by="",
            create_time=tx.now,
            settle_time=None,
        )
        await store.write(tx, row, "requested")
        return message_of(row)

    async def SettleReview(self, call: Call, request: rpc.SettleReviewRequest) -> pb.Review:
        """See the contract."""
        tx = call.tx
        outcome = outcome_of(request.outcome)
        finding = required("reason", request.reason, "请填写复核意见", "say what the review found and why")
        row = await _review(tx, request.name)
        match = await matches.get(tx, row.match, lock=True)  # before its review, as in `RequestReview`
        row = await _review(tx, request.name, lock=True)
        etag.check(request.etag, row.version, row.name)
        await self._require_impartial(call, row)
        if row.state != State.REQUESTED:
            raise Precondition(
                "REVIEW_SETTLED",
                "该复核已有结论；如仍有异议，请重新申请复核",
                "the review is settled; who still disagrees asks for another one",
                {"review": row.name},
            )
        row.version += 1
        row.state, row.finding, row.reviewed_by, row.settle_time = outcome, finding, tx.cause.on_behalf_of, tx.now
        await store.write(tx, row, OUTCOMES[outcome])
        if outcome is State.OVERTURNED and match is not None:
            await self._overturn(tx, match, finding)
        return message_of(row)

    async def GetReview(self, call: Call, request: rpc.GetReviewRequest) -> rpc.ReviewReport:
        """See the contract."""
        review = message_of(await _review(call.tx, request.name))
        match = await matches.get(call.tx, review.match.name)
        if match is None or match.state not in OPEN:
            return rpc.ReviewReport(review=review)
        self._require_all()
        demand, supply = self._index.get(review.match.demand), self._index.get(review.match.supply)
        if demand is None or supply is None:
            return rpc.ReviewReport(review=review)
        viewer = await self._authority.viewer(call)
        if not all(self._index.newer.shows(viewer, one) for one in (demand, supply)):
            return rpc.ReviewReport(review=review)
        verdict = judge(demand.facts, supply.facts, business_date(call.tx.now), near(demand, supply))
        recomputed = recomputation_of(review.match, demand, supply, verdict, self._sentence_model)
        return rpc.ReviewReport(review=review, recomputation=recomputed)

    async def ListReviews(self, call: Call, request: rpc.ListReviewsRequest) -> rpc.ListReviewsResponse:
        """See the contract."""
        if sum(map(bool, (request.match, request.organization, request.body))) != 1:
            text = ("请在 match、organization、body 中填写一个", "set exactly one of match, organization and body")
            raise Invalid([Violation("match", "one-of", *text)])
        size, after = paging.page_size(request.page_size), paging.decode(request, date.fromisoformat, str)
        wanted = Wanted(request.match, request.organization, request.body, states_of(request.states))
        rows = await store.page(call.tx, wanted, Place(*after) if after else None, size + 1)
        answer = rpc.ListReviewsResponse(reviews=[message_of(row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].due_on.isoformat(), rows[size - 1].name])
        return answer

    async def _require_impartial(self, call: Call, row: ReviewRow) -> None:
        """Raises `Precondition` for who asked for the review, and for who acts for a side in this or any other session."""
        cause = call.tx.cause
        grants = await self._register.grants(call.tx, cause.actor)
        acts_for = {cause.on_behalf_of, *(grant.organization for grant in grants)}
        if is_partial(row.sides, row.requested_by, cause.actor, acts_for):
            raise Precondition(
                "NOT_IMPARTIAL",
                "申请人以及代表供需任何一方的人不能作出复核结论；请由秘书处其他人员办理",
                "who asked for the review, or acts for a side, can't settle it; have another person of the secretariat do so",
                {"review": row.name},
            )

    async def _overturn(self, tx: Tx, match: Match, finding: str) -> None:
        """End the match for as long as its listings are what they are now."""
        self._require_all()
        demand, supply = self._index.get(match.demand), self._index.get(match.supply)
        versions = (
            max(match.demand_version, demand.facts.version if demand else 0),
            max(match.supply_version, supply.facts.version if supply else 0),
        )
        if change := life.overturn(match, *versions, finding, tx.now):
            await matches.write(tx, [change])


async def scopes_of(tx: Tx, name: str) -> frozenset[str]:
    """Whose grants give authority over a review: both sides', and the bodies' that both listings name."""
    row = await store.get(tx, name)
    return frozenset({*row.sides, *row.bodies}) if row else frozenset()


async def _review(tx: Tx, name: str, *, lock: bool = False) -> ReviewRow:
    row = await store.get(tx, name, lock=lock)
    if row is None:
        raise NotFound(name)
    return row


async def _require_reviewable(tx: Tx, match: Match) -> None:
    if match.state not in OPEN:
        raise Precondition(
            "NOT_OPEN",
            f"匹配当前状态为 {match.state}，只有推荐中或双方已接受的匹配可以申请复核",
            f"the match is {match.state}; a review can be asked for while it is PROPOSED or ACCEPTED",
            {"match": match.name},
        )
    if pending := await store.open_of(tx, match.name):
        raise Precondition(
            "REVIEW_PENDING",
            f"该匹配已在复核中（{pending}），请等待结论",
            f"the match is under review already ({pending}); wait for what it finds",
            {"review": pending},
        )
