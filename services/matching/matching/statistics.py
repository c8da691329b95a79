"""Figures of matches 匹配统计: what became of proposals, by band of score, and why they were declined.

Thin enough to be rpc and statement in one.
"""

from sqlalchemy import ColumnElement, func, or_, select, true

from alliance.matching.v1 import statistics_service_pb2 as rpc
from chassis.errors import Invalid, Violation
from chassis.rpc import Call
from matching.domain.alike import BAND, TOP, highest
from matching.domain.life import DeclineReason, State
from matching.mapping import decline_value
from matching.store import match

_BECAME = {
    "open": [State.PROPOSED],
    "accepted": [State.ACCEPTED, State.IN_PROGRESS, State.FULFILLED, State.FAILED],
    "declined": [State.DECLINED],
    "ended": [State.EXPIRED, State.OVERTURNED],
}


class Statistics:
    """`alliance.matching.v1.StatisticsService`."""

    async def GetAcceptance(self, call: Call, request: rpc.GetAcceptanceRequest) -> rpc.GetAcceptanceResponse:
        """See the contract."""
        if request.organization and request.body:
            text = ("organization 与 body 只能填写一个", "give organization or body, not both")
            raise Invalid([Violation("organization", "one-of", *text)])
        asked: ColumnElement[bool] = true()
        if request.organization:
            asked = or_(match.c.demand_issuer == request.organization, match.c.supply_issuer == request.organization)
        elif request.body:
            asked = match.c.bodies.contains([request.body])
        counted = [func.count().filter(match.c.state.in_(states)).label(name) for name, states in _BECAME.items()]
        lowest = func.least(TOP, match.c.score // BAND * BAND).label("lowest")
        found = await call.tx.conn.execute(select(lowest, *counted).where(asked).group_by(lowest).order_by(lowest))
        bands = [rpc.AcceptanceBand(highest=highest(row.lowest), **row._mapping) for row in found]
        return rpc.GetAcceptanceResponse(bands=bands, declines=await _declines(call, asked))


async def _declines(call: Call, asked: ColumnElement[bool]) -> list[rpc.DeclineCount]:
    why, count = match.c.decline_reason, func.count().label("count")
    declined = select(why, count).where(asked, match.c.state == State.DECLINED).group_by(why).order_by(count.desc(), why)
    found = await call.tx.conn.execute(declined)
    return [
        rpc.DeclineCount(reason=decline_value(DeclineReason(row.decline_reason)), count=row._mapping["count"]) for row in found
    ]
