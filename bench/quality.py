"""`python -m bench.quality DIR…`: how good the rankings are that matching gives, on judged sets.

Each folder holds `queries.csv`, `corpus.csv` and `qrels.csv`. Queries and corpus are put in as listings of two kinds that
meet, into the very index that the service runs, and each query's partners are ranked as the service ranks whom it proposes.
What that has to beat: reciprocal-rank fusion (k = 60) of exact BM25 (k1 = 1.2, b = 0.75) over words and pairs of Han
characters, and of the cosine of whole texts, by the same embedder.
`proposed` is what the threshold of the service leaves of it: short texts that share one word rank, and are not proposed.
Exits with 1 where matching is not better on every set (p < 0.05, Holm over the sets).
"""

import argparse
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

if not __package__:  # `python bench/quality.py`
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from alliance.listings.v1 import listing_pb2
from bench.retrieval import METRICS, PRIMARY, Difference, Judged, Ranking, bootstrap, fuse, holm, judge
from matching.domain.facts import Facts
from matching.domain.pairs import LEAST_THRESHOLD
from matching.domain.passage import Passage
from matching.domain.score import Partner, best, score_of, sides
from matching.embedding import Embedder, embedder, meanings, texts_of
from matching.entry import Entry
from matching.index import Index
from matching.mapping import entry_of

_KEPT = 100  # ranks that count for MRR, of both sides
_LEVEL = 0.05
_RUN = re.compile(r"([㐀-䶿一-鿿]+)|([^\W_㐀-䶿一-鿿]+)")


class Floor:
    """What matching has to beat."""

    def __init__(self, corpus: Mapping[str, str], by: Embedder) -> None:
        self._by = by
        self._names = list(corpus)
        self._vectors = by.embed(list(corpus.values()))
        counted = [Counter(_terms(text)) for text in corpus.values()]
        mean = sum(one.total() for one in counted) / len(counted) or 1.0
        postings: dict[str, list[tuple[int, float]]] = defaultdict(list)  # term → (document, saturated count)
        for number, one in enumerate(counted):
            length = 0.25 + 0.75 * one.total() / mean
            for term, count in one.items():
                postings[term].append((number, count * 2.2 / (count + 1.2 * length)))
        self._postings = {term: np.array(found) for term, found in postings.items()}

    def rank(self, text: str) -> Ranking:
        """The whole corpus, best first."""
        return fuse([self._order(self._bm25(text)), self._order(self._vectors @ self._by.embed([text])[0])])

    def _bm25(self, text: str) -> NDArray[np.float64]:
        scores = np.zeros(len(self._names))
        for term, asked in Counter(_terms(text)).items():
            if (found := self._postings.get(term)) is not None:
                idf = math.log1p((len(self._names) - len(found) + 0.5) / (len(found) + 0.5))
                scores[found[:, 0].astype(int)] += asked * idf * found[:, 1]
        return scores

    def _order(self, scores: NDArray[Any]) -> list[str]:
        return [self._names[number] for number in np.argsort(-scores, kind="stable")]


def _terms(text: str) -> Iterator[str]:
    for characters, word in _RUN.findall(text.casefold()):
        if word:
            yield word
        else:
            yield from (characters[at : at + 2] for at in range(max(1, len(characters) - 1)))


class _Once:
    """An embedder that is asked for each text once: the floor embeds the very texts that matching embedded."""

    def __init__(self, by: Embedder) -> None:
        self.name, self.size, self._by = by.name, by.size, by
        self._known: dict[str, NDArray[np.float32]] = {}

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder`."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._by.embed(new), strict=True))
        return np.array([self._known[text] for text in texts], np.float32)


@dataclass(frozen=True)
class Measured:
    """Metrics of each query by matching, by what of it the service would propose (the threshold reached), and by the floor;
    milliseconds that matching took a text.
    """

    ours: list[dict[str, float]]
    proposed: list[dict[str, float]]
    theirs: list[dict[str, float]]
    taking_in: float
    ranking: float


def measure(judged: Judged, by: Embedder) -> Measured:
    """Rank every query."""
    by = _Once(by)
    index = Index(by.size)
    queries = {query: _entry(query, "TECH_DEMAND", text) for query, text in judged.queries.items()}
    corpus = {name: _entry(name, "RESEARCH_OUTCOME", text) for name, text in judged.corpus.items()}
    began = perf_counter()
    queries = dict(zip(queries, _measured_by(by, list(queries.values())), strict=True))
    for entry in (*queries.values(), *_measured_by(by, list(corpus.values()))):
        index.put(entry)
    index.commit()
    taken_in = perf_counter()
    ranking = {query: _ranking(index, entry) for query, entry in queries.items()}
    ranked = perf_counter()
    ours = {query: [one.facts.name for one in found] for query, found in ranking.items()}
    proposed = {query: _proposed(queries[query].facts, found) for query, found in ranking.items()}
    floor = Floor(judged.corpus, by)
    theirs = {query: floor.rank(text)[:_KEPT] for query, text in judged.queries.items()}
    return Measured(
        [judge(ours[query], judged.gains[query]) for query in judged.queries],
        [judge(proposed[query], judged.gains[query]) for query in judged.queries],
        [judge(theirs[query], judged.gains[query]) for query in judged.queries],
        1000 * (taken_in - began) / (len(queries) + len(judged.corpus)),
        1000 * (ranked - taken_in) / len(queries),
    )


def _entry(name: str, kind: str, text: str) -> Entry:
    passage = Passage.read(text)
    number = listing_pb2.ListingKind.Value(f"LISTING_KIND_{kind}")
    listing = listing_pb2.Listing(name=name, issuer=kind, kind=number, title=passage.title, description=passage.prose)
    return entry_of(listing, 1)


def _measured_by(by: Embedder, entries: list[Entry]) -> list[Entry]:
    passages = [entry.passage for entry in entries]
    texts = texts_of(passages)
    rows = dict(zip(texts, by.embed(texts), strict=True))
    vectors = meanings(passages, rows, by.size)
    return [entry.measured(vector.tobytes()) for entry, vector in zip(entries, vectors, strict=True)]


def _ranking(index: Index, entry: Entry) -> list[Partner]:
    """Partners in the service's own order, whatever their score."""
    return best(entry.facts, index.candidates(entry), date.today(), 0, len(index))[:_KEPT]


def _proposed(facts: Facts, found: Sequence[Partner]) -> list[str]:
    """Those of a ranking whose score reaches the threshold."""
    return [one.facts.name for one in found if score_of(*sides(facts, one.facts), one.near) >= LEAST_THRESHOLD]


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and say whether matching is better everywhere."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--embedder", default="", metavar="DIR", help="folder of an ONNX sentence model; else the bundled one")
    chosen = parser.parse_args(arguments)
    by = embedder(chosen.embedder)
    print(f"{'':28}{'':10}" + "".join(f"{metric:>11}" for metric in METRICS), flush=True)
    results = [(folder.name, _measured(Judged.read(folder), by)) for folder in chosen.folders]
    corrected = holm([difference.p for _, difference in results])
    print(f"\n{PRIMARY}: matching − floor, 95 % interval, p (paired bootstrap), p (Holm)")
    for (name, difference), p in zip(results, corrected, strict=True):
        print(
            f"{name:28}{difference.mean:+.4f} [{difference.least:+.4f}, {difference.most:+.4f}]  {difference.p:.4f}  {p:.4f}"
        )
    better = all(difference.mean > 0 and p < _LEVEL for (_, difference), p in zip(results, corrected, strict=True))
    return 0 if better else 1


def _measured(judged: Judged, by: Embedder) -> Difference:
    found = measure(judged, by)
    for side, values in (("matching", found.ours), ("proposed", found.proposed), ("floor", found.theirs)):
        means = (sum(one[metric] for one in values) / len(values) for metric in METRICS)
        print(
            f"{judged.name if side == 'matching' else '':28}{side:10}" + "".join(f"{mean:11.4f}" for mean in means), flush=True
        )
    size = f"{len(judged.queries)} queries, {len(judged.corpus)} documents"
    print(f"{'':28}{size}; ms a text: {found.taking_in:.1f} to take in, {found.ranking:.1f} to rank", flush=True)
    return bootstrap([one[PRIMARY] for one in found.ours], [one[PRIMARY] for one in found.theirs])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
