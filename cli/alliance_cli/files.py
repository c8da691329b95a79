"""Files that are there whole or not at all."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter, FileIO
from pathlib import Path
from typing import Any, cast

FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
"""What is wrong where no more can be written; the system does not say of which file."""


def scratch() -> str:
    """The folder of scratch files; the variable TMPDIR names another one. Raises OSError where none takes any."""
    try:
        return tempfile.gettempdir()
    except FileNotFoundError as error:  # it tried to write to each that there is, and names none
        named = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108
        raise OSError(why := _why_not(named), os.strerror(why), named) from error


def _why_not(folder: str) -> int:
    """What is wrong with a folder that takes no scratch file; where it has come to take some, that there was no space."""
    try:
        with tempfile.TemporaryFile(dir=folder) as tried:
            tried.write(b"blat")  # as tempfile does: a full one may still take names
    except OSError as error:
        return error.errno or errno.ENOSPC
    return errno.ENOSPC


def is_scratch(file: str) -> bool:
    """Whether an error that names this is of the folder of scratch files."""
    try:
        return file == scratch()
    except OSError as error:
        return file == str(error.filename)


@contextmanager
def full_told_of(file: Path | str, inside: str | None = None) -> Iterator[None]:
    """Whatever is written meanwhile goes to a file: where that holds no more, the error says which one it is.

    It is told for what lies inside a folder, too, as for scratch files, whose names nobody knows.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL and (error.filename is None or _lies_in(inside, error.filename)):
            error.filename = str(file)
        raise


def _lies_in(folder: str | None, name: object) -> bool:
    return folder is not None and isinstance(name, str) and Path(name).is_relative_to(folder)


def written(file: Path) -> BufferedWriter:
    """A file to be written anew; where it holds no more, the error says which one it is, also one that comes at its end."""
    return BufferedWriter(_Named(str(file), "w"))


def renamed(writer: BufferedWriter, file: Path) -> None:
    """What is written goes to the file of that name by now."""
    cast(_Named, writer.raw).name = str(file)


class _Named(FileIO):
    def write(self, content: Any) -> int:
        with full_told_of(self.name):
            return super().write(content)

    def close(self) -> None:
        with full_told_of(self.name):
            super().close()


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
