"""A match computed anew out of its evidence 匹配复算, by who disputes it or audits it: offline, without platform and database.

The evidence (`alliance match evidence`) holds the match as it was scored and both listings at the versions that were scored. A
score follows from those and from the rules of the stamp that the match bears; who has others says so, and computes nothing.

`python -m matching.recompute evidence.json`, in the image of the release of that stamp, or a checkout of it.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import match_pb2
from matching.domain.pairs import STAMP
from matching.domain.score import Verdict, judge
from matching.embedding import Embedder, embedder, meanings, texts_of
from matching.entry import Entry
from matching.index import near
from matching.mapping import entry_of, part_message

SAME, DIFFERS, OTHER_RULES = 0, 1, 3  # what the command exits with; 2 is for arguments


class OtherRulesError(Exception):
    """The match was scored by the rules of another release; `str()` is their stamp."""


@dataclass(frozen=True)
class Evidence:
    """A match, both listings as they were, and the business date of its score."""

    match: match_pb2.Match
    demand: listing_pb2.Listing
    supply: listing_pb2.Listing
    scored_on: date

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Evidence":
        """Out of the file's object. Raises `json_format.ParseError`, `KeyError` or `ValueError` where it is none."""
        return cls(
            json_format.ParseDict(told["match"], match_pb2.Match()),
            json_format.ParseDict(told["demand"], listing_pb2.Listing()),
            json_format.ParseDict(told["supply"], listing_pb2.Listing()),
            date.fromisoformat(told["scored_on"]),
        )


def recomputed(evidence: Evidence, by: Embedder) -> Verdict:
    """The verdict on the pair by the rules of the match's stamp. Raises `OtherRulesError` where the rules here are others."""
    match = evidence.match
    if match.algorithm_version != STAMP:
        raise OtherRulesError(match.algorithm_version)
    demand = _measured(entry_of(evidence.demand, match.demand_version), by)
    supply = _measured(entry_of(evidence.supply, match.supply_version), by)
    return judge(demand.facts, supply.facts, evidence.scored_on, near(demand, supply))


def is_same(verdict: Verdict, match: match_pb2.Match) -> bool:
    """Whether score, parts and gaps are those that were shown."""
    found = (verdict.broken, verdict.score, [part_message(part) for part in verdict.parts], list(verdict.gaps))
    return found == ("", match.score, list(match.parts), list(match.gaps))


def _measured(entry: Entry, by: Embedder) -> Entry:
    texts = texts_of([entry.passage])
    rows = dict(zip(texts, by.embed(texts), strict=True)) if texts else {}
    return entry.measured(meanings([entry.passage], rows, by.size).tobytes())


def main(arguments: Sequence[str]) -> int:
    """Compute anew, and say whether it is the same."""
    parser = ArgumentParser(prog="python -m matching.recompute", description="匹配复算 · compute a match anew")
    parser.add_argument("evidence", type=Path, help="`alliance match evidence` 的输出 · its output")
    parser.add_argument(
        "--model", default="", help="句向量模型文件夹；空为内置 · folder of the sentence model; empty: the bundled one"
    )
    given = parser.parse_args(arguments)
    try:
        evidence = Evidence.of(json.loads(given.evidence.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, json_format.ParseError) as error:
        parser.error(f"不是匹配证据文件；请用 alliance match evidence 导出 · no evidence of a match, export it so: {error}")
    try:
        verdict = recomputed(evidence, embedder(given.model))
    except OtherRulesError as error:
        print(f"该匹配按 {error} 评分，本版本为 {STAMP}；请用该版本的镜像复算")
        print(f"the match was scored by {error}, this release scores by {STAMP}; use the image of the release of that stamp")
        return OTHER_RULES
    for part in verdict.parts:
        print(f"{part.contribution:5}  {part.feature:12}{part.weight:5} × {part.value:4}  {part.zh} · {part.en}")
    same = is_same(verdict, evidence.match)
    told = ("一致", "the same") if same else ("不一致", "different")
    broken = f"（{verdict.broken}）" if verdict.broken else ""
    print(f"{verdict.score:5}  复算{broken}与当时的 {evidence.match.score} {told[0]} · computed anew it is {told[1]}")
    return SAME if same else DIFFERS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
