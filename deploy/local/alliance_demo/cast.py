"""Who plays: the ten alliances of S0 附件2 as the document names them, and invented organizations that say so.

Real organizations are entered unverified and without codes; nothing is invented for them. Seats and issuers that the
document does not name are held by organizations called 虚构示例….
"""

from dataclasses import dataclass, field
from importlib import resources
from typing import Any, cast

import yaml

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import body_pb2, grant_pb2, organization_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_local.caller import Caller
from alliance_local.control import Platform
from alliance_local.supervisor import OPERATOR

VICE_CHAIRS = 4
_SOURCE = "S0-附件2"


def data(name: str) -> Any:
    """A data file of the demo."""
    return yaml.safe_load(resources.files("alliance_demo").joinpath(f"data/{name}.yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Player:
    """An organization and the account that acts for it in the demo."""

    name: str
    display_name: str
    caller: Caller


@dataclass
class Alliance:
    """One alliance with those who act in it."""

    number: int
    industry: str
    body: str
    secretariat: Player
    enterprises: list[Player] = field(default_factory=list)
    college: Player | None = None

    @property
    def supplier(self) -> Player:
        """Who publishes supply."""
        if self.college is None:
            raise TypeError("the cast is not complete")
        return self.college


class Casting:
    """Enters everybody, as the platform's operator."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._operator = Caller(platform, OPERATOR)
        self._known: dict[str, str] = {}

    def alliances(self) -> list[Alliance]:
        """All ten as drafts, with their members but for the last vice chair of the first."""
        facts = data("alliances")
        for name in facts["departments"]:
            self._organization(name, "GOV_DEPARTMENT")
        return [self._alliance(one, facts) for one in facts["alliances"]]

    def add_vice_chair(self, alliance: Alliance) -> None:
        """The last seat of the council."""
        self._join(alliance.body, alliance.enterprises[VICE_CHAIRS].name, body_pb2.MEMBER_ROLE_VICE_CHAIR)

    @property
    def count(self) -> int:
        """Organizations entered."""
        return len(self._known)

    def _alliance(self, one: dict[str, Any], facts: dict[str, Any]) -> Alliance:
        number, industry = one["number"], one["industry"]
        departments = [self._organization(name, "GOV_DEPARTMENT") for name in one["departments"]]
        task_force = self._organization(one["task_force"], "TASK_FORCE", parent=departments[0])
        given = body_pb2.Body(
            display_name=f"{industry}产教联盟",
            kind=body_pb2.BODY_KIND_ALLIANCE,
            region_code="110000",
            external_key=f"{_SOURCE}:{number}",
            alliance=body_pb2.AllianceFacts(key_industry=industry, task_force=task_force, lead_departments=departments),
        )
        body = self._operator.registry.CreateBody(rpc.CreateBodyRequest(body=given)).name
        kind = facts["secretariats"][one["secretariat"]].upper()
        secretariat = self._player(one["secretariat"], kind, f"secretariat-{number}")
        self._grant(secretariat.caller.sub, access_pb2.ROLE_SECRETARIAT, body=body)
        self._join(body, secretariat.name, body_pb2.MEMBER_ROLE_SECRETARIAT)
        for name in one["universities"]:
            self._join(body, self._organization(name, "UNIVERSITY"), body_pb2.MEMBER_ROLE_LEAD_UNIVERSITY)
        for name in one["colleges"]:
            college = self._organization(name, facts["colleges"][name].upper())
            self._join(body, college, body_pb2.MEMBER_ROLE_LEAD_VOCATIONAL)
        alliance = Alliance(number, industry, body, secretariat)
        self._invent(alliance)
        return alliance

    def _invent(self, alliance: Alliance) -> None:
        """A chair and four vice chairs, and a college, none of which exists."""
        number, industry = alliance.number, alliance.industry
        for seat in range(VICE_CHAIRS + 1):
            player = self._player(f"虚构示例{industry}企业{seat + 1}", "ENTERPRISE", f"enterprise-{number}-{seat + 1}")
            alliance.enterprises.append(player)
            role = body_pb2.MEMBER_ROLE_VICE_CHAIR if seat else body_pb2.MEMBER_ROLE_CHAIR
            if (number, seat) != (1, VICE_CHAIRS):
                self._join(alliance.body, player.name, role)
        college = self._player(f"虚构示例{industry}学院", "HIGHER_VOCATIONAL", f"college-{number}")
        self._join(alliance.body, college.name, body_pb2.MEMBER_ROLE_PARTICIPANT)
        alliance.college = college

    def _player(self, name: str, kind: str, sub: str) -> Player:
        organization = self._organization(name, kind)
        self._grant(sub, access_pb2.ROLE_ORGANIZATION_EDITOR, organization=organization)
        return Player(organization, name, Caller(self._platform, sub, organization))

    def _organization(self, name: str, kind: str, parent: str = "") -> str:
        """The organization of a name, entered where it is not known yet."""
        if name not in self._known:
            given = organization_pb2.Organization(
                display_name=name,
                org_type=organization_pb2.OrgType.Value(f"ORG_TYPE_{kind}"),
                parent=parent,
                region_code="110000",
                external_key=f"{_SOURCE}:{name}",
            )
            request = rpc.CreateOrganizationRequest(organization=given)
            self._known[name] = self._operator.registry.CreateOrganization(request).name
        return self._known[name]

    def _join(self, body: str, organization: str, role: int) -> None:
        membership = body_pb2.Membership(organization=organization, roles=[cast(Any, role)])
        self._operator.registry.CreateMembership(rpc.CreateMembershipRequest(parent=body, membership=membership))

    def _grant(self, sub: str, role: int, **scope: str) -> None:
        given = grant_pb2.Grant(principal=sub, role=cast(Any, role), **cast(Any, scope))
        self._operator.registry.CreateGrant(rpc.CreateGrantRequest(grant=given))
