"""Reading a code table out of the package."""

import csv
from functools import cache
from importlib import resources


@cache
def rows(filename: str) -> tuple[dict[str, str], ...]:
    """Rows of ``data/<filename>`` as header → value."""
    text = resources.files("codes").joinpath("data", filename).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def names(filename: str) -> dict[str, str]:
    """Code → name of one table."""
    return {row["code"]: row["name"] for row in rows(filename)}
