"""`python -m bench.drawn [SEED [COUNT]]`: proposals drawn at random, for people to judge.

The sample postings, as the command line imports them, meet a graduate of every major of the sample set `major_group_zh`
(`ALLIANCE_SAMPLE_DATA`), who is described by the abilities that the catalogue names. Each is matched as the service matches a
change, and of all proposals COUNT are drawn by SEED.
"""

import csv
import gzip
import os
import random
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from alliance.listings.v1 import listing_pb2 as pb
from bench.retrieval import Judged
from codes import majors
from intake.mapping import Mapping
from matching.domain.pairs import LEAST_THRESHOLD
from matching.domain.passage import Passage
from matching.domain.score import Partner, best, judge, sides
from matching.embedding import Bundled, meanings, texts_of
from matching.entry import Entry
from matching.index import Index
from matching.mapping import entry_of

_SAMPLE, _MAJORS = "data/texts/zh_job_postings_sample.csv.gz", "eval/major_group_zh"
_BEST, _MOST = 10, 100  # proposals a change, candidates that are scored: the service's own settings
_AT_ONCE = 256


def sample_postings(folder: Path) -> Iterator[pb.Listing]:
    """Those of the sample data, as the command line imports them, published."""
    mapping = Mapping.load("zh_job_postings")
    with gzip.open(folder / _SAMPLE, "rt", encoding="utf-8-sig", newline="") as opened:
        for number, row in enumerate(csv.DictReader(opened)):
            listing, refused = mapping.read(dict(row))
            if not refused:
                yield _published(listing, number, "organizations/employer", pb.LISTING_KIND_JOB_POSITION)


def graduates(folder: Path) -> Iterator[pb.Listing]:
    """One of each major of the sample data, published."""
    for number, (code, text) in enumerate(Judged.read(folder / _MAJORS).queries.items()):
        name, _, prose = text.partition("。")
        listing = pb.Listing(title=f"{name}专业毕业生", description=prose)
        listing.talent_supply.majors.append(code if majors.exists(code) else name)
        yield _published(listing, 100_000 + number, "organizations/college", pb.LISTING_KIND_TALENT_SUPPLY)


def _published(listing: pb.Listing, number: int, issuer: str, kind: pb.ListingKind.ValueType) -> pb.Listing:
    listing.name, listing.issuer, listing.kind = f"listings/{number:032}", issuer, kind
    listing.state, listing.visibility = pb.LISTING_STATE_PUBLISHED, pb.VISIBILITY_PUBLIC
    today = date.today()
    listing.valid_from, listing.valid_to = today.isoformat(), (today + timedelta(days=90)).isoformat()
    return listing


def _entries(listings: list[pb.Listing], by: Bundled) -> Iterator[Entry]:
    for start in range(0, len(listings), _AT_ONCE):
        some = [entry_of(listing, 1) for listing in listings[start : start + _AT_ONCE]]
        passages: list[Passage] = [one.passage for one in some]
        texts = texts_of(passages)
        made = meanings(passages, dict(zip(texts, by.embed(texts), strict=True)), by.size)
        yield from (one.measured(vector.tobytes()) for one, vector in zip(some, made, strict=True))
        print(f"  {start + len(some):,} of {len(listings):,} read", file=sys.stderr, flush=True)


def main(seed: int, count: int) -> None:
    """Print the proposals."""
    folder, by, index = Path(os.environ["ALLIANCE_SAMPLE_DATA"]), Bundled(), Index(Bundled.size)
    trained = list(graduates(folder))
    for entry in _entries([*sample_postings(folder), *trained], by):
        index.put(entry)
    index.commit()
    found: list[tuple[Entry, Partner]] = []
    for listing in trained:
        if (known := index.get(listing.name)) is not None:
            candidates = index.candidates(known)
            found += [(known, one) for one in best(known.facts, candidates, date.today(), LEAST_THRESHOLD, _MOST)[:_BEST]]
    print(f"{len(index):,} listings, {len(trained)} of graduates; {len(found):,} proposals, {count} drawn by seed {seed}")
    for entry, partner in random.Random(seed).sample(found, count):  # noqa: S311 - no secret
        _show(index, entry, partner)


def _show(index: Index, entry: Entry, partner: Partner) -> None:
    post = index.get(partner.facts.name)
    verdict = judge(*sides(entry.facts, partner.facts), date.today(), partner.near)
    print(f"\n{verdict.score}  {entry.title} ↔ {post.title if post else ''}")
    print("     " + "；".join(f"{part.feature} {part.contribution}：{part.zh}" for part in verdict.parts if part.weight))
    if verdict.gaps:
        print(f"     缺口：{'、'.join(verdict.gaps)}")


if __name__ == "__main__":
    main(*(int(one) for one in (sys.argv[1:] + ["1", "20"][len(sys.argv) - 1 :])))
