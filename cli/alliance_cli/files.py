"""Files that are there whole or not at all."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
"""What is wrong where no more can be written; the system does not say of which file."""


def scratch() -> str:
    """The folder of scratch files; the variable TMPDIR names another one."""
    return tempfile.gettempdir()


@contextmanager
def full_told_of(file: Path | str) -> Iterator[None]:
    """Whatever is written meanwhile goes to a file: where that holds no more, the error says which one it is."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in FULL:
            error.filename = str(file)
        raise


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """Where to write a file: what was there before stays there until the end, and for good where that fails.

    Raises OSError of the file, at once where nothing can be written there. A device or a pipe is written as it is.
    """
    if file.exists() and not file.is_file():
        yield file
        return
    file = file.resolve()
    part: Path | None = None
    try:
        part = _part_of(file)
        with full_told_of(file):
            yield part
        part.replace(file)
    except OSError as error:
        if part is None or error.filename == str(part):
            error.filename = str(file)
        raise
    finally:
        if part:
            part.unlink(missing_ok=True)


def _part_of(file: Path) -> Path:
    """A new file beside it, which may be read by whom it may."""
    if file.exists():
        file.open("ab").close()  # one that is not to be written stays as it is
    number, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=file.parent)
    os.close(number)
    part = Path(name)
    try:
        if file.exists():
            shutil.copymode(file, part)
        else:
            part.chmod(0o666 & ~_umask())
    except OSError:
        part.unlink()
        raise
    return part


def _umask() -> int:
    now = os.umask(0o077)
    os.umask(now)
    return now
