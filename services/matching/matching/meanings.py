"""The meanings of passages: kept in the database by the hash of their texts, so that nothing is embedded twice, by no replica
and after no restart; what is not kept is embedded by the child.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from chassis.database import Database
from matching import store
from matching.domain import text
from matching.domain.passage import MEANT, Passage
from matching.embedder import EmbedderGoneError
from matching.embedding import Vectors, key_of, meanings, texts_of

log = logging.getLogger(__name__)
_PATIENCE = 0.3  # seconds that a search waits for what it means
_LONGER = 5.0  # seconds that an answer waits for what texts would mean; a child starts in one or two of them
_ANY = "一"  # a text to begin with
_AT_ONCE = 32  # passages that are embedded together: as many as others may have to wait for
_TRIES = 3
_OTHERS = 0.3  # seconds that another replica has for its part, after this one has done its own
_LOOK = 0.05  # seconds between looks at what others have embedded


class Embedding(Protocol):
    """See `embedder.Child`."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """A row for each text; raises `EmbedderGoneError`."""


class Asking:
    """What a search means, or a text that might be written, by a child of its own: nobody waits while an import's texts are
    embedded. Nothing is kept.
    """

    def __init__(self, by: Embedding, size: int) -> None:
        self._by = by
        self._size = size

    async def begin(self) -> None:
        """Have the child started, so that nobody waits for that."""
        with suppress(EmbedderGoneError):  # the child says why; the next one to ask starts another
            await self._by.embed([_ANY])

    async def of(self, query: str) -> bytes:
        """The vector of a query; empty where it has no word, or where none is there soon (the child has just been started)."""
        passage = Passage.of(query[:MEANT], "")
        if not text.words(query) or not (texts := texts_of([passage])):
            return b""
        rows = await self._soon(texts, _PATIENCE)
        return b"" if rows is None else meanings([passage], dict(zip(texts, rows, strict=True)), self._size).tobytes()

    async def of_texts(self, passages: Sequence[Passage]) -> list[bytes] | None:
        """A vector for each of some passages that nobody has published; None where there are none in time."""
        if not (texts := texts_of(passages)):
            return [b""] * len(passages)
        rows = await self._soon(texts, _LONGER)
        if rows is None:
            return None
        return [row.tobytes() for row in meanings(passages, dict(zip(texts, rows, strict=True)), self._size)]

    async def _soon(self, texts: list[str], patience: float) -> Vectors | None:
        """A row for each text; None where there are none in so many seconds."""
        asked = asyncio.create_task(self._by.embed(texts))
        done, _ = await asyncio.wait({asked}, timeout=patience)
        if not done:
            asked.add_done_callback(_late)
            return None
        return None if _failed(asked) else asked.result()


def _failed(asked: "asyncio.Task[Vectors]") -> bool:
    """Whether there is no answer; the child says why."""
    return asked.cancelled() or isinstance(asked.exception(), EmbedderGoneError)


def _late(asked: "asyncio.Task[Vectors]") -> None:
    """Nobody waits for it any more: what goes wrong but for the child's end would be heard of by nobody."""
    if not _failed(asked) and (error := asked.exception()):
        log.error("meanings: a search's meaning came to an error, late", exc_info=error)


class Meanings:
    """One vector a passage."""

    def __init__(self, by: Embedding, model: str, size: int, database: Database, falls_here: Callable[[bytes], bool]) -> None:
        """`falls_here`: which keys this replica embeds, where there are several."""
        self._by = by
        self._model = model
        self._size = size
        self._database = database
        self._falls_here = falls_here

    async def of(self, passages: Sequence[Passage]) -> list[bytes]:
        """A vector for each passage; one that can't be embedded means nothing. Raises `Unavailable`."""
        keys = [key_of(self._model, passage) for passage in passages]
        known = await self._kept(set(keys))
        missing = {key: one for key, one in zip(keys, passages, strict=True) if key not in known}
        known |= await self._made({key: one for key, one in missing.items() if self._falls_here(key)})
        rest = missing.keys() - known.keys()
        waited = 0.0
        while rest and waited < _OTHERS:
            await asyncio.sleep(_LOOK)
            waited += _LOOK
            known |= await self._kept(rest)
            rest -= known.keys()
        known |= await self._made({key: missing[key] for key in rest})
        return [known[key] for key in keys]

    async def _kept(self, keys: set[bytes]) -> dict[bytes, bytes]:
        async with self._database.alone() as sql:
            return await store.vectors(sql, keys)

    async def _made(self, passages: dict[bytes, Passage]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        pairs = list(passages.items())
        for start in range(0, len(pairs), _AT_ONCE):
            some = dict(pairs[start : start + _AT_ONCE])
            made = await self._embedded(some)
            async with self._database.alone() as sql:
                await store.keep_vectors(sql, made)
            found |= {key: made.get(key, bytes(self._size)) for key in some}
        return found

    async def _embedded(self, passages: dict[bytes, Passage]) -> dict[bytes, bytes]:
        """Vectors of those that can be embedded: where the child ends again and again, each is tried alone."""
        texts = texts_of(passages.values())
        for _ in range(_TRIES):
            try:
                rows = dict(zip(texts, await self._by.embed(texts), strict=True)) if texts else {}
            except EmbedderGoneError:
                continue
            made = meanings(list(passages.values()), rows, self._size)
            return {key: row.tobytes() for key, row in zip(passages, made, strict=True)}
        if len(passages) == 1:
            log.error("meanings: a passage that can't be embedded")
            return {}
        alone = [await self._embedded({key: one}) for key, one in passages.items()]
        return {key: vector for found in alone for key, vector in found.items()}
