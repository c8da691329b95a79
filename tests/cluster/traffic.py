"""Calls that go on while something happens to the platform, and what became of each, kept outside of the cluster."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from tests.cluster.cluster import Cluster, in_client
from tests.cluster.waiting import becomes, within

_TOPICS = ("alliance.internal.listings.listing.v1", "alliance.public.listing.v1")
_ARRIVAL = 30.0  # seconds in which the last events are on their topics
_ENOUGH = 20  # listings before, and after, what happens under load
_ENDED = 120.0  # seconds in which the last calls are answered
_SENDS = 2  # of a listing that needed no second try: created, published


class Published:
    """The listings that were acknowledged."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._names: set[str] = set()

    @contextmanager
    def meanwhile(self, note: Callable[[str, object], None]) -> Iterator[None]:
        """Listings are published all the while. At the end no call was lost, and of no listing an event."""
        with NamedTemporaryFile("w") as file:
            answers = Path(file.name)
            process = self._begun(file)
            assert process.stdin
            try:
                _more(answers, process)
                yield
                _more(answers, process)
            finally:
                process.stdin.close()
                code = process.wait(_ENDED)
            assert code == 0
            self._take(_read(answers), note)
        assert within(_ARRIVAL, lambda: not self.faults()), self.faults()

    def faults(self) -> list[str]:
        """Listings with an event that is not on its topic, or there twice, or in another's place."""
        printed = self._cluster.script("records.py", self._cluster.address("kafka"), *_TOPICS)
        internal, public = (json.loads(printed)[topic] for topic in _TOPICS)
        return [
            f"{name}: {internal.get(name)}, public {public.get(name)}"
            for name in sorted(self._names)
            if len(internal.get(name, ())) < _SENDS or not _in_order(internal[name]) or name not in public
        ]

    def _begun(self, answers: Any) -> "subprocess.Popen[str]":
        targets = (self._cluster.target("registry"), self._cluster.target("listings"))
        process = self._cluster.start(*in_client("load.py", *targets), stdin=subprocess.PIPE, stdout=answers)
        assert process.stdin
        process.stdin.write(f"{self._cluster.operator}\n")
        process.stdin.flush()
        return process

    def _take(self, answers: list[dict[str, Any]], note: Callable[[str, object], None]) -> None:
        acknowledged = [one for one in answers if "name" in one]
        lost = [one["lost"] for one in answers if "lost" in one]
        again = sum(one["tries"] > _SENDS for one in acknowledged)
        note("note", f"{len(acknowledged)} listings, {len(lost)} lost, {again} sent again")
        self._names.update(one["name"] for one in acknowledged)
        assert acknowledged
        assert lost == []


def _in_order(versions: list[int]) -> bool:
    return versions == list(range(1, len(versions) + 1))


def _more(answers: Path, process: "subprocess.Popen[str]") -> None:
    """Wait until some more calls were answered."""
    enough = len(_read(answers)) + _ENOUGH
    becomes(lambda: process.poll() is not None or len(_read(answers)) >= enough)
    assert process.poll() is None, "the load has ended"


def _read(answers: Path) -> list[dict[str, Any]]:
    """The lines that are there whole."""
    return [json.loads(line) for line in answers.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]
