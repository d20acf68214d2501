"""Redirects of a read: followed a little way, each hop under the guard, credentials only where they belong."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import httpx
import pytest

from shared import http
from shared.connectors import outcome
from shared.errors import Refused, Unavailable
from shared.http import Address
from tests.connectors.loopback import LOOPBACK, Receiver, Reply, guarded, receiver, settings


def leading(far: Receiver, *hops: tuple[str, int, str]) -> None:
    for path, status, location in hops:
        far.replies["GET", path] = Reply(status, b"", {"location": location})


async def test_an_answer_at_once_has_not_moved() -> None:
    async with receiver() as far, guarded() as client:
        far.otherwise = Reply(200, b"here")
        reached = await outcome.follow(client, "feed", f"{far.url}/a")
    assert (reached.url, reached.moved, reached.response.content) == (f"{far.url}/a", None, b"here")


@pytest.mark.parametrize(("first", "second", "moved"), [(301, 308, True), (301, 302, False), (307, 301, False)])
async def test_the_address_has_moved_where_every_hop_was_permanent(first: int, second: int, moved: bool) -> None:
    async with receiver() as far, guarded() as client:
        leading(far, ("/a", first, "/b?x=1"), ("/b", second, f"{far.url}/c#part"))
        far.otherwise = Reply(200)
        reached = await outcome.follow(client, "feed", f"{far.url}/a")
    assert reached.url == f"{far.url}/c"
    assert reached.moved == (reached.url if moved else None)
    assert [got.path for got in far.got] == ["/a", "/b", "/c"]


async def test_redirects_that_do_not_end_are_given_up_after_a_few() -> None:
    async with receiver() as far, guarded() as client:
        far.otherwise = Reply(302, b"", {"location": "/round"})
        with pytest.raises(Unavailable, match="more than 5 redirects"):
            await outcome.follow(client, "feed", far.url)
    assert len(far.got) == 6


@pytest.mark.parametrize("location", ["", "file:///etc/passwd", "javascript:alert(1)", "http://x:port/", "gopher://x/"])
async def test_a_redirect_to_what_is_no_web_address_is_said(location: str) -> None:
    async with receiver() as far, guarded() as client:
        far.otherwise = Reply(301, b"", {"location": location})
        with pytest.raises((Unavailable, Refused), match=r"address|location"):
            await outcome.follow(client, "feed", far.url)


async def test_a_redirect_into_a_private_range_is_refused_and_nothing_is_sent_there() -> None:
    async def resolve(host: str, port: int) -> Sequence[Address]:
        return [ip_address("127.0.0.1" if host == "outside.example" else "127.9.9.9")]

    one = settings(private_networks=(ip_network("127.0.0.1/32"),))
    async with receiver() as far, http.client(one, resolve=resolve) as client:
        port = httpx.URL(far.url).port
        for inside in ("http://inside.example", "http://169.254.169.254", "http://[::1]", "http://127.1.1.1"):
            leading(far, ("/", 302, f"{inside}:{port}/secret"))
            with pytest.raises(Refused, match="not a public address"):
                await outcome.follow(client, "feed", f"http://outside.example:{port}/")
    assert {got.path for got in far.got} == {"/"}


async def test_a_redirect_to_plain_http_in_public_is_refused() -> None:
    async def resolve(host: str, port: int) -> Sequence[Address]:
        return [ip_address("93.184.216.34" if host == "public.example" else "127.0.0.1")]

    async with receiver() as far, http.client(settings(private_networks=LOOPBACK), resolve=resolve) as client:
        leading(far, ("/", 301, "http://public.example/"))
        with pytest.raises(Refused, match="https"):
            await outcome.follow(client, "feed", far.url)


async def test_credentials_stay_with_the_place_that_they_are_for() -> None:
    async with receiver() as far, receiver() as other, guarded() as client:
        leading(far, ("/a", 302, "/b"), ("/b", 302, f"http://me:pw@127.0.0.1:{httpx.URL(other.url).port}/c"))
        other.replies["GET", "/c"] = Reply(302, b"", {"location": f"{far.url}/d"})
        await outcome.follow(client, "feed", f"{far.url}/a", headers={"Authorization": "Basic c2VjcmV0"})
    assert [("authorization" in got.headers) for got in far.got] == [True, True, False]
    assert "authorization" not in other.got[0].headers


async def test_an_answer_of_a_type_that_nobody_reads_is_unavailable_in_words() -> None:
    async with receiver() as far, guarded() as client:
        far.otherwise = Reply(200, b"x", {"content-type": "image/png"})
        with pytest.raises(Unavailable, match="image/png"):
            await outcome.follow(client, "feed", far.url, accepts=("text/xml",))
