"""The benchmark's own figures, by hand; and that matching beats its floor on the sample sets."""

import math
import os
from pathlib import Path

import pytest

from bench import quality
from bench.retrieval import Judged, bootstrap, fuse, holm, judge
from matching.embedding import Bundled

LOG3 = math.log2(3)


@pytest.mark.parametrize(
    ("ranking", "gains", "expected"),
    [
        (["a", "b"], {"a": 1}, {"hit@1": 1, "hit@10": 1, "recall@10": 1, "nDCG@10": 1, "MRR": 1}),
        (["b", "a"], {"a": 1}, {"hit@1": 0, "hit@10": 1, "recall@10": 1, "nDCG@10": 1 / LOG3, "MRR": 0.5}),
        (["a", "b"], {"a": 1, "b": 2}, {"hit@1": 1, "nDCG@10": (1 + 2 / LOG3) / (2 + 1 / LOG3), "MRR": 1}),
        (["a"], {"a": 1, "b": 1}, {"recall@10": 0.5, "nDCG@10": 1 / (1 + 1 / LOG3)}),
        ([*"bcdefghijk", "a"], {"a": 1}, {"hit@10": 0, "recall@10": 0, "nDCG@10": 0, "MRR": 1 / 11}),
        ([*"bcdefghij", "a"], {"a": 1}, {"hit@10": 1, "nDCG@10": 1 / math.log2(11), "MRR": 0.1}),
        ([], {"a": 1}, {"hit@1": 0, "hit@10": 0, "recall@10": 0, "nDCG@10": 0, "MRR": 0}),
    ],
)
def test_metrics(ranking: list[str], gains: dict[str, float], expected: dict[str, float]) -> None:
    found = judge(ranking, gains)
    assert {metric: found[metric] for metric in expected} == pytest.approx(expected)


def test_a_difference_that_is_none() -> None:
    assert bootstrap([0.5] * 9, [0.5] * 9, 100) == (0, 0, 0, 1)


def test_a_difference_beyond_chance() -> None:
    found = bootstrap([0.6, 0.7, 0.8] * 30, [0.5, 0.5, 0.5] * 30, 1000)
    assert found.mean == pytest.approx(0.2)
    assert 0.1 < found.least < found.mean < found.most < 0.3
    assert found.p == pytest.approx(2 / 1001)


def test_a_difference_within_chance() -> None:
    found = bootstrap([1, 0, 1, 0, 1], [0, 1, 0, 1, 0], 2000)
    assert found.p > 0.05
    assert found.least < 0 < found.most


def test_it_is_paired_signed_and_seeded() -> None:
    ours, theirs = [0.1, 0.9, 0.5], [0.2, 0.8, 0.7]
    assert bootstrap(ours, theirs, 500) == bootstrap(ours, theirs, 500)
    assert bootstrap(ours, theirs, 500, seed=2) != bootstrap(ours, theirs, 500)
    assert bootstrap(theirs, ours, 500).mean == -bootstrap(ours, theirs, 500).mean


@pytest.mark.parametrize(
    ("values", "corrected"),
    [
        ([0.01], [0.01]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.03, 0.001], [0.03, 0.002]),
        ([0.6, 0.7], [1, 1]),
        ([], []),
    ],
)
def test_holm(values: list[float], corrected: list[float]) -> None:
    assert holm(values) == pytest.approx(corrected)


def test_fusion_of_ranks() -> None:
    assert fuse([["a", "b", "c"], ["c", "a", "b"]]) == ["a", "c", "b"]
    assert fuse([["a", "b"], ["b", "a"]]) == ["a", "b"]  # the same sum: first met
    assert fuse([]) == []


def folder(at: Path, queries: str, corpus: str, qrels: str) -> Path:
    """A judged set."""
    for name, text in (("queries", queries), ("corpus", corpus), ("qrels", qrels)):
        (at / f"{name}.csv").write_text(text, encoding="utf-8")
    return at


def test_a_query_without_an_answer_is_left_out(tmp_path: Path) -> None:
    made = folder(tmp_path, 'q_id,text\n1,"甲, 乙"\n2,丙\n3,丁\n', "d_id,text\na,甲\nb,丙\n", "q_id,d_id,gain\n1,a,1\n2,b,0\n")
    judged = Judged.read(made)
    assert judged.queries == {"1": "甲, 乙"}
    assert judged.gains == {"1": {"a": 1}}
    assert list(judged.corpus) == ["a", "b"]


def test_the_table_and_its_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = folder(tmp_path, "q_id,text\n1,园林\n", "d_id,text\na,园林工\nb,护士\n", "q_id,d_id,gain\n1,a,1\n")
    assert quality.main([str(made)]) == 1  # one query shows nothing
    printed = capsys.readouterr().out
    assert all(metric in printed for metric in ("hit@1", "hit@10", "recall@10", "nDCG@10", "MRR", "interval", "Holm"))
    assert printed.count(tmp_path.name) == 2


def test_bm25_of_the_floor() -> None:
    floor = quality.Floor({"a": "土壤检测", "b": "土壤", "c": "护士"}, Bundled())
    assert floor._bm25("土壤") == pytest.approx([0.4700 * 2.2 / (1 + 1.2 * 1.6), 0.4700 * 2.2 / (1 + 1.2 * 0.7), 0], abs=1e-3)
    assert floor.rank("护士")[0] == "c"


@pytest.mark.skipif("ALLIANCE_SAMPLE_DATA" not in os.environ, reason="ALLIANCE_SAMPLE_DATA names no folder of sample data")
def test_matching_beats_its_floor_on_a_sample_set() -> None:
    sets = Path(os.environ["ALLIANCE_SAMPLE_DATA"]) / "eval"
    if not sets.is_dir():
        pytest.skip("ALLIANCE_SAMPLE_DATA has no judged sets (eval)")
    found = quality.measure(Judged.read(sets / "major_group_zh"), Bundled())
    ours, theirs = ([one["nDCG@10"] for one in values] for values in (found.ours, found.theirs))
    assert bootstrap(ours, theirs).least > 0
