"""What has to hold after every fault (the letters are those of the fault catalogue); each is a comparison of sets.

L  every committed event has its effect exactly once     P  nothing is on the topic that was not committed
O  effects of a key are in the order of its versions     S  the last record of a key is its highest version
Q  every poison record is a dead letter, once            R  what was hit is back in time
C  every effect caused one event, which is on its topic, in order, and nothing else caused any

E, of which the services themselves are asked, is in `tests.faults.whole`.
"""

from collections import Counter, defaultdict

from aiokafka import ConsumerRecord

from tests.faults import node
from tests.faults.world import World, version_of

_EVENTS = "SELECT id::text, key, version FROM event WHERE topic = $1"
_CAUSED = "SELECT key, version, cause_event_id FROM event WHERE topic = $1"


async def broken(world: World) -> dict[str, str]:
    """Letter → what is wrong, for every invariant that does not hold."""
    found = {}
    if left := await world.rest():
        found["L"] = f"it does not come to rest: {left}"
    for letter, check in _CHECKS.items():
        if wrong := await check(world):  # what is lost may be why it does not come to rest
            found[letter] = f"{found[letter]}; {wrong}" if letter in found else wrong
    if wrong := _late(world):
        found["R"] = wrong
    return found


async def _events(world: World) -> dict[tuple[str, int], str]:
    """Key and version → id, of everything that was committed."""
    rows = await world.rows(world.writing, _EVENTS, world.topic)
    return {(row["key"], row["version"]): row["id"] for row in rows}


async def _lost_or_doubled(world: World) -> str:
    committed, acknowledged = await _events(world), Counter(world.acknowledged())
    if twice := {one for one, times in acknowledged.items() if times > 1}:
        return f"{len(twice)} acknowledged more than once: {_some(twice)}"
    if missing := acknowledged.keys() - committed.keys():
        return f"{len(missing)} acknowledged, and not in the event store: {_some(missing)}"
    effects = Counter(
        (row["key"], row["version"]) for row in await world.rows(world.reading, "SELECT key, version FROM effect")
    )
    if lost := {one for one in committed.keys() - effects.keys() if one[0] not in world.held}:
        return f"{len(lost)} of {len(committed)} lost: {_some(lost)}"
    if doubled := {one for one, times in effects.items() if times > 1}:
        return f"{len(doubled)} had their effect more than once: {_some(doubled)}"
    return ""


async def _uncommitted(world: World) -> str:
    committed = set((await _events(world)).values())
    invented = {id_ for one in await world.records() if (id_ := _id(one))} - committed
    return f"{len(invented)} on the topic that were never committed: {_some(invented)}" if invented else ""


async def _backwards(world: World) -> str:
    last: dict[str, int] = defaultdict(int)
    for row in await world.rows(world.reading, "SELECT key, version FROM effect ORDER BY place"):
        if row["version"] < last[row["key"]]:
            return f"{row['key']} went back from {last[row['key']]} to {row['version']}"
        last[row["key"]] = row["version"]
    return ""


async def _not_last(world: World) -> str:
    if world.is_repeated:
        return ""
    highest: dict[str, int] = {}
    for key, version in await _events(world):
        highest[key] = max(version, highest.get(key, 0))
    ours = [one for one in await world.records() if one.key and _id(one)]  # what a scenario put there is nobody's state
    last = {one.key.decode(): version_of(one) for one in ours}
    wrong = {key for key, version in highest.items() if key not in world.held and last.get(key) != version}
    return f"the last record of {_some(wrong)} is not its highest version" if wrong else ""


async def _poison(world: World) -> str:
    rows = Counter(
        row["raw"] for row in await world.rows(world.reading, "SELECT convert_from(raw_key, 'UTF8') AS raw FROM dead_letter")
    )
    wrong = {key: rows[key] for key in world.poison if rows[key] != 1}
    return f"poison records with so many dead letters: {wrong}" if wrong else ""


async def _causes(world: World) -> str:
    effects = Counter(row["event_id"] for row in await world.rows(world.reading, "SELECT event_id FROM effect"))
    events = await world.rows(world.reading, _CAUSED, node.answers(world.topic))
    caused = Counter(row["cause_event_id"] for row in events)
    if effects != caused:
        return f"{(effects - caused).total()} effects caused no event, {(caused - effects).total()} events came without effect"
    sent = list(dict.fromkeys((one.key.decode(), version_of(one)) for one in await world.answers()))
    if missing := {(row["key"], row["version"]) for row in events} ^ set(sent):
        return f"{len(missing)} caused events are not on their topic, or not committed: {_some(missing)}"
    last: dict[str, int] = defaultdict(int)
    for key, version in sent:
        if version < last[key]:
            return f"what {key} caused went back from {last[key]} to {version}"
        last[key] = version
    return ""


def _late(world: World) -> str:
    late = [f"{what}: {took:.1f} s of {within:.0f}" for what, took, within in world.recoveries if took > within]
    return ", ".join([*late, *world.wrong, *world.surprises()])


def _id(record: "ConsumerRecord[bytes, bytes]") -> str:
    """Id of the event that a record says it is; "" for what a scenario itself put on the topic."""
    said = dict(record.headers).get("ce_id", b"").decode()
    return "" if said.startswith("test") else said


def _some(found: "set[tuple[str, int]] | set[str]") -> str:
    return ", ".join(map(str, sorted(found)[:3]))


_CHECKS = {
    "L": _lost_or_doubled,
    "P": _uncommitted,
    "O": _backwards,
    "S": _not_last,
    "Q": _poison,
    "C": _causes,
}
