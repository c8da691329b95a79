"""What goes on is told once, and again after a while, in place of a line for each look."""

from time import monotonic


class Told:
    """What was told last of one trouble."""

    def __init__(self, repeat: float = 60.0) -> None:
        """`repeat`: seconds after which the same is told again."""
        self._repeat = repeat
        self._what: object = None
        self._at = 0.0

    def is_due(self, what: object) -> bool:
        """Whether it is another than before, or as long ago; it counts as told then."""
        if what == self._what and monotonic() - self._at < self._repeat:
            return False
        self._what, self._at = what, monotonic()
        return True

    def over(self) -> None:
        """It is mended: what comes next is new."""
        self._what = None
