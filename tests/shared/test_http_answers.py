"""What the guarded client reads of an answer: capped in size, time and type, unpacked under the same cap."""

import asyncio
import gzip
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx
import pytest

from shared import http
from shared.http import ACCEPTS, ResponseBroken, ResponseTooLarge, WrongType
from tests.connectors.loopback import Reply, receiver, serving, settings

packed = partial(gzip.compress, mtime=0)  # the same bytes whenever the tests are collected
TEXT = b"Bonjour, hallo, hello. " * 5000


def streaming(
    chunks: Callable[[], Iterator[bytes]], *, every_seconds: float = 0, headers: dict[str, str] | None = None
) -> Any:
    """An ASGI app that answers everything with these chunks, one after the other."""

    async def app(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        for chunk in chunks():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await asyncio.sleep(every_seconds)
        await send({"type": "http.response.body", "body": b""})

    return app


@asynccontextmanager
async def saying(words: bytes) -> AsyncIterator[str]:
    """A server that answers every request with exactly these bytes, which may break HTTP's rules."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline() != b"\r\n":
            pass
        writer.write(words)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def bare_deflate(data: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


# ---------------------------------------------------------------- size


async def test_an_endless_body_is_cut_off_at_the_limit() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 10_000

    async with serving(streaming(endless)) as port, http.client(settings(), max_bytes=100_000) as client:
        with pytest.raises(ResponseTooLarge):
            await client.get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", packed(TEXT)),
        ("x-gzip", packed(TEXT)),
        ("GZIP", packed(TEXT[:1000]) + packed(TEXT[1000:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT) + b"padding"),
        ("deflate", bare_deflate(TEXT)),
        ("identity", TEXT),
    ],
)
async def test_a_packed_answer_is_unpacked_however_it_is_cut(encoding: str, body: bytes) -> None:
    for step in (1, 7, len(body)):
        pieces = [body[at : at + step] for at in range(0, min(len(body), 200), step)]
        pieces.append(body[len(pieces) * step :])
        app = streaming(lambda pieces=pieces: iter(pieces), headers={"content-encoding": encoding})  # type: ignore[misc]
        async with serving(app) as port, http.client(settings()) as client:
            answer = await client.get(f"http://127.0.0.1:{port}/")
        assert answer.content == TEXT
        assert encoding == "identity" or "content-encoding" not in answer.headers


async def test_we_ask_for_what_we_can_unpack() -> None:
    async with receiver() as far, http.client(settings()) as client:
        await client.get(far.url)
    assert far.got[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("pack", [packed, zlib.compress, bare_deflate])
async def test_a_bomb_is_cut_off_at_the_limit_on_unpacked_bytes(pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(b"0" * 200_000_000)
    kind = "gzip" if pack is packed else "deflate"
    async with receiver() as far, http.client(settings()) as client:
        far.otherwise = Reply(200, bomb, {"content-encoding": kind})
        began = time.process_time()
        with pytest.raises(ResponseTooLarge):
            await client.get(far.url)
    assert time.process_time() - began < 1


async def test_what_fits_unpacked_may_not_be_larger_packed() -> None:
    members = b"".join(packed(b"") for _ in range(1000))
    async with receiver() as far, http.client(settings(), max_bytes=10_000) as client:
        far.otherwise = Reply(200, members, {"content-encoding": "gzip"})
        with pytest.raises(ResponseTooLarge):
            await client.get(far.url)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", packed(TEXT)[:-20]),
        ("gzip", TEXT),
        ("gzip", packed(TEXT) + b"and more"),
        ("deflate", zlib.compress(TEXT)[:-1]),
        ("deflate", b"x"),
        ("br", TEXT),
        ("zstd", TEXT),
        ("gzip, gzip", packed(packed(TEXT))),
    ],
)
async def test_what_can_not_be_unpacked_to_its_end_is_said_and_not_given_in_part(encoding: str, body: bytes) -> None:
    async with receiver() as far, http.client(settings()) as client:
        far.otherwise = Reply(200, body, {"content-encoding": encoding})
        with pytest.raises(ResponseBroken):
            await client.get(far.url)


async def test_an_empty_answer_is_empty_however_it_says_it_is_packed() -> None:
    async with receiver() as far, http.client(settings()) as client:
        far.otherwise = Reply(304, b"", {"content-encoding": "gzip"})
        assert (await client.get(far.url)).content == b""


# ---------------------------------------------------------------- time


async def test_a_body_that_drips_for_ever_ends_with_the_time_of_the_whole_exchange() -> None:
    def dripping() -> Iterator[bytes]:
        while True:
            yield b"."

    app = streaming(dripping, every_seconds=0.05)
    async with serving(app) as port, http.client(settings(send_timeout_seconds=0.5)) as client:
        began = time.monotonic()
        with pytest.raises(httpx.ReadTimeout, match="in time"):
            await client.get(f"http://127.0.0.1:{port}/")
    assert time.monotonic() - began < 2


async def test_headers_that_drip_for_ever_end_with_it_too() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"x-more: 1\r\n")
            await asyncio.sleep(0.05)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, http.client(settings(send_timeout_seconds=0.5)) as client:
        began = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            await client.get(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert time.monotonic() - began < 2


# ---------------------------------------------------------------- type and length


async def test_an_answer_of_another_type_is_refused_before_its_body_is_read() -> None:
    async with receiver() as far, http.client(settings(), max_bytes=10) as client:
        far.otherwise = Reply(200, b"x" * 1000, {"content-type": "Video/MP4; codecs=x"})
        with pytest.raises(WrongType, match="video/mp4"):
            await client.get(far.url, extensions={ACCEPTS: ("text/html", "+xml")})


@pytest.mark.parametrize("told", ["text/html", "TEXT/HTML;charset=utf-8", "application/atom+xml", ""])
async def test_an_answer_of_an_accepted_type_or_of_none_is_read(told: str) -> None:
    async with receiver() as far, http.client(settings()) as client:
        far.otherwise = Reply(200, b"x", {"content-type": told} if told else {})
        assert (await client.get(far.url, extensions={ACCEPTS: ("text/html", "+xml")})).content == b"x"


async def test_a_type_does_not_matter_under_an_error_status() -> None:
    async with receiver() as far, http.client(settings()) as client:
        far.otherwise = Reply(410, b"gone", {"content-type": "image/png"})
        assert (await client.get(far.url, extensions={ACCEPTS: ("text/html",)})).status_code == 410


async def test_a_body_shorter_than_it_says_is_an_error_and_no_answer() -> None:
    async with (
        saying(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf a") as url,
        http.client(settings()) as client,
    ):
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(url)


async def test_a_body_longer_than_it_says_is_read_as_long_as_it_says_and_spoils_no_other_call() -> None:
    words = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngoodHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad"
    async with saying(words) as url, http.client(settings()) as client:
        assert [(await client.get(url)).content for _ in range(3)] == [b"good"] * 3


async def test_a_length_that_contradicts_itself_is_an_error() -> None:
    words = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\ngood"
    async with saying(words) as url, http.client(settings()) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(url)
