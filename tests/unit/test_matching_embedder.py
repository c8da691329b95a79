"""The embedder in a process of its own: what it answers, and that it is replaced when it ends."""

import asyncio
import json
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
from matching.meanings import Asking

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


async def test_one_that_was_begun_with_keeps_no_search_waiting(child: Child) -> None:
    asking = Asking(child, Bundled.size)
    await asking.begin()
    began = asyncio.get_running_loop().time()
    assert await asking.of("数据分析") == await asking.of("数据分析") != b""
    assert asyncio.get_running_loop().time() - began < 0.6, "the child had been started"


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


async def _settled(before: set[asyncio.Task[object]]) -> None:
    """Until what was begun since has ended; other tests may have left tasks that go on."""
    if begun := asyncio.all_tasks() - before:
        await asyncio.wait(begun, timeout=30)
    await asyncio.sleep(0)  # for what is called once they are done


async def test_an_error_that_a_search_did_not_wait_for_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    of_another_size, before = Child("", Bundled.size - 1), asyncio.all_tasks()
    try:
        assert await Asking(of_another_size, Bundled.size - 1).of("数据分析") == b"", "the child has just been started"
        assert "late" not in caplog.text
        await _settled(before)
        assert "late" in caplog.text
    finally:
        of_another_size._end()


async def test_the_end_of_the_child_is_said_by_the_child_alone(child: Child, caplog: pytest.LogCaptureFixture) -> None:
    before = asyncio.all_tasks()
    assert await Asking(child, Bundled.size).of("数据分析") == b"", "the child has just been started"
    os.kill(pid(child), signal.SIGKILL)
    await _settled(before)
    assert "the child ended" in caplog.text
    assert "late" not in caplog.text


def test_it_ends_without_a_word_where_nobody_takes_its_answer() -> None:
    """As when the service is killed while it waits."""
    question = json.dumps(["数据分析"]).encode()
    started = subprocess.Popen(
        [sys.executable, "-m", "matching.embedder", ""],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert started.stdout
    started.stdout.close()
    started.stdout = None
    _, said = started.communicate(len(question).to_bytes(4, "little") + question, timeout=60)
    assert (started.returncode, said) == (0, b"")


def test_it_ends_with_whoever_started_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "matching.embedder", ""],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=30,
        check=True,
    )
    assert done.stdout == b""
