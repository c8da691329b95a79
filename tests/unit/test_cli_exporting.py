"""What a published list holds is exported like listings are."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance.listings.v1 import round_pb2
from alliance_cli import stubs
from alliance_cli.main import app


def test_a_list_is_exported_as_it_was_frozen_without_what_it_holds_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[rpc.ListSupplyDemandEntriesRequest] = []

    def entries(request: rpc.ListSupplyDemandEntriesRequest, **_: Any) -> rpc.ListSupplyDemandEntriesResponse:
        asked.append(request)
        listing = pb.Listing(name="listings/2", kind=pb.LISTING_KIND_JOB_POSITION, title="工程师")
        return rpc.ListSupplyDemandEntriesResponse(entries=[round_pb2.RoundEntry(listing=listing)])

    monkeypatch.setattr(stubs, "listings", lambda: SimpleNamespace(ListSupplyDemandEntries=entries))
    file = tmp_path / "a.jsonl"
    export = ["listing", "export", "--list", "1", "--kind", "job_position", "--format", "jsonl", "--output", str(file)]
    result = CliRunner().invoke(app, export)
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["title"] for line in file.read_text(encoding="utf-8").splitlines()] == ["工程师"]
    assert (asked[0].listing, list(asked[0].kinds)) == ("listings/1", [pb.LISTING_KIND_JOB_POSITION])
    assert round_pb2.ROUND_CHANGE_REMOVED not in asked[0].changes
    assert CliRunner().invoke(app, [*export, "--issuer", "organizations/1"]).exit_code == 2
