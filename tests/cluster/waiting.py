"""Waiting for what a cluster brings about by itself."""

import time
from collections.abc import Callable

_PATIENCE = 180.0  # seconds
_LOOK = 1.0  # seconds


def becomes(look: Callable[[], object], patience: float = _PATIENCE) -> None:
    """Look until it is so. Raises TimeoutError where it does not become so."""
    if not within(patience, look):
        raise TimeoutError(f"not so after {patience:.0f} s")


def within(seconds: float, look: Callable[[], object]) -> bool:
    """Whether it becomes so in that time."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK)
    return True
