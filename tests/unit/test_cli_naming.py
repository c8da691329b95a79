"""What was typed and is not there: what is near to it, and how to look it up."""

from types import SimpleNamespace
from typing import Any

import pytest

from alliance.registry.v1 import body_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_cli import naming, stubs

_BODIES = [body_pb2.Body(name=f"bodies/{name}", display_name=name) for name in ("集成电路产教联盟", "氢能产教联盟")]


@pytest.fixture(autouse=True)
def register(monkeypatch: pytest.MonkeyPatch) -> None:
    def bodies(request: rpc.ListBodiesRequest, **_: Any) -> rpc.ListBodiesResponse:
        return rpc.ListBodiesResponse(bodies=[] if request.external_key else _BODIES)

    def organizations(_: rpc.ListOrganizationsRequest, **__: Any) -> rpc.ListOrganizationsResponse:
        return rpc.ListOrganizationsResponse()

    found = SimpleNamespace(ListBodies=bodies, ListOrganizations=organizations)
    monkeypatch.setattr(stubs, "registry", lambda: found)


@pytest.mark.parametrize(("wanted", "near"), [("集成电路产业联盟", True), ("不存在", False)])
def test_a_body_that_is_not_there_names_those_near_to_it(wanted: str, near: bool) -> None:
    with pytest.raises(naming.UnfoundError) as refused:
        naming.find_body(wanted)
    assert ("集成电路产教联盟" in refused.value.zh) is near
    assert all(part in refused.value.zh for part in (wanted, "alliance body list"))
    assert "alliance body list" in refused.value.en


def test_an_organization_that_is_not_there_says_how_to_look_it_up() -> None:
    with pytest.raises(naming.UnfoundError) as refused:
        naming.find_organization("虚构")
    assert "alliance org list --name" in refused.value.zh


def test_a_part_of_a_name_is_enough() -> None:
    assert naming.find_body("氢能") == "bodies/氢能产教联盟"


@pytest.mark.parametrize("find", [naming.find_body, naming.find_organization])
@pytest.mark.parametrize(("length", "whole"), [(60, True), (61, False), (10_000, False)])
def test_what_was_typed_is_said_again_as_far_as_it_tells_what_was_meant(find: Any, length: int, whole: bool) -> None:
    with pytest.raises(naming.UnfoundError) as refused:
        find("虚" * length)
    for told in (refused.value.zh, refused.value.en):
        assert ("虚" * 60 in told, "虚…" in told) == (True, not whole)
