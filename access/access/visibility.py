"""Who sees a listing: one predicate, in memory and in SQL.

PUBLIC = anyone; MEMBERS = organizations whose membership is valid today in a body that the listing names; GOVERNMENT =
verified government departments and task forces. An issuer sees its own, a body's secretariat all that name its body.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.sql.expression import cast
from sqlalchemy.types import Text

from alliance.listings.v1 import listing_pb2 as pb


@dataclass(frozen=True)
class Viewer:
    """For whose eyes something is decided; an anonymous caller is `Viewer()`.

    Attributes:
        platform: sees everything (operators, platform auditors, services).
        organization: organization that the caller acts for and may read listings of, or "".
        bodies_run: bodies whose secretariat or auditor the caller is.
        member_bodies: bodies in which the organization's membership is valid today.
        government: whether the organization is a verified government department or task force.
    """

    platform: bool = False
    organization: str = ""
    bodies_run: frozenset[str] = frozenset()
    member_bodies: frozenset[str] = frozenset()
    government: bool = False

    def acts_for(self, issuer: str) -> bool:
        """Whether a listing of this issuer is the viewer's own, or the viewer sees everything."""
        return self.platform or (self.organization != "" and self.organization == issuer)


def may_see(viewer: Viewer, *, issuer: str, bodies: Iterable[str], visibility: int, state: int) -> bool:
    """Whether the viewer sees a listing with these properties."""
    if viewer.acts_for(issuer):
        return True
    named = frozenset(bodies)
    if state != pb.LISTING_STATE_DRAFT and named & viewer.bodies_run:
        return True
    if state != pb.LISTING_STATE_PUBLISHED:
        return False
    if visibility == pb.VISIBILITY_PUBLIC:
        return True
    if visibility == pb.VISIBILITY_MEMBERS:
        return bool(named & viewer.member_bodies)
    return visibility == pb.VISIBILITY_GOVERNMENT and viewer.government


def sees(
    viewer: Viewer,
    *,
    issuer: ColumnElement[str],
    bodies: ColumnElement[list[str]],
    visibility: ColumnElement[int],
    state: ColumnElement[int],
) -> ColumnElement[bool]:
    """`may_see` as a condition on columns; `bodies` is a `text[]`."""
    if viewer.platform:
        return true()
    published = state == pb.LISTING_STATE_PUBLISHED
    ways: list[ColumnElement[bool]] = [and_(published, visibility == pb.VISIBILITY_PUBLIC)]
    if viewer.organization:
        ways.append(issuer == viewer.organization)
    if viewer.bodies_run:
        ways.append(and_(state != pb.LISTING_STATE_DRAFT, _overlap(bodies, viewer.bodies_run)))
    if viewer.member_bodies:
        members = and_(visibility == pb.VISIBILITY_MEMBERS, _overlap(bodies, viewer.member_bodies))
        ways.append(and_(published, members))
    if viewer.government:
        ways.append(and_(published, visibility == pb.VISIBILITY_GOVERNMENT))
    return or_(false(), *ways)


def _overlap(column: ColumnElement[list[str]], values: frozenset[str]) -> ColumnElement[bool]:
    return column.op("&&", return_type=None)(cast(array(sorted(values)), ARRAY(Text)))
