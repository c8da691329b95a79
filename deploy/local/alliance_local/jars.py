"""Kafka's jars from Maven Central, without Maven; each has to have the checksum that `kafka-jars.sha256` pins."""

import fcntl
import hashlib
import shutil
from pathlib import Path

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1+org.slf4j:slf4j-simple:2.0.17"
PINNED = Path(__file__).resolve().parents[1] / "kafka-jars.sha256"


class WrongJarError(Exception):
    """A jar that is not the pinned one."""


def classpath(cache: Path) -> str:
    """The class path; downloads what the cache does not hold. Raises `WrongJarError`."""
    folder = cache / "kafka-jars"
    pinned = _pinned()
    if any(not (folder / name).exists() for name in pinned):
        _download(cache, folder)
    for name, checksum in pinned.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != checksum:
            raise WrongJarError(
                f"{folder / name} 与固定的校验和不符，请删除后重试 · "
                f"{folder / name} has not the pinned checksum: delete it and try again"
            )
    return ":".join(str(folder / name) for name in pinned)


def _pinned() -> dict[str, str]:
    lines = PINNED.read_text(encoding="utf-8").splitlines()
    return {name: checksum for checksum, name in (line.split() for line in lines)}


def _download(cache: Path, folder: Path) -> None:
    import jgo  # slow to import, and needed once a checkout

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another platform of this checkout may be at it: it waits, and finds them
        for jar in jgo.build(KAFKA, cache_dir=cache / "jgo").all_jars:
            if not (folder / jar.name).exists():
                scratch = folder / f"{jar.name}.tmp"
                shutil.copyfile(jar, scratch)
                scratch.replace(folder / jar.name)
