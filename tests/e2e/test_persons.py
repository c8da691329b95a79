"""Persons behind listings: who may read them, that every read is recorded, and that an erasure leaves nothing anywhere."""

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import pytest

from alliance.admin.v1 import personal_data_service_pb2 as personal
from alliance.listings.v1 import details_pb2, listing_pb2, listings_service_pb2
from alliance.listings.v1 import person_service_pb2 as rpc
from alliance.matching.v1 import matching_service_pb2
from alliance.registry.v1 import organization_pb2
from alliance_local.caller import Caller
from alliance_local.control import Platform
from alliance_local.state import SERVICES
from chassis import topics
from tests import world
from tests.e2e.program import REFUSED, Here
from tests.records import everything
from tests.recovery import backup
from tests.world import Member

_CONTACT, _EXPERT = rpc.PERSON_ROLE_CONTACT, rpc.PERSON_ROLE_EXPERT
_NAME, _PHONE, _EMAIL = "虚构的赵六七", "+86 139-0713-5791", "zhao.liuqi@example.org"
_TRACES = (_NAME, "139-0713-5791", "13907135791", _EMAIL)


def _set(member: Member, listing: str, role: int = _CONTACT, *, disclosed: bool = False, **more: Any) -> listing_pb2.Listing:
    request = rpc.SetListingPersonRequest(
        listing=listing,
        role=role,  # type: ignore[arg-type]
        person=rpc.Person(display_name=_NAME, phone=_PHONE, email=_EMAIL, position="教授"),
        legal_basis=rpc.LEGAL_BASIS_CONSENT,
        evidence="书面同意 2026-03-01",
        disclosed=disclosed,
    )
    for field, value in more.items():
        setattr(request, field, value)
    made: listing_pb2.Listing = member.caller.people.SetListingPerson(request)
    return made


def _read(caller: Caller, listing: str, role: int = _CONTACT) -> rpc.GetListingPersonResponse:
    request = rpc.GetListingPersonRequest(listing=listing, role=role, purpose="洽谈合作")  # type: ignore[arg-type]
    found: rpc.GetListingPersonResponse = caller.people.GetListingPerson(request)
    return found


def _refusal(caller: Caller, listing: str) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as refused:
        _read(caller, listing)
    return refused.value.code()


@pytest.fixture
def college(platform: Platform) -> Member:
    return world.organization(platform, organization_pb2.ORG_TYPE_UNIVERSITY)


def _expert(member: Member) -> listing_pb2.Listing:
    details = details_pb2.Expert(field=world.unique("封装可靠性"), skills=["失效分析"], services=["授课"])
    given = listing_pb2.Listing(issuer=member.name, kind=listing_pb2.LISTING_KIND_EXPERT, title="封装专家", expert=details)
    given.visibility = listing_pb2.VISIBILITY_PUBLIC
    return world.publish(member, given)


def test_who_may_read_a_person(platform: Platform, college: Member) -> None:
    listing = _set(college, _expert(college).name, disclosed=True)
    verified = world.verified(platform, world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE))
    unverified = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    world.settle(platform)
    assert listing.contact.startswith("personalRecords/")
    for reader in (college.caller, world.operator(platform), verified.caller):
        assert _read(reader, listing.name).person.phone == _PHONE
    assert _refusal(unverified.caller, listing.name) == grpc.StatusCode.PERMISSION_DENIED
    assert _refusal(Caller(platform), listing.name) == grpc.StatusCode.UNAUTHENTICATED

    for asking, shown in ((college.caller, listing.contact), (verified.caller, ""), (Caller(platform), "")):
        assert [one.contact for one in _seen(asking, listing)] == [shown] * 3, "as on the public topic"

    again = _set(college, listing.name, disclosed=False)
    assert again.contact != listing.contact, "another record"
    assert _refusal(verified.caller, listing.name) == grpc.StatusCode.PERMISSION_DENIED
    assert _read(college.caller, listing.name).person.position == "教授"
    readers = asyncio.run(_readers(platform, [one.rpartition("/")[2] for one in (listing.contact, again.contact)]))
    assert {reader for reader, _ in readers} == {college.caller.sub, world.OPERATOR, verified.caller.sub}
    assert {purpose for _, purpose in readers} == {"洽谈合作"}


def _seen(asking: Caller, listing: listing_pb2.Listing) -> list[listing_pb2.Listing]:
    """The listing, by each way to one."""
    of_issuer = listings_service_pb2.ListListingsRequest(issuer=listing.issuer, page_size=1000)
    return [
        asking.listings.GetListing(listings_service_pb2.GetListingRequest(name=listing.name)),
        *asking.listings.BatchGetListings(listings_service_pb2.BatchGetListingsRequest(names=[listing.name])).listings,
        *(one for one in asking.listings.ListListings(of_issuer).listings if one.name == listing.name),
    ]


async def _readers(platform: Platform, records: list[str]) -> list[tuple[str, str]]:
    connection = await asyncpg.connect(platform.database_url("listings", owner=True))
    try:
        query = "SELECT reader, purpose FROM personal_data_access WHERE record = ANY($1::uuid[])"
        return [tuple(row) for row in await connection.fetch(query, records)]
    finally:
        await connection.close()


def test_a_person_is_no_revision_and_stays_through_revisions(platform: Platform, college: Member) -> None:
    listing = _set(college, _expert(college).name, _EXPERT)
    listing.title = "封装可靠性专家"
    request = listings_service_pb2.UpdateListingRequest(listing=listing, reason="更准确")
    request.update_mask.paths.append("title")
    revised = college.caller.listings.UpdateListing(request)
    assert revised.expert.person == listing.expert.person
    assert revised.expert.skills == ["失效分析"]
    erase = rpc.EraseListingPersonRequest(listing=listing.name, role=_EXPERT, reason="本人要求")
    assert college.caller.people.EraseListingPerson(erase).expert.person == ""
    with pytest.raises(grpc.RpcError) as gone:
        _read(college.caller, listing.name, _EXPERT)
    assert gone.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"person": rpc.Person(display_name="")}, "person.display_name"),
        ({"person": rpc.Person(display_name="甲")}, "person"),
        ({"person": rpc.Person(display_name="甲", phone="打我电话")}, "person.phone"),
        ({"person": rpc.Person(display_name="甲", email="at example.org")}, "person.email"),
        ({"legal_basis": 0}, "legal_basis"),
        ({"evidence": ""}, "evidence"),
        ({"evidence": "见 13800138000"}, "evidence"),
        ({"role": 0}, "role"),
        ({"role": _EXPERT}, "role"),
        ({"retain_until": "2026-2-1"}, "retain_until"),
        ({"retain_until": "2020-01-01"}, "retain_until"),
        ({"retain_until": (date.today() + timedelta(days=3 * 365 + 2)).isoformat()}, "retain_until"),
    ],
)
def test_what_is_wrong_is_named(platform: Platform, college: Member, more: dict[str, Any], field: str) -> None:
    listing = world.publish(college, world.talent(college.name, "毕业生"))
    request = rpc.SetListingPersonRequest(
        listing=listing.name,
        role=more.get("role", _CONTACT),
        person=more.get("person", rpc.Person(display_name="甲", phone="010-12345678")),
        legal_basis=more.get("legal_basis", rpc.LEGAL_BASIS_CONTRACT),
        evidence=more.get("evidence", "劳动合同"),
        retain_until=more.get("retain_until", ""),
    )
    with pytest.raises(grpc.RpcError) as refused:
        college.caller.people.SetListingPerson(request)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert f'"field": "{field}"' in world.said(refused.value)


def test_after_an_erasure_nothing_is_found_anywhere(platform: Platform, college: Member, tmp_path: Path) -> None:
    expert = _expert(college)
    _set(college, expert.name, _EXPERT, disclosed=True)
    _set(college, expert.name, _CONTACT)
    _read(college.caller, expert.name, _EXPERT)
    operator = Here(platform, tmp_path)
    operator("login", world.OPERATOR)
    kept = operator.json("person", "export-data", "13907135791", "--purpose", "本人查阅")
    assert {one["fields"]["display_name"] for one in kept} == {_NAME}
    assert {one["fields"]["listing"] for one in kept} >= {expert.name}
    assert operator.json("person", "export-data", _EMAIL, "--purpose", "本人查阅") == kept, "by any of its subjects"
    operator("person", "export-data", _EMAIL, "--purpose", " ", code=REFUSED)

    assert _found(_dumped(platform, "listings")), "it is found where it is kept"
    erased = operator("person", "erase-data", _EMAIL, "--reason", "本人要求删除")
    assert "listings" in erased
    world.settle(platform)
    for service in SERVICES:
        request = personal.ExportPersonalDataRequest(subject=_PHONE, purpose="核对")
        assert not world.operator(platform).personal_data(service).ExportPersonalData(request).records
    with pytest.raises(grpc.RpcError) as gone:
        _read(college.caller, expert.name, _EXPERT)
    assert gone.value.code() == grpc.StatusCode.NOT_FOUND
    hits = world.operator(platform).matching.SearchListings(matching_service_pb2.SearchListingsRequest(query=_NAME)).hits
    assert not any(_found(hit.listing.SerializeToString()) for hit in hits)

    assert [topic.name for topic in topics.load().all if asyncio.run(_on_topic(platform, topic.name))] == []
    assert [service for service in SERVICES if _found(_dumped(platform, service))] == []
    files = [file for folder in ("logs", "matching", "received") for file in (platform.state.root / folder).rglob("*")]
    assert [file.name for file in files if file.is_file() and _found(file.read_bytes())] == []


def _found(content: bytes) -> list[str]:
    return [trace for trace in _TRACES if trace.encode() in content]


async def _on_topic(platform: Platform, name: str) -> bool:
    records = await everything(platform.kafka("admin"), name, range(topics.load().named(name).partitions))
    return any(_found(part) for one in records for part in (one.value or b"", *(value for _, value in one.headers)))


def _dumped(platform: Platform, service: str) -> bytes:
    """Everything that a service's database holds, its event store and answers to earlier requests among it."""
    dump = backup.content(platform, service)
    return dump + b"".join(trace.encode() for trace in _TRACES if trace.encode().hex().encode() in dump)
