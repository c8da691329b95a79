"""Memberships: begun, changed, ended, listed."""

from sqlalchemy import ColumnElement

from alliance.registry.v1 import body_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from chassis import etag, paging
from chassis.changing import masked, require_reason
from chassis.clock import business_date, parsed_date
from chassis.errors import Invalid, Violation, refuse
from chassis.ids import resource
from chassis.rpc import Call
from registry import changes, guards, store
from registry.mapping.bodies import MEMBERSHIP_FIELDS, membership_message, membership_problems, membership_row
from registry.rpc.callers import Rpcs, visible
from registry.store import MembershipRow, OrganizationRow


class Memberships(Rpcs):
    """What is asked and changed of memberships."""

    async def CreateMembership(self, call: Call, request: rpc.CreateMembershipRequest) -> body_pb2.Membership:
        """See the contract."""
        refuse(membership_problems(request.membership))
        body = await guards.joinable_body(call.tx, request.parent)
        await guards.refuse_handed_in(call.tx, body.name)
        if await store.get(call.tx, OrganizationRow, request.membership.organization) is None:
            refuse([guards.unknown("membership.organization", request.membership.organization)])
        message = body_pb2.Membership()
        message.CopyFrom(request.membership)
        message.name = f"{body.name}/{resource('memberships')}"
        row = membership_row(message, body.name, 0, business_date(call.tx.now), call.tx.now)
        await guards.refuse_overlap(call.tx, row)
        await self._judge.turn(call.tx, body)
        await changes.save_membership(call.tx, body, row, "created")
        await self._judge.renew(call.tx, body, body.version)
        return membership_message(row)

    async def UpdateMembership(self, call: Call, request: rpc.UpdateMembershipRequest) -> body_pb2.Membership:
        """See the contract."""
        body, row = await guards.locked_membership(call.tx, request.membership.name)
        await guards.refuse_handed_in(call.tx, body.name)
        etag.check(request.membership.etag, row.version, row.name)
        before = membership_message(row)
        merged = masked(before, request.membership, request.update_mask, MEMBERSHIP_FIELDS)
        refuse(membership_problems(merged))
        merged.valid_from = merged.valid_from or before.valid_from
        if set(merged.roles) == set(before.roles):  # in whatever order
            merged.roles[:] = before.roles
        if merged == before:
            return before
        last, today = parsed_date(merged.valid_to), business_date(call.tx.now)
        if row.valid_to is not None and row.valid_to < today <= (last or today):
            guards.refuse_newcomers(body)
        await self._judge.turn(call.tx, body)
        if merged.roles != before.roles:
            await changes.give_roles(call.tx, row, merged.roles)
        row.valid_from = parsed_date(merged.valid_from) or row.valid_from
        row.valid_to = last
        await guards.refuse_overlap(call.tx, row)
        await changes.save_membership(call.tx, body, row, "updated")
        await self._judge.renew(call.tx, body, body.version)
        return membership_message(row)

    async def EndMembership(self, call: Call, request: rpc.EndMembershipRequest) -> body_pb2.Membership:
        """See the contract."""
        require_reason(request.reason)
        body, row = await guards.locked_membership(call.tx, request.name)
        if not (call.principal and call.principal.organization == row.organization):  # who wants to leave may always
            await guards.refuse_handed_in(call.tx, body.name)
        last = parsed_date(request.valid_to) if request.valid_to else business_date(call.tx.now)
        if last is None or not row.valid_from <= last <= (row.valid_to or last):
            problem = Violation(
                "valid_to",
                "order",
                f"最后一日须为日期（如 2026-01-31），自 {row.valid_from} 起，且不能延后；延长由秘书处修改成员资格",
                f"the last day has to be a date (like 2026-01-31) from {row.valid_from} on, and none that prolongs it: "
                "for that the secretariat updates the membership",
            )
            raise Invalid([problem])
        await self._judge.turn(call.tx, body)
        row.valid_to = last
        await changes.save_membership(call.tx, body, row, "ended")
        await self._judge.renew(call.tx, body, body.version)
        return membership_message(row)

    async def ListMemberships(self, call: Call, request: rpc.ListMembershipsRequest) -> rpc.ListMembershipsResponse:
        """See the contract."""
        if request.parent == "bodies/-" and not request.organization:
            refuse([Violation("organization", "required", "查询全部组织时须指定单位", "with bodies/- name an organization")])
        c = store.membership.c
        viewer = await self._authority.viewer(call)
        conditions: list[ColumnElement[bool]] = []
        if request.parent != "bodies/-":
            conditions.append(c.body == request.parent)
        if request.parent == "bodies/-" or not await self._is_party(call, request.parent):
            conditions.append(store.body.select().where(store.body.c.name == c.body, visible(viewer)).exists())
        if request.organization:
            conditions.append(c.organization == request.organization)
        if request.valid_on:
            day = parsed_date(request.valid_on)
            if day is None:
                raise Invalid(
                    [
                        Violation(
                            "valid_on",
                            "ISO 8601",
                            "须为日历上的日期，如 2026-01-31",
                            "it has to be a day of the calendar, as 2026-01-31",
                        )
                    ]
                )
            conditions.append(store.valid_on(day))
        size = paging.page_size(request.page_size)
        rows = await store.page_by_name(call.tx, MembershipRow, conditions, paging.decode(request), size + 1)
        answer = rpc.ListMembershipsResponse(memberships=[membership_message(row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].name])
        return answer
