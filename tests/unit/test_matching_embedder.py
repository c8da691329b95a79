"""The embedder in a process of its own: what it answers, and that it is replaced when it ends."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator

import numpy as np
import pytest

from matching import embedder
from matching.embedder import Child, EmbedderGoneError
from matching.embedding import Bundled

TEXTS = ["数据分析", "data analysis", "护理"]


@pytest.fixture
async def child(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Child]:
    """One that is ended with the test."""
    monkeypatch.setattr(embedder, "_PAUSE", 0.01)
    made = Child("", Bundled.size)
    yield made
    made._end()


def pid(child: Child) -> int:
    """Of the child's process."""
    assert child._process
    return child._process.pid


async def test_it_answers_as_the_encoder_does(child: Child) -> None:
    rows = await child.embed(TEXTS)
    assert rows == pytest.approx(Bundled().embed(TEXTS), abs=1e-5)
    first = pid(child)
    many = await asyncio.gather(*(child.embed([text]) for text in TEXTS * 5))
    assert np.concatenate(many) == pytest.approx(np.tile(rows, (5, 1)), abs=1e-5)
    assert pid(child) == first


async def test_one_that_ended_is_replaced(child: Child) -> None:
    rows = await child.embed(TEXTS)
    os.kill(pid(child), signal.SIGKILL)
    with pytest.raises(EmbedderGoneError):
        await child.embed(TEXTS)
    assert (await child.embed(TEXTS)) == pytest.approx(rows, abs=1e-6)


async def test_who_gave_up_waiting_leaves_no_answer_to_others(child: Child) -> None:
    rows = await child.embed(TEXTS)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await child.embed(["数据分析" * 60] * 50)
    assert (await child.embed(TEXTS)) == pytest.approx(rows, abs=1e-6)


def test_it_ends_with_whoever_started_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "matching.embedder", ""],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=30,
        check=True,
    )
    assert done.stdout == b""
