"""What a command that changes something brings with it: a mask of what it changes, a reason."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from alliance.registry.v1 import body_pb2 as pb
from chassis.changing import masked, require_reason
from chassis.errors import Invalid

ALLOWED = ("display_name", "region_code", "alliance")
BEFORE = pb.Body(
    name="bodies/1",
    display_name="联盟",
    region_code="110000",
    alliance=pb.AllianceFacts(key_industry="集成电路", lead_departments=["organizations/a", "organizations/b"]),
)


def change(given: pb.Body, *paths: str, deep: bool = False) -> pb.Body:
    return masked(BEFORE, given, FieldMask(paths=paths), ALLOWED, deep=deep)


def test_only_what_is_masked_changes() -> None:
    changed = change(pb.Body(name="bodies/2", display_name="另一联盟", region_code="120000"), "display_name")
    assert (changed.name, changed.display_name, changed.region_code) == ("bodies/1", "另一联盟", "110000")
    assert changed.alliance == BEFORE.alliance
    assert BEFORE.display_name == "联盟"


def test_what_is_masked_and_left_out_is_taken_away() -> None:
    changed = change(pb.Body(), "region_code", "alliance")
    assert (changed.region_code, changed.HasField("alliance")) == ("", False)


def test_a_message_takes_the_place_of_the_one_before_whole() -> None:
    changed = change(pb.Body(alliance=pb.AllianceFacts(lead_departments=["organizations/c"])), "alliance")
    assert changed.alliance == pb.AllianceFacts(lead_departments=["organizations/c"])


def test_a_path_may_go_into_a_field_where_that_is_meant() -> None:
    given = pb.Body(alliance=pb.AllianceFacts(key_industry="氢能", lead_departments=["organizations/c"]))
    changed = change(given, "alliance.lead_departments", deep=True)
    assert changed.alliance == pb.AllianceFacts(key_industry="集成电路", lead_departments=["organizations/c"])
    with pytest.raises(Invalid, match=r"alliance\.lead_departments can not be changed"):
        change(given, "alliance.lead_departments")


def test_what_lies_in_a_message_that_is_left_out_is_taken_away() -> None:
    assert not change(pb.Body(), "alliance.key_industry", deep=True).alliance.key_industry
    assert not change(pb.Body(), "alliance.lead_departments", deep=True).alliance.lead_departments
    changed = masked(pb.Body(), pb.Body(), FieldMask(paths=["alliance.key_industry"]), ALLOWED, deep=True)
    assert not changed.HasField("alliance"), "what was not there is not made by taking away"


@pytest.mark.parametrize(
    "path", ["alliance.nothing", "alliance.key_industry.x", "alliance.", "open_findings.rule", "alliance.lead_departments.x"]
)
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(Invalid, match="can not be changed"):
        change(pb.Body(), path, deep=True)


@pytest.mark.parametrize("paths", [(), ("name",), ("display_name", "state"), ("nothing",)])
@pytest.mark.parametrize("deep", [False, True])
def test_a_mask_names_something_and_nothing_else(paths: tuple[str, ...], deep: bool) -> None:
    with pytest.raises(Invalid) as refused:
        change(pb.Body(), *paths, deep=deep)
    (problem,) = refused.value.violations
    assert (problem.field, problem.rule) == ("update_mask", "AIP-134")
    for text in (problem.zh, problem.en):
        assert "display_name, region_code, alliance" in text
        assert all(one in text for one in paths if one not in ALLOWED)


@pytest.mark.parametrize("reason", ["", " \n"])
def test_a_reason_says_something(reason: str) -> None:
    require_reason("更正")
    with pytest.raises(Invalid) as refused:
        require_reason(reason)
    assert [(one.field, one.rule) for one in refused.value.violations] == [("reason", "required")]
