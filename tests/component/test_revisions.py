"""Updates of a listing, and of who stands behind it: one to the same is no change."""

from datetime import date, timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance.listings.v1 import person_service_pb2 as people
from alliance.registry.v1 import body_pb2, organization_pb2
from alliance_local.control import Platform
from tests import world

_MEMBER = body_pb2.MEMBER_ROLE_PARTICIPANT


@pytest.fixture(scope="module")
def published(platform: Platform) -> tuple[world.Member, pb.Listing]:
    member = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    bodies = [world.alliance(platform).name for _ in range(2)]
    for body in bodies:
        world.join(platform, body, member, _MEMBER)
    job = world.job(member.name, "封装工程师", (bodies[0], bodies[1]), region_codes=["110000", "310000"])
    return member, world.publish(member, job)


@pytest.mark.parametrize("field", ["bodies", "region_codes", "valid_to", "valid_from", "title"])
def test_an_update_to_the_same_is_no_change(published: tuple[world.Member, pb.Listing], field: str) -> None:
    """No version, and so no event and nothing that a round would count (R55)."""
    member, listing = published
    given = pb.Listing(name=listing.name, bodies=list(listing.bodies)[::-1], region_codes=["310000", "110000"])
    given.title = f" {listing.title}"  # days that are left open are filled in as they were: it is the day of the publication
    answered = member.caller.listings.UpdateListing(
        rpc.UpdateListingRequest(listing=given, update_mask=FieldMask(paths=[field]), reason="同样")
    )
    assert answered == member.caller.listings.GetListing(rpc.GetListingRequest(name=listing.name)) == listing


def test_a_person_who_is_entered_again_is_no_change(platform: Platform) -> None:
    member = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    listing = world.publish(member, world.job(member.name, "测试工程师"))

    def entered(**more: Any) -> pb.Listing:
        given: dict[str, Any] = {"phone": "139-0713-2471", "evidence": "劳动合同", "until": "", **more}
        request = people.SetListingPersonRequest(
            listing=listing.name,
            role=people.PERSON_ROLE_CONTACT,
            person=people.Person(display_name="虚构的孙七八", phone=given["phone"]),
            legal_basis=people.LEGAL_BASIS_CONTRACT,
            evidence=given["evidence"],
            retain_until=given["until"],
        )
        answered: pb.Listing = member.caller.people.SetListingPerson(request)
        return answered

    first = entered()
    assert first.etag != listing.etag
    assert entered() == first
    before = first
    for other in ({"phone": "139-0713-2472"}, {"evidence": "书面同意"}, {"until": str(date.today() + timedelta(days=30))}):
        after = entered(**other)
        assert (after.etag, after.contact) != (before.etag, before.contact)
        before = after
