"""What people wrote is never a formula, whatever spreadsheet opens it.

In a workbook a text is stored as text, and marked so that it stays one when somebody edits it (as an apostrophe does that is
typed before it). A CSV file can't say what is a text: there an apostrophe stands before it, and is taken off where a table in
our own form comes in again.
"""

import re

_RISKY = re.compile("'*[=+@＝＋－＠\t\r\n-]")


def is_risky(text: str) -> bool:
    """Whether a spreadsheet may take a text for a formula."""
    return _RISKY.match(text) is not None


def guarded(text: str) -> str:
    """The text as a CSV file holds it."""
    return f"'{text}" if is_risky(text) else text


def bare(text: str) -> str:
    """What `guarded` was given."""
    return text[1:] if text.startswith("'") and is_risky(text) else text
