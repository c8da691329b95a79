"""The parts beneath a world, PostgreSQL and Kafka without any service, each way that a fault needs them."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from alliance_local.control import Platform, temporary

_ALONE = {"ALLIANCE_LOCAL_SERVICES": "", "ALLIANCE_LOCAL_PROXY": "1"}
_SMALL = {"log": 96, "wal": 64}  # MiB


@contextmanager
def one(root: Path) -> Iterator[Platform]:
    """One broker, which can be reached through a proxy."""
    with temporary(root, print, sinks=False, **_ALONE) as platform:
        yield platform


@contextmanager
def three(root: Path) -> Iterator[Platform]:
    """Three brokers, of which two have to have a record."""
    with temporary(root, print, sinks=False, ALLIANCE_LOCAL_SERVICES="", ALLIANCE_LOCAL_BROKERS="3") as platform:
        yield platform


@contextmanager
def small_log(root: Path) -> Iterator[Platform]:
    """One broker whose log directory is a disk of its own, and a small one."""
    folder = log_folder(root)
    folder.mkdir(parents=True)
    with _disk(folder, _SMALL["log"]), one(root) as platform:
        yield platform


@contextmanager
def small_wal(root: Path) -> Iterator[Platform]:
    """A database whose write-ahead log is on a disk of its own, and a small one."""
    with one(root):
        pass  # makes the database
    folder = wal_folder(root)
    aside = folder.with_name("pg_wal.aside")
    folder.rename(aside)
    folder.mkdir()
    with _disk(folder, _SMALL["wal"]):
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        owner = aside.stat()
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)
        folder.chmod(0o700)
        with one(root) as platform:
            yield platform


@contextmanager
def services(root: Path) -> Iterator[Platform]:
    """The five services, on one broker."""
    with temporary(root, print, sinks=False) as platform:
        yield platform


PARTS: dict[str, Callable[[Path], AbstractContextManager[Platform]]] = {
    "one": one,
    "three": three,
    "services": services,
    "small-log": small_log,
    "small-wal": small_wal,
}
"""The platforms, by name."""
USED_UP = ("small-log", "small-wal", "services")
"""Those that a scenario leaves different from how it found them."""


def log_folder(root: Path) -> Path:
    """Kafka's."""
    return root / "kafka" / "data"


def wal_folder(root: Path) -> Path:
    """PostgreSQL's."""
    return root / "postgres" / "data" / "pg_wal"


@contextmanager
def _disk(folder: Path, mib: int) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def grow(folder: Path, mib: int) -> None:
    """Make a small disk larger while it is used."""
    subprocess.run(["mount", "-o", f"remount,size={mib}m", folder], check=True)


def lacks(*tools: str) -> str:
    """What a fault that needs root and these tools lacks here; "" for nothing."""
    if os.geteuid():
        return "needs root"
    return ", ".join(f"needs {tool}" for tool in tools if not shutil.which(tool))
