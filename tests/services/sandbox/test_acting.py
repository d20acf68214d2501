"""What a page does with what is there, done twice as if once; and every lie about every deed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.services.sandbox.conftest import Page, Receiver, open_page, say

Stands = Callable[[httpx.AsyncClient, str, str], Awaitable[bool]]


async def _post(network: httpx.AsyncClient, post_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await network.get(f"/api/posts/{post_id}")).json()
    return found


async def _answered(network: httpx.AsyncClient, post_id: str, _person: str) -> bool:
    listed = (await network.get("/api/posts")).json()["posts"]
    return [post["text"] for post in listed if post["parent_id"] == post_id] == ["news"]


async def _deleted(network: httpx.AsyncClient, post_id: str, _person: str) -> bool:
    return bool((await _post(network, post_id))["deleted"])


async def _hidden(network: httpx.AsyncClient, post_id: str, _person: str) -> bool:
    return bool((await _post(network, post_id))["hidden"])


async def _liked(network: httpx.AsyncClient, post_id: str, _person: str) -> bool:
    return bool((await _post(network, post_id))["counters"]["likes"] == 1)


async def _blocked(network: httpx.AsyncClient, _post_id: str, person: str) -> bool:
    listed = (await network.get("/api/accounts/cafe/blocked")).json()["blocked"]
    return person in [one["id"] for one in listed]


def _not(stands: Stands) -> Stands:
    async def turned(network: httpx.AsyncClient, post_id: str, person: str) -> bool:
        return not await stands(network, post_id, person)

    return turned


@dataclass(frozen=True)
class Deed:
    """A call of a program, on the post and the person; `first` is what has to be so before."""

    name: str
    method: str
    path: str
    stands: Stands
    first: tuple[str, str] | None = None

    async def do(self, page: Page, post_id: str, person: str, **more: Any) -> httpx.Response:
        body = {"text": "news", "parent_id": post_id} if self.method == "POST" else None
        path = self.path.format(post=post_id, person=person)
        return await page.client.request(self.method, path, json=body, headers=page.headers, **more)


DEEDS = (
    Deed("comment", "POST", "/api/v1/posts", _answered),
    Deed("delete", "DELETE", "/api/v1/posts/{post}", _deleted),
    Deed("hide", "PUT", "/api/v1/posts/{post}/hidden", _hidden),
    Deed("unhide", "DELETE", "/api/v1/posts/{post}/hidden", _not(_hidden), ("PUT", "/api/v1/posts/{post}/hidden")),
    Deed("like", "PUT", "/api/v1/posts/{post}/like", _liked),
    Deed("unlike", "DELETE", "/api/v1/posts/{post}/like", _not(_liked), ("PUT", "/api/v1/posts/{post}/like")),
    Deed("block", "PUT", "/api/v1/blocked/{person}", _blocked),
    Deed("unblock", "DELETE", "/api/v1/blocked/{person}", _not(_blocked), ("PUT", "/api/v1/blocked/{person}")),
)
EACH = [pytest.param(deed, id=deed.name) for deed in DEEDS]
REPEATED = [pytest.param(deed, id=deed.name) for deed in DEEDS[1:]]


@pytest.fixture
async def said(network: httpx.AsyncClient, page: Page, deed: Deed) -> tuple[str, str]:
    """A post of lea's and lea's id, with what the deed needs done already."""
    post_id = await say(network, "foei")
    person = (await _post(network, post_id))["author"]["id"]
    if deed.first is not None:
        method, path = deed.first
        path = path.format(post=post_id, person=person)
        answer = await page.client.request(method, path, headers=page.headers)
        assert answer.status_code == 200
    return post_id, person


# ---------------------------------------------------------------- honestly


@pytest.mark.parametrize("deed", REPEATED)
async def test_a_deed_done_twice_is_as_if_done_once(
    network: httpx.AsyncClient, page: Page, deed: Deed, said: tuple[str, str]
) -> None:
    once = await deed.do(page, *said)
    changes = (await page.get("/posts")).json()["changes"]
    again = await deed.do(page, *said)
    assert once.status_code == again.status_code == (200 if deed.method == "PUT" else 204)
    assert once.content == again.content
    assert await deed.stands(network, *said)
    assert (await page.get("/posts")).json()["changes"] == changes


@pytest.mark.parametrize("deed", REPEATED)
async def test_nobody_acts_on_another_page(
    network: httpx.AsyncClient, page: Page, deed: Deed, said: tuple[str, str]
) -> None:
    bistro = await open_page(network, "bistro")
    answer = await deed.do(bistro, *said)
    assert (answer.status_code == 404) == ("{post}" in deed.path)
    assert not await deed.stands(network, *said)
    assert (await deed.do(page, "p_unknown", "a_unknown")).status_code == 404


async def test_hiding_is_told_by_log_and_webhook(network: httpx.AsyncClient, page: Page, receiver: Receiver) -> None:
    await page.listen(receiver)
    post_id = await say(network)
    for method in ("PUT", "DELETE"):
        await network.request(method, f"/api/v1/posts/{post_id}/hidden", headers=page.headers)
    changes = (await page.get("/posts")).json()["changes"]
    assert [(one["verb"], one["post"]["hidden"]) for one in changes] == [
        ("created", False),
        ("hidden", True),
        ("unhidden", False),
    ]
    await receiver.wait_for(3)


async def test_a_page_deletes_its_own_words_and_cannot_hide_them(network: httpx.AsyncClient, page: Page) -> None:
    own = (await page.publish(text="news")).json()["id"]
    hiding = await network.put(f"/api/v1/posts/{own}/hidden", headers=page.headers)
    assert (hiding.status_code, hiding.json()["error"]["code"]) == (422, "wrong_kind")
    assert (await network.delete(f"/api/v1/posts/{own}", headers=page.headers)).status_code == 204
    assert (await _post(network, own))["deleted"]


async def test_who_is_blocked_can_neither_speak_nor_react_on_that_page(network: httpx.AsyncClient, page: Page) -> None:
    post_id = await say(network)
    person = (await _post(network, post_id))["author"]["id"]
    await network.put(f"/api/v1/blocked/{person}", headers=page.headers)
    assert [one["id"] for one in (await page.get("/blocked")).json()["blocked"]] == [person]
    speaking = await network.post("/api/say", json={"account": "cafe", "as": "lea", "text": "hallo?"})
    reacting = await network.post(f"/api/posts/{post_id}/reactions", json={"as": "lea"})
    assert [one.json()["error"]["code"] for one in (speaking, reacting)] == ["blocked", "blocked"]
    elsewhere = await network.post("/api/say", json={"account": "bistro", "as": "lea", "text": "hallo!"})
    assert elsewhere.status_code == 201
    assert "Blocked by cafe" in (await network.get("/people/lea")).text


async def test_a_post_is_for_whom_its_page_meant_it(network: httpx.AsyncClient, page: Page) -> None:
    told = [(await page.publish(text="x", **more)).json()["id"] for more in ({}, {"audience": "followers"})]
    assert [(await _post(network, one))["audience"] for one in told] == ["everyone", "followers"]
    assert (await page.publish(text="x", audience="nobody")).status_code == 422


async def test_what_is_hidden_is_marked_and_shown_again_by_a_button(network: httpx.AsyncClient) -> None:
    post_id = await say(network)
    await network.post(f"/posts/{post_id}/hide")
    assert "hidden by the page" in (await network.get("/pages/cafe")).text
    await network.post(f"/posts/{post_id}/show")
    assert "hidden by the page" not in (await network.get("/pages/cafe")).text


# ---------------------------------------------------------------- with lies


async def _lie(network: httpx.AsyncClient, deed: Deed, effect: object) -> None:
    match = {"method": deed.method, "path": "/api/v1/"}
    answer = await network.post("/api/faults", json={"match": match, "effect": effect})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("deed", EACH)
@pytest.mark.parametrize(("effect", "status"), [("created_then_400", 400), ("created_then_500", 500)])
async def test_a_denied_deed_is_done(
    network: httpx.AsyncClient, page: Page, deed: Deed, said: tuple[str, str], effect: str, status: int
) -> None:
    await _lie(network, deed, effect)
    assert (await deed.do(page, *said)).status_code == status
    assert await deed.stands(network, *said)


@pytest.mark.parametrize("deed", EACH)
@pytest.mark.parametrize("effect", ["accept_then_timeout", "reset"])
async def test_a_deed_without_an_answer_is_done(
    network: httpx.AsyncClient, page: Page, deed: Deed, said: tuple[str, str], effect: str
) -> None:
    await _lie(network, deed, effect)
    with pytest.raises(httpx.TransportError):
        await deed.do(page, *said, timeout=0.3)
    assert await deed.stands(network, *said)


@pytest.mark.parametrize("deed", EACH)
@pytest.mark.parametrize(
    ("effect", "status"),
    [("rate_limited", 429), ("expired_token", 401), ({"type": "away", "seconds": 60}, 503)],
    ids=["rate_limited", "expired_token", "away"],
)
async def test_a_refused_deed_is_not_done(
    network: httpx.AsyncClient, page: Page, deed: Deed, said: tuple[str, str], effect: object, status: int
) -> None:
    await _lie(network, deed, effect)
    answer = await deed.do(page, *said)
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == (status == 429)
    assert not await deed.stands(network, *said)


TOLD = [pytest.param(deed, id=deed.name) for deed in DEEDS if "{person}" not in deed.path]  # nobody is told of a block


@pytest.mark.parametrize("deed", TOLD)
async def test_a_deed_told_twice_comes_under_two_delivery_ids(
    network: httpx.AsyncClient, page: Page, deed: Deed, said: tuple[str, str], receiver: Receiver
) -> None:
    await page.listen(receiver)
    await _lie(network, deed, "twice")
    await deed.do(page, *said)
    first, second = await receiver.wait_for(2)
    assert first.body == second.body
    assert first.headers["x-sandbox-delivery"] != second.headers["x-sandbox-delivery"]


@pytest.mark.parametrize("deed", TOLD)
async def test_a_deed_told_late_is_done_and_not_yet_in_the_log(
    network: httpx.AsyncClient, page: Page, deed: Deed, said: tuple[str, str]
) -> None:
    before = (await page.get("/posts")).json()["changes"]
    await _lie(network, deed, {"type": "show_late", "seconds": 1.5})
    await deed.do(page, *said)
    assert (await page.get("/posts")).json()["changes"] == before
    async with asyncio.timeout(20):
        while (await page.get("/posts")).json()["changes"] == before:
            await asyncio.sleep(0.1)
    assert await deed.stands(network, *said)
