"""What a post may not ask of those who apply (`codes.protected`): it is taken in, and its issuer is told."""

from collections.abc import Iterable, Iterator

from codes import protected
from codes.protected import Demand
from listings.domain.names import Kind

_POSTS = frozenset({Kind.JOB_POSITION, Kind.INTERNSHIP, Kind.TALENT_DEMAND, Kind.TEACHER_POST, Kind.PRACTICE_PROJECT})


def unfair(kind: int, texts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Demand]]:
    """Field and demand, for the texts (field, text) of a listing of a kind that asks for people."""
    if kind in _POSTS:
        for field, text in texts:
            yield from ((field, demand) for demand in protected.demands(text))
