"""Bodies: entered, read, changed, checked, and the steps of their life."""

from collections.abc import Sequence

from access.visibility import Viewer
from alliance.registry.v1 import body_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from chassis import etag, paging
from chassis.changing import masked, require_reason
from chassis.errors import Denied, NotFound, Precondition, Violation, refuse
from chassis.ids import resource
from chassis.rpc import Call
from registry import bodies, changes, checks, guards, store
from registry.applications import store as applications
from registry.applications.taking import Taking, is_admitted
from registry.domain.calls import FORMED_BY_APPLICATION
from registry.domain.names import BodyKind, BodyState
from registry.domain.policy import of_kind
from registry.domain.procedure import FILLED_IN
from registry.judging import stage_of
from registry.mapping.bodies import (
    BODY_FIELDS,
    HANDED_IN_FIELDS,
    body_message,
    body_problems,
    finding_message,
    forget_of_another_year,
    moved,
    outside_body,
    tidy,
)
from registry.mapping.checks import only
from registry.rpc.callers import Rpcs, keyed, visible
from registry.store import BodyRow

_EXCLUSIVE = ("R10", "R21.2")
"""Rules that a standing body must not break by a change of its own: others would have to give way."""
_GUIDES = ("task_force", "lead_departments")
_CHECK, _UPDATE, _FILL_IN = "registry.bodies.check", "registry.bodies.update", "registry.applications.update"


class Bodies(Rpcs):
    """What is asked and changed of bodies."""

    async def CreateBody(self, call: Call, request: rpc.CreateBodyRequest) -> body_pb2.Body:
        """See the contract."""
        message = only(request.body, (*BODY_FIELDS, "kind"))
        tidy(message)
        refuse(body_problems(message))
        await guards.refuse_known_key(call.tx, BodyRow, message.external_key)
        await guards.require_named(call.tx, message)
        await guards.require_guides(call.tx, body_pb2.AllianceFacts(), message.alliance, verified=False)
        message.name = resource("bodies")
        message.state = body_pb2.BODY_STATE_DRAFT
        return await bodies.save(call.tx, self._judge, message, 1, "created")

    async def GetBody(self, call: Call, request: rpc.GetBodyRequest) -> body_pb2.Body:
        """See the contract."""
        row = await guards.found(call.tx, BodyRow, request.name)
        viewer = await self._authority.viewer(call)
        seen = await store.names_where(call.tx, BodyRow, [row.name], visible(viewer))
        if not seen and not await self._is_party(call, row.name):
            raise NotFound(request.name)
        (found,) = await self._as_seen(call, viewer, [row])
        return found

    async def ListBodies(self, call: Call, request: rpc.ListBodiesRequest) -> rpc.ListBodiesResponse:
        """See the contract."""
        c = store.body.c
        viewer = await self._authority.viewer(call)
        conditions = [visible(viewer)]
        if request.kinds:
            conditions.append(c.kind.in_(request.kinds))
        if request.states:
            conditions.append(c.state.in_(request.states))
        if request.external_key:  # whoever can't read it can't find by it either
            conditions += [c.external_key == request.external_key, keyed(viewer)]
        size = paging.page_size(request.page_size)
        rows = await store.page(call.tx, BodyRow, conditions, paging.decode(request, str, str), size + 1)
        answer = rpc.ListBodiesResponse(bodies=await self._as_seen(call, viewer, rows[:size]))
        if len(rows) > size:
            last = rows[size - 1]
            answer.next_page_token = paging.encode(request, [last.display_name, last.name])
        return answer

    async def UpdateBody(self, call: Call, request: rpc.UpdateBodyRequest) -> body_pb2.Body:
        """See the contract."""
        runs = await self._require_change(call, request.body.name)
        row = await changes.locked_body(call.tx, request.body.name)
        etag.check(request.body.etag, row.version, row.name)
        if row.state == BodyState.DISSOLVED:
            raise Precondition("ILLEGAL_STATE", "组织已解散，不能修改", "the body is dissolved and can't change")
        before = body_message(row)
        message = masked(before, request.body, request.update_mask, BODY_FIELDS, deep=True)
        forget_of_another_year(before, message, request.update_mask.paths)
        tidy(message)
        refuse([*body_problems(message), *([] if runs else moved(before, message))])
        await guards.require_named(call.tx, message)
        await self._require_guides(call, before, message)
        if message == before:
            return before if runs else outside_body(before)
        if any(getattr(before, field) != getattr(message, field) for field in HANDED_IN_FIELDS):
            await guards.refuse_handed_in(call.tx, row.name)
        if message.external_key != before.external_key:
            await self._require_platform(call, "registry.bodies.create")
            await guards.refuse_known_key(call.tx, BodyRow, message.external_key)
        if row.state != BodyState.DRAFT:
            await guards.lock_rivals(call.tx, message)
            guards.refuse_violated([one for one in await self._judge.said(call.tx, message) if one.rule in _EXCLUSIVE])
        saved = await bodies.save(call.tx, self._judge, message, row.version + 1, "updated")
        await Taking(self._authority, self._judge).hand_over(call.tx, before, saved)
        return saved if runs else outside_body(saved)

    async def _as_seen(self, call: Call, viewer: Viewer, rows: Sequence[BodyRow]) -> list[body_pb2.Body]:
        """Bodies as the viewer may see them."""
        whole = await store.names_where(call.tx, BodyRow, [row.name for row in rows], keyed(viewer))
        found = [body_message(row) for row in rows]
        return [one if one.name in whole else outside_body(one) for one in found]

    async def _require_change(self, call: Call, name: str) -> bool:
        """The caller runs the body, or fills in the application that is to form it: what the form says of a draft is the
        applicant's to enter (R29–R31). Says whether it runs it. Raises `Denied`, and what was handed in stays as it is.
        """
        if await self._authority.permitted(call, _UPDATE, name):
            return True
        row, body = await applications.forming(call.tx, name), await store.get(call.tx, BodyRow, name)
        if row is None or body is None or body.state != BodyState.DRAFT:
            raise Denied(_UPDATE, name)
        if not await self._authority.permitted(call, _FILL_IN, row.name) or not await is_admitted(call.tx, row):
            raise Denied(_UPDATE, name)
        if row.state not in FILLED_IN:
            await guards.refuse_handed_in(call.tx, name)  # which says how it comes back
            raise Denied(_UPDATE, name)
        return False

    async def _require_guides(self, call: Call, before: body_pb2.Body, after: body_pb2.Body) -> None:
        """Task force and lead departments are what they have to be. Once a body stands the platform alone names others: a
        secretariat does not choose who guides and assesses it.
        """
        standing = before.state != body_pb2.BODY_STATE_DRAFT
        changed = [one for one in _GUIDES if getattr(before.alliance, one) != getattr(after.alliance, one)]
        if standing and changed and not await self._authority.permitted(call, "registry.bodies.create", ""):
            told = (
                "联盟成立后，工作专班和牵头部门（S0 附件2）只由平台运营更改，秘书处不能自行更改；请将批准文件交平台运营办理",
                "once an alliance is formed the platform's operator alone changes its task force and lead departments "
                "(S0 附件2), not its secretariat; hand the operator what was approved",
            )
            refuse([Violation(f"alliance.{one}", "S0 四(三)", *told) for one in changed])
        if standing and before.region_code != after.region_code and before.kind == body_pb2.BODY_KIND_ALLIANCE:
            await self._require_region(call)
        await guards.require_guides(call.tx, before.alliance, after.alliance, verified=standing)

    async def _require_region(self, call: Call) -> None:
        """Its region says whose 市教委 hears of how an alliance's universities did (R36), which no secretariat chooses."""
        if not await self._authority.permitted(call, "registry.bodies.create", ""):
            told = (
                "联盟成立后，其地区只由平台运营更改（高校考核结果送所在地市教委，S0 四(三)）；请交平台运营办理",
                "once an alliance is formed the platform's operator alone changes its region (universities' results go to its "
                "市教委, S0 四(三)); hand it to the operator",
            )
            refuse([Violation("region_code", "S0 四(三)", *told)])

    async def CheckBody(self, call: Call, request: rpc.CheckBodyRequest) -> body_pb2.BodyCheck:
        """See the contract."""
        await self._require_check(call, request.name)
        row = await guards.found(call.tx, BodyRow, request.name)
        if request.HasField("check_time"):
            at = guards.check_time(call.tx, request.check_time)
            said = await self._judge.said_at(call.tx, row, at)
            guards.require_said(said.findings, row, at)
            return said
        message = body_message(row)
        if row.state == BodyState.DISSOLVED:
            return await self._judge.said_at(call.tx, row, call.tx.now)
        found = [finding_message(one) for one in await self._judge.said(call.tx, message)]
        answer = body_pb2.BodyCheck(body=row.name, findings=found, body_version=row.version)
        answer.stage = int(stage_of(message))  # type: ignore[assignment]
        answer.check_time.FromDatetime(call.tx.now)
        return answer

    async def ListFindings(self, call: Call, request: rpc.ListFindingsRequest) -> rpc.ListFindingsResponse:
        """See the contract."""
        await self._require_check(call, request.parent)
        body = await guards.found(call.tx, BodyRow, request.parent)
        size = paging.page_size(request.page_size)
        after = paging.decode(request, int)
        rows = await checks.findings_of(call.tx, request.parent, request.rule, after[0] if after else None, size + 1)
        if not rows and not after:
            refuse(_unknown_rule(BodyKind(body.kind), request.rule))
        answer = rpc.ListFindingsResponse(findings=[body_pb2.RuleFinding.FromString(row.content) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].id])
        return answer

    async def _require_check(self, call: Call, name: str) -> None:
        """The caller runs or audits the body, or is a party of the application that is to form it."""
        if not await self._authority.permitted(call, _CHECK, name) and not await self._is_party(call, name):
            raise Denied(_CHECK, name)

    async def FormBody(self, call: Call, request: rpc.FormBodyRequest) -> body_pb2.Body:
        """See the contract."""
        row = await changes.locked_body(call.tx, request.name)
        etag.check(request.etag, row.version, row.name)
        if BodyKind(row.kind) in FORMED_BY_APPLICATION:
            await self._require_platform(call, "registry.bodies.form")
            await guards.refuse_applied_for(call.tx, row)
        return await bodies.form(call.tx, self._judge, row)

    async def SuspendBody(self, call: Call, request: rpc.SuspendBodyRequest) -> body_pb2.Body:
        """See the contract."""
        require_reason(request.reason)
        return await bodies.suspend(call.tx, self._judge, await changes.locked_body(call.tx, request.name))

    async def ResumeBody(self, call: Call, request: rpc.ResumeBodyRequest) -> body_pb2.Body:
        """See the contract."""
        require_reason(request.reason)
        return await bodies.resume(call.tx, self._judge, await changes.locked_body(call.tx, request.name))

    async def DissolveBody(self, call: Call, request: rpc.DissolveBodyRequest) -> body_pb2.Body:
        """See the contract."""
        require_reason(request.reason)
        row = await changes.locked_body(call.tx, request.name)
        await guards.refuse_applied_for(call.tx, row)
        await guards.refuse_under_way(call.tx, row)
        return await bodies.dissolve(call.tx, self._judge, row)


def _unknown_rule(kind: BodyKind, rule: str) -> list[Violation]:
    """A rule of which nothing was said is one of the kind's; those that were dropped since are asked for by their history."""
    known = [one.id for one in of_kind(kind)]
    if not rule or rule in known:
        return []
    zh, en = "、".join(known), ", ".join(known)
    told = f"该类组织没有此规则；有：{zh}", f"this kind of body has no such rule; there are {en}"
    return [Violation("rule", "rule", *told)]
