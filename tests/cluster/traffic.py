"""Calls that go on while something happens to the platform, and what became of each, kept outside of it."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.cluster.cluster import HERE, Cluster
from tests.cluster.waiting import becomes, within

_TOPICS = ("alliance.internal.listings.listing.v1", "alliance.public.listing.v1")
_ARRIVAL = 30.0  # seconds in which the last events are on their topics
_ENOUGH = 20  # listings before, and after, what happens under load
_SENDS = 2  # of a listing that needed no second try: created, published
_BEGIN = """
mkdir "$1" && cat > "$1/token"
{ python3 -c "$0" "$@" > "$1/answers" 2> "$1/complaints"; echo $? > "$1/ended"; } > /dev/null 2>&1 &
"""


class Load:
    """Calls that a pod outside of the platform makes by itself: a stream to it would not outlive what is tried here."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._folder = f"/tmp/load-{uuid.uuid4()}"  # noqa: S108 - the pod's own
        targets = (cluster.target("registry"), cluster.target("listings"))
        script = (HERE / "load.py").read_text("utf-8")
        cluster.client("sh", "-c", _BEGIN, script, self._folder, *targets, given=cluster.operator)

    def more(self) -> None:
        """Wait until some more calls were answered."""
        enough = len(self.answers()) + _ENOUGH
        becomes(lambda: self._has_ended() or len(self.answers()) >= enough)
        assert not self._has_ended(), self._read("complaints")

    def end(self) -> None:
        """Let the last calls be answered."""
        self._cluster.client("touch", f"{self._folder}/stop")
        becomes(self._has_ended)
        assert self._read("ended") == "0\n", self._read("complaints")

    def answers(self) -> list[dict[str, Any]]:
        """What was said so far, by whole lines."""
        return [json.loads(line) for line in self._read("answers").splitlines(keepends=True) if line.endswith("\n")]

    def _has_ended(self) -> bool:
        return bool(self._cluster.client("find", self._folder, "-name", "ended", "-size", "+0"))

    def _read(self, file: str) -> str:
        return self._cluster.client("cat", f"{self._folder}/{file}")


class Published:
    """The listings that were acknowledged."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._names: set[str] = set()

    @contextmanager
    def meanwhile(self, note: Callable[[str, object], None]) -> Iterator[None]:
        """Listings are published all the while. At the end no call was lost, and of no listing an event."""
        load = Load(self._cluster)
        try:
            load.more()
            yield
            load.more()
        finally:
            load.end()
            self._take(load.answers(), note)
        assert within(_ARRIVAL, lambda: not self.faults()), self.faults()

    def faults(self) -> list[str]:
        """Listings with an event that is not on its topic, or not in its turn."""
        printed = self._cluster.script("records.py", self._cluster.address("kafka"), *_TOPICS)
        internal, public = (json.loads(printed)[topic] for topic in _TOPICS)
        return [
            f"{name}: {internal.get(name)}, public {public.get(name)}"
            for name in sorted(self._names)
            if len(internal.get(name, ())) < _SENDS or not is_whole(internal[name]) or name not in public
        ]

    def _take(self, answers: list[dict[str, Any]], note: Callable[[str, object], None]) -> None:
        acknowledged = [one for one in answers if "name" in one]
        lost = [one["lost"] for one in answers if "lost" in one]
        again = sum(one["tries"] > _SENDS for one in acknowledged)
        note("note", f"{len(acknowledged)} listings, {len(lost)} lost, {again} sent again")
        self._names.update(one["name"] for one in acknowledged)
        assert acknowledged
        assert lost == []


def is_whole(versions: list[int]) -> bool:
    """Whether a subscriber that drops what it knows gets every version in its turn, and the newest last. Records come again
    where a relay ends between sending them and writing that down.
    """
    newest = 0
    for one in versions:
        if one > newest + 1:
            return False
        newest = max(newest, one)
    return bool(versions) and versions[-1] == newest
