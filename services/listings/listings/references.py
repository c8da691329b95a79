"""What a listing's details refer to: the base of a project, the list that is made public or that a challenge is for, who
shares or runs something."""

from collections.abc import Mapping, Sequence

from alliance.listings.v1 import listing_pb2 as pb
from chassis.clock import business_date
from chassis.database import Tx
from chassis.errors import Violation
from listings import store
from listings.domain.bases import SCHOOLS
from listings.domain.life import may
from listings.domain.names import STATE_NAMES, Kind, RoundKind, RoundState, State
from listings.mapping import message_of
from listings.rounds import store as rounds
from listings.rounds.store import RoundRow
from listings.standing import Standing
from listings.store import ListingRow

LISTS: Mapping[int, RoundKind] = {
    Kind.TALENT_SUPPLY_DEMAND_LIST: RoundKind.TALENT_LIST,
    Kind.TECH_SUPPLY_DEMAND_LIST: RoundKind.TECH_LIST,
}
"""Kind of a listing that makes a list public → kind of the rounds that hold such lists (R43)."""


async def broken(
    tx: Tx, standing: Standing, bare: pb.Listing, issuer: str, kind: int, known: ListingRow | None = None
) -> list[Violation]:
    """Violations for what the details of an issuer's listing of a kind refer to and is not there, or not what it has to be.

    `known` is the listing as it is; None for a new one.
    """
    details = bare.WhichOneof("details")
    if details == "supply_demand_list":
        return await _list(tx, standing, bare, issuer, kind, known)
    if details == "industry_challenge":
        return await _challenge(tx, bare, known)
    if details == "practice_project" and bare.practice_project.base:
        return await _base(tx, standing, issuer, bare.practice_project.base)
    if details == "practice_base":
        return await _schools(tx, standing, "practice_base.sharing", bare.practice_base.sharing)
    if details == "vehicle":
        return await _organizations(tx, standing, "vehicle.partners", bare.vehicle.partners)
    return []


async def _list(
    tx: Tx, standing: Standing, bare: pb.Listing, issuer: str, kind: int, known: ListingRow | None
) -> list[Violation]:
    """A compiled list of a body that the listing names, made public by who speaks for that body, and once."""
    row = await rounds.get(tx, bare.supply_demand_list.round)
    wanted = (LISTS.get(kind), RoundState.CLOSED)
    if row is None or (row.kind, row.state) != wanted or row.body not in bare.bodies:
        zh = "请填写已编制的同类清单期次，且该清单的组织须在 bodies 中"
        en = "name a compiled list of the same kind, of a body that stands in bodies"
    elif not await standing.leads(tx, issuer, row.body, business_date(tx.now)):
        zh = f"清单由共同体编制发布，须由 {row.body} 的牵头单位、理事长单位或秘书处单位发布；请由其发布"
        en = f"the community publishes its list: have a member do so that leads or chairs {row.body}, or its secretariat"
    elif other := await _published(tx, row, kind, known):
        zh = f"该期清单已由 {other} 发布，每期只发布一次；请修订该条，或先由其发布单位撤回"
        en = f"the list is published already, as {other}, and only once: revise that one, or have its issuer withdraw it first"
    else:
        return []
    return [Violation("supply_demand_list.round", "R43", zh, en)]


async def _published(tx: Tx, row: RoundRow, kind: int, known: ListingRow | None) -> str:
    """The other listing by which a list is public; "" where there is none. No two find so at once."""
    await rounds.lock_closed(tx, [row.name], row.kind)
    found = [one for one in await store.published(tx, row.body, kind) if known is None or one.name != known.name]
    return next((one.name for one in found if message_of(one).supply_demand_list.round == row.name), "")


async def _challenge(tx: Tx, bare: pb.Listing, known: ListingRow | None) -> list[Violation]:
    """A challenge of a year whose list still takes it in, of each body; where it is published for that year it may stand."""
    year, today = bare.industry_challenge.list_year, business_date(tx.now)
    is_of_year = known is not None and known.published_at is not None and known.list_year == year
    bodies = set(bare.bodies).difference(known.bodies if known and is_of_year else ())
    if is_of_year and not bodies:
        return []
    await rounds.hold(tx, bare.bodies)  # a list that is being compiled takes it in, or is frozen by then
    if year < today.year:
        zh = f"{year} 年度的产业出题清单已截止，不再收入；请改填 {today.year} 或以后的年度（list_year）"
        en = f"the list of {year} is closed and takes nothing in any more: choose {today.year} or a later year (list_year)"
    elif frozen := await rounds.closed(tx, bodies, RoundKind.CHALLENGE_LIST, str(year)):
        named = ", ".join(sorted(frozen))
        zh = f"{named} 的 {year} 年度产业出题清单已编制并冻结；请改填 {year + 1} 年度（list_year），或从 bodies 中去掉"
        en = f"the list of {year} of {named} is compiled and frozen: choose {year + 1} (list_year), or leave the body out"
    else:
        return []
    return [Violation("industry_challenge.list_year", "R39", zh, en)]


async def _base(tx: Tx, standing: Standing, issuer: str, name: str) -> list[Violation]:
    """A base has to be on offer, and for the issuer's eyes: nobody learns of one that is not whether it is there."""
    row = await store.get(tx, name)
    if row is None or row.kind != Kind.PRACTICE_BASE or not await standing.sees(tx, issuer, row):
        zh = f"没有发布单位可用的实践基地 {name}；请核对编号，或改填已发布且对本单位可见的基地"
        en = f"there is no practice base {name} for the issuer to see; check its id, or name one that is published and visible"
    elif row.state != State.PUBLISHED:
        (state_zh, state_en), (mend_zh, mend_en) = STATE_NAMES[State(row.state)], _offered_by(State(row.state))
        zh, en = (
            f"实践基地 {name} {state_zh}；请{mend_zh}，或不填",
            f"practice base {name} is {state_en}; {mend_en}, or leave it out",
        )
    else:
        return []
    return [Violation("practice_project.base", "R45", zh, en)]


def _offered_by(state: State) -> tuple[str, str]:
    if may(state, "publish"):
        return "先发布该基地", "publish the base first"
    return "改填另一个已发布的基地", "name another one that is published"


async def _organizations(tx: Tx, standing: Standing, field: str, names: Sequence[str]) -> list[Violation]:
    if not (unknown := set(names) - (await standing.organizations(tx, names)).keys()):
        return []
    named = ", ".join(sorted(unknown))
    zh, en = f"成员库中没有 {named}；请先登记或去掉", f"not in the register: {named}; enter them first, or leave them out"
    return [Violation(field, "registered", zh, en)]


async def _schools(tx: Tx, standing: Standing, field: str, names: Sequence[str]) -> list[Violation]:
    """Who shares a base are schools (R44: 多校共享)."""
    if unknown := await _organizations(tx, standing, field, names):
        return unknown
    known = await standing.organizations(tx, names)
    wrong = sorted(f"{one.display_name}（{name}）" for name, one in known.items() if one.org_type not in SCHOOLS)
    if not wrong:
        return []
    named = "、".join(wrong)
    zh = f"共享院校须为高校、职业学校或二级学院：{named} 不是；请去掉"
    en = f"who shares a base is a university, a college or a school, and {named} is none: leave it out"
    return [Violation(field, "R44", zh, en)]
