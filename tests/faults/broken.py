"""The chassis, broken on purpose: each variant gives up one thing that an invariant rests on; the checker has to see it."""

from collections.abc import Callable

VARIANTS: dict[str, Callable[[], None]] = {}
