"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def part_of(file: Path) -> Path:
    """Where a file is written until it is whole, beside it. Raises OSError where nothing can be written there."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    part.open("xb").close()  # before any work is done for it
    part.unlink()
    return part


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """Where to write a file: what was there before stays there until the end, and for good where that fails.

    Raises OSError at once where nothing can be written there. A device or a pipe is written as it is.
    """
    file = file.resolve()
    if file.exists() and not file.is_file():
        yield file
        return
    part = part_of(file)
    try:
        yield part
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
