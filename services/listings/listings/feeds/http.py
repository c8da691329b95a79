"""The port over HTTP: signed requests and answers, JSON lines, and limits on everything (docs/feeds.md)."""

import asyncio
from collections.abc import Sequence

import httpx

from chassis import outgoing, targets
from chassis.clock import Clock
from chassis.crypto import hex_digest
from chassis.ids import new_id
from listings.feeds import lines
from listings.feeds.port import Batch, ExchangeError, Page

MAX_BODY = 8 * 1024 * 1024  # bytes
_TYPE = "application/x-ndjson"


class HttpPeer:
    """The other end of one feed."""

    def __init__(self, client: httpx.AsyncClient, clock: Clock, url: str, secrets: Sequence[str], timeout: float) -> None:
        """`secrets` all sign, and any of them is good for an answer; `timeout` is seconds for a whole exchange."""
        self._client = client
        self._clock = clock
        self._url = url
        self._secrets = secrets
        self._timeout = timeout

    async def page(self, since: str, limit: int) -> Page:
        """See the port."""
        url = self._target().copy_merge_params({"since": since, "limit": str(limit)})
        # Of a request without a body its query is signed: else anybody could ask with a signature of ours.
        answer = await self._exchange("GET", url, str(new_id()), url.query.decode("ascii"))
        return lines.read(answer, limit)

    async def deliver(self, batch: Batch) -> str:
        """See the port."""
        body = lines.written(batch)
        # The same content has the same id: whoever keeps ids knows a batch that comes again.
        answer = await self._exchange("POST", self._target(), hex_digest(body.encode()), body)
        return lines.acknowledged(answer)

    def _target(self) -> httpx.URL:
        try:
            return httpx.URL(self._url)
        except httpx.InvalidURL as error:
            raise ExchangeError("地址不是有效的网址", "the address is no valid URL") from error

    async def _exchange(self, method: str, url: httpx.URL, identifier: str, signed: str) -> bytes:
        """The content of a good answer. Raises `ExchangeError`."""
        headers = {
            "accept": _TYPE,
            "accept-encoding": "identity",  # what is small on the way may be large when it is unpacked
            "user-agent": "alliance-feeds/1",
            **outgoing.signed(self._secrets, identifier, self._clock.now(), signed),
        }
        content = None
        if method == "POST":
            headers["content-type"], content = _TYPE, signed.encode()
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream(method, url, content=content, headers=headers) as answer,
            ):
                body = await _body(answer)
        except outgoing.PrivateTargetError as error:
            raise ExchangeError(*targets.PRIVATE) from error
        except TimeoutError as error:
            raise ExchangeError(f"{self._timeout:g} 秒内未完成", f"not done within {self._timeout:g} seconds") from error
        except outgoing.FAILURES as error:
            kind = type(error).__name__
            raise ExchangeError(f"连接失败或中断（{kind}）", f"the connection failed or broke off ({kind})") from error
        if not outgoing.is_signed(self._secrets, identifier, body, answer.headers):
            raise ExchangeError(
                "应答的签名不符、已过期或不属于本次请求；请核对密钥和对方时钟",
                "the answer's signature is wrong, too old or of another request; check the secret and the other end's clock",
            )
        return body


async def _body(answer: httpx.Response) -> bytes:
    """All of an answer. Raises `ExchangeError` for a status but 200, or beyond the limit."""
    if answer.status_code != httpx.codes.OK:
        raise ExchangeError(f"对方返回 HTTP {answer.status_code}", f"the other end answered HTTP {answer.status_code}")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise ExchangeError("应答不得压缩", "the answer must not be compressed")
    body = bytearray()
    async for part in answer.aiter_raw():
        body += part
        if len(body) > MAX_BODY:
            raise ExchangeError(
                f"应答超过 {MAX_BODY // 1024 // 1024} MiB；请减少每页条数",
                f"the answer is over {MAX_BODY // 1024 // 1024} MiB; give fewer records a page",
            )
    return bytes(body)
