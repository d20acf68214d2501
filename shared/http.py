"""The guarded HTTP client: the one way in which Parvis calls an address that somebody typed in.

It speaks https to public addresses on port 443, and anything inside PARVIS_PRIVATE_NETWORKS; it validates every
address that a name stands for and connects to exactly those, so a name can't change its meaning in between. It follows
no redirect, keeps no cookie, uses no proxy, and stops reading at a limit.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import SOCK_STREAM, gaierror

import httpcore
import httpx

from shared.errors import Invalid, Problem
from shared.settings import Settings

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]
Places = frozenset[tuple[str, int]]
Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]

_log = logging.getLogger("http")

MAX_RESPONSE_BYTES = 5 * 1024 * 1024
CONNECT_SECONDS = 5.0
CONNECTIONS = 200

_NAT64 = ip_network("64:ff9b::/96")
# What Python's `is_global` lets through in the oldest version we run on, and no public server stands on.
_NOT_PUBLIC = tuple(
    ip_network(block)
    for block in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "64:ff9b:1::/48",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)


class AddressRefused(httpx.ConnectError):
    """The guard does not let us go there; the text is a plain sentence."""


class ResponseTooLarge(httpx.ReadError):
    """The answer was larger than the limit, or packed so that its size can't be known."""


# ---------------------------------------------------------------- which addresses


def _meant(address: Address) -> Address:
    """The address that is really reached: an IPv4 address inside an IPv6 one is taken out of its wrapping."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _is_public(address: Address) -> bool:
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address in block for block in _NOT_PUBLIC)


def own_places(settings: Settings) -> Places:
    """Where our own practice network is reached: it may be called, whatever the private ranges are."""
    return frozenset({(settings.reached_host, settings.sandbox_port)})


def permit(
    scheme: str,
    host: str,
    port: int,
    addresses: Iterable[Address],
    private_networks: Networks,
    places: Places = frozenset(),
) -> None:
    """Allow a call to `host`, which stands for `addresses`. Raises AddressRefused with a sentence.

    The sentence goes to whoever typed the name in, and what a name stands for inside our network is not for them to
    know: only the log has the address.
    """
    if (host, port) in places:
        return
    for address in map(_meant, addresses):
        if any(address in network for network in private_networks):
            continue
        if not _is_public(address):
            _log.warning("refused to call %s, which stands for %s", host, address)
            raise AddressRefused(
                f"{host} is not a public address; PARVIS_PRIVATE_NETWORKS names the private ranges that may be called"
            )
        if scheme != "https":
            raise AddressRefused(f"{host} is a public address: use https:// rather than {scheme}://")
        if port != 443:
            raise AddressRefused(f"{host} is a public address: use port 443 rather than {port}")


async def resolve(host: str, port: int) -> list[Address]:
    """Every address that the system's resolver gives for `host`. Raises OSError where there is none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return [ip_address(str(place[0])) for *_, place in found]


async def check_address(
    url: str, private_networks: Networks, *, places: Places = frozenset(), resolve: Resolve = resolve
) -> None:
    """Say whether the guarded client would call `url`, for connecting a channel. Raises Invalid with a sentence."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Invalid([Problem("address_not_allowed", f"this is not an address: {error}")]) from None
    scheme, host = parsed.scheme, parsed.host
    if scheme not in {"http", "https"} or not host:
        raise Invalid([Problem("address_not_allowed", "the address must start with https:// and name a host")])
    if parsed.userinfo:
        raise Invalid([Problem("address_not_allowed", "leave the user name and password out of the address")])
    port = parsed.port or (443 if scheme == "https" else 80)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            addresses = await resolve(parsed.raw_host.decode("ascii"), port)
        permit(scheme, host, port, addresses, private_networks, places)
    except AddressRefused as error:
        raise Invalid([Problem("address_not_allowed", str(error))]) from None
    except (TimeoutError, OSError, UnicodeError):
        raise Invalid([Problem("address_not_found", f"the name {host} can't be found")]) from None


# ---------------------------------------------------------------- the client


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


_SAME_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.ConnectionNotAvailable: httpx.ConnectError,
}


@contextmanager
def _as_httpx_errors() -> Iterator[None]:
    try:
        yield
    except tuple(_SAME_ERRORS) as error:
        raise _SAME_ERRORS[type(error)](str(error) or type(error).__name__) from error


class _CappedStream(httpx.AsyncByteStream):
    """The answer's bytes, up to a limit."""

    def __init__(self, response: httpcore.Response, max_bytes: int) -> None:
        self._response = response
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._response.stream, AsyncIterable)
        with _as_httpx_errors():
            async for chunk in self._response.stream:
                self._left -= len(chunk)
                if self._left < 0:
                    raise ResponseTooLarge("the answer is larger than we read")
                yield chunk

    async def aclose(self) -> None:
        with _as_httpx_errors():
            await self._response.aclose()


class _GuardedTransport(httpx.AsyncBaseTransport):
    def __init__(self, settings: Settings, resolve: Resolve, tls: ssl.SSLContext, max_bytes: int) -> None:
        places = own_places(settings)
        self._max_bytes = max_bytes
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
        with _as_httpx_errors():
            answer = await pool.handle_async_request(core)
        if any(name.lower() == b"content-encoding" and value.lower() != b"identity" for name, value in answer.headers):
            await answer.aclose()
            raise ResponseTooLarge("the answer is packed, although we asked for it plain")
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_CappedStream(answer, self._max_bytes),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()


def client(
    settings: Settings,
    *,
    resolve: Resolve = resolve,
    tls: ssl.SSLContext | None = None,
    max_bytes: int = MAX_RESPONSE_BYTES,
) -> httpx.AsyncClient:
    """A client for addresses given by users; one a process, shared by its channels and closed by its owner."""
    whole = settings.send_timeout_seconds
    return httpx.AsyncClient(
        transport=_GuardedTransport(settings, resolve, tls or httpx.create_ssl_context(), max_bytes),
        timeout=httpx.Timeout(whole, connect=min(CONNECT_SECONDS, whole / 2), pool=min(CONNECT_SECONDS, whole / 2)),
        headers={"user-agent": "Parvis/0.1", "accept": "application/json", "accept-encoding": "identity"},
        # Channels of different brands share the client: nothing that one network set may reach another's request.
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )
