"""The embedder in a process of its own, so that nobody waits while a text becomes a vector: `python -m matching.embedder`.

Over pipes, in frames of a length in 4 bytes and so many bytes: the texts as JSON one way, the vectors as numbers of 4 bytes
the other. The child ends when its standard input does, so that it never outlives the service, however that ends.
"""

import asyncio
import json
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from typing import IO

import numpy as np

from matching.embedding import Vectors, embedder

log = logging.getLogger(__name__)
_LENGTH = 4  # bytes
_PAUSE = 1.0  # seconds before a child that ended is replaced
_ANSWER = 60.0  # seconds that it may take, the start among them; 64 texts take half a second of its own


class EmbedderGoneError(Exception):
    """The child ended, or could not embed what it was given."""


class Child:
    """The child, started when it is first asked, and anew when it has ended."""

    def __init__(self, folder: str, size: int) -> None:
        """`folder`: see `embedding.embedder`; `size`: numbers of a vector."""
        self._folder = folder
        self._size = size
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """A row for each text. Raises `EmbedderGoneError`; then the next call starts another child."""
        async with self._turn:
            process = await self._running()
            done = False
            try:
                async with asyncio.timeout(_ANSWER):
                    found = await _asked(process, json.dumps(list(texts)).encode())
                done = True
            except (OSError, RuntimeError, asyncio.IncompleteReadError) as error:  # TimeoutError and a closed pipe among them
                log.error(
                    "embedder: the child ended, or does not answer", extra={"code": process.returncode, "texts": len(texts)}
                )
                await asyncio.sleep(_PAUSE)
                raise EmbedderGoneError from error
            finally:
                if not done:  # also when cancelled: the next answer would be to this question
                    self._end()
        return np.frombuffer(found, np.float32).reshape(len(texts), self._size)

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            command = (sys.executable, "-m", "matching.embedder", self._folder)
            alone = {
                **os.environ,
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
            }  # more would cost the others their time
            self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=alone)
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()


async def _asked(process: Process, question: bytes) -> bytes:
    if process.stdin is None or process.stdout is None:
        raise OSError("no pipes")
    process.stdin.write(len(question).to_bytes(_LENGTH, "little") + question)
    await process.stdin.drain()
    length = int.from_bytes(await process.stdout.readexactly(_LENGTH), "little")
    return await process.stdout.readexactly(length)


def serve(folder: str, given: IO[bytes], answers: IO[bytes]) -> None:
    """Embed what comes until nothing comes any more."""
    by = embedder(folder)
    by.embed(["一"])  # loads the model before the first is waited for
    while length := given.read(_LENGTH):
        texts = json.loads(given.read(int.from_bytes(length, "little")))
        found = np.ascontiguousarray(by.embed(texts), np.float32).tobytes()
        answers.write(len(found).to_bytes(_LENGTH, "little") + found)
        answers.flush()


def main() -> None:
    """Serve whoever started this process; one that ended while a text became a vector needs no answer."""
    try:
        serve(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is buffered still is written at the end


if __name__ == "__main__":
    main()
