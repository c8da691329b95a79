"""Named crash points, for tests of what a crash leaves behind: `ALLIANCE_CRASH_AT=name[:nth time]`.

Off, a point costs one comparison with None.
"""

import os

_name, _, _times = os.environ.get("ALLIANCE_CRASH_AT", "").partition(":")
_armed: str | None = _name or None
_left = int(_times or 1)


def crash_point(name: str) -> None:
    """End the process at once, as `kill -9` would, if this point is armed and its turn has come."""
    global _left
    if _armed is None or _armed != name:
        return
    _left -= 1
    if _left <= 0:
        os._exit(137)
