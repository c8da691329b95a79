"""What `alliance booking list` shows: names beside ids."""

from typing import Any
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from alliance.listings.v1 import booking_pb2 as pb
from alliance.listings.v1 import booking_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.commands import booking
from alliance_cli.session import context


@pytest.mark.parametrize(("output", "named"), [("table", True), ("json", False)])
def test_bookings_show_names_beside_ids_for_people_alone(monkeypatch: pytest.MonkeyPatch, output: str, named: bool) -> None:
    made = pb.Booking(name="bookings/1", equipment="listings/2", organization="organizations/3", state=pb.BOOKING_STATE_BOOKED)
    asked: list[Any] = []

    def titles(names: Any) -> dict[str, str]:
        asked.extend(names)
        return {"listings/2": "探针台"}

    monkeypatch.setattr(naming, "call", lambda *_: rpc.ListBookingsResponse(bookings=[made]))
    monkeypatch.setattr(naming, "titles", titles)
    monkeypatch.setattr(naming, "display_names", lambda _: {"organizations/3": "虚构示例大学"})
    monkeypatch.setattr(stubs, "bookings", Mock)
    monkeypatch.setattr(context, "output", output)
    monkeypatch.setenv("COLUMNS", "400")
    done = CliRunner().invoke(booking.app, ["list", "--equipment", "2"])
    assert done.exit_code == 0
    assert ("探针台" in done.output, "虚构示例大学" in done.output, bool(asked)) == (named,) * 3
