"""The index on the disk: it comes back as it was, and what is not whole is built anew."""

import asyncio
import json
import random
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from chassis.errors import Unavailable
from matching import columns, snapshot, vectors
from matching.domain.facts import Facts
from matching.domain.passage import Passage
from matching.entry import Entry, Gone
from matching.following import Following
from matching.index import Index
from matching.search import Filter, Search
from matching.snapshot import Snapshots, UnusableError, _sealed, _unsealed
from tests.unit.test_matching_search import EVERYTHING

SIZE = 16
WORDS = ["数据", "分析", "java", "园林", "开发", "报表", "services", "苗木", "散热", "封装"]
TOPIC = "a topic"
_FULL = 15  # of a part: few, so that there are several


def listing(number: int, version: int = 1, kind: str = "RESEARCH_OUTCOME") -> Entry:
    """One with words and a vector of its own."""
    chance = random.Random(number * 1000 + version)
    facts = Facts(f"listings/{number}", version, f"organizations/{number % 3}", (), kind, 1, words={"数据": 4})
    text = " ".join(chance.choices(WORDS, k=6))
    vector = np.random.default_rng(number * 1000 + version).integers(-127, 128, SIZE).astype(np.int8)
    return Entry(facts, b"", title=text, passage=Passage(text)).measured(vector.tobytes())


def opened(folder: Path, topic: str = TOPIC) -> tuple[Index, Snapshots, dict[int, int]]:
    """The index that is in a folder, and where it goes on."""
    index = Index(SIZE)
    snapshots = Snapshots(folder, "model", index)
    return index, snapshots, snapshots.load(topic)


def change(index: Index, numbers: range, version: int) -> None:
    """Listings that come or are revised; each fifth one is gone."""
    for number in numbers:
        if number % 5:
            index.put(listing(number, version))
        else:
            index.remove(f"listings/{number}", Gone(version, "WITHDRAWN"))


def told(index: Index) -> object:
    """What it answers."""
    asked = [listing(number, 9, "TECH_DEMAND") for number in range(1000, 1010)]
    known = [index.known(f"listings/{number}") for number in range(60)]
    found = [list(index.candidates(one)) for one in asked]
    total = Search(index).find("", Filter(), EVERYTHING).total
    searched = [Search(index).find(word, Filter(), EVERYTHING, meaning=asked[0].meaning).hits for word in WORDS]
    return known, found, len(index), total, index.of_issuer("organizations/1"), searched


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index that was kept in two steps."""
    made = tmp_path_factory.mktemp("index")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "_FULL", _FULL)
        patch.setattr(columns, "_FULL", _FULL)
        index, snapshots, places = opened(made)
        assert places == {}
        change(index, range(40), 1)
        snapshots.save(TOPIC, {0: 40})
        change(index, range(20, 60), 2)
        snapshots.save(TOPIC, {0: 70, 3: 10})
        (made / "told.txt").write_text(repr(told(index)), encoding="utf-8")
        index._writer.wait_merging_threads()
        snapshots.close()
    return made


@pytest.fixture
def folder(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it that a test may do anything with; of two names of one file, which the index has, it has two as well."""
    monkeypatch.setattr(vectors, "_FULL", _FULL)
    monkeypatch.setattr(columns, "_FULL", _FULL)
    subprocess.run(["cp", "--archive", f"{whole}/.", tmp_path], check=True)
    return tmp_path


def test_it_comes_back_as_it_was(folder: Path) -> None:
    expected = (folder / "told.txt").read_text(encoding="utf-8")
    for _ in range(2):
        index, snapshots, places = opened(folder)
        assert places == {0: 70, 3: 10}
        assert repr(told(index)) == expected
        snapshots.save(TOPIC, places)
        del index, snapshots


def test_what_was_committed_after_it_was_kept_is_read_again(folder: Path) -> None:
    """A process that was killed: words are committed whenever a search wants them, vectors and terms are not."""
    expected = (folder / "told.txt").read_text(encoding="utf-8")
    for _ in range(2):
        index, snapshots, places = opened(folder)
        assert places == {0: 70, 3: 10}
        assert repr(told(index)) == expected
        change(index, range(100), 3)
        index.commit()
        assert index.get("listings/61") == listing(61, 3)
        snapshots.close()
        del index


def test_a_second_kept_after_many_merges_holds_no_file_too_many(folder: Path) -> None:
    index, snapshots, places = opened(folder)
    for version in range(10, 40):
        change(index, range(60), version)
        index.commit()
    snapshots.save(TOPIC, places)
    index._writer.wait_merging_threads()
    manifest = json.loads((folder / "manifest.json").read_bytes().rpartition(b"\n")[0])
    assert {str(file.relative_to(folder)) for file in (folder / "kept").iterdir()} == {manifest["meta"], *manifest["words"]}
    snapshots.close()
    del index
    index, _, _ = opened(folder)
    assert index.get("listings/59") == listing(59, 39)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _turn(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0x10
    file.write_bytes(content)


@pytest.mark.parametrize("harm", [_cut, _turn, Path.unlink])
@pytest.mark.parametrize(
    "which",
    [
        *("manifest.json", "*.vectors", "*-open.vectors", "*.gone", "*.columns", "*.terms"),
        *("kept/*.meta", "kept/*.store", "kept/*.idx", "kept/*.del"),
    ],
)
def test_what_is_not_whole_is_built_anew(folder: Path, harm: Callable[[Path], None], which: str) -> None:
    harm(min(folder.glob(which)))
    index, snapshots, places = opened(folder)
    assert places == {}
    assert len(index) == 0
    change(index, range(20), 1)
    snapshots.save(TOPIC, {0: 20})
    del index, snapshots
    index, _, places = opened(folder)
    assert (len(index), places) == (16, {0: 20})


@pytest.mark.parametrize("harm", [_cut, _turn, Path.unlink])
@pytest.mark.parametrize("which", ["meta.json", ".managed.json"])
def test_what_tantivy_changes_is_put_back(folder: Path, harm: Callable[[Path], None], which: str) -> None:
    harm(folder / "words" / which)
    index, _, places = opened(folder)
    assert places == {0: 70, 3: 10}
    assert repr(told(index)) == (folder / "told.txt").read_text(encoding="utf-8")


def test_no_byte_of_the_manifest_can_change_unnoticed(folder: Path) -> None:
    file = folder / "manifest.json"
    whole, chance = file.read_bytes(), random.Random(1)
    for place in chance.sample(range(len(whole)), 100):
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.randrange(8)
        with pytest.raises(UnusableError):
            _unsealed(bytes(changed))
    assert json.loads(_unsealed(whole))["places"] == {"0": 70, "3": 10}


async def test_what_is_removed_under_it_is_lost_and_nothing_is_taken_as_if_it_were_there(folder: Path) -> None:
    """It can't be mended in place: a record that it refused as a fault of its own would be a dead letter."""
    index, snapshots, places = opened(folder)
    change(index, range(100, 130), 3)
    _removed(folder)
    with pytest.raises(Unavailable, match="begins anew"):
        change(index, range(130, 200), 3)
    assert index.lost.is_set()
    for refused in (
        lambda: index.put(listing(201)),
        lambda: index.remove("listings/59", Gone(9, "WITHDRAWN")),
        lambda: snapshots.save(TOPIC, places),
        lambda: Search(index).find("", Filter(), EVERYTHING),
        lambda: index.known("listings/201"),
    ):
        with pytest.raises(Unavailable, match="begins anew"):
            refused()
    snapshots.close()
    del index
    index, _, places = opened(folder)
    assert (len(index), places, index.lost.is_set()) == (0, {}, False)


def _garble(folder: Path) -> None:
    """Turn bytes where they lie, under whoever has the file open, as a disk does."""
    chance = random.Random(3)
    for file in (folder / "words").iterdir():
        if not file.name.endswith(".json") and (size := file.stat().st_size):
            with file.open("r+b") as opened:
                opened.write(bytes(byte ^ 0xFF if chance.random() < 0.3 else byte for byte in file.read_bytes()[:size]))


@pytest.mark.parametrize(
    "look",
    [
        lambda index: [index.known(f"listings/{number}") for number in range(60)],
        lambda index: list(index.candidates(listing(1000, 9, "TECH_DEMAND"))),
        lambda index: index.of_issuer("organizations/1"),
        lambda index: Search(index).find("", Filter(), EVERYTHING),
        lambda index: Search(index).find("数据", Filter(), EVERYTHING, meaning=listing(1000).meaning),
        lambda index: Search(index).find("数据", Filter(), EVERYTHING, facets=["kind"]),
        lambda index: index.put(listing(33, 9)),
        lambda index: index.remove("listings/33", Gone(9, "WITHDRAWN")),
    ],
)
def test_what_is_damaged_under_it_is_lost_whoever_notices(folder: Path, look: Callable[[Index], object]) -> None:
    """No search fails for good, and no record is to blame, for files that can't be read."""
    index, _, _ = opened(folder)
    _garble(folder)
    with pytest.raises(Unavailable, match="begins anew"):
        look(index)
    assert index.lost.is_set()


@pytest.mark.parametrize("query", ['"', "title:", "a AND (", "\0", "]" * 200, "数据 -", "*", "\U0001f600"])
def test_no_words_of_a_caller_lose_the_index(folder: Path, query: str) -> None:
    index, _, _ = opened(folder)
    search = Search(index)
    for start in (0, 7, 1 << 40):
        search.find(query, Filter(issuer=query, area=query), EVERYTHING, start=start, facets=["kind"])
        search.find(f"数据 {query}", Filter(), EVERYTHING, start=start)
    assert not index.lost.is_set()
    with pytest.raises(ValueError, match="nowhere"):
        index.term("nowhere", query)
    assert not index.lost.is_set()


@pytest.mark.parametrize("which", ["*.store", "*.term", "*.del", "meta.json"])
def test_a_file_that_was_removed_under_it_is_in_no_snapshot(folder: Path, which: str) -> None:
    index, snapshots, places = opened(folder)
    min((folder / "words").glob(which)).unlink()
    with pytest.raises(UnusableError):
        snapshots.save(TOPIC, places)
    assert index.lost.is_set()


async def test_what_comes_while_checksums_are_made_spoils_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index, snapshots, places = opened(folder)
    change(index, range(60), 5)
    begun, goes, summed = asyncio.Event(), threading.Event(), snapshot._sum
    loop = asyncio.get_running_loop()

    def slow(file: Path) -> tuple[int, int]:
        loop.call_soon_threadsafe(begun.set)
        goes.wait(10)
        return summed(file)

    monkeypatch.setattr(snapshot, "_sum", slow)
    nobody = cast(Any, None)  # is asked
    following = Following(index, nobody, nobody, lambda _: {}, nobody)
    following.topic, following.places = TOPIC, {0: 90}
    keeping = asyncio.create_task(snapshots._kept(following))
    await begun.wait()
    expected = repr(told(index))
    change(index, range(60, 120), 1)  # parts are sealed, segments merged
    index.commit()
    goes.set()
    assert await keeping == {0: 90}
    after = repr(told(index))
    snapshots.close()
    del index
    index, snapshots, places = opened(folder)
    assert (places, repr(told(index))) == ({0: 90}, expected)
    change(index, range(60, 120), 1)
    index.commit()
    assert repr(told(index)) == after


async def test_who_lost_the_index_builds_it_anew_with_the_next_start(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Else damage whose checksum was taken would end the process again and again."""
    index, snapshots, places = opened(folder)
    nobody = cast(Any, None)  # is asked
    following = Following(index, nobody, nobody, lambda _: {}, nobody)
    following.places = places
    following.is_caught_up.set()
    keeping = asyncio.create_task(snapshots.keep(following))
    await asyncio.sleep(0)
    index.lost.set()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    del index
    index, _, places = opened(folder)
    assert (len(index), places) == (0, {})
    assert "no manifest" in caplog.records[-1].why  # type: ignore[attr-defined]


def test_of_an_empty_folder_nothing_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    opened(tmp_path)
    assert "built anew" not in caplog.text


def test_what_was_kept_but_can_not_be_opened_is_built_anew(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of another release: a manifest that leaves out a file that tantivy needs, whose checksums are right."""
    manifest = folder / "manifest.json"
    content = json.loads(_unsealed(manifest.read_bytes()))
    left_out = next(name for name in content["words"] if name.endswith(".term"))
    content["words"].remove(left_out)
    del content["sums"][left_out]
    manifest.write_bytes(_sealed(json.dumps(content).encode()))
    index, _, places = opened(folder)
    assert (len(index), places) == (0, {})
    assert "built anew" in caplog.text
    change(index, range(20), 1)
    assert index.known("listings/19") == listing(19)


def test_a_part_of_the_columns_that_can_not_be_sealed_is_no_fault_of_the_listing_that_fills_it(folder: Path) -> None:
    index, _, _ = opened(folder)
    _removed(folder)
    with pytest.raises(Unavailable, match="begins anew"):
        change(index, range(100, 120), 3)
    assert index.lost.is_set()


def _removed(folder: Path) -> None:
    """Gone for good: while it goes, a merge may write into it."""
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)


def test_another_topic_is_another_index(folder: Path) -> None:
    index, _, places = opened(folder, "the topic that was made anew")
    assert (len(index), places) == (0, {})


@pytest.mark.parametrize(("field", "value"), [("model", "another"), ("format", 0)])
def test_what_another_release_wrote_is_not_used(folder: Path, field: str, value: object) -> None:
    manifest = folder / "manifest.json"
    manifest.write_bytes(_sealed(json.dumps({**json.loads(_unsealed(manifest.read_bytes())), field: value}).encode()))
    assert opened(folder)[2] == {}


def test_what_another_process_has_open_is_left_alone(folder: Path) -> None:
    kept = opened(folder)
    with pytest.raises(Unavailable):
        opened(folder)
    assert (folder / "manifest.json").exists()
    assert len(kept[0])
