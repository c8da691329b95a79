"""Standing in bodies, as procedures look at it: which roles an applicant has had, and who is bound to whom."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import and_, func, or_, select, text, true, union_all

from alliance.registry.v1 import application_pb2 as pb
from chassis.database import Tx
from registry.domain.names import GOVERNING, MemberRole
from registry.domain.tenure import Tenure
from registry.mapping.bodies import body_message
from registry.store import BodyRow, body, former_roles, membership, organization, valid_on


async def roles_within(tx: Tx, name: str, member: str, first: date, last: date) -> set[int] | None:
    """The roles that an organization had in a body on any of some days; None where it was no member on any of them."""
    m, f = membership.c, former_roles.c
    theirs = (await tx.conn.execute(select(membership).where(m.body == name, m.organization == member))).all()
    before = select(former_roles).where(f.membership.in_([row.name for row in theirs])).order_by(f.last)
    former: dict[str, list[tuple[date, Collection[int]]]] = defaultdict(list)
    for row in await tx.conn.execute(before):
        former[row.membership].append((row.last, row.roles))
    tenures = [Tenure(row.valid_from, row.valid_to, row.roles, former[row.name]) for row in theirs]
    found = [held for one in tenures if (held := one.within(first, last)) is not None]
    return set[int]().union(*found) if found else None


def college(message: pb.Application, body: BodyRow | None) -> str:
    """Name of the secondary college that acts for the applicant, if it is one of its: the one that carries out what the body
    is for (R21; S4 三(一)), or, of an application for no body, the one that began it. No other college of a university does.
    """
    return body_message(body).pilot_unit.college if body else message.begun_by


async def bound(tx: Tx, name: str, others: Collection[str], day: date) -> frozenset[str]:
    """Which of some organizations stand on a day in a body with another, where one of the two has a part in leading it. With
    each stand its parent and what is verified and belongs to it, a college for its university, a company for its group; not
    what a department runs. Whom a body itself names leads it, too: a pilot's institution, an alliance's guides.
    """
    named = set(others) - {name}
    if not named:
        return frozenset()
    kin = await _kin(tx, {name, *named})
    everybody, leading = set[str]().union(*kin.values()), list(map(int, MemberRole))
    m, b = membership.c, body.c
    stands = union_all(
        select(m.body, m.organization, m.roles.overlap(leading).label("leads")).where(
            m.organization.in_(everybody), valid_on(day)
        ),
        select(b.name, func.unnest(b.judged_by), true()).where(b.judged_by.overlap(sorted(everybody))),
    ).cte("stands")
    own, theirs = stands.alias(), stands.alias()
    found = await tx.conn.execute(
        select(theirs.c.organization)
        .join(own, own.c.body == theirs.c.body)
        .join(body, b.name == theirs.c.body)
        .where(own.c.organization.in_(kin[name]), b.state.in_((2, 3)), or_(own.c.leads, theirs.c.leads))
    )
    beside = set(found.scalars())
    return frozenset(one for one in named if kin[one] & beside)


async def _kin(tx: Tx, names: Collection[str]) -> Mapping[str, set[str]]:
    """Each organization's own: itself, its parent, and those that are verified and name it so; departments have none."""
    kin, above = {name: {name} for name in names}, organization.alias("above")
    c = organization.c
    own = or_(c.name.in_(names), and_(c.verified, c.parent.in_(names), c.parent != text("''")))
    rows = select(c.name, c.parent, c.verified).join(above, above.c.name == c.parent)
    for row in await tx.conn.execute(rows.where(own, above.c.org_type.not_in(sorted(GOVERNING)))):
        if row.name in kin:
            kin[row.name].add(row.parent)
        if row.parent in kin and row.verified:
            kin[row.parent].add(row.name)
    return kin
