"""An outside system at the other end of a feed, written from docs/feeds.md alone: nothing of the platform is imported here.

It gives and takes as the contract says, and by a seed it does what systems out there do: it pages as it likes, drops
connections, repeats and reorders records, signs wrongly, drips, answers with errors, sends what is no record, and loses data.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.listening import listening

MAX_LINE = 256 * 1024
Record = dict[str, Any]
GIVING = (
    *("repeats", "reorders", "late", "garbage", "oversize", "small pages"),  # of these pages all the same is to be taken
    *("drops", "drips", "forges", "replays", "outdated", "unsigned", "cut off", "fails", "redirects", "compresses", "stuck"),
)
TAKING = ("fails", "drops before", "drops after", "forges", "unsigned", "outdated", "wrong cursor", "loses data")
CIRCLING = "circles"  # of three records, beside all these: they are given again and again
_UNTRUE = ("forges", "unsigned", "outdated")
"""What comes so is not this system's own: it says what is not so."""


class Outside:
    """One outside system. `mischief` is the share of exchanges in which it does something of that."""

    def __init__(self, seed: int, mischief: float = 0.0) -> None:
        self.random = random.Random(seed)
        self.mischief = mischief
        self._seed = seed
        self.secret = ""
        self.url = ""
        self.limited_to: tuple[str, ...] = ()
        """What it does, of all that there is."""
        self.page = 0
        """Records of a page; as many as it likes where 0."""
        self.cursors = "{}"
        """How it writes its places into cursors."""
        self.ahead = 0
        """What it adds to versions, after it was put back to an earlier point."""
        self.asked = 0
        """How many requests came that were signed right."""
        self.slow: asyncio.Event | None = None
        """Where it is set, answers wait for it."""
        self.done: list[str] = []
        """What it did, of `GIVING` and `TAKING`, in order."""
        self.changes: list[Record] = []
        """Every change of its records in the order in which it became visible; a cursor is a place in it."""
        self.held: dict[str, Record] = {}
        """What it took, the newest version of each key."""
        self.came: list[Record] = []
        """Every record that was sent to it, whether it took it or not."""
        self.cursor = 0
        self._seen: set[str] | None = None
        """Keys that have come in the full read that is under way."""
        self._kept: tuple[int, dict[str, Record]] = (0, {})
        self._before: tuple[bytes, dict[str, str]] | None = None

    # Its own records

    def put(self, key: str, **data: Any) -> None:
        """A record is new or different."""
        self.changes.append({"key": key, "version": self._version(), "data": data})

    def delete(self, key: str) -> None:
        """A record is gone."""
        self.changes.append({"key": key, "version": self._version(), "deleted": True})

    def _version(self) -> int:
        return len(self.changes) + 1 + self.ahead

    async def give(self, request: web.Request) -> web.StreamResponse:
        """`GET url?since=…&limit=…`."""
        identifier = self._verified(request, request.query_string)
        asked = request.query["since"].removeprefix(self.cursors.partition("{")[0])
        since, limit = int(asked or 0), int(request.query["limit"])
        what = self._mischief(GIVING)
        if what in ("fails", "redirects"):
            return web.Response(status=503 if what == "fails" else 302, headers={"location": self.url})
        if since > len(self.changes):  # it was put back to an earlier point
            return web.Response(status=409)
        if what in _UNTRUE:
            untrue = {"key": "forged", "version": 1, "data": {"title": "伪造的岗位"}}
            return await self._answer(request, identifier, _lines(untrue, _end(len(self.changes), False)), what)
        size = self.page or self.random.randint(1, 3 if what == "small pages" else 12)
        page = self.changes[since : since + min(size, limit)]
        end = since + len(page)
        more = end < len(self.changes)
        last = _end(end, more)
        if what in ("stuck", CIRCLING) and since:
            last = _end(since if what == "stuck" else since % 3 + 1, True)
        last["end"]["cursor"] = self.cursors.format(last["end"]["cursor"])
        return await self._answer(request, identifier, _lines(*self._disturbed(page, since, what, limit), last), what)

    def _disturbed(self, page: list[Record], since: int, what: str, limit: int) -> list[Any]:
        """The records of a page, with what else is given in it."""
        given: list[Any] = list(page)
        before = self.changes[:since]
        if what == "repeats":
            given += self.random.choices(page, k=min(3, limit - len(page))) if page else []
        elif what == "late" and before:
            given += self.random.choices(before, k=min(4, limit - len(page)))
        elif what == "garbage":
            given += [["no", "record"], {"key": "g", "version": 0}, {"version": 1, "data": {}}]
        elif what == "oversize":
            given.append({"key": "large", "version": 1, "data": {"title": "x" * MAX_LINE}})
        if what:
            self.random.shuffle(given)
        return given

    # What it takes

    async def take(self, request: web.Request) -> web.StreamResponse:
        """`POST url`."""
        body = (await request.read()).decode()
        identifier = self._verified(request, body)
        what = self._mischief(TAKING)
        if what == "fails":
            return web.Response(status=self.random.choice((500, 429, 413)))
        if what == "drops before":
            return await self._hung_up(request)
        if what == "loses data":
            self.cursor, self.held, self._seen = self._kept[0], dict(self._kept[1]), None
        *records, last = [json.loads(line) for line in body.splitlines() if line.strip()]
        end = last["end"]
        self.came += records
        if what in _UNTRUE:
            return await self._answer(request, identifier, _lines({"cursor": end["cursor"]}), what)
        if int(end["since"]) > self.cursor:
            return await self._answer(request, identifier, _lines({"cursor": "0"}), "")
        self._apply(records, end)
        if self.random.random() < 0.3:
            self._kept = self.cursor, dict(self.held)
        if what == "drops after":
            return await self._hung_up(request)
        cursor = int(end["cursor"]) + (5 if what == "wrong cursor" else 0)
        return await self._answer(request, identifier, _lines({"cursor": str(cursor)}), what)

    def _apply(self, records: list[Record], end: Record) -> None:
        if end["since"] == "0":
            self._seen = set()
        for one in records:
            if one["version"] >= self.held.get(one["key"], {"version": 0})["version"]:
                self.held[one["key"]] = one
        if self._seen is not None:
            self._seen.update(one["key"] for one in records)
            if not end["more"]:
                self.held = {key: one for key, one in self.held.items() if key in self._seen}
                self._seen = None
        self.cursor = int(end["cursor"])

    # Both

    def _mischief(self, choices: tuple[str, ...]) -> str:
        if self.random.random() >= self.mischief:
            return ""
        choices = self.limited_to or choices
        first = choices[self._seed % len(choices)]  # so that, of many systems, each does another thing
        self.done.append(self.random.choice(choices) if self.done else first)
        return self.done[-1]

    def _verified(self, request: web.Request, content: str) -> str:
        """The id of a request that is signed right; ends all others."""
        identifier, timestamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        if abs(time.time() - int(timestamp)) > 300:
            raise web.HTTPUnauthorized
        wanted = self._signature(identifier, timestamp, content.encode())
        if not any(hmac.compare_digest(one, wanted) for one in request.headers["webhook-signature"].split()):
            raise web.HTTPUnauthorized
        self.asked += 1
        return identifier

    def _signature(self, identifier: str, timestamp: str, content: bytes, secret: str = "") -> str:
        key = base64.b64decode((secret or self.secret).removeprefix("whsec_"))
        signed = hmac.new(key, f"{identifier}.{timestamp}.".encode() + content, hashlib.sha256).digest()
        return f"v1,{base64.b64encode(signed).decode()}"

    async def _answer(self, request: web.Request, identifier: str, body: bytes, what: str) -> web.StreamResponse:
        """A signed answer, as far as it is not to be disturbed."""
        if self.slow:
            await self.slow.wait()
        if what == "cut off":
            body = b"\n".join(body.splitlines()[:-1])
        timestamp = str(int(time.time()) - (3600 if what == "outdated" else 0))
        other = f"whsec_{base64.b64encode(b'another secret').decode()}" if what == "forges" else ""
        headers = {
            "content-type": "application/x-ndjson",
            "webhook-id": identifier,
            "webhook-timestamp": timestamp,
            "webhook-signature": self._signature(identifier, timestamp, body, other),
        }
        if what == "replays" and self._before:
            body, headers = self._before
        elif not what:
            self._before = body, headers
        if what == "unsigned":
            del headers["webhook-signature"]
        response = web.StreamResponse(headers={**headers, **({"content-encoding": "gzip"} if what == "compresses" else {})})
        response.content_length = len(body)
        await response.prepare(request)
        if what == "drops":
            await response.write(body[: len(body) // 2])
            return await self._hung_up(request, response)
        if what == "drips":
            for place in range(len(body)):
                await response.write(body[place : place + 1])
                await asyncio.sleep(0.2)
        await response.write(body)
        return response

    async def _hung_up(self, request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
        if request.transport:
            request.transport.abort()
        return response or web.StreamResponse()


def _lines(*given: Any) -> bytes:
    return "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in given).encode()


def _end(cursor: int, more: bool) -> Record:
    return {"end": {"cursor": str(cursor), "more": more}}


@asynccontextmanager
async def serving(outside: Outside) -> AsyncIterator[Outside]:
    """It answers on this machine until the end of the block."""
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_get("/feed", outside.give)
    app.router.add_post("/feed", outside.take)
    async with listening(app) as url:
        outside.url = f"{url}/feed"
        yield outside
