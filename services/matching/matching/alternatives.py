"""What would make a match fit better, by the supply as it would be: its text is weighed anew, and its meaning asked for."""

import asyncio
from dataclasses import replace
from datetime import date

from alliance.listings.v1 import listing_pb2
from codes import NoCodeError, majors
from matching.domain.counterfactual import Alternative, Change, alternatives, can_raise, changes
from matching.domain.score import Partner
from matching.entry import Entry
from matching.index import near
from matching.mapping import entry_of
from matching.meanings import Asking

_MOST = 32  # changes that are tried: bounds what one answer costs
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
    """The single changes of a supply that raise its score. Where no meanings are there in time, only what leaves them as they
    are is told.
    """
    now = Partner(supply.facts, near(demand, supply))
    tried: list[tuple[Change, Entry]] = []
    for change in changes(demand.facts, supply.facts):
        then = _changed(supply, change)
        if then and can_raise(demand.facts, now, then.facts):
            tried.append((change, then))
        if len(tried) == _MOST:
            break
        await asyncio.sleep(0)  # a long text takes milliseconds, each time
    asked_for = {_meant(then): then.passage for _, then in tried if _meant(then) != _meant(supply)}
    vectors = await asking.of_texts([*asked_for.values()]) if asked_for else []
    known = {_meant(supply): supply.meaning, **dict(zip(asked_for, vectors or [], strict=False))}
    partners = [
        (change, Partner(then.facts, near(demand, replace(then, meaning=known[_meant(then)]))))
        for change, then in tried
        if _meant(then) in known
    ]
    return alternatives(demand.facts, now, partners, today)


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
