"""The proxies between the nodes and their parts."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from alliance_local.control import Platform
from tests.faults.proxy import Proxy

_SOCKET = ".s.PGSQL.5432"


class Proxies:
    """Between the nodes and their parts."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        """`folder` is where PostgreSQL's socket is expected; its path has to be short."""
        self._folder = folder
        self.port = platform.port("kafka_proxy")
        self.kafka = Proxy(("127.0.0.1", platform.port("kafka_behind")), ("127.0.0.1", self.port), kafka=True)
        self.database = Proxy(platform.state.sockets / _SOCKET, folder / _SOCKET)
        self.bootstrap = f"localhost:{self.port}"

    @property
    def both(self) -> tuple[Proxy, Proxy]:
        """The broker's and the database's."""
        return self.kafka, self.database

    def url(self, url: str) -> str:
        """A database's URL through the proxy."""
        return f"{url.partition('?')[0]}?host={quote(str(self._folder), safe='/')}"


@asynccontextmanager
async def proxied(platform: Platform) -> AsyncIterator[Proxies]:
    """Proxies that listen."""
    with tempfile.TemporaryDirectory(prefix="alliance-proxy-") as folder:
        proxies = Proxies(platform, Path(folder))
        for one in proxies.both:
            await one.start()
        try:
            yield proxies
        finally:
            for one in proxies.both:
                one.stop()
