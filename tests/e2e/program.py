"""The program `alliance` in a process a call, and files for it to import."""

import csv
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from typer.testing import CliRunner

from alliance_cli import importing, naming, output, stubs
from alliance_cli.main import app
from alliance_cli.session import context
from alliance_local.control import Platform

DONE, USAGE, NOT_FOUND, NOT_ALLOWED, REFUSED, AWAY, PARTLY = 0, 2, 3, 4, 5, 6, 7
USUAL = {
    "job_id": "",
    "title": "封装工程师",
    "description": "负责封装",
    "district": "",
    "city": "北京",
    "education": "本科",
    "headcount": "2",
    "keywords": "封装，热仿真",
    "experience": "",
    "salary_min_month": "",
    "salary_max_month": "",
    "source": "虚构",
}
HEADINGS = tuple(USUAL)
_PROGRAM = str(Path(sys.executable).parent / "alliance")
IMPORT = ("--kind", "job_position", "--map", "zh_job_postings")


class Alliance:
    """The program, with a session of its own."""

    def __init__(self, platform: Platform, folder: Path, session: str = "session.json") -> None:
        self.folder = folder
        self.session = folder / session
        self._environment = {
            **os.environ,
            "ALLIANCE_STATE_DIR": str(platform.state.root),
            "ALLIANCE_SESSION": str(self.session),
        }

    def __call__(self, *arguments: str, code: int = DONE, **environment: str) -> str:
        """What it prints; stderr where it fails, as it has to with `code`."""
        done = subprocess.run(
            [_PROGRAM, *arguments],
            env={**self._environment, **environment},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if code in (DONE, PARTLY) else done.stderr

    def begun(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """The program under way."""
        return subprocess.Popen([_PROGRAM, *arguments], env=self._environment, cwd=self.folder, stdout=subprocess.DEVNULL)

    def json(self, *arguments: str) -> Any:
        """What it prints, as data."""
        return json.loads(self("--output", "json", *arguments))

    def receipts(self, file: Path, *options: str, code: int = DONE, how: Sequence[str] = IMPORT) -> list[dict[str, str]]:
        """What became of every row of an imported file."""
        self("listing", "import", str(file), *how, *options, code=code)
        with Path(f"{file}.receipts.csv").open(encoding="utf-8-sig", newline="") as opened:
            return list(csv.DictReader(opened))


class Here(Alliance):
    """The program in this process: the same code without the half second that a process takes, for tests of many calls."""

    def __call__(self, *arguments: str, code: int = DONE, **environment: str) -> str:
        """See `Alliance`."""
        before = vars(context).copy()
        for kept in (one for module in (stubs, naming, importing) for one in vars(module).values()):
            if hasattr(kept, "cache_clear"):
                kept.cache_clear()  # a process knows nothing of the one before
        for console in (output.console, output.errors):
            console.width = output._PIPED_WIDTH  # also where pytest itself is at a terminal
        with chdir(self.folder):
            done = CliRunner().invoke(app, arguments, env={**self._environment, **environment})
        vars(context).update(before)
        assert done.exit_code == code, f"{done.exit_code}\n{done.stdout}\n{done.stderr}\n{done.exception!r}"
        return done.stdout if code in (DONE, PARTLY) else done.stderr


def rows(*changes: dict[str, str]) -> list[dict[str, str]]:
    """Postings that differ in these columns."""
    return [{**USUAL, "job_id": f"p-{number}", **one} for number, one in enumerate(changes)]


def written(file: Path, content: list[dict[str, str]]) -> Path:
    """A file in the form that its name says."""
    if file.suffix == ".xlsx":
        book = Workbook()
        for line in (HEADINGS, *(tuple(row.values()) for row in content)):
            book.active.append(line)  # type: ignore[union-attr]
        book.save(file)
        return file
    with gzip.open(file, "wt") if file.suffix == ".gz" else file.open("w", encoding="utf-8-sig") as opened:
        writer = csv.DictWriter(opened, HEADINGS)
        writer.writeheader()
        writer.writerows(content)
    return file
