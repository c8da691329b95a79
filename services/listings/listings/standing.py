"""Is the issuer who it says, and a member where it says? The projection is asked first, registry on a miss."""

from collections.abc import Collection
from datetime import date

from access.register import Owner, ProjectedRegister
from chassis.database import Tx
from chassis.errors import Invalid, Precondition, Violation


class Standing:
    """What listings asks of the register."""

    def __init__(self, owner: Owner) -> None:
        self._register = ProjectedRegister()
        self._owner = owner

    async def require_organization(self, tx: Tx, issuer: str) -> None:
        """Raises `Invalid` for an organization that is not in the register, `Unavailable` where that can't be told."""
        if issuer in await self._register.organizations(tx, [issuer]) or issuer in await self._owner.organizations([issuer]):
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

    async def foreign_bodies(self, tx: Tx, issuer: str, bodies: Collection[str], on: date) -> list[str]:
        """Those of the bodies in which the issuer's membership is not valid on the day."""
        missing = set(bodies) - await self._register.member_bodies(tx, issuer, on)
        if missing:
            missing -= await self._owner.member_bodies(issuer, on)
        return sorted(missing)

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
