"""Is the issuer who it says, and a member where it says? The projection is asked first, registry on a miss."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeGuard

from access.register import BodyRow, OrganizationRow, Owner, ProjectedRegister, is_government
from access.visibility import Viewer, may_see
from alliance.registry.v1 import body_pb2
from chassis.clock import business_date
from chassis.database import Tx
from chassis.errors import Invalid, Precondition, Violation
from listings.store import ListingRow

_TAKING = (body_pb2.BODY_STATE_DRAFT, body_pb2.BODY_STATE_FORMED)
"""States of bodies that a listing may newly name: members publish while a body is being prepared."""

_LEADING = frozenset(
    {
        body_pb2.MEMBER_ROLE_CHAIR,
        body_pb2.MEMBER_ROLE_SECRETARIAT,
        body_pb2.MEMBER_ROLE_LEAD_ENTERPRISE,
        body_pb2.MEMBER_ROLE_LEAD_UNIVERSITY,
        body_pb2.MEMBER_ROLE_LEAD_VOCATIONAL,
    }
)


class Standing:
    """What listings asks of the register."""

    def __init__(self, owner: Owner) -> None:
        self._register = ProjectedRegister()
        self._owner = owner

    async def require_organization(self, tx: Tx, issuer: str) -> None:
        """Raises `Invalid` for an organization that is not in the register, `Unavailable` where that can't be told."""
        if await self.organizations(tx, [issuer]):
            return
        raise Invalid(
            [
                Violation(
                    "issuer",
                    "registered",
                    f"成员库中没有单位 {issuer}；请先登记",
                    f"{issuer} is not in the register; enter it first",
                )
            ]
        )

    async def require_body(self, tx: Tx, name: str) -> None:
        """Raises `Invalid` for a body that is not in the register, or is dissolved, `Unavailable` where that can't be told; ""
        is none.
        """
        if not name:
            return
        known = await self._register.bodies(tx, [name]) or await self._owner.bodies([name])
        if name not in known:
            raise Invalid(
                [
                    Violation(
                        "body",
                        "registered",
                        f"成员库中没有组织 {name}；请核对编号（body list 可查），刚登记的请稍后再试",
                        f"{name} is not in the register; check the id (body list shows them), and try again shortly where it"
                        " was just entered",
                    )
                ]
            )
        if known[name].state == body_pb2.BODY_STATE_DISSOLVED:
            zh = f"组织 {name} 已解散，不会再有信息；请改填其他组织，或不填"
            en = f"{name} is dissolved, and nothing will come of it; name another body, or none"
            raise Invalid([Violation("body", "dissolved", zh, en)])

    async def organizations(self, tx: Tx, names: Sequence[str]) -> Mapping[str, OrganizationRow]:
        """Those of the organizations that are in the register."""
        known = await self._register.organizations(tx, names)
        missing = sorted(set(names) - known.keys())
        return known | await self._owner.organizations(missing) if missing else known

    async def foreign_bodies(self, tx: Tx, issuer: str, bodies: Collection[str], on: date) -> list[str]:
        """Those of the bodies in which the issuer's membership is not valid on the day."""
        missing = set(bodies) - await self._register.member_bodies(tx, issuer, on)
        if missing:
            missing -= await self._owner.member_bodies(issuer, on)
        return sorted(missing)

    async def closed_bodies(self, tx: Tx, bodies: Collection[str]) -> list[str]:
        """Those of the bodies that are suspended or dissolved."""
        known = await self._register.bodies(tx, sorted(bodies))
        asked = sorted(body for body in bodies if body not in known or known[body].state not in _TAKING)
        found = await self._owner.bodies(asked)
        return [body for body in asked if body in found and found[body].state not in _TAKING]

    async def sees(self, tx: Tx, organization: str, row: ListingRow) -> bool:
        """Whether an organization sees a listing today. Raises `Unavailable` where that can't be told."""

        def shown(viewer: Viewer) -> bool:
            return may_see(viewer, issuer=row.issuer, bodies=row.bodies, visibility=row.visibility, state=row.state)

        # Only what is needed is asked: of a public listing, or one of its own, nothing has to be known of the organization.
        viewer = Viewer(organization=organization)
        if shown(viewer):
            return True
        if shown(replace(viewer, member_bodies=frozenset(row.bodies))):
            foreign = await self.foreign_bodies(tx, organization, row.bodies, business_date(tx.now))
            viewer = replace(viewer, member_bodies=frozenset(row.bodies).difference(foreign))
        if not shown(viewer) and shown(replace(viewer, government=True)):
            viewer = replace(viewer, government=await self._is_government(tx, organization))
        return shown(viewer)

    async def is_verified(self, tx: Tx, organization: str) -> bool:
        """Whether it is in the register and verified. Raises `Unavailable` where that can't be told."""
        known = await self._known(tx, organization)
        return known is not None and known.verified

    async def _is_government(self, tx: Tx, organization: str) -> bool:
        """Whether it is a verified department or task force."""
        return is_government(await self._known(tx, organization))

    async def _known(self, tx: Tx, organization: str) -> OrganizationRow | None:
        """The organization; as its owner has it where it has not been heard of as verified."""
        known = (await self._register.organizations(tx, [organization])).get(organization)
        if known is None or not known.verified:
            known = (await self._owner.organizations([organization])).get(organization)
        return known

    async def require_open(self, tx: Tx, bodies: Collection[str]) -> None:
        """Raises `Precondition` where one of the bodies is suspended or dissolved."""
        if closed := await self.closed_bodies(tx, bodies):
            raise Precondition("BODY_CLOSED", *is_closed(closed), {"bodies": ",".join(closed)})

    async def formed_alliance(self, tx: Tx, name: str) -> BodyRow:
        """A formed alliance. Raises `Invalid` for a body that is not in the register, `Precondition` for any other (R54)."""
        found = (await self._register.bodies(tx, [name])).get(name)
        if not _is_formed_alliance(found):
            found = (await self._owner.bodies([name])).get(name)
        if found is None:
            problem = Violation(
                "body",
                "R54",
                f"成员库中没有组织 {name}，不能开启首期（R54）；请核对",
                f"{name} is not in the register, so no first round can be opened for it (R54); check the name",
            )
            raise Invalid([problem])
        if not _is_formed_alliance(found):
            raise Precondition(
                "NO_FORMED_ALLIANCE",
                f"{name} 不是已成立的产教联盟，不能开启首期（R54）；请先成立，或恢复暂停的联盟",
                f"{name} is no alliance that is formed, so no first round can be opened (R54); form it or resume it first",
                {"body": name},
            )
        return found

    async def known_body(self, tx: Tx, name: str) -> BodyRow:
        """A body that was in the register."""
        return (await self._register.bodies(tx, [name])).get(name) or (await self._owner.bodies([name]))[name]

    async def leads(self, tx: Tx, organization: str, body: str, on: date) -> bool:
        """Whether the organization speaks for the body on the day: leads it, chairs its council or is its secretariat."""
        members = await self._register.members(tx, body, on)
        if any(one.organization == organization and one.roles & _LEADING for one in members):
            return True
        return not _LEADING.isdisjoint(await self._owner.roles(organization, body, on))

    async def require_member(self, tx: Tx, issuer: str, bodies: Collection[str], on: date) -> None:
        """Raises `Precondition` unless the issuer is a member of every body on the day."""
        if foreign := await self.foreign_bodies(tx, issuer, bodies, on):
            zh, en = not_a_member(foreign)
            raise Precondition("NOT_A_MEMBER", zh, en, {"bodies": ",".join(foreign)})


def not_a_member(bodies: Collection[str]) -> tuple[str, str]:
    """What to say where the issuer is no member."""
    named = ", ".join(bodies)
    return (
        f"发布单位今日不是以下组织的有效成员：{named}；请先由其秘书处办理加入，或从 bodies 中去掉",
        f"the issuer is no member today of {named}; have the secretariat take it in, or leave the body out",
    )


def is_closed(bodies: Collection[str]) -> tuple[str, str]:
    """What to say where a body is suspended or dissolved."""
    named = ", ".join(bodies)
    return (
        f"以下组织已暂停或解散，不能再新增发布：{named}；请从 bodies 中去掉",
        f"these bodies are suspended or dissolved and take in nothing new: {named}; leave them out",
    )


def _is_formed_alliance(row: BodyRow | None) -> TypeGuard[BodyRow]:
    return row is not None and (row.kind, row.state) == (body_pb2.BODY_KIND_ALLIANCE, body_pb2.BODY_STATE_FORMED)
