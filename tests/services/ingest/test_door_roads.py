"""Two roads lead to the door: whatever is said to it, both answer the same bytes and keep the same rows."""

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg
import pytest

from services.connections import LONGEST_HEAD, Connection
from shared.ids import Prefix, new_uuid, typeid
from tests.conftest import HouseChannel, TestDatabase
from tests.services.ingest.doorstep import Doorstep, open_door, signed

LAST = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
MOST = 5000


@pytest.fixture(autouse=True)
def long_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.hooks.REMEMBER_SECONDS", 60.0)


@dataclass(frozen=True)
class Roads:
    """One door whose connections hear by themselves, one that is asked by ASGI alone, and the rows of both."""

    near: Doorstep
    far: Doorstep
    owner: "asyncpg.Connection[asyncpg.Record]"

    async def both(self, pieces: Sequence[bytes], count: int, last: bytes = LAST) -> list[tuple[bytes, list[object]]]:
        """What each answers in this conversation, and keeps of it; ids are numbered and dates left out."""
        found: list[tuple[bytes, list[object]]] = []
        for door in (self.near, self.far):
            answer = await conversation(door, pieces, count, last)
            await door.until_settled()
            rows = await self.owner.fetch("SELECT hook_id, key, headers, body, stamp FROM arrival ORDER BY key")
            await self.owner.execute("DELETE FROM arrival")
            found.append((alike(answer), [tuple(row) for row in rows]))
        return found


@pytest.fixture
async def roads(database: TestDatabase, channel: HouseChannel) -> AsyncIterator[Roads]:
    settings = database.settings.model_copy(update={"webhook_max_bytes": MOST})
    owner = await asyncpg.connect(database.owner_url)
    async with open_door(settings, silence=1) as near, open_door(settings, connection=Connection, silence=1) as far:
        for door in (near, far):
            assert (await door.knock(channel)).status_code == 200
        await owner.execute("DELETE FROM arrival")
        yield Roads(near, far, owner)
    await owner.close()


async def conversation(door: Doorstep, pieces: Sequence[bytes], count: int, last: bytes = LAST) -> bytes:
    """All that is answered to these pieces of `count` requests, and then to the last request, which ends it."""
    parts = urlsplit(door.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    said, more = b"", b"-"

    async def read_on() -> bytes:
        return await asyncio.wait_for(reader.read(65536), 20)

    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            if len(pieces) > 1:
                await asyncio.sleep(0.002)
        while more and len(re.findall(rb"HTTP/1\.1 [2-5]", said)) < count:
            said += (more := await read_on())
        writer.write(last)  # only now: what the server does not read before it closes takes earlier answers along
        while more:
            said += (more := await read_on())
    writer.close()
    return said


def alike(answer: bytes) -> bytes:
    """The answer with its ids numbered by their first appearance, and without its dates."""
    numbers: dict[bytes, bytes] = {}

    def number(found: re.Match[bytes]) -> bytes:
        return numbers.setdefault(found[0], b"<%d>" % len(numbers))

    answer = re.sub(rb"arr_[0-9a-z]{26}|\b[0-9a-f]{32}\b", number, answer)
    return re.sub(rb"date: [^\r]+", b"date: -", answer)


class Sender:
    """Makes requests of every kind to one hook."""

    def __init__(self, channel: HouseChannel, chance: random.Random) -> None:
        self._path, self._secret, self._chance = urlsplit(channel.webhook_url).path, channel.secret, chance
        self._ids = [f"msg_{chance.randrange(10**9)}" for _ in range(3)]  # few, so that some come again

    def any(self) -> bytes:
        """A request of a kind by chance, that others may follow; every second one is a plain delivery."""
        kinds: list[Callable[[], bytes]] = [
            self._forged, self._stale, self._unsigned, self._chunked, self._expecting, self._handshake,
            self._other_method, self._unknown, self._compressed, self._too_large, self._empty, self._asked,
            self._escaped, self._absolute, self._long_head, self._doubled, self._odd_bytes, self._elsewhere,
            self._framed,
        ]  # fmt: skip
        return self.good() if self._chance.random() < 0.5 else self._chance.choice(kinds)()

    def last(self) -> bytes:
        """A request after which the connection is closed, at the latest for its silence."""
        kinds: list[Callable[[], bytes]] = [
            self._closing, self._old, self._old_kept, self._upgrading, self._too_large_by_word, self._too_long_head,
            self._garbage, self._folded, self._no_path, self._two_lengths, self._short,
        ]  # fmt: skip
        return LAST if self._chance.random() < 0.4 else self._chance.choice(kinds)()

    def good(self, body: bytes | None = None, *more: str, line: str = "POST {} HTTP/1.1", length: str = "") -> bytes:
        if body is None:
            body = self._chance.choice([b'{"deleted":["m1"]}', b"{}", b"\x00\xff", b"x" * MOST])
        return self._said(body, signed(self._secret, body, id=self._chance.choice(self._ids)), more, line, length)

    def _said(
        self, body: bytes, headers: dict[str, str], more: tuple[str, ...] = (), line: str = "POST {} HTTP/1.1",
        length: str = "",
    ) -> bytes:  # fmt: skip
        lines = [line.format(self._path), "host: x", "User-Agent: tests", f"Content-Length: {length or len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join([*lines, *more]) + "\r\n\r\n").encode("latin-1") + body

    def _forged(self) -> bytes:
        return self._said(b"{}", signed(self._secret, b"{ }"))

    def _stale(self) -> bytes:
        return self._said(b"{}", signed(self._secret, b"{}", at=1))

    def _unsigned(self) -> bytes:
        return self._said(b"{}", {})

    def _chunked(self) -> bytes:
        whole = self.good(b"abcdef", "transfer-encoding: chunked")
        head = re.sub(rb"Content-Length: \d+\r\n", b"", whole.partition(b"\r\n\r\n")[0])
        trailer = self._chance.choice([b"", b"x-late: yes\r\n"])
        return head + b"\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n" + trailer + b"\r\n"

    def _expecting(self) -> bytes:
        return self.good(None, "expect: 100-continue")

    def _closing(self) -> bytes:
        return self.good(None, "connection: close")

    def _old(self) -> bytes:
        return self.good(line="POST {} HTTP/1.0")

    def _old_kept(self) -> bytes:
        return self.good(None, "connection: keep-alive", line="POST {} HTTP/1.0")

    def _upgrading(self) -> bytes:
        return self.good(None, "connection: upgrade", "upgrade: something")

    def _handshake(self) -> bytes:
        return f"GET {self._path}?hub.mode=subscribe HTTP/1.1\r\nhost: x\r\n\r\n".encode()

    def _other_method(self) -> bytes:
        return self.good(line="PUT {} HTTP/1.1")

    def _unknown(self) -> bytes:
        there = self._chance.choice([typeid(Prefix.HOOK, new_uuid()), "", "hook_x", "%00", "a/b"])
        return self.good(line=f"POST /webhooks/{there} HTTP/1.1")

    def _compressed(self) -> bytes:
        return self.good(None, f"content-encoding: {self._chance.choice(['gzip', 'identity', ' Identity'])}")

    def _too_large(self) -> bytes:
        return self.good(b"x" * (MOST + 1))

    def _too_large_by_word(self) -> bytes:
        return self.good(b"", length="9" * self._chance.choice([10, 15, 16, 19]))

    def _empty(self) -> bytes:
        return self.good(b"")

    def _asked(self) -> bytes:
        return self.good(line="POST {}?a=b&a=c#d HTTP/1.1")

    def _escaped(self) -> bytes:
        return self.good(line="POST " + self._path.replace("_", "%5F") + " HTTP/1.1")

    def _absolute(self) -> bytes:
        return self.good(line="POST http://x{} HTTP/1.1")

    def _long_head(self) -> bytes:
        return self.good(None, "x-event-more: " + "m" * self._chance.choice([1000, 1001, 60_000]))

    def _too_long_head(self) -> bytes:
        return self.good(None, "x-event-more: " + "m" * LONGEST_HEAD).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    def _short(self) -> bytes:
        return self.good(b"{}", length="1")

    def _two_lengths(self) -> bytes:
        return self.good(b"{}", f"content-length: {self._chance.choice([2, 3])}")

    def _no_path(self) -> bytes:
        return self.good(line=self._chance.choice(["POST /webhooks/\xe9 HTTP/1.1", "POST * HTTP/1.1"]))

    def _framed(self) -> bytes:
        """What one parser might read in another way than the next."""
        more = [
            "x-event:tight", "x-event:  wide  ", "x-event: \ttab\t", "x-event:", "x-event: a: b", "x.event: dot",
            "Connection: Keep-Alive", "connection: keep-alive, x", "proxy-connection: keep-alive", "upgrade: x",
        ]  # fmt: skip
        length = self._chance.choice(["", "", "02", "0" * 15 + "2"])
        return self.good(b"{}", *self._chance.sample(more, self._chance.randint(0, 2)), length=length)

    def _doubled(self) -> bytes:
        more = ["X-EVENT: one", "x-event: two", "content-type: a/b", "Content-Type: c/d", "connection: keep-alive"]
        return self.good(None, *self._chance.sample(more, len(more)))

    def _odd_bytes(self) -> bytes:
        return self.good(None, "x-event: caf\xe9 \t\xa0")

    def _elsewhere(self) -> bytes:
        return self.good(
            line=self._chance.choice(["POST /healthz HTTP/1.1", "POST /webhooks HTTP/1.1", "GET / HTTP/1.1"])
        )

    def _garbage(self) -> bytes:
        return self._chance.choice(
            [b"\r\n\r\n", b"nonsense\r\n\r\n", b"POST\r\n", self.good(None, "no colon"), self.good(None, "x: \x7f")]
        )

    def _folded(self) -> bytes:
        return self.good(None, "x-event: one", " two")


@pytest.mark.parametrize("seed", range(8))
async def test_both_roads_say_and_keep_the_same(roads: Roads, channel: HouseChannel, seed: int) -> None:
    chance = random.Random(seed)
    sender = Sender(channel, chance)
    for _ in range(25):
        requests = [sender.any() for _ in range(chance.randint(1, 4))]
        said, last = b"".join(requests), sender.last()
        cuts = sorted(chance.randrange(len(said) + 1) for _ in range(chance.choice([0, 0, 1, 4])))
        pieces = [said[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(said)], strict=True)]
        near, far = await roads.both(pieces, len(requests), last)
        assert near == far, (pieces, last)


async def test_a_delivery_cut_anywhere_is_answered_and_kept_the_same(roads: Roads, channel: HouseChannel) -> None:
    whole = Sender(channel, random.Random(1)).good(b'{"deleted":["m1"]}')
    expected, _ = await roads.both([whole], 1)
    assert b"200 OK" in expected[0]
    assert len(expected[1]) == 1
    again = expected[0].replace(b"length: 65", b"length: 64").replace(b"false", b"true")
    for door in (roads.near, roads.far):
        await conversation(door, [whole], 1)
        for begin in range(0, len(whole), 40):
            cuts = range(begin, min(begin + 40, len(whole)))
            answers = await asyncio.gather(*[conversation(door, [whole[:cut], whole[cut:]], 1) for cut in cuts])
            assert {alike(answer) for answer in answers} == {again}
        rows = await roads.owner.fetch("DELETE FROM arrival RETURNING hook_id, key, headers, body, stamp")
        assert [tuple(row) for row in rows] == expected[1]
