"""Scanning documents for viruses: a port, with clamd's protocol where an address is set."""

import asyncio
import struct
from typing import Protocol

_PART = 256 * 1024
_TIMEOUT = 30.0  # seconds for one document


class Scanner(Protocol):
    """Looks at a document's content."""

    async def found(self, content: bytes) -> str:
        """The name of what was found; "" where there is nothing. Raises OSError or TimeoutError where it can't be asked."""


class NoScanner:
    """Where none is set: finds nothing."""

    async def found(self, content: bytes) -> str:
        """See `Scanner`."""
        del content
        return ""


class Clamd:
    """ClamAV's daemon by its INSTREAM command."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    async def found(self, content: bytes) -> str:
        """See `Scanner`."""
        async with asyncio.timeout(_TIMEOUT):
            reader, writer = await asyncio.open_connection(self._host, self._port)
            try:
                writer.write(b"zINSTREAM\0")
                for start in range(0, len(content), _PART):
                    part = content[start : start + _PART]
                    writer.write(struct.pack("!I", len(part)) + part)
                    await writer.drain()
                writer.write(struct.pack("!I", 0))
                await writer.drain()
                answer = (await reader.readuntil(b"\0")).rstrip(b"\0").decode("utf-8", "replace")
            finally:
                writer.close()
        if answer.endswith(" FOUND"):
            return answer.removeprefix("stream: ").removesuffix(" FOUND")
        if answer != "stream: OK":
            raise OSError(f"clamd: {answer[:100]}")
        return ""
