"""Standing in bodies, as procedures look at it: which roles an applicant has had, and who is bound to whom."""

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import and_, func, or_, select, text, true, union_all

from chassis.database import Tx
from registry.domain.names import GOVERNING, MemberRole
from registry.store import body, membership, organization, valid_on


async def roles_within(tx: Tx, name: str, member: str, first: date, last: date) -> set[int] | None:
    """The roles that an organization has in a body on any of some days; None where it is no member on any of them."""
    c = membership.c
    within = and_(c.valid_from <= last, or_(c.valid_to.is_(None), c.valid_to >= first))
    found = (await tx.conn.execute(select(c.roles).where(c.body == name, c.organization == member, within))).scalars().all()
    return set[int]().union(*found) if found else None


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
