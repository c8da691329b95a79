"""`OPENBLAS_NUM_THREADS=1 python -m bench.index [--keep FOLDER] [LISTINGS…]`: what matching's index costs at so many listings:
to take in, to find candidates, to search, in memory, on the disk, and at a start.

Texts are made of the sentences of the sample postings (`ALLIANCE_SAMPLE_DATA`), three to twelve at random, so that no two are
alike; the vector of a text is the mean of those of the postings that its sentences are from, and as much chance. Half are
posts, half graduates. A plan is what the service does with one change of a graduate but for the database: candidates and
scores. A search has words of two titles and every second one a kind; no two are alike, and nothing is kept of them. Beside
each runs a bare loop over the same engines: embed, words, vectors, filter, fuse by ranks, fetch twenty. Then searches come
at random moments at half of the rate, whether or not earlier ones are through: those delays are what callers wait. The last
searches are answered as a caller without an account is: what it may see alone, with all facets and the words marked. A
recompute of one change scores every listing of the other side instead of candidates; it is told from a sample of them.
Queries are embedded on one thread, as the service has it done.

A million take hours to build. With `--keep` the index stays in a folder; broken off, it is built on from its last snapshot,
and what is told of taking in is of the rest.
"""

import argparse
import csv
import gzip
import os
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from heapq import nlargest
from pathlib import Path

import numpy as np
from tantivy import DocAddress, Occur, Query

from access.visibility import Viewer
from alliance.listings.v1 import listing_pb2 as pb
from chassis import pauses
from matching.domain import text
from matching.domain.blend import Closeness
from matching.domain.facts import Facts
from matching.domain.pairs import LEAST_THRESHOLD
from matching.domain.passage import Passage
from matching.domain.score import Candidate, best
from matching.embedding import Bundled, meanings, texts_of
from matching.entry import Entry
from matching.index import CANDIDATES, Index, near
from matching.mapping import hit_of
from matching.search import FACETS, Filter, Search
from matching.snapshot import Snapshots

_SAMPLE = "data/texts/zh_job_postings_sample.csv.gz"
_MEANT = 500  # postings whose vectors are mixed
_PLANS, _SEARCHES, _RECOMPUTED = 300, 2000, 2000
_SAVED = 50_000  # listings after which a snapshot is written
_CITIES = ("110000", "310000", "440100", "440300", "330100", "510100", "420100", "320100")
_SIZES = (10_000, 100_000)


class Texts:
    """Listings made of the sentences of postings."""

    def __init__(self, seed: int) -> None:
        file = Path(os.environ["ALLIANCE_SAMPLE_DATA"]) / _SAMPLE
        with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        self._numbers = np.random.default_rng(seed)
        self.titles = [row["title"] for row in rows]
        self._sentences = [
            (number % _MEANT, part)
            for number, row in enumerate(rows)
            for part in re.split(r"[。；;\n]", row["description"])
            if len(part) > 5
        ]
        passages = [Passage.of(row["title"], row["description"]) for row in rows[:_MEANT]]
        by, asked = Bundled(), texts_of(passages)
        found = dict(zip(asked, by.embed(asked), strict=True))
        self._vectors = meanings(passages, found, by.size).astype(np.float32)

    def entries(self, count: int, first: int = 0, kind: str = "") -> Iterator[Entry]:
        """So many listings, with names of their own."""
        for number in range(first, first + count):
            some = self._chance.choices(self._sentences, k=self._chance.randint(3, 12))
            title, prose = self._chance.choice(self.titles), "。".join(part for _, part in some)
            vector = np.mean([self._vectors[at] for at, _ in some], axis=0)
            vector += self._numbers.normal(0, float(np.abs(vector).mean()), len(vector))
            own = kind or ("JOB_POSITION" if number % 2 else "TALENT_SUPPLY")
            facts = Facts(
                f"listings/{number:032}",
                1,
                f"organizations/{number % 997:032}",
                (),
                own,
                1,
                regions=(self._chance.choice(_CITIES),),
                education=self._chance.choice(["", "20", "30"]),
                words=text.weigh(title, [], [prose]),
            )
            packed = np.rint(vector * 127 / np.abs(vector).max()).astype(np.int8)
            listing = pb.Listing(name=facts.name, title=title, description=prose).SerializeToString()
            yield Entry(facts, listing, "", title, Passage.of(title, prose)).measured(packed.tobytes())


def _memory() -> tuple[float, float]:
    """Megabytes of this process: its own, and those of files that it looks at."""
    told = dict(re.findall(r"^(\w+):\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"), re.MULTILINE))
    return int(told["RssAnon"]) / 1000, int(told["RssFile"]) / 1000


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _said(what: str, seconds: Sequence[float]) -> None:
    middle, end = (float(np.percentile(seconds, share)) * 1000 for share in (50, 99))
    print(f"  {what:28} p50 {middle:8.2f} ms, p99 {end:8.2f} ms, {len(seconds)} of them", flush=True)


def measure(count: int, folder: Path) -> None:
    """Build, ask, keep, and open again."""
    index = Index(Bundled.size)
    snapshots = Snapshots(folder, Bundled.name, index)
    there = snapshots.load("bench").get(0, 0)
    texts = Texts(there + 1)
    print(f"{count:,} listings, {there:,} of them built before", flush=True)
    taken, kept = [], []
    for number, entry in enumerate(texts.entries(count - there, there), there + 1):
        taken.append(_timed(partial(index.put, entry)))
        if number % _SAVED == 0 or number == count:
            kept.append(_timed(partial(snapshots.save, "bench", {0: number})))
    if taken:
        _said("to take in", taken)
        _said("to write a snapshot", kept)
    _ask(index, texts, count)
    files = {file.stat().st_ino: file.stat().st_size for file in folder.rglob("*") if file.is_file()}  # a snapshot's are links
    size = sum(files.values())
    del index, snapshots
    index = Index(Bundled.size)
    before, _ = _memory()
    seconds = _timed(partial(Snapshots(folder, Bundled.name, index).load, "bench"))
    print(f"  opened in {seconds:.1f} s; on the disk {size / count:,.0f} bytes a listing", flush=True)
    _ask(index, texts, 2 * count)
    after, mapped = _memory()
    print(f"  memory of its own {1e6 * (after - before) / count:,.0f} bytes a listing, {mapped:,.0f} MB of files", flush=True)


def _ask(index: Index, texts: Texts, first: int) -> None:
    index.commit()
    pauses.keep_short()  # as a service does once it has started
    asked = list(texts.entries(_PLANS, first, "TALENT_SUPPLY"))
    planned = [_timed(partial(_plan, index, entry)) for entry in asked]
    _said("candidates and scores", planned)
    print(f"  one change by a recompute: {_recomputed(index, texts, asked[0]) / float(np.median(planned)):,.0f} times as long")
    chance = random.Random(first)  # noqa: S311 - no secret
    queries = {" ".join(chance.sample(title, min(len(title), 3))) + chance.choice(texts.titles)[:4] for title in texts.titles}
    by, search, bare, searched = Bundled(), Search(index), list[float](), list[float]()
    for number, query in enumerate(sorted(queries)[:_SEARCHES]):
        kinds = [frozenset(), frozenset({"JOB_POSITION"})][number % 2]
        both = [
            (bare, partial(_bare, index, by, query, kinds)),
            (searched, partial(_search, search, by, query, Filter(kinds))),
        ]
        for seconds, work in both if number % 4 < 2 else reversed(both):
            seconds.append(_timed(work))
    _said("search, the bare loop", bare)
    _said("search, ours", searched)
    print(f"  ours at {sum(bare) / sum(searched):.2f} of the bare loop's rate", flush=True)
    works = [partial(_search, search, by, query, Filter()) for query in sorted(queries)[-_SEARCHES // 2 :]]
    _said("search, at half the rate", _paced(works, len(searched) / sum(searched) / 2, chance))
    answered = [_timed(partial(_answered, search, by, query)) for query in sorted(queries)[-_SEARCHES // 2 :]]
    _said("search, as it is answered", answered)


def _paced(works: Sequence[Callable[[], object]], rate: float, chance: random.Random) -> list[float]:
    """Seconds from the moment at which each was asked for to its end, one after the other, asked for at random at a rate."""
    delays, due = [], time.perf_counter()
    for work in works:
        due += chance.expovariate(rate)
        time.sleep(max(0.0, due - time.perf_counter()))
        work()
        delays.append(time.perf_counter() - due)
    return delays


def _recomputed(index: Index, texts: Texts, entry: Entry) -> float:
    """Seconds for one change if all listings of the other side were scored."""
    sample = list(texts.entries(_RECOMPUTED, 0, "JOB_POSITION"))
    some = [Candidate(one.facts, Closeness(0, 0), near(entry, one)) for one in sample]
    seconds = _timed(lambda: best(entry.facts, some, date.today(), LEAST_THRESHOLD, len(some)))
    return seconds / len(some) * len(index) / 2


def _meant(by: Bundled, query: str) -> bytes:
    passage = Passage.of(query, "")
    asked = texts_of([passage])
    return meanings([passage], dict(zip(asked, by.embed(asked), strict=True)), by.size).tobytes()


def _search(search: Search, by: Bundled, query: str, wanted: Filter) -> object:
    return search.find(query, wanted, Viewer(platform=True), meaning=_meant(by, query))


def _answered(search: Search, by: Bundled, query: str) -> object:
    """By what anybody may see, counted by all facets, with its words marked."""
    found = search.find(query, Filter(), Viewer(), meaning=_meant(by, query), facets=list(FACETS))
    return [hit_of(entry, relevance, text.sought(query)) for entry, relevance in found.hits if entry]


def _bare(index: Index, by: Bundled, query: str, kinds: frozenset[str]) -> object:
    """What the engines need for it: embed, look up words and vectors, filter, fuse by ranks, and fetch the first twenty."""
    searcher, ranks = index.searcher, dict[tuple[int, int], float]()
    filters = [(Occur.Must, Query.const_score_query(index.any_of("kind", kinds), 0.0))] if kinds else []
    for one in (index.any_of("words", text.words(query)), index.nearest(_meant(by, query))):
        asked = Query.boolean_query([(Occur.Must, one or Query.empty_query()), *filters])
        for rank, (_, address) in enumerate(searcher.search(asked, limit=CANDIDATES).hits):
            key = (address.segment_ord, address.doc)
            ranks[key] = ranks.get(key, 0.0) + 1 / (60 + rank)
    best_of_all = nlargest(20, ranks, key=lambda key: ranks[key])
    return [searcher.kept(DocAddress(*key)).entry() for key in best_of_all]


def _plan(index: Index, entry: Entry) -> object:
    return best(entry.facts, index.candidates(entry), date.today(), LEAST_THRESHOLD, 100)


def main() -> None:
    """Measure at each size."""
    asked = argparse.ArgumentParser(prog="python -m bench.index")
    asked.add_argument("listings", nargs="*", type=int, default=_SIZES)
    asked.add_argument("--keep", type=Path, help="a folder in which the index stays, of one size")
    given = asked.parse_args()
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
        measure(max(given.listings), given.keep)
        return
    for count in given.listings:
        with tempfile.TemporaryDirectory(prefix="alliance-index-") as folder:
            measure(count, Path(folder))


if __name__ == "__main__":
    main()
