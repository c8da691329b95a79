"""How many calls are worked on at once, and how fast the rest is refused 过载保护. Pure: others say what time it is."""

from chassis import metrics

SAMPLE = 0.05
"""Seconds between two looks at the event loop: four or five of them bring the limit from 200 to the floor."""
FLOOR = 32
"""The limit falls no lower. Three for each of the pool's ten connections keep all of them at work, and where PostgreSQL and
the CPU end no more than 60 calls a second, the last of 32 still waits for half a second only."""
LATE = 0.02
"""Seconds by which the event loop may wake up late. A call takes some 15 turns of the loop, and five pass until an acceptor
takes another one: at this lag a call takes 0.3 s of turns, and each acceptor takes no more than ten a second."""
_FALL = 0.7  # share of the calls under way that the limit falls to
_RISE = 1  # calls that a look adds: from the floor to 200 within nine seconds

REFUSALS = 250
"""Refusals a second. One costs half a millisecond of CPU, so that they take an eighth of the one that the event loop has."""
HOLD = 2.0
"""Seconds that a refusal is held back at most: a caller who never waits comes every two seconds, not every millisecond."""


class Limit:
    """The limit of calls under way, between a floor and `most`: additive increase, multiplicative decrease (AIMD).

    The signal is how late the event loop wakes up. Calls that need the CPU make each other slow long before there are `most`
    of them, calls that wait for something else don't. Late, the limit falls to a share of the calls under way, since it is
    these that are too many; in time, it rises step by step, whether or not it is used.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._floor = min(FLOOR, most)
        self._current = float(most)
        self._running = 0
        metrics.RPC_LIMIT.set(most)

    @property
    def current(self) -> int:
        """The limit in force."""
        return int(self._current)

    def is_reached(self) -> bool:
        """Whether there is no room for another call."""
        return self._running >= self.current

    def enter(self) -> bool:
        """Count a call that begins; False where there is no room for it."""
        if self.is_reached():
            return False
        self._running += 1
        metrics.RPC_RUNNING.set(self._running)
        return True

    def leave(self) -> None:
        """Count a call that has ended."""
        self._running -= 1
        metrics.RPC_RUNNING.set(self._running)

    def saw(self, lag: float) -> None:
        """Take in by how many seconds the event loop woke up late, once every `SAMPLE`."""
        if lag > LATE:
            self._current = max(self._floor, min(self._current, self._running) * _FALL)
        else:
            self._current = min(self._most, self._current + _RISE)
        metrics.RPC_LIMIT.set(self.current)


class Pace:
    """Spaces refusals by holding them back, so that callers who come again at once don't take the CPU from those let in."""

    def __init__(self) -> None:
        self._last = 0.0

    def delay(self, now: float, remaining: float | None) -> float:
        """Seconds to hold the next refusal back. `now` is monotonic; `remaining` is what is left to the caller's deadline, of
        which half is kept for the answer.
        """
        self._last = min(max(self._last + 1 / REFUSALS, now), now + HOLD)
        held = self._last - now
        return held if remaining is None else max(0.0, min(held, remaining / 2))
