"""Who may see a listing by a state that is newer than the one in the index, while it is.

The index is behind by as long as texts take to become vectors: minutes, after an import. Kept is only what narrows: what is
public by now may be seen by everybody, whatever the index holds of it.
"""

from collections import defaultdict
from collections.abc import Callable
from sys import intern
from typing import NamedTuple

from access.visibility import Viewer, may_see
from alliance.listings.v1 import listing_pb2 as pb
from alliance.matching.v1.search_pb2 import FoundListing
from matching.entry import Entry, Gone, version_of


class Audience(NamedTuple):
    """What decides who may see a published listing."""

    issuer: str
    bodies: tuple[str, ...]
    visibility: int

    @classmethod
    def of(cls, listing: pb.Listing | FoundListing) -> "Audience":
        """Of a listing; the names, of which there are few, once for all."""
        return cls(intern(listing.issuer), tuple(map(intern, listing.bodies)), listing.visibility)

    @property
    def is_everybody(self) -> bool:
        """Whether anyone may see it."""
        return self.visibility == pb.VISIBILITY_PUBLIC

    def holds(self, viewer: Viewer) -> bool:
        """Whether a viewer may see it."""
        published = pb.LISTING_STATE_PUBLISHED
        return may_see(viewer, issuer=self.issuer, bodies=self.bodies, visibility=self.visibility, state=published)


class _State(NamedTuple):
    version: int
    audience: Audience | None
    """None: it is published no more, which search shows to nobody."""


class Newer:
    """Those states, by listing; always of a later version than the index holds."""

    def __init__(self, known: Callable[[str], Entry | Gone | None]) -> None:
        """`known`: what the index knows of a listing."""
        self._known = known
        self._states: dict[str, _State] = {}
        self._held: defaultdict[Audience | None, set[str]] = defaultdict(set)  # those of which the index holds an older state

    def __len__(self) -> int:
        return len(self._states)

    def learn(self, name: str, version: int, audience: Audience | None) -> None:
        """Who may see a listing from a version on; None: nobody."""
        self._forget(name, version)
        if name in self._states or (audience is not None and audience.is_everybody):
            return
        known = self._known(name)
        if version > version_of(known):
            self._states[name] = _State(version, audience)
            self._mark(name, audience, is_held=isinstance(known, Entry))

    def _forget(self, name: str, version: int) -> None:
        """A version of a listing is known: what is no newer narrows nothing any more."""
        state = self._states.get(name)
        if state is not None and state.version <= version:
            del self._states[name]
            self._mark(name, state.audience, is_held=False)

    def took(self, name: str, version: int, *, is_published: bool) -> None:
        """The index holds a version of a listing now."""
        self._forget(name, version)
        if state := self._states.get(name):
            self._mark(name, state.audience, is_held=is_published)

    def shows(self, viewer: Viewer, entry: Entry) -> bool:
        """Whether a viewer may see a listing of the index, by what it holds of it and by what is newer."""
        facts = entry.facts
        return Audience(facts.issuer, facts.bodies, facts.visibility).holds(viewer) and self.allows(viewer, facts.name)

    def allows(self, viewer: Viewer, name: str) -> bool:
        """Whether nothing that is newer than the index hides a listing from a viewer."""
        state = self._states.get(name)
        return state is None or _holds(state.audience, viewer)

    def is_ended(self, name: str, version: int) -> bool:
        """Whether a listing is published no more, by a state that is newer than the index and than a version of it."""
        state = self._states.get(name)
        return state is not None and state.audience is None and state.version > version

    def hidden(self, viewer: Viewer) -> list[str]:
        """Listings of the index that a viewer may not see by what is newer."""
        return [name for audience, names in self._held.items() if not _holds(audience, viewer) for name in names]

    def _mark(self, name: str, audience: Audience | None, *, is_held: bool) -> None:
        if is_held:
            self._held[audience].add(name)
        elif names := self._held.get(audience):
            names.discard(name)
            if not names:
                del self._held[audience]


def _holds(audience: Audience | None, viewer: Viewer) -> bool:
    return audience is not None and audience.holds(viewer)
