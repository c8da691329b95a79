"""A proxy between the nodes and one part, on a TCP port or a unix socket: it delays, drips, cuts, swallows and alters.

What it does can be changed at any time and then holds for connections that are there already, too. Kafka's it passes in whole
frames, so that requests of one kind can be swallowed and answers be altered.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET

FETCH, PRODUCE = 1, 0
"""Kinds of Kafka requests."""
Place = Path | tuple[str, int]
"""A unix socket, or host and port."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_PIECE = 64 * 1024  # bytes read at once
_BEAT = 0.01  # seconds between two drops of a drip


class _Line:
    """One connection through the proxy."""

    def __init__(self, node: Streams, part: Streams) -> None:
        self.node = node
        self.part = part
        self.is_dead = False
        self.ended = asyncio.Event()
        self.answered = 0
        """Bytes of answers since the proxy began to cut."""
        self.cut_after = 0
        """After how many bytes of answers it is reset; 0 for not chosen yet."""
        self.kinds: dict[int, int] = {}
        """Correlation id → kind of a Kafka request that is not answered yet."""

    def close(self) -> None:
        """End both sides, in order."""
        for _, writer in (self.node, self.part):
            with suppress(OSError):
                writer.close()

    def reset(self) -> None:
        """End both sides as if one had crashed: TCP sends RST, once."""
        self.ended.set()
        for _, writer in (self.node, self.part):
            sock = writer.get_extra_info("socket")
            with suppress(OSError):
                sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class Proxy:
    """Listens at one place for a part that is at another."""

    def __init__(self, part: Place, place: Place, *, kafka: bool = False) -> None:
        self._part = part
        self._place = place
        self._kafka = kafka
        self._lines: set[_Line] = set()
        self._servers: list[asyncio.Server] = []
        self.delay = 0.0
        """Seconds that every piece takes longer, each way."""
        self.drip = 0
        """Bytes that pass every 10 ms, each way; 0 for all at once."""
        self.cut: Callable[[], int] | None = None
        """Chooses after how many bytes of answers from now on a connection is reset."""
        self.swallowed: set[int] = set()
        """Kinds of Kafka requests that never arrive."""
        self.altered: Callable[[int, bytes], bytes] | None = None
        """What becomes of the answer to a Kafka request of some kind, a whole frame."""

    async def start(self) -> None:
        """Listen."""
        await self.listen(self._place)

    async def listen(self, place: Place) -> None:
        """Listen at one more place."""
        if isinstance(place, Path):
            self._servers.append(await asyncio.start_unix_server(self._passed, place))
        else:
            self._servers.append(await asyncio.start_server(self._passed, *place))

    def stop(self) -> None:
        """Stop listening, and end every connection."""
        for server in self._servers:
            server.close()
        self.reset()

    def reset(self) -> None:
        """Reset every connection."""
        for line in list(self._lines):
            line.reset()

    def swallow(self) -> None:
        """Let nothing pass on the connections that there are, either way, and never say so: half-open ones. New ones work."""
        for line in self._lines:
            line.is_dead = True

    async def _passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            part = await _connected(self._part)
        except OSError:
            writer.close()
            return
        line = _Line((reader, writer), part)
        self._lines.add(line)
        try:
            await asyncio.gather(self._pumped(line, self._up), self._pumped(line, self._down))
        finally:
            self._lines.discard(line)

    async def _pumped(self, line: _Line, pump: Callable[[_Line], Awaitable[None]]) -> None:
        """Pass on what comes from one side until it ends; that ends both, unless the line is dead: nobody hears of it then."""
        with suppress(OSError):
            await pump(line)
        if line.is_dead:
            await line.ended.wait()
        line.close()

    async def _up(self, line: _Line) -> None:
        async for piece in self._pieces(line, line.node[0]):
            if self._kafka:
                kind, number = _kind(piece)
                if kind in self.swallowed:
                    continue
                line.kinds[number] = kind
            await self._pass(line, piece, line.part[1])

    async def _down(self, line: _Line) -> None:
        async for piece in self._pieces(line, line.part[0]):
            if self.cut:
                line.cut_after = line.cut_after or self.cut()
                if line.answered + len(piece) > line.cut_after:
                    line.node[1].write(piece[: line.cut_after - line.answered])
                    await asyncio.sleep(_BEAT)  # the node has it before the end
                    line.reset()
                    return
                line.answered += len(piece)
            await self._pass(line, self._answer(line, piece), line.node[1])

    def _answer(self, line: _Line, piece: bytes) -> bytes:
        kind = line.kinds.pop(int.from_bytes(piece[4:8], "big"), None) if self._kafka else None
        return piece if kind is None or self.altered is None else self.altered(kind, piece)

    async def _pass(self, line: _Line, piece: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self.delay)
        size = self.drip or len(piece)
        for start in range(0, len(piece), size):
            if start:
                await asyncio.sleep(_BEAT)
            if not line.is_dead:
                writer.write(piece[start : start + size])
                await writer.drain()

    async def _pieces(self, line: _Line, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """What comes from one side."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while piece := await (_frame(reader) if self._kafka else reader.read(_PIECE)):
                if not line.is_dead:
                    yield piece


async def _connected(place: Place) -> Streams:
    return await (asyncio.open_unix_connection(place) if isinstance(place, Path) else asyncio.open_connection(*place))


async def _frame(reader: asyncio.StreamReader) -> bytes:
    size = await reader.readexactly(4)
    return size + await reader.readexactly(int.from_bytes(size, "big"))


def _kind(frame: bytes) -> tuple[int, int]:
    """Kind and correlation id of a Kafka request."""
    kind, _, number = struct.unpack_from(">hhi", frame.ljust(12, b"\0"), 4)
    return kind, number
