"""Callers that stay and say nothing, or say too much, and what the server does with their connections."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect

from services import serving
from services.connections import LONGEST_HEAD, Connection

SILENCE_SECONDS = 1


async def _hello(_: object) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def _size(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(await request.body())} bytes")


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    with contextlib.suppress(WebSocketDisconnect):
        await socket.send_text(await socket.receive_text())


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server that keeps a silent connection for a second."""
    app = Starlette(
        routes=[Route("/", _hello), Route("/size", _size, methods=["POST"]), WebSocketRoute("/echo", _echo)]
    )
    config = uvicorn.Config(
        app, loop="none", http=Connection, ws="websockets-sansio", log_config=None,
        timeout_keep_alive=SILENCE_SECONDS,
    )  # fmt: skip
    listening = serving._listen("127.0.0.1", 0, "test")
    server = serving._Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # uvicorn sets no Event
        await asyncio.sleep(0.01)
    yield listening.getsockname()[1]
    server.should_exit = True
    await running
    listening.close()


@pytest.mark.parametrize(
    "said", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nhost: x\r\n", b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"]
)
async def test_a_connection_that_says_nothing_more_is_closed(port: int, said: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    await asyncio.wait_for(reader.read(), 20 * SILENCE_SECONDS)  # to its end
    writer.close()


async def test_a_head_that_comes_in_pieces_is_answered(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in (b"GET / HT", b"TP/1.1\r\nhost", b": x\r\n\r\n"):
        writer.write(piece)
        await asyncio.sleep(0.05)
    assert b" 200 " in await reader.readline()
    writer.close()


async def test_a_websocket_may_be_silent(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/echo", proxy=None) as socket:
        await asyncio.sleep(2 * SILENCE_SECONDS)
        await socket.send("still here")
        assert await socket.recv() == "still here"


def head(size: int, *, line: bytes = b"GET / HTTP/1.1\r\n") -> bytes:
    """A whole head whose address, names and values have `size` bytes."""
    said = len(line.split()[1]) + len("host") + len("x") + len("x-more")
    return line + b"host: x\r\nx-more: " + b"m" * (size - said) + b"\r\n\r\n"


async def answers(port: int, *pieces: bytes) -> bytes:
    """All that the server says to these bytes until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.02)
    answer = await asyncio.wait_for(reader.read(), 20 * SILENCE_SECONDS)
    writer.close()
    return answer


async def test_a_head_as_long_as_allowed_is_answered(port: int) -> None:
    assert (await answers(port, head(LONGEST_HEAD))).startswith(b"HTTP/1.1 200 ")


async def test_a_longer_head_is_431_and_the_connection_is_closed(port: int) -> None:
    answer, _, body = (await answers(port, head(LONGEST_HEAD + 1))).partition(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"connection: close" in answer
    assert (json.loads(body)["status"], json.loads(body)["code"]) == (431, "headers_too_large")


@pytest.mark.parametrize("begun", [b"GET /", b"GET / HTTP/1.1\r\nx-", b"GET / HTTP/1.1\r\nx: ", b"\r\n"])
async def test_a_head_that_does_not_end_is_431_long_before_it_fills_memory(port: int, begun: bytes) -> None:
    filling = (begun[-1:] if begun.isspace() else b"a") * 20_000
    assert (await answers(port, begun, *[filling] * 4)).startswith(b"HTTP/1.1 431 ")


async def test_many_short_headers_are_counted_together(port: int) -> None:
    many = b"GET / HTTP/1.1\r\n" + b"".join(b"x-%d: yes\r\n" % n for n in range(8000))
    assert (await answers(port, many + b"\r\n")).startswith(b"HTTP/1.1 431 ")


async def test_heads_that_follow_each_other_are_counted_each_for_itself(port: int) -> None:
    said = (await answers(port, head(40_000) + head(40_000), head(40_000))).count(b"HTTP/1.1 200 ")
    assert said == 3


async def test_a_long_head_behind_a_body_is_refused_too(port: int) -> None:
    posted = b"POST /size HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc"
    long = head(LONGEST_HEAD + 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(posted + long[:30_000])
    assert b" 200 " in await reader.readuntil(b"3 bytes")
    writer.write(long[30_000:])
    assert (await asyncio.wait_for(reader.read(), 20 * SILENCE_SECONDS)).startswith(b"HTTP/1.1 431 ")
    writer.close()


async def test_a_body_may_be_longer_than_a_head(port: int) -> None:
    size = 20 * LONGEST_HEAD
    posted = b"POST /size HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size
    pieces = [b"b" * (size // 10)] * 10
    assert (await answers(port, posted, *pieces)).endswith(b"%d bytes" % size)


async def test_what_trails_a_body_without_end_closes_the_connection(port: int) -> None:
    posted = b"POST /size HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(posted)
    await asyncio.sleep(0.02)
    with contextlib.suppress(ConnectionError):
        while True:  # until nobody reads it any more
            writer.write(b"x-more: " + b"m" * 20_000 + b"\r\n")
            await asyncio.wait_for(writer.drain(), 20 * SILENCE_SECONDS)
            await asyncio.sleep(0.02)
    assert b" 200 " not in await _rest(reader)
    writer.close()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), 20 * SILENCE_SECONDS)
    return b""


@pytest.mark.parametrize(
    "said",
    [
        b"hello\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nhost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /size HTTP/1.1\r\nhost: x\r\ncontent-length: -3\r\n\r\nabc",
        b"POST /size HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nnothing like it\r\n",
    ],
)  # fmt: skip
async def test_what_is_no_request_is_400_as_a_problem_and_the_connection_is_closed(port: int, said: bytes) -> None:
    top, _, body = (await answers(port, said)).partition(b"\r\n\r\n")
    status, *lines = top.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    found = json.loads(body)

    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert set(found) == {"type", "title", "status", "detail", "code", "request_id", "retryable", "errors"}
    assert (found["status"], found["code"]) == (400, "bad_request")
    assert found["request_id"] == headers["request-id"]


async def test_nonsense_behind_a_request_is_not_taken_for_its_answer(port: int) -> None:
    said = await answers(port, head(100) + b"nonsense\r\n\r\n")

    assert not said.startswith(b"HTTP/1.1 400 ")
