"""What a listing's details refer to: the base of a project, the list that is made public, who shares or runs something."""

from collections.abc import Mapping, Sequence

from alliance.listings.v1 import listing_pb2 as pb
from chassis.database import Tx
from chassis.errors import Violation
from listings import store
from listings.domain.names import Kind, RoundKind, RoundState
from listings.rounds import store as rounds
from listings.standing import Standing

LISTS: Mapping[int, RoundKind] = {
    Kind.TALENT_SUPPLY_DEMAND_LIST: RoundKind.TALENT_LIST,
    Kind.TECH_SUPPLY_DEMAND_LIST: RoundKind.TECH_LIST,
}
"""Kind of a listing that makes a list public → kind of the rounds that hold such lists (R43)."""


async def broken(tx: Tx, standing: Standing, bare: pb.Listing, kind: int) -> list[Violation]:
    """Violations for what the details of a listing of a kind refer to and is not there, or not what it has to be."""
    details = bare.WhichOneof("details")
    if details == "supply_demand_list":
        return await _list(tx, bare, kind)
    if details == "practice_project" and bare.practice_project.base:
        return await _base(tx, bare.practice_project.base)
    if details == "practice_base":
        return await _organizations(tx, standing, "practice_base.sharing", bare.practice_base.sharing)
    if details == "vehicle":
        return await _organizations(tx, standing, "vehicle.partners", bare.vehicle.partners)
    return []


async def _list(tx: Tx, bare: pb.Listing, kind: int) -> list[Violation]:
    row = await rounds.get(tx, bare.supply_demand_list.round)
    wanted = (LISTS.get(kind), RoundState.CLOSED)
    if row is not None and (row.kind, row.state) == wanted and row.body in bare.bodies:
        return []
    return [
        Violation(
            "supply_demand_list.round",
            "R43",
            "请填写已编制的同类清单期次，且该清单的组织须在 bodies 中",
            "name a compiled list of the same kind, of a body that stands in bodies",
        )
    ]


async def _base(tx: Tx, name: str) -> list[Violation]:
    row = await store.get(tx, name)
    if row is not None and row.kind == Kind.PRACTICE_BASE:
        return []
    zh, en = f"没有实践基地 {name}；请核对编号", f"there is no practice base {name}; check its id"
    return [Violation("practice_project.base", "R45", zh, en)]


async def _organizations(tx: Tx, standing: Standing, field: str, names: Sequence[str]) -> list[Violation]:
    if not (unknown := await standing.unknown_organizations(tx, names)):
        return []
    named = ", ".join(unknown)
    zh, en = f"成员库中没有 {named}；请先登记或去掉", f"not in the register: {named}; enter them first, or leave them out"
    return [Violation(field, "registered", zh, en)]
