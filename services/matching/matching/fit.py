"""Weights fitted to what the sides decided, offline: `python -m matching.fit --from DATE --to DATE --output weights.json`.

Reads the decisions out of the event store, with the service's own settings (`ALLIANCE_DATABASE_URL`), and writes a file that
says what it was made of; the same decisions give the same bytes. The service reads no such file: weights change by a change
of `domain/pairs.py` and its version, after somebody has looked at both.
"""

import asyncio
import json
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alliance.matching.v1 import events_pb2, match_pb2
from chassis.clock import SHANGHAI, BusinessClock, SystemClock
from chassis.database import Cause, Database
from matching.domain.fitting import DECIDED, NOT_OF_THE_PAIR, Decision, digest_of, ranked_right, thousandths
from matching.domain.life import State
from matching.domain.pairs import STAMP
from matching.mapping import decline_of, kinds_of
from matching.settings import MatchingSettings
from matching.store import TOPIC

LEAST = 50
"""Decisions of each kind, accepted and declined, below which a group's weights are not fitted."""
_PENALTY = 1.0  # of the squares of the coefficients (L2), but for the intercept
_STEPS, _STILL = 100, 1e-10  # Newton's steps at most, and a step that is none any more
_DECISIONS = """
SELECT DISTINCT ON (key) payload FROM event
WHERE topic = $1 AND type = ANY($2::text[]) AND effective_at >= $3 AND effective_at < $4 ORDER BY key, version DESC
"""
_TYPES = [f"alliance.matching.match.{verb}.v1" for verb in ("accepted", "declined")]


async def decisions(database: Database, first: date, end: date) -> list[Decision]:
    """The last decision on each match of the business days from `first` to before `end`, where there is one of both sides."""
    since, until = (datetime.combine(day, time(), SHANGHAI) for day in (first, end))
    async with database.transaction(Cause("service:matching"), read_only=True) as tx:
        payloads = await tx.sql.column(_DECISIONS, TOPIC, _TYPES, since, until)
    matches = (events_pb2.MatchEvent.FromString(payload).match for payload in payloads)
    return [decision for match in matches if (decision := decision_of(match))]


def decision_of(match: match_pb2.Match) -> Decision | None:
    """What a match says of the sides' decision; None where only one has accepted yet."""
    state = State(match_pb2.MatchState.Name(match.state).removeprefix("MATCH_STATE_"))
    if state not in DECIDED or not match.parts:
        return None
    values = {part.feature: part.value for part in match.parts}
    reason = decline_of(match.decline_reason)
    return Decision(match.name, values, match.score, DECIDED[state], reason, "-".join(kinds_of(match)))


def fitted(found: Sequence[Decision], seed: int) -> dict[str, Any]:
    """What a fit finds, by group of pairs, and what it was made of."""
    counted = sorted(found, key=lambda one: one.match)
    ordered = [one for one in counted if one.reason not in NOT_OF_THE_PAIR]
    groups = {name: [one for one in ordered if one.group == name] for name in sorted({one.group for one in ordered})}
    return {
        "algorithm_version": STAMP,
        "seed": seed,
        "least": LEAST,
        "decisions": len(counted),
        "accepted": sum(one.is_accepted for one in counted),
        "declined": dict(sorted(Counter(one.reason.name for one in counted if not one.is_accepted).items())),
        "left_out": len(counted) - len(ordered),
        "inputs_sha256": digest_of(counted),
        "groups": {name: _group(some, seed) for name, some in groups.items()},
    }


def content_of(found: Sequence[Decision], seed: int, first: date, end: date) -> dict[str, Any]:
    """What the file says of the decisions from `first` to before `end`; its version is the hash of all the rest."""
    content = fitted(found, seed) | {"from": first.isoformat(), "to": end.isoformat()}
    return content | {"version": sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]}


def _group(some: Sequence[Decision], seed: int) -> dict[str, Any]:
    learned = [one for one in some if not one.is_held_out(seed)]
    held_out = [one for one in some if one.is_held_out(seed)]
    accepted = sum(one.is_accepted for one in learned)
    counted = {"learned": len(learned), "accepted": accepted, "held_out": len(held_out), "weights": {}}
    if min(accepted, len(learned) - accepted) < LEAST:
        return counted
    names = sorted(some[0].values)
    intercept, *slopes = (float(one) for one in logistic(_matrix(learned, names), _outcomes(learned)))
    coefficients = dict(zip(names, slopes, strict=True))
    weights = thousandths(coefficients)
    fit = {"intercept": round(intercept, 6), "coefficients": {name: round(one, 6) for name, one in coefficients.items()}}
    return counted | fit | {"weights": weights, "held_out_auc": _measured(held_out, weights)}


def _measured(held_out: Sequence[Decision], weights: Mapping[str, int]) -> dict[str, float | None]:
    """How well the weights rank decisions that they were not made of, beside the score that was shown."""
    accepted = [one.is_accepted for one in held_out]
    ours = [float(sum(weights.get(name, 0) * value for name, value in one.values.items())) for one in held_out]
    found = {"fitted": ranked_right(ours, accepted), "shown": ranked_right([one.score for one in held_out], accepted)}
    return {name: None if value is None else round(value, 6) for name, value in found.items()}


def logistic(rows: NDArray[np.float64], outcomes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients of a logistic regression with an L2 penalty, by Newton's method; the first is the intercept, which
    has none.

    Shapes: rows (n, k), outcomes (n,) of 0 and 1; found (k + 1,).
    """
    design = np.column_stack([np.ones(len(rows)), rows])
    penalty = np.diag([0.0] + [_PENALTY] * rows.shape[1])
    found = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-design @ found))
        slope = design.T @ (outcomes - likely) - penalty @ found
        curve = (design * (likely * (1 - likely))[:, None]).T @ design + penalty
        step = np.linalg.solve(curve, slope)
        found = found + step
        if np.abs(step).max() < _STILL:
            break
    return found


def _matrix(some: Sequence[Decision], names: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[one.values[name] / 1000 for name in names] for one in some], np.float64)


def _outcomes(some: Sequence[Decision]) -> NDArray[np.float64]:
    return np.array([one.is_accepted for one in some], np.float64)


def written(content: Mapping[str, Any]) -> bytes:
    """The file's bytes."""
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


async def _read(first: date, end: date) -> list[Decision]:
    settings = MatchingSettings(service="matching")
    system = SystemClock()
    url, ca_file = settings.database_url.get_secret_value(), settings.database_ca_file
    database = Database(url, system=system, business=BusinessClock(system), pool=1, ca_file=ca_file)
    try:
        return await decisions(database, first, end)
    finally:
        await database.close()


def main(arguments: Sequence[str]) -> None:
    """Fit and write the file."""
    parser = ArgumentParser(prog="python -m matching.fit", description="拟合权重 · fit weights to decisions")
    parser.add_argument(
        "--from", dest="first", type=date.fromisoformat, required=True, metavar="DATE", help="首日 · first day"
    )
    parser.add_argument(
        "--to", dest="end", type=date.fromisoformat, required=True, metavar="DATE", help="止（不含）· day after"
    )
    parser.add_argument("--seed", type=int, default=1, help="留出样本的种子 · of what is held out; 1")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.first >= given.end:
        parser.error("--from 须早于 --to：--to 当日不计 · --from has to be before --to, which is the day after the last")
    found = asyncio.run(_read(given.first, given.end))
    content = content_of(found, given.seed, given.first, given.end)
    given.output.write_bytes(written(content))
    print(f"{content['version']}：{content['decisions']} 个决定 · decisions → {given.output}")


if __name__ == "__main__":
    main(sys.argv[1:])
