"""What listings refer to: bases, lists, organizations; and the shared practice bases of an alliance against their target."""

from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from alliance.listings.v1 import details_pb2, listings_service_pb2, round_pb2
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance.registry.v1 import body_pb2, organization_pb2, registry_service_pb2
from alliance_local.control import Platform
from tests import world
from tests.world import Member

BASE = pb.LISTING_KIND_PRACTICE_BASE
_ENTERPRISE, _UNIVERSITY = organization_pb2.ORG_TYPE_ENTERPRISE, organization_pb2.ORG_TYPE_UNIVERSITY


def listing(member: Member, kind: int, *bodies: str, **details: Any) -> pb.Listing:
    given = pb.Listing(issuer=member.name, kind=kind, title="共享实训", bodies=bodies, **details)  # type: ignore[arg-type]
    given.visibility = pb.VISIBILITY_PUBLIC
    return given


def base(*sharing: Member, since: str = "2026-01-01") -> details_pb2.PracticeBase:
    return details_pb2.PracticeBase(
        type=details_pb2.PRACTICE_BASE_TYPE_PUBLIC_PLATFORM,
        places=40,
        sharing=[one.name for one in sharing],
        in_use_since=since,
    )


def refused(member: Member, given: pb.Listing) -> str:
    with pytest.raises(grpc.RpcError) as error:
        member.caller.listings.CreateListing(rpc.CreateListingRequest(listing=given))
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    return world.said(error.value)


def test_shared_bases_are_counted_against_the_target(platform: Platform) -> None:
    body, council = world.formed_alliance(platform)
    enterprise = council[0]
    schools = [world.organization(platform, _UNIVERSITY) for _ in range(2)]
    for school in schools:
        world.join(platform, body.name, school)
    world.settle(platform)

    def targets() -> listings_service_pb2.PracticeBaseTargets:
        request = rpc.GetPracticeBaseTargetsRequest(body=body.name)
        found: listings_service_pb2.PracticeBaseTargets = world.operator(platform).listings.GetPracticeBaseTargets(request)
        return found

    assert (targets().schools.reached, targets().enterprises.reached) == (False, False)
    told = refused(enterprise, listing(enterprise, BASE, body.name, practice_base=base(*schools, council[1])))
    assert all(one in told for one in ("practice_base.sharing", "R44", council[1].name)), told
    assert schools[0].name not in told
    built = world.publish(schools[0], listing(schools[0], BASE, body.name, practice_base=base(*schools)))
    coming = [
        world.publish(enterprise, listing(enterprise, BASE, body.name, practice_base=one)).name
        for one in (base(schools[0]), base(*schools, since=""), base(*schools, since="2999-01-01"))
    ]
    world.publish(enterprise, listing(enterprise, BASE, practice_base=base(*schools)))  # of another body, or none
    found = targets()
    assert (list(found.schools.in_use), found.schools.reached) == ([built.name], True)
    assert (list(found.enterprises.coming), found.enterprises.reached) == (coming, False)
    assert (found.target_min, found.target_max) == (1, 2)
    community = body_pb2.Body(display_name=world.unique("共同体"), kind=body_pb2.BODY_KIND_COMMUNITY)
    registry = world.operator(platform).registry
    other = registry.CreateBody(registry_service_pb2.CreateBodyRequest(body=community))
    world.settle(platform)
    of_another = world.operator(platform).listings.GetPracticeBaseTargets(rpc.GetPracticeBaseTargetsRequest(body=other.name))
    assert (of_another.target_min, of_another.target_max) == (0, 0), "S0 三(四) is of alliances"


def test_what_details_refer_to_has_to_be_there(platform: Platform) -> None:
    school = world.organization(platform, _UNIVERSITY)
    stranger = Member("organizations/01890000-0000-7000-8000-000000000000", school.caller)
    assert "registered" in refused(school, listing(school, BASE, practice_base=base(school, stranger)))
    vehicle = details_pb2.Vehicle(type=details_pb2.VEHICLE_TYPE_INDUSTRY_COLLEGE, partners=[stranger.name])
    assert "vehicle.partners" in refused(school, listing(school, pb.LISTING_KIND_VEHICLE, vehicle=vehicle))

    job = world.publish(school, world.job(school.name, "实训教师"))
    project = details_pb2.PracticeProject(type=details_pb2.PRACTICE_PROJECT_TYPE_PILOT_TEST, base=job.name, days=5)
    assert "R45" in refused(school, listing(school, pb.LISTING_KIND_PRACTICE_PROJECT, practice_project=project))
    built = world.publish(school, listing(school, BASE, practice_base=base()))
    project.base = built.name
    world.publish(school, listing(school, pb.LISTING_KIND_PRACTICE_PROJECT, practice_project=project))


def test_a_project_is_held_at_a_base_that_is_on_offer_and_for_its_issuers_eyes(platform: Platform) -> None:
    body, (host, *_) = world.formed_alliance(platform)
    school, other = (world.organization(platform, _UNIVERSITY) for _ in range(2))
    world.join(platform, body.name, school)
    world.settle(platform)

    def project(member: Member, base_name: str) -> pb.Listing:
        details = details_pb2.PracticeProject(type=details_pb2.PRACTICE_PROJECT_TYPE_PILOT_TEST, base=base_name, days=5)
        return listing(member, pb.LISTING_KIND_PRACTICE_PROJECT, practice_project=details)

    def offered(visibility: Any) -> pb.Listing:
        given = listing(host, BASE, body.name, practice_base=base())
        given.visibility = visibility
        return world.publish(host, given)

    members, government = offered(pb.VISIBILITY_MEMBERS), offered(pb.VISIBILITY_GOVERNMENT)
    draft = host.caller.listings.CreateListing(rpc.CreateListingRequest(listing=listing(host, BASE, practice_base=base())))
    listed = world.publish(school, project(school, members.name))
    nothing = refused(other, project(other, "listings/01890000-0000-7000-8000-000000000000"))
    for unseen in (members, government, draft):
        said = refused(other, project(other, unseen.name))
        assert said.replace(unseen.name, "") == nothing.replace("listings/01890000-0000-7000-8000-000000000000", "")
    world.publish(host, project(host, government.name))  # its own
    assert "草稿；请先发布该基地" in refused(host, project(host, draft.name))

    waiting = school.caller.listings.CreateListing(rpc.CreateListingRequest(listing=project(school, members.name)))
    host.caller.listings.WithdrawListing(rpc.WithdrawListingRequest(name=members.name, reason="改建"))
    assert "已撤回" in refused(host, project(host, members.name))
    with pytest.raises(grpc.RpcError) as ended:
        school.caller.listings.PublishListing(rpc.PublishListingRequest(name=waiting.name))
    assert "practice_project.base" in world.said(ended.value)
    again = rpc.ImportRow(row=1, listing=project(school, members.name))
    again.listing.external_key = "k"
    header = rpc.ImportHeader(issuer=school.name, source="测试", kind=pb.LISTING_KIND_PRACTICE_PROJECT, publish=True)
    chunk = rpc.ImportListingsRequest(chunk=rpc.ImportChunk(rows=[again]))
    (answer,) = school.caller.listings.ImportListings(iter([rpc.ImportListingsRequest(header=header), chunk]))
    assert [one.field for one in answer.receipts[0].problems] == ["practice_project.base"]
    assert school.caller.listings.GetListing(rpc.GetListingRequest(name=listed.name)).state == pb.LISTING_STATE_PUBLISHED


def test_a_list_is_made_public_once_it_is_compiled(platform: Platform) -> None:
    body, (enterprise, *_) = world.formed_alliance(platform)
    world.settle(platform)
    request = rpc.ListRoundsRequest(body=body.name)
    kinds = {one.kind: one for one in world.operator(platform).listings.ListRounds(request).rounds}
    challenges = kinds[round_pb2.ROUND_KIND_CHALLENGE_LIST]
    details = details_pb2.SupplyDemandList(round=challenges.name)
    given = listing(enterprise, pb.LISTING_KIND_TALENT_SUPPLY_DEMAND_LIST, body.name, supply_demand_list=details)
    assert "R43" in refused(enterprise, given), "open, and of another kind"

    compile_ = rpc.CompileRoundRequest(name=challenges.name, reason="年度清单定稿", etag=challenges.etag)
    compiled = world.operator(platform).listings.CompileRound(compile_)
    assert (compiled.state, compiled.silent_members) == (round_pb2.ROUND_STATE_CLOSED, 5)
    assert "R43" in refused(enterprise, given), "compiled, and of another kind"
    silent = rpc.ListSilentMembersRequest(round=challenges.name)
    assert len(world.operator(platform).listings.ListSilentMembers(silent).silences) == 5
    entries = rpc.ListRoundEntriesRequest(round=challenges.name)
    assert not world.operator(platform).listings.ListRoundEntries(entries).entries
    quarterly = rpc.ListRoundEntriesRequest(round=kinds[round_pb2.ROUND_KIND_QUARTERLY].name)
    with pytest.raises(grpc.RpcError) as not_yet:
        world.operator(platform).listings.ListRoundEntries(quarterly)
    assert "ROUND_OPEN" in world.said(not_yet.value)


def test_members_read_the_rounds_of_their_body_and_nobody_else_does(platform: Platform) -> None:
    body, (enterprise, *_) = world.formed_alliance(platform)
    member, stranger = (world.organization(platform, _UNIVERSITY) for _ in range(2))
    joined = world.join(platform, body.name, member, since="2026-01-01")
    world.settle(platform)
    asked = rpc.ListRoundsRequest(body=body.name)
    quarterly = next(
        one for one in world.operator(platform).listings.ListRounds(asked).rounds if one.kind == round_pb2.ROUND_KIND_QUARTERLY
    )
    for reader in (enterprise, member):
        assert quarterly.name in [one.name for one in reader.caller.listings.ListRounds(asked).rounds]
        assert reader.caller.listings.GetRound(rpc.GetRoundRequest(name=quarterly.name)).period == quarterly.period
    entries = rpc.ListRoundEntriesRequest(round=quarterly.name)
    assert _code(member, "ListRoundEntries", entries) == grpc.StatusCode.FAILED_PRECONDITION, "it is open"
    world.operator(platform).registry.EndMembership(
        registry_service_pb2.EndMembershipRequest(name=joined.name, valid_to="2026-02-01", reason="退出")
    )
    world.settle(platform)
    for reader in (stranger, member):
        for call, request in (
            ("ListRounds", asked),
            ("GetRound", rpc.GetRoundRequest(name=quarterly.name)),
            ("GetRound", rpc.GetRoundRequest(name=quarterly.name + "x")),
            ("ListRoundEntries", entries),
        ):
            assert _code(reader, call, request) == grpc.StatusCode.PERMISSION_DENIED


def _code(member: Member, call: str, request: Message) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as error:
        getattr(member.caller.listings, call)(request)
    code: grpc.StatusCode = error.value.code()
    return code
