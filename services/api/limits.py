"""Requests a minute and key, counted in Redis; while it is away, in this process."""

import hashlib
import time

from limits.aio.storage import MemoryStorage, RedisStorage
from redis.exceptions import RedisError
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.auth import bearer
from services.api.errors import TooMany, respond
from shared.log import logger

_log = logger("limits")
WINDOW_SECONDS = 60
_REDIS_SECONDS = 0.25
_SILENCE_SECONDS = 1.0
_COUNTED = ("/v1/", "/graphql")


class RateLimits:
    """Counts each key's requests in windows of a minute. Several apis share a count as long as they share Redis."""

    def __init__(self, redis_url: str | None) -> None:
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

    async def count(self, key: str, now: float) -> int:
        """How many requests this key has made in this minute, this one included."""
        name = f"{hashlib.sha256(key.encode()).hexdigest()[:32]}:{int(now // WINDOW_SECONDS)}"
        if self._shared is not None and time.monotonic() >= self._quiet_until:
            try:
                return await self._shared.incr(name, WINDOW_SECONDS)
            except (RedisError, OSError, TimeoutError) as error:
                self._quiet_until = time.monotonic() + _SILENCE_SECONDS
                _log.warning("redis.away", error=type(error).__name__)
        return await self._here.incr(name, WINDOW_SECONDS)

    async def close(self) -> None:
        """Hang up."""
        if self._shared is not None:
            await self._shared.bridge.storage.aclose()  # type: ignore[attr-defined]  # limits has no way to close it


class RateLimit:
    """Refuses a key's requests past the limit, and says in every answer how many are left."""

    def __init__(self, app: ASGIApp, *, limit: int, limits: RateLimits) -> None:
        self._app = app
        self._limit = limit
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = bearer(Headers(scope=scope).get("authorization")) if self._counts(scope) else None
        if key is None:
            await self._app(scope, receive, send)
            return
        now = time.time()
        used = await self._limits.count(key, now)
        reset = max(1, WINDOW_SECONDS - int(now % WINDOW_SECONDS))
        said = {
            "ratelimit-policy": f'"default";q={self._limit};w={WINDOW_SECONDS}',
            "ratelimit": f'"default";r={max(0, self._limit - used)};t={reset}',
        }

        async def saying(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in said.items():
                    headers[name] = value
            await send(message)

        if used > self._limit:
            error = TooMany(f"this key may make {self._limit} requests a minute; wait {reset} s", seconds=reset)
            await respond(scope, error)(scope, receive, saying)
            return
        await self._app(scope, receive, saying)

    def _counts(self, scope: Scope) -> bool:
        return bool(self._limit) and scope["type"] == "http" and scope["path"].startswith(_COUNTED)
