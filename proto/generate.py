"""Generate everything that follows from the contracts into ``proto/gen``.

``python proto/generate.py`` writes; ``--check`` writes into a scratch folder and names what differs.
Out come: Python code and typed stubs, ``descriptors.binpb`` (the whole descriptor set with comments' source
info left out), ``topics.yaml`` beside the code for the services to read, and ``asyncapi.yaml`` for those who subscribe.
"""

from __future__ import annotations

import argparse
import filecmp
import shutil
import sys
import tempfile
from pathlib import Path

import asyncapi
import grpc_tools
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"


def generate(target: Path) -> None:
    """Write all generated files below ``target`` (a stand-in for ``proto/gen``)."""
    sources = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "alliance").rglob("*.proto"))
    target.mkdir(parents=True, exist_ok=True)
    package = target / "alliance"
    package.mkdir(exist_ok=True)
    arguments = [
        "protoc",
        *(f"--plugin={BIN / name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")),
        f"-I{ROOT}",
        f"-I{WELL_KNOWN}",
        f"--python_out={target}",
        f"--mypy_out=quiet:{target}",
        f"--mypy_grpc_out=quiet:{target}",
        f"--descriptor_set_out={package / 'descriptors.binpb'}",
        "--include_imports",
        f"--grpc_python_out={target}",
        *sources,
    ]
    if protoc.main(arguments) != 0:
        raise SystemExit("protoc failed")
    for folder in [package, *(path for path in package.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").touch()
    (package / "py.typed").touch()
    shutil.copyfile(ROOT / "topics.yaml", package / "topics.yaml")
    asyncapi.write(ROOT / "topics.yaml", package / "descriptors.binpb", package / "asyncapi.yaml")


def differences(left: Path, right: Path) -> list[str]:
    """Relative paths that are missing on one side or differ."""
    names = {
        str(path.relative_to(side))
        for side in (left, right)
        for path in (side / "alliance").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return sorted(
        name
        for name in names
        if not ((left / name).exists() and (right / name).exists())
        or not filecmp.cmp(left / name, right / name, shallow=False)
    )


def main() -> int:
    """Entry point; exits 1 where ``--check`` finds drift."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; name what is out of date")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        generate(fresh)
        stale = differences(fresh, ROOT / "gen")
        if check:
            for name in stale:
                print(f"out of date: proto/gen/{name} (run `make proto`)")
            return 1 if stale else 0
        shutil.rmtree(ROOT / "gen" / "alliance", ignore_errors=True)
        shutil.copytree(fresh / "alliance", ROOT / "gen" / "alliance")
    print(f"{len(stale)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
