"""Ports: those of the last start where they are free, else free ones; `ALLIANCE_PORT_<PART>` fixes one."""

import os
import secrets
import socket
from collections.abc import Iterable

from alliance_local.state import State

_BELOW = range(20_000, 32_768)


class PortTakenError(Exception):
    """A port that the user fixed is taken."""


def assign(state: State, parts: Iterable[str]) -> dict[str, int]:
    """A port for every part; written to `ports.json`. Raises `PortTakenError`."""
    kept = state.read("ports.json")
    named = list(parts)
    chosen = _fixed(named)
    for part in named:
        if part in chosen:
            continue
        port = int(kept.get(part, 0))
        while not port or port in chosen.values() or not _free(port):
            port = _any()
        chosen[part] = port
    state.write("ports.json", kept | chosen)  # a part that is not started now has its port again next time
    return chosen


def _fixed(parts: Iterable[str]) -> dict[str, int]:
    """The ports that the user fixed; no other part may get one of them. Raises `PortTakenError`."""
    found: dict[str, int] = {}
    for part in parts:
        variable = f"ALLIANCE_PORT_{part.upper()}"
        if not (fixed := os.environ.get(variable)):
            continue
        if not fixed.isdecimal() or not 0 < int(fixed) < 65536:
            raise PortTakenError(f"{variable}={fixed} 不是端口号（1–65535） · {variable}={fixed} is no port (1–65535)")
        if int(fixed) in found.values() or not _free(int(fixed)):
            raise PortTakenError(
                f"端口 {fixed}（由 {variable} 指定）已被占用，请换一个或去掉该变量 · "
                f"port {fixed} (set by {variable}) is taken: choose another or unset it"
            )
        found[part] = int(fixed)
    return found


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _any() -> int:
    """A port that nobody has now, and that no outgoing connection gets before its part listens: systems draw theirs above."""
    while not _free(port := secrets.choice(_BELOW)):
        pass
    return port
