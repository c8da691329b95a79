"""The end of a membership: its own organization may bring it forward, never put it off."""

from datetime import date, timedelta

import grpc
import pytest

from alliance.registry.v1 import body_pb2, organization_pb2
from alliance.registry.v1 import registry_service_pb2 as registry
from alliance_local.control import Platform
from tests import world
from tests.world import Member

FIRST = date(2026, 1, 1)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def member(platform: Platform) -> Member:
    return world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)


@pytest.fixture
def membership(platform: Platform, member: Member) -> body_pb2.Membership:
    return world.join(platform, world.alliance(platform).name, member, since=FIRST.isoformat())


def end(member: Member, name: str, last: date) -> str:
    """The last day after the organization has ended its membership."""
    request = registry.EndMembershipRequest(name=name, valid_to=last.isoformat(), reason="退出")
    return str(member.caller.registry.EndMembership(request).valid_to)


@pytest.mark.parametrize("last", [FIRST, FIRST + DAY])
def test_it_ends_from_its_first_day_on(member: Member, membership: body_pb2.Membership, last: date) -> None:
    assert end(member, membership.name, last) == last.isoformat()


def test_it_does_not_end_before_it_began(member: Member, membership: body_pb2.Membership) -> None:
    refused(member, membership.name, FIRST - DAY)


def test_its_end_is_brought_forward_and_never_put_off(member: Member, membership: body_pb2.Membership) -> None:
    last = FIRST + 10 * DAY
    end(member, membership.name, last)
    refused(member, membership.name, last + DAY)
    assert end(member, membership.name, last - DAY) == (last - DAY).isoformat()
    refused(member, membership.name, last)


def refused(member: Member, name: str, last: date) -> None:
    with pytest.raises(grpc.RpcError) as error:
        end(member, name, last)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
