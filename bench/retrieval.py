"""Judged sets, what makes a ranking good, and whether one is better than another by more than chance."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DEPTH = 10
METRICS = ("hit@1", "hit@10", "recall@10", "nDCG@10", "MRR")
PRIMARY = "nDCG@10"

Ranking = Sequence[str]  # documents, best first


@dataclass(frozen=True)
class Judged:
    """Queries, a corpus, and the gain of each document that answers a query; a query without one is left out."""

    name: str
    queries: Mapping[str, str]
    corpus: Mapping[str, str]
    gains: Mapping[str, Mapping[str, float]]

    @classmethod
    def read(cls, folder: Path) -> "Judged":
        """`queries.csv` (q_id, text), `corpus.csv` (d_id, text), `qrels.csv` (q_id, d_id, gain)."""
        corpus = {row["d_id"]: row["text"] for row in _rows(folder / "corpus.csv")}
        gains: dict[str, dict[str, float]] = {}
        for row in _rows(folder / "qrels.csv"):
            if float(row["gain"]) > 0:
                gains.setdefault(row["q_id"], {})[row["d_id"]] = float(row["gain"])
        queries = {row["q_id"]: row["text"] for row in _rows(folder / "queries.csv") if row["q_id"] in gains}
        return cls(folder.name, queries, corpus, gains)


def _rows(file: Path) -> Iterable[dict[str, str]]:
    csv.field_size_limit(1 << 30)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        yield from csv.DictReader(opened)


def judge(ranking: Ranking, gains: Mapping[str, float]) -> dict[str, float]:
    """Metric → value of one ranking; nDCG with the gain itself and log2(1 + rank) (Järvelin and Kekäläinen 2002)."""
    places = [rank for rank, document in enumerate(ranking, 1) if document in gains]
    found = sum(rank <= DEPTH for rank in places)
    best = sorted(gains.values(), reverse=True)
    return {
        "hit@1": float(1 in places),
        "hit@10": float(found > 0),
        "recall@10": found / len(gains),
        "nDCG@10": _discounted([gains.get(document, 0) for document in ranking]) / _discounted(best),
        "MRR": 1 / places[0] if places else 0.0,
    }


def _discounted(gains: Sequence[float]) -> float:
    return float(sum(gain / np.log2(rank + 1) for rank, gain in enumerate(gains[:DEPTH], 1)))


class Difference(NamedTuple):
    """Mean difference over the queries, its 95 % interval, and how probable one as far from 0 is by chance (two-sided)."""

    mean: float
    least: float
    most: float
    p: float


def bootstrap(ours: Sequence[float], theirs: Sequence[float], resamples: int = 10_000, seed: int = 1) -> Difference:
    """Paired: queries are drawn anew, with replacement, each with both of its values (Sakai 2006)."""
    differences: NDArray[np.float64] = np.subtract(ours, theirs)
    random = np.random.default_rng(seed)
    drawn = np.array([differences[random.integers(0, len(differences), len(differences))].mean() for _ in range(resamples)])
    least, most = np.percentile(drawn, [2.5, 97.5])
    tail = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    return Difference(float(differences.mean()), float(least), float(most), min(1.0, 2 * (tail + 1) / (resamples + 1)))


def holm(values: Sequence[float]) -> list[float]:
    """p-values corrected for as many tests as there are (Holm 1979), in the order given."""
    corrected, floor = [0.0] * len(values), 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        floor = max(floor, min(1.0, values[index] * (len(values) - rank)))
        corrected[index] = floor
    return corrected


def fuse(rankings: Iterable[Ranking], k: int = 60) -> list[str]:
    """Reciprocal-rank fusion (Cormack, Clarke and Büttcher 2009); of the same sum, in the order first met."""
    sums: dict[str, float] = {}
    for ranking in rankings:
        for rank, document in enumerate(ranking, 1):
            sums[document] = sums.get(document, 0.0) + 1 / (k + rank)
    return sorted(sums, key=lambda document: -sums[document])
