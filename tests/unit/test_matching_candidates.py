"""Which listings may meet one: by structure, by words, by meaning, and the freshest."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from matching import nearness, search
from matching.domain.facts import Facts
from matching.domain.lexical import pack
from matching.domain.passage import Passage
from matching.entry import Entry
from matching.index import Index

BEIJING, CHAOYANG, SHANGHAI = "110000", "110105", "310000"


def facts(name: str, title: str, **given: Any) -> Facts:
    """A supply of talent, unless something else is said."""
    fields = {"issuer": name, "bodies": (), "kind": "TALENT_SUPPLY", "visibility": 1, "terms": pack(Passage(title)), **given}
    return Facts(f"listings/{name}", 1, **fields)


def index(*listings: Facts) -> Index:
    """An index of such listings."""
    made = Index(lambda _: Passage(""))
    for one in listings:
        made.put(Entry(one, b""))
    return made


def post(title: str, **given: Any) -> Facts:
    """A post."""
    return facts("post", title, **{"kind": "JOB_POSITION", **given})


def found(made: Index, wanted: Facts) -> list[str]:
    """Last parts of the names of the candidates."""
    return [one.name.removeprefix("listings/") for one in made.candidates(wanted)]


@pytest.fixture(params=[0, 1000])
def fresh(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether changes are taken in at once, or wait."""
    monkeypatch.setattr(search, "_FRESH", request.param)


@pytest.mark.usefixtures("fresh")
def test_only_partner_kinds_meet() -> None:
    made = index(facts("a", "护士"), facts("b", "护士", kind="JOB_POSITION"), facts("c", "护士", kind="RESEARCH_OUTCOME"))
    assert found(made, post("护士")) == ["a"]
    assert found(made, facts("x", "护士")) == ["b"]
    assert found(made, facts("x", "护士", kind="CASE")) == []


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ((), "abcd"),
        ((BEIJING,), "abd"),
        ((CHAOYANG,), "abd"),
        (("110108",), "ad"),
        ((SHANGHAI,), "cd"),
        ((SHANGHAI, CHAOYANG), "abcd"),
    ],
)
def test_regions_are_looked_up(monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...], names: str) -> None:
    monkeypatch.setattr(search, "_FRESH", 0)
    places = {"a": (BEIJING,), "b": (CHAOYANG,), "c": (SHANGHAI,), "d": ()}
    made = index(*(facts(name, "护士", regions=where) for name, where in places.items()))
    assert found(made, post("护士", regions=asked)) == list(names)


@pytest.mark.parametrize(("asked", "names"), [("", "abcd"), ("20", "abd"), ("14", "bd"), ("11", "d"), ("31", "abcd")])
def test_levels_are_looked_up(monkeypatch: pytest.MonkeyPatch, asked: str, names: str) -> None:
    monkeypatch.setattr(search, "_FRESH", 0)
    levels = {"a": "20", "b": "14", "c": "31", "d": ""}
    made = index(*(facts(name, "护士", education=level) for name, level in levels.items()))
    assert found(made, post("护士", education=asked)) == list(names)
    turned = index(*(facts(name, "护士", education=level, kind="JOB_POSITION") for name, level in levels.items()))
    assert found(turned, facts("x", "护士", education="20")) == ["a", "c", "d"]


def test_what_is_a_preference_is_no_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_FRESH", 0)
    made = index(facts("a", "封装", kind="RESEARCH_OUTCOME", regions=(SHANGHAI,), education="31"))
    assert found(made, facts("x", "封装", kind="TECH_DEMAND", regions=(BEIJING,), education="11")) == ["a"]


def test_of_many_those_with_the_weightiest_terms_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_FRESH", 0)
    monkeypatch.setattr(search, "CANDIDATES", 2)
    made = index(*(facts(str(number), "护士 站") for number in range(5)), facts("near", "集成电路 站"), facts("far", "茶艺"))
    assert "near" in found(made, post("集成电路"))
    assert len(found(made, post("集成电路"))) == 2


def test_the_freshest_are_candidates_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "CANDIDATES", 1)
    monkeypatch.setattr(search, "_FRESH", 3)
    made = index(*(facts(name, "护士") for name in "abc"))
    assert found(made, post("护士")) == ["a", "b", "c"]
    made.put(Entry(facts("d", "护士"), b""))
    assert len(found(made, post("护士"))) == 1, "taken in together"


@pytest.mark.usefixtures("fresh")
def test_revised_and_removed() -> None:
    made = index(facts("a", "护士"), facts("b", "护士"))
    assert found(made, post("护士")) == ["a", "b"]
    made.put(Entry(facts("a", "护士", kind="CASE"), b""))
    made.remove("listings/b")
    made.remove("listings/b")
    assert found(made, post("护士")) == []


def vector(*numbers: int) -> bytes:
    """A meaning."""
    return bytes(np.array(numbers, np.int8))


@pytest.mark.parametrize("exact", [0, 50_000])
def test_the_nearest_by_meaning(monkeypatch: pytest.MonkeyPatch, exact: int) -> None:
    monkeypatch.setattr(nearness, "NEAREST", 1)
    monkeypatch.setattr(nearness, "_EXACT", exact)
    monkeypatch.setattr(search, "CANDIDATES", 1)
    monkeypatch.setattr(search, "_FRESH", 0)
    made = index(
        facts("north", "", meaning=vector(1, 127)),
        facts("east", "", meaning=vector(127, 1)),
        facts("other", "", meaning=vector(127, 0), kind="CASE"),
        facts("none", ""),
    )
    assert "east" in found(made, post("", meaning=vector(100, 2)))
    made.remove("listings/east")
    assert "east" not in found(made, post("", meaning=vector(100, 2)))
    assert "north" in found(made, post("", meaning=vector(100, 2)))
    made.remove("listings/north")
    assert found(made, post("", meaning=vector(100, 2))) == ["none"]


def test_what_was_put_in_without_its_meaning_is_given_it() -> None:
    made = index(facts("a", "护士"))
    made.give_meaning("listings/a", vector(127, 0))
    entry = made.get("listings/a")
    assert entry
    assert entry.facts.meaning == vector(127, 0)
    assert made._near.find(["TALENT_SUPPLY"], vector(1, 0)) == {"listings/a"}


def test_a_reason_names_what_both_say_in_the_words_of_the_demand() -> None:
    made = Index(lambda entry: Passage(entry.title))
    demand = Entry(post("Java 后端开发，数据仓库"), b"", title="Java 后端开发，数据仓库")
    assert set(made.shared(demand, facts("a", "数据仓库与 java"))) == {"数据仓库", "java"}
    assert made.shared(demand, facts("a", "护士")) == ()


def test_another_model_runs_beside_the_engines() -> None:
    """Native libraries of both in one process, in the order that the service loads them."""
    subprocess.run([sys.executable, "-c", "import matching.index, onnxruntime"], check=True)
