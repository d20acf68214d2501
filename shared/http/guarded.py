"""The client itself: resolves and validates, connects to what it validated, and reads answers under their limits."""

import asyncio
import ssl
from collections.abc import Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from socket import gaierror

import httpcore
import httpx

from shared.http import guard
from shared.http.answer import (
    ACCEPT_ENCODING,
    MAX_RESPONSE_BYTES,
    CappedStream,
    as_httpx_errors,
    check_type,
    unpacker,
)
from shared.http.guard import CONNECT_SECONDS, AddressRefused, Networks, Places, Resolve, own_places, permit
from shared.settings import Settings

CONNECTIONS = 200

# A request's extension that names the content types which its caller reads.
ACCEPTS = "accepts"


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections for one scheme: resolve, validate all, connect to one of those."""

    def __init__(self, scheme: str, private_networks: Networks, places: Places, resolve: Resolve) -> None:
        self._scheme = scheme
        self._private_networks = private_networks
        self._places = places
        self._resolve = resolve
        self._tcp = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        clock = asyncio.get_running_loop().time
        ends_at = clock() + (timeout or CONNECT_SECONDS)
        try:
            async with asyncio.timeout_at(ends_at):
                addresses = list(dict.fromkeys(await self._resolve(host, port)))
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"the name {host} was not found in time") from None
        except (gaierror, OSError, UnicodeError):
            raise httpcore.ConnectError(f"the name {host} can't be found") from None
        permit(self._scheme, host, port, addresses, self._private_networks, self._places)
        failure: Exception = httpcore.ConnectError(f"the name {host} stands for no address")
        for tried, address in enumerate(addresses):
            share = max((ends_at - clock()) / (len(addresses) - tried), 0.05)
            try:
                return await self._tcp.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise AddressRefused("a local socket is no address on the network")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _GuardedTransport(httpx.AsyncBaseTransport):
    def __init__(self, settings: Settings, resolve: Resolve, tls: ssl.SSLContext, max_bytes: int) -> None:
        places = own_places(settings)
        self._max_bytes = max_bytes
        self._seconds = settings.send_timeout_seconds
        self._pools = {
            scheme: httpcore.AsyncConnectionPool(
                ssl_context=tls,
                max_connections=CONNECTIONS,
                max_keepalive_connections=CONNECTIONS // 4,
                keepalive_expiry=15,
                network_backend=_GuardedBackend(scheme, settings.private_networks, places, resolve),
            )
            for scheme in ("http", "https")
        }

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pool = self._pools.get(request.url.scheme)
        if pool is None:
            raise httpx.UnsupportedProtocol(f"{request.url.scheme}:// is neither https nor http", request=request)
        core = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        ends_at = asyncio.get_running_loop().time() + self._seconds
        try:
            with as_httpx_errors():
                async with asyncio.timeout_at(ends_at):
                    answer = await pool.handle_async_request(core)
        except TimeoutError:
            raise httpx.ReadTimeout(f"no answer came within {self._seconds} seconds", request=request) from None
        return await self._read(request, answer, ends_at)

    async def _read(self, request: httpx.Request, answer: httpcore.Response, ends_at: float) -> httpx.Response:
        """The answer as its caller gets it: plain, whatever it was packed in."""
        try:
            if answer.status == 200 and (accepted := request.extensions.get(ACCEPTS)) is not None:
                check_type(answer.headers, accepted)
            unpacking = unpacker(answer.headers)
        except httpx.ReadError:
            await answer.aclose()
            raise
        headers = answer.headers
        if unpacking is not None:
            headers = [pair for pair in headers if pair[0].lower() not in {b"content-encoding", b"content-length"}]
        stream = CappedStream(answer, most=self._max_bytes, ends_at=ends_at, unpacking=unpacking)
        return httpx.Response(answer.status, headers=headers, stream=stream, extensions=answer.extensions)

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()


def client(
    settings: Settings,
    *,
    resolve: Resolve = guard.resolve,
    tls: ssl.SSLContext | None = None,
    max_bytes: int = MAX_RESPONSE_BYTES,
) -> httpx.AsyncClient:
    """A client for addresses given by users; one a process, shared by its channels and closed by its owner."""
    whole = settings.send_timeout_seconds
    return httpx.AsyncClient(
        transport=_GuardedTransport(settings, resolve, tls or httpx.create_ssl_context(), max_bytes),
        timeout=httpx.Timeout(whole, connect=min(CONNECT_SECONDS, whole / 2), pool=min(CONNECT_SECONDS, whole / 2)),
        headers={"user-agent": "Parvis/0.1", "accept": "application/json", "accept-encoding": ACCEPT_ENCODING},
        # Channels of different brands share the client: nothing that one network set may reach another's request.
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )
