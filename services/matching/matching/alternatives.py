"""What would make a match fit better, by the supply as it would be: its text is weighed anew, and its meaning asked for."""

import asyncio
from dataclasses import replace
from datetime import date

from alliance.listings.v1 import listing_pb2
from chassis.errors import Unavailable
from codes import NoCodeError, majors
from matching.domain.counterfactual import Alternative, Change, alternatives, most_of, promising
from matching.domain.score import Partner, score_of
from matching.entry import Entry
from matching.index import near
from matching.mapping import entry_of
from matching.meanings import Asking

_WEIGHED = 96  # changes with which the text is weighed anew
_MOST = 32  # changes whose texts are asked for their meaning: bounds what one answer costs
_LATE = (
    "怎样更合适须按文本的语义计算，暂未算出；请稍后重试",
    "what would fit better depends on what texts mean, which is not known yet; try again shortly",
)
_SAID_IN = {  # feature → field of the listing or of its details that says it
    "skills": "skills",
    "majors": "majors",
    "technology": "field",
    "region": "region_codes",
    "industry": "industry_codes",
    "occupation": "occupation_codes",
    "education": "education_code",
}


async def of_pair(demand: Entry, supply: Entry, asking: Asking, today: date) -> list[Alternative]:
    """The single changes of a supply that raise its score. Raises `Unavailable` where the meanings of its longer texts are not
    there in time: what is told without them would be taken for all.
    """
    now = Partner(supply.facts, near(demand, supply))
    tried = await _promising(demand, supply, now)
    asked_for = {_meant(then): then.passage for _, then in tried if _meant(then) != _meant(supply)}
    vectors = await asking.of_texts([*asked_for.values()]) if asked_for else []
    if vectors is None:
        raise Unavailable(*_LATE)
    known = {_meant(supply): supply.meaning, **dict(zip(asked_for, vectors, strict=True))}
    partners = [(change, _partner(demand, replace(then, meaning=known[_meant(then)]))) for change, then in tried]
    return alternatives(demand.facts, now, partners, today)


def _partner(demand: Entry, supply: Entry) -> Partner:
    return Partner(supply.facts, near(demand, supply))


async def _promising(demand: Entry, supply: Entry, now: Partner) -> list[tuple[Change, Entry]]:
    """The changes that can raise the score, with the supply as it would be; of those that change what its text means, the
    `_MOST` that can raise it most.
    """
    able: list[tuple[int, Change, Entry]] = []
    for change in promising(demand.facts, supply.facts, _WEIGHED):
        then = _changed(supply, change)
        if then and (most := most_of(demand.facts, then.facts)) > score_of(demand.facts, *now):
            able.append((most, change, then))
        await asyncio.sleep(0)  # a long text takes milliseconds, each time
    ranked = sorted(able, key=lambda one: -one[0])
    moving = [(change, then) for _, change, then in ranked if _meant(then) != _meant(supply)]
    still = [(change, then) for _, change, then in ranked if _meant(then) == _meant(supply)]
    return moving[:_MOST] + still


def _meant(entry: Entry) -> tuple[str, str]:
    """What its meaning is of."""
    return entry.passage.title, entry.passage.whole


def _changed(entry: Entry, change: Change) -> Entry | None:
    """A listing after a change, as the index would keep it, without what is measured of its texts; None where its kind has no
    field for it.
    """
    listing = listing_pb2.Listing.FromString(entry.listing)
    name, details = _SAID_IN[change.feature], getattr(listing, entry.facts.kind.lower())
    said = next((one for one in (listing, details) if hasattr(one, name)), None)
    if said is None:
        return None
    value = _coded(change)
    if isinstance(getattr(said, name), str):
        setattr(said, name, value)
    else:
        getattr(said, name).append(value)
    return entry_of(listing, entry.facts.version)


def _coded(change: Change) -> str:
    """What the owner writes down of it: of a major the code, from which an education follows."""
    try:
        return majors.read(change.value) if change.feature == "majors" else change.value
    except NoCodeError:
        return change.value
