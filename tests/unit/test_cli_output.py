"""What a command does where nobody reads what it prints."""

import os
import subprocess
import sys

import pytest

_TRIED = """
from alliance.registry.v1.organization_pb2 import Organization
from alliance_cli import errors, main, output

def shown(rows: int) -> None:
    output.show([Organization(display_name="虚构示例")] * rows, (("名称", "name", lambda one: one.display_name),))

def told(rows: int) -> None:
    errors.fail(errors.REFUSED, "不可以")

main._COMMANDS |= {"shown": "__main__:shown", "told": "__main__:told"}
main.app()
"""


def _ended(stream: str, *arguments: str, is_read: bool) -> tuple[int, bytes]:
    """The exit code where one stream is read, or who reads it has gone; and what the other one got."""
    reads, writes = os.pipe()
    if not is_read:
        os.close(reads)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | {stream: writes}
    with subprocess.Popen([sys.executable, "-c", _TRIED, *arguments], **streams) as begun:  # type: ignore[call-overload]
        os.close(writes)
        if is_read:
            with os.fdopen(reads, "rb") as opened:
                assert opened.read()
        out, err = begun.communicate(timeout=60)
    return begun.returncode, err if stream == "stdout" else out


@pytest.mark.parametrize("output", ["json", "table"])
@pytest.mark.parametrize("rows", ["1", "2000"])  # within what Python keeps back until the end, and beyond
def test_a_command_whose_reader_has_gone_ends_as_by_sigpipe_without_a_word(output: str, rows: str) -> None:
    said = ("--output", output, "shown", rows)
    assert _ended("stdout", *said, is_read=True) == (0, b"")
    assert _ended("stdout", *said, is_read=False) == (141, b"")


def test_a_refusal_whose_reader_has_gone_ends_so_too() -> None:
    assert _ended("stderr", "told", "1", is_read=True) == (5, b"")
    assert _ended("stderr", "told", "1", is_read=False) == (141, b"")
