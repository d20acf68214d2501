"""Lies on demand: each effect, what it does behind the asker's back, and when honesty returns."""

import asyncio

import httpx
import pytest

from tests.services.sandbox.conftest import Page, Receiver, say

PUBLISH = {"method": "POST", "path": "/api/v1/posts"}


async def lie(network: httpx.AsyncClient, effect: object, *, match: object = None, count: int = 1) -> None:
    body = {"match": PUBLISH if match is None else match, "effect": effect, "count": count}
    answer = await network.post("/api/faults", json=body)
    assert answer.status_code == 201, answer.text


async def live(page: Page) -> int:
    return len((await page.get("/posts", client_id="out_1")).json()["posts"])


async def publish(page: Page) -> httpx.Response:
    return await page.publish(text="news", client_id="out_1")


@pytest.mark.parametrize(
    ("effect", "status", "code"),
    [
        ("429", 429, "rate_limited"),
        ("rate_limited", 429, "rate_limited"),
        ({"type": "status", "status": 500}, 500, "internal"),
        ("expired_token", 401, "expired_token"),
    ],
)
async def test_a_refusing_fault_does_nothing(
    network: httpx.AsyncClient, page: Page, effect: object, status: int, code: str
) -> None:
    await lie(network, effect)
    answer = await publish(page)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert await live(page) == 0


async def test_a_rate_limit_says_when_to_come_back(network: httpx.AsyncClient, page: Page) -> None:
    await lie(network, {"type": "status", "status": 429, "retry_after": 7})
    assert (await publish(page)).headers["retry-after"] == "7"
    await lie(network, {"type": "rate_limited", "retry_after": 9})
    assert (await publish(page)).headers["retry-after"] == "9"


@pytest.mark.parametrize(
    ("effect", "status"),
    [("created_then_400", 400), ("created_then_500", 500), ({"type": "created_then", "status": 503}, 503)],
)
async def test_a_denying_fault_does_it_and_denies_it(
    network: httpx.AsyncClient, page: Page, effect: object, status: int
) -> None:
    await lie(network, effect)
    assert (await publish(page)).status_code == status
    assert await live(page) == 1


async def test_what_was_refused_anyway_is_answered_truthfully(network: httpx.AsyncClient, page: Page) -> None:
    await lie(network, "created_then_500")
    assert (await page.publish(text="")).status_code == 422


@pytest.mark.parametrize(
    ("effect", "made"), [("timeout", 1), ("accept_then_timeout", 1), ({"type": "timeout", "done": False}, 0)]
)
async def test_a_silent_fault_never_answers(network: httpx.AsyncClient, page: Page, effect: object, made: int) -> None:
    await lie(network, effect)
    with pytest.raises(httpx.ReadTimeout):
        await network.post(
            "/api/v1/posts", json={"text": "news", "client_id": "out_1"}, headers=page.headers, timeout=0.5
        )
    assert await live(page) == made


async def test_a_silence_of_seconds_ends_with_the_true_answer(network: httpx.AsyncClient, page: Page) -> None:
    await lie(network, {"type": "timeout", "seconds": 0.3})
    answer = await publish(page)
    assert answer.status_code == 201
    assert answer.elapsed.total_seconds() >= 0.3


@pytest.mark.parametrize(("effect", "made"), [("reset", 1), ({"type": "reset", "done": False}, 0)])
async def test_a_reset_cuts_the_connection_without_a_word(
    network: httpx.AsyncClient, page: Page, effect: object, made: int
) -> None:
    await lie(network, effect)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await publish(page)
    assert await live(page) == made


async def test_what_is_shown_late_is_hidden_from_look_ups_log_and_webhook(
    network: httpx.AsyncClient, page: Page, receiver: Receiver
) -> None:
    await page.listen(receiver)
    await lie(network, {"type": "show_late", "seconds": 5})
    answer = await publish(page)
    assert answer.status_code == 201
    await say(network, "after it")
    assert await live(page) == 0
    assert (await page.get(f"/posts/{answer.json()['id']}")).status_code == 404
    assert (await page.get("/posts")).json() == {"changes": [], "cursor": "0", "more": False}
    assert [post["text"] for post in (await network.get("/api/posts")).json()["posts"]] == ["after it"]
    await receiver.wait_for(1)
    await asyncio.sleep(0.3)
    assert len(receiver.taken) == 1
    await receiver.wait_for(2)
    assert await live(page) == 1
    assert len((await page.get("/posts")).json()["changes"]) == 2


async def test_a_denied_post_may_also_be_shown_late(network: httpx.AsyncClient, page: Page) -> None:
    await lie(network, {"type": "created_then_500", "show_late": 3})
    assert (await publish(page)).status_code == 500
    assert await live(page) == 0
    async with asyncio.timeout(30):
        while not await live(page):
            await asyncio.sleep(0.05)
    assert await live(page) == 1


async def test_a_change_told_twice_comes_under_two_delivery_ids(
    network: httpx.AsyncClient, page: Page, receiver: Receiver
) -> None:
    await page.listen(receiver)
    await lie(network, "twice")
    await publish(page)
    first, second = await receiver.wait_for(2)
    assert first.body == second.body
    assert first.headers["x-sandbox-delivery"] != second.headers["x-sandbox-delivery"]


async def test_a_fault_is_used_up_after_its_count(network: httpx.AsyncClient, page: Page) -> None:
    await lie(network, "500", count=2)
    assert [(await publish(page)).status_code for _ in range(3)] == [500, 500, 201]
    assert (await network.get("/api/faults")).json() == {"faults": []}


async def test_the_oldest_matching_fault_comes_first(network: httpx.AsyncClient, page: Page) -> None:
    await lie(network, "500")
    await lie(network, "429")
    assert [(await publish(page)).status_code for _ in range(3)] == [500, 429, 201]


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, True),
        ("POST /api/v1/posts", True),
        ("/api/v1", True),
        ({"path": "/api/*/posts"}, True),
        ({"account": "cafe"}, True),
        ({"body": "out_1"}, True),
        ({"method": "post"}, True),
        ({"method": "GET"}, False),
        ({"path": "/api/v2"}, False),
        ({"path": "/api/*/me"}, False),
        ({"account": "velo"}, False),
        ({"body": "out_2"}, False),
        ({"method": "POST", "path": "/api/v1", "account": "velo"}, False),
    ],
)
async def test_a_fault_strikes_only_what_it_matches(
    network: httpx.AsyncClient, page: Page, match: object, hit: bool
) -> None:
    await lie(network, "500", match=match)
    assert (await publish(page)).status_code == (500 if hit else 201)


async def test_clearing_makes_the_network_honest_again(network: httpx.AsyncClient, page: Page) -> None:
    await lie(network, "500", match={}, count=1000)
    assert (await network.delete("/api/faults")).status_code == 204
    assert (await publish(page)).status_code == 201


async def test_clock_health_and_pages_are_never_lied_about(network: httpx.AsyncClient) -> None:
    await lie(network, "500", match={}, count=1000)
    for path in ("/api/clock", "/api/faults", "/healthz", "/readyz", "/"):
        assert (await network.get(path)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"effect": "explode"},
        {"effect": "9999"},
        {"effect": "200"},
        {"effect": {"type": "status"}},
        {"effect": {"type": "timeout", "seconds": -1}},
        {"effect": "500", "count": 0},
        {"effect": "500", "match": {"colour": "red"}},
        {"effect": "500", "match": 7},
        {"effect": None},
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(network: httpx.AsyncClient, body: dict[str, object]) -> None:
    answer = await network.post("/api/faults", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")
    assert (await network.get("/api/faults")).json() == {"faults": []}
