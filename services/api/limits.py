"""Requests a minute and key, counted in Redis; while it is away, in this process."""

import hashlib
import time
from dataclasses import dataclass

from limits.aio.storage import MemoryStorage, RedisStorage
from redis.exceptions import RedisError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.auth import bearer
from services.api.errors import TooMany, respond
from shared.log import logger

_log = logger("limits")
WINDOW_SECONDS = 60
_REDIS_SECONDS = 0.25
_SILENCE_SECONDS = 1.0
_COUNTED = ("/v1/", "/graphql")
_MOST_AT_ONCE = 50
_MOST_KEYS = 10_000


@dataclass(slots=True)
class _Taken:
    """Requests of a key that were counted in advance: `left` of those up to the `top` of this minute's count."""

    left: int = 0
    top: int = 0


class RateLimits:
    """Counts each key's requests in windows of a minute. Several apis share a count as long as they share Redis.

    Each takes `at_once` requests of a key from it and then counts those down by itself, so that Redis is asked now and
    then, and never more requests pass than the limit; another api sees what was taken as used.
    """

    def __init__(self, redis_url: str | None, *, at_once: int = 1) -> None:
        self._here = MemoryStorage()
        self._shared: RedisStorage | None = None
        if redis_url is not None:
            self._shared = RedisStorage(
                redis_url,
                implementation="redispy",
                key_prefix="parvis:limits",
                socket_timeout=_REDIS_SECONDS,
                socket_connect_timeout=_REDIS_SECONDS,
            )
        self._quiet_until = 0.0
        self._at_once = max(1, min(at_once, _MOST_AT_ONCE))
        self._window = 0
        self._taken: dict[str, _Taken] = {}

    async def count(self, key: str, now: float) -> int:
        """How many requests this key has made in this minute, this one included."""
        window = int(now // WINDOW_SECONDS)
        if window != self._window or len(self._taken) > _MOST_KEYS:
            self._window = window
            self._taken = {}
        taken = self._taken.get(key)
        if taken is None:
            taken = self._taken[key] = _Taken()
        if not taken.left:
            top = await self._take(key, window)
            taken.top = max(taken.top, top)
            taken.left += self._at_once
        taken.left -= 1
        return taken.top - taken.left

    async def _take(self, key: str, window: int) -> int:
        """Take some more of this minute's requests; the count with them."""
        name = f"{hashlib.sha256(key.encode()).hexdigest()[:32]}:{window}"
        if self._shared is not None and time.monotonic() >= self._quiet_until:
            try:
                return await self._shared.incr(name, WINDOW_SECONDS, self._at_once)
            except (RedisError, OSError, TimeoutError) as error:
                self._quiet_until = time.monotonic() + _SILENCE_SECONDS
                _log.warning("redis.away", error=type(error).__name__)
        return await self._here.incr(name, WINDOW_SECONDS, self._at_once)

    async def close(self) -> None:
        """Hang up."""
        if self._shared is not None:
            await self._shared.bridge.storage.aclose()  # type: ignore[attr-defined]  # limits has no way to close it


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a key stands once it has asked: `left` is below zero where it asked too often; `reset` is in seconds."""

    left: int
    reset: int

    def refuse(self, limit: int, *, more: int = 0) -> TooMany | None:
        """Why this request is not answered; None where it is. `more` may be made beyond what was counted against."""
        if self.left + more >= 0:
            return None
        sentence = f"this key may make {limit + more} requests a minute; wait {self.reset} s"
        return TooMany(sentence, seconds=self.reset)


class Allowance:
    """What each key may ask in a minute, by whichever way it asks; a `limit` of 0 is none."""

    def __init__(self, limit: int, limits: RateLimits) -> None:
        self.limit = limit
        self._limits = limits

    async def ask(self, key: str) -> Standing:
        """Count one request."""
        now = time.time()
        used = await self._limits.count(key, now)
        return Standing(self.limit - used, max(1, WINDOW_SECONDS - int(now % WINDOW_SECONDS)))

    async def spend(self, key: str) -> None:
        """Count one request. Raises TooMany past the limit."""
        refusal = (await self.ask(key)).refuse(self.limit) if self.limit else None
        if refusal is not None:
            raise refusal


class RateLimit:
    """Refuses a key's requests past the limit, and says in every answer how many are left.

    A WebSocket is opened without being counted: its operations are, one by one, where they begin.
    """

    def __init__(self, app: ASGIApp, *, allowance: Allowance) -> None:
        self._app = app
        self._allowance = allowance
        self._policy = (b"ratelimit-policy", f'"default";q={allowance.limit};w={WINDOW_SECONDS}'.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = bearer(_authorization(scope)) if self._counts(scope) else None
        if key is None:
            await self._app(scope, receive, send)
            return
        standing = await self._allowance.ask(key)
        left = (b"ratelimit", f'"default";r={max(0, standing.left)};t={standing.reset}'.encode())

        async def saying(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), self._policy, left]
            await send(message)

        refusal = standing.refuse(self._allowance.limit)
        if refusal is not None:
            await respond(scope, refusal)(scope, receive, saying)
            return
        await self._app(scope, receive, saying)

    def _counts(self, scope: Scope) -> bool:
        return bool(self._allowance.limit) and scope["type"] == "http" and scope["path"].startswith(_COUNTED)


def _authorization(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            text: str = value.decode("latin-1")
            return text
    return None
