"""What the invented organizations need and have, as rows of an import."""

from collections.abc import Callable, Iterator
from typing import Any

from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_demo.cast import Alliance, Player, data

SOURCE = "demo"
MAY_CONTACT = "联系 13800138000"
"""What may not stand in a text; the demo shows how such a row is refused."""
_Fill = Callable[[pb.Listing, list[str]], None]


def _post(listing: pb.Listing, cells: list[str]) -> None:
    details = pb.JobPosition(education_code=cells[1], majors=_split(cells[2]), skills=_split(cells[3]))
    listing.job_position.CopyFrom(details)
    listing.quantity = int(cells[4])


def _talent(listing: pb.Listing, cells: list[str]) -> None:
    details = pb.TalentSupply(education_code=cells[1], majors=_split(cells[2]), skills=_split(cells[3]))
    listing.talent_supply.CopyFrom(details)
    listing.quantity = int(cells[4])


def _challenge(listing: pb.Listing, cells: list[str]) -> None:
    listing.industry_challenge.CopyFrom(pb.IndustryChallenge(field=cells[0], problem=cells[1], acceptance=cells[2]))


def _demand(listing: pb.Listing, cells: list[str]) -> None:
    listing.tech_demand.CopyFrom(pb.TechDemand(field=cells[0], problem=cells[1], goals=cells[2]))


def _outcome(listing: pb.Listing, cells: list[str]) -> None:
    listing.description = cells[1]
    listing.research_outcome.CopyFrom(pb.ResearchOutcome(field=cells[0], readiness_level=int(cells[2])))


def _project(listing: pb.Listing, cells: list[str]) -> None:
    listing.project_demand.CopyFrom(pb.ProjectDemand(content=cells[1]))


_KINDS: dict[str, tuple[int, int, _Fill]] = {
    # heading: kind, seat of the issuing enterprise (-1: the college), what fills the details
    "posts": (pb.LISTING_KIND_JOB_POSITION, 0, _post),
    "challenges": (pb.LISTING_KIND_INDUSTRY_CHALLENGE, 1, _challenge),
    "demands": (pb.LISTING_KIND_TECH_DEMAND, 2, _demand),
    "projects": (pb.LISTING_KIND_PROJECT_DEMAND, 3, _project),
    "talents": (pb.LISTING_KIND_TALENT_SUPPLY, -1, _talent),
    "outcomes": (pb.LISTING_KIND_RESEARCH_OUTCOME, -1, _outcome),
}


def publish(alliance: Alliance, year: int) -> Iterator[rpc.ImportReceipt]:
    """Import and publish what the alliance's members have, challenges for the list of a year; yields a receipt a row."""
    given = data("listings")[alliance.industry]
    for heading, (kind, seat, fill) in _KINDS.items():
        player = alliance.supplier if seat < 0 else alliance.enterprises[seat]
        rows = [_row(alliance, given, heading, number, line, fill) for number, line in enumerate(given.get(heading, []), 1)]
        if heading == "challenges":
            for row in rows:
                row.listing.industry_challenge.list_year = year
        if heading == "posts" and alliance.number == 1:
            rows[-1].listing.description = MAY_CONTACT
        yield from _imported(player, kind, rows)


def _imported(player: Player, kind: int, rows: list[rpc.ImportRow]) -> Iterator[rpc.ImportReceipt]:
    header: Any = rpc.ImportHeader(issuer=player.name, source=SOURCE, kind=kind, publish=True)  # type: ignore[arg-type]
    requests = [
        rpc.ImportListingsRequest(header=header),
        rpc.ImportListingsRequest(chunk=rpc.ImportChunk(rows=rows)),
    ]
    for answer in player.caller.listings.ImportListings(iter(requests)):
        yield from answer.receipts


def _row(alliance: Alliance, given: dict[str, Any], heading: str, number: int, line: str, fill: _Fill) -> rpc.ImportRow:
    cells = [cell.strip() for cell in line.split("|")]
    # Challenges are for members; everything else is for everybody.
    visibility = pb.VISIBILITY_MEMBERS if heading == "challenges" else pb.VISIBILITY_PUBLIC
    listing = pb.Listing(
        title=cells[0],
        bodies=[alliance.body],
        visibility=visibility,
        region_codes=given["region_codes"],
        industry_codes=[given["industry_code"]],
        external_key=f"{heading}-{number}",
    )
    fill(listing, cells)
    return rpc.ImportRow(row=number, listing=listing)


def _split(text: str) -> list[str]:
    return [one for one in text.split("、") if one]
