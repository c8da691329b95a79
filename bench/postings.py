"""Postings in a CSV file or a workbook, and the command line that imports them.

The sample postings (`ALLIANCE_SAMPLE_DATA`), again and again with other keys until there are enough; invented ones without.
"""

import csv
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count as counting
from itertools import islice
from pathlib import Path
from typing import Any

import xlsxwriter

from alliance_local.control import Platform
from tests.world import Member

WORDS = ("Java开发", "数据分析", "软件测试", "嵌入式开发", "前端开发", "运维开发", "产品经理")
_SAMPLE = "data/texts/zh_job_postings_sample.csv.gz"
_UNSTATED = ("district", "city", "headcount", "education", "keywords", "experience", "salary_min_month", "salary_max_month")
_REFUSED = 7  # exit code where some rows were


def write(file: Path, count: int) -> str:
    """Write so many postings; says which they are."""
    data = os.environ.get("ALLIANCE_SAMPLE_DATA")
    chosen = list(islice(_sample(Path(data) / _SAMPLE) if data else _invented(), count))
    lines = [list(chosen[0]), *(list(row.values()) for row in chosen)]
    if file.suffix == ".xlsx":
        book = xlsxwriter.Workbook(str(file), {"strings_to_formulas": False, "strings_to_urls": False})
        sheet = book.add_worksheet()
        for number, line in enumerate(lines):
            sheet.write_row(number, 0, line)
        book.close()
    else:
        with file.open("w", encoding="utf-8", newline="") as opened:
            csv.writer(opened).writerows(lines)
    return "sample postings" if data else "invented postings"


def _sample(file: Path) -> Iterator[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    for again in counting():
        yield from ({**row, "job_id": f"{row['job_id']}-{again}"} for row in rows)


def _invented() -> Iterator[dict[str, str]]:
    for number in counting():
        word = WORDS[number % len(WORDS)]
        told = {"job_id": f"invented-{number}", "title": f"{word}工程师", "description": f"负责{word}工作", "source": "虚构"}
        yield {**told, **dict.fromkeys(_UNSTATED, "")}


def hold(platform: Platform, employer: Member, file: Path, folder: Path) -> dict[str, Any]:
    """Have the command line import a file for an organization; what it says: outcomes by name, and `seconds`."""
    environment = {**os.environ, "ALLIANCE_STATE_DIR": str(platform.state.root), "ALLIANCE_SESSION": str(folder / "session")}

    def alliance(*arguments: str) -> str:
        command = [str(Path(sys.executable).parent / "alliance"), *arguments]
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)  # noqa: S603 - our own
        if done.returncode not in (0, _REFUSED):
            raise RuntimeError(f"{' '.join(arguments)}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        return done.stdout

    alliance("login", employer.caller.sub, "--as", employer.name)
    options = ["--kind", "job_position", "--map", "zh_job_postings", "--receipts", str(folder / "receipts.csv")]
    said: dict[str, Any] = json.loads(alliance("--output", "json", "listing", "import", str(file), *options))
    return said
