"""The command line on shared things: bookings, persons behind listings, rounds and lists, practice bases, documents."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from alliance.listings.v1 import details_pb2, listing_pb2
from alliance.registry.v1 import organization_pb2
from alliance_local.control import Platform
from tests import papers, world
from tests.e2e.program import NOT_ALLOWED, NOT_FOUND, REFUSED, USAGE, Here


def test_equipment_is_booked_and_its_contact_read(platform: Platform, tmp_path: Path) -> None:
    owner = world.organization(platform, organization_pb2.ORG_TYPE_UNIVERSITY)
    guest = world.verified(platform, world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE))
    details = details_pb2.EquipmentSharing(model="SEM-1", open_from="08:00", open_until="20:00", bookable=True)
    given = listing_pb2.Listing(issuer=owner.name, title="扫描电镜", equipment_sharing=details)
    given.kind, given.visibility = listing_pb2.LISTING_KIND_EQUIPMENT_SHARING, listing_pb2.VISIBILITY_PUBLIC
    equipment = world.publish(owner, given).name
    world.settle(platform)
    begins = world.noon(platform, days=2)
    times = ("--from", f"{begins:%Y-%m-%dT%H:%M}", "--to", f"{begins + timedelta(hours=2):%Y-%m-%dT%H:%M}")

    issuing, booking = (Here(platform, tmp_path / side) for side in ("owner", "guest"))
    issuing.folder.mkdir()
    booking.folder.mkdir()
    issuing("login", owner.caller.sub, "--as", owner.name)
    issuing(
        *("person", "set", equipment, "--name", "虚构的钱某", "--phone", "010-87654321", "--basis", "consent"),
        *("--evidence", "书面同意 2026-03-01", "--disclosed"),
    )

    booking("login", guest.caller.sub, "--as", guest.name)
    assert "010-87654321" in booking("person", "show", equipment, "--purpose", "预约前咨询")
    made = booking.json("booking", "create", equipment, *times, "--purpose", "样品表征")
    assert (made["unit"], made["state"]) == (1, "BOOKING_STATE_BOOKED")
    said = booking("booking", "create", equipment, *times, "--purpose", "再来一次", code=REFUSED)
    assert "最近的空闲时段" in said
    assert [one["unit"] for one in booking.json("booking", "busy", equipment)] == [1]
    assert [one["name"] for one in issuing.json("booking", "list", "--equipment", equipment)] == [made["name"]]
    assert "样品未到" in booking("booking", "cancel", made["name"], "--reason", "样品未到")
    assert booking.json("booking", "busy", equipment) == []
    booking("person", "erase", equipment, "--reason", "不是我的", code=NOT_ALLOWED)
    issuing("person", "erase", equipment, "--reason", "人员调整")
    booking("person", "show", equipment, "--purpose", "再次咨询", code=NOT_FOUND)


def test_a_list_is_compiled_and_who_is_silent_is_shown(platform: Platform, tmp_path: Path) -> None:
    body, council = world.formed_alliance(platform)
    year = world.noon(platform, days=0).year
    details = listing_pb2.IndustryChallenge(list_year=year, field="封装", problem="翘曲")
    given = listing_pb2.Listing(issuer=council[0].name, bodies=[body.name], title="翘曲控制", industry_challenge=details)
    given.kind, given.visibility = listing_pb2.LISTING_KIND_INDUSTRY_CHALLENGE, listing_pb2.VISIBILITY_PUBLIC
    challenge = world.publish(council[0], given)
    world.settle(platform)
    alliance = Here(platform, tmp_path)
    alliance("login", world.OPERATOR)
    (open_list,) = (one for one in alliance.json("round", "list", body.name) if one["kind"] == "ROUND_KIND_CHALLENGE_LIST")
    alliance("round", "entries", open_list["name"], code=REFUSED)
    compiled = alliance.json("round", "compile", open_list["name"], "--reason", "年度清单定稿")
    assert (compiled["period"], compiled["silent_members"]) == (str(year), 4)
    (entry,) = alliance.json("round", "entries", open_list["name"], "--change", "added")
    assert entry["listing"]["name"] == challenge.name
    assert len(alliance.json("round", "silent", open_list["name"])) == 4
    assert "1–2" in alliance("body", "bases", body.name)
    assert alliance.json("body", "bases", body.name)["target_max"] == 2


def test_a_document_comes_down_whole_or_not_at_all(platform: Platform, tmp_path: Path) -> None:
    owner = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    alliance, paper, copy = Here(platform, tmp_path), tmp_path / "paper.pdf", tmp_path / "copy.pdf"
    paper.write_bytes(papers.PDF)
    alliance("login", owner.caller.sub, "--as", owner.name)
    made = alliance.json("document", "upload", str(paper))["name"]
    alliance("document", "download", f"documents/{uuid4()}", str(copy), code=NOT_FOUND)
    assert not list(tmp_path.glob("*copy*")), "and nothing is in the way of the next try"
    alliance("document", "download", made, str(copy))
    assert copy.read_bytes() == papers.PDF
    assert "copy.pdf" in alliance("document", "download", made, str(copy), code=USAGE)
