"""Entries of the index as tests make them: of facts and texts, without a vector unless they are given one."""

from matching.domain.facts import Facts
from matching.domain.passage import Passage
from matching.embedding import Bundled, meanings, texts_of
from matching.entry import Entry
from matching.index import Index

SIZE = Bundled.size


def entry(facts: Facts, title: str = "", prose: str = "", *, listing: bytes = b"", source: str = "") -> Entry:
    """One that is found by its words alone; without a title of its own, by those of its facts, and by its labels."""
    labels = " ".join((*facts.majors, *facts.skills, facts.technology))
    passage = Passage.of(title or " ".join(facts.words), f"{labels}\n{prose}")
    return Entry(facts, listing, source, title, passage).measured(b"")


def meant(entries: list[Entry], by: Bundled) -> list[Entry]:
    """The same with their vectors."""
    passages = [one.passage for one in entries]
    texts = texts_of(passages)
    rows = dict(zip(texts, by.embed(texts), strict=True))
    made = meanings(passages, rows, by.size)
    return [one.measured(vector.tobytes()) for one, vector in zip(entries, made, strict=True)]


def index_of(*entries: Entry) -> Index:
    """An index in memory."""
    made = Index(SIZE)
    for one in entries:
        made.put(one)
    return made
