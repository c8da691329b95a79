"""Who calls: what of the register it may see, and what asks for more than the access rule of the method."""

from sqlalchemy import ColumnElement, exists, or_, true

from access.authority import Authority
from access.visibility import Viewer
from chassis.errors import Denied
from chassis.rpc import Call
from registry import store
from registry.applications import store as applications
from registry.applications.judging import ApplicationJudge
from registry.judging import Judge

_GET_APPLICATION = "registry.applications.get"


class Rpcs:
    """What the RPCs of every aggregate have."""

    def __init__(self, authority: Authority, judge: Judge) -> None:
        self._authority = authority
        self._judge = judge
        self._applications = ApplicationJudge(judge)

    async def _require_platform(self, call: Call, permission: str) -> None:
        """An external key is that of the system that enters records: who may enter them may change it, nobody else."""
        if not await self._authority.permitted(call, permission, ""):
            raise Denied(permission)

    async def _is_party(self, call: Call, name: str) -> bool:
        """Whether the caller is a party of the application that is to form a body: applies, decides, or was named."""
        row = await applications.forming(call.tx, name) if call.principal else None
        if row is None or call.principal is None:
            return False
        if await applications.is_sent_to(call.tx, row.name, call.principal.sub):
            return True
        parties = {row.applicant, row.authority, *await store.colleges(call.tx, row.applicant)}
        parties |= await applications.named(call.tx, row.name)
        for one in sorted(parties):
            if await self._authority.permitted(call, _GET_APPLICATION, one):
                return True
        return False


def readable(viewer: Viewer) -> ColumnElement[bool]:
    """Whose credit code and external key the viewer may read: its own, and those of members of the bodies that it runs."""
    if viewer.platform:
        return true()
    c = store.organization.c
    member = exists().where(store.membership.c.organization == c.name, store.membership.c.body.in_(sorted(viewer.bodies_run)))
    return or_(c.name == viewer.organization, member)


def keyed(viewer: Viewer) -> ColumnElement[bool]:
    """The bodies whose external key the viewer may read: those that it runs or audits."""
    return true() if viewer.platform else store.body.c.name.in_(sorted(viewer.bodies_run))


def visible(viewer: Viewer) -> ColumnElement[bool]:
    """The bodies that the viewer may read: of drafts, also dissolved, those that it runs, is a member of, or is itself."""
    if viewer.platform:
        return true()
    c = store.body.c
    seen = or_(c.formed, c.name.in_(sorted(viewer.bodies_run | viewer.member_bodies)))
    if not viewer.organization:
        return seen
    return or_(seen, c.applicant == viewer.organization, store.is_college_of(viewer.organization, c.applicant))
