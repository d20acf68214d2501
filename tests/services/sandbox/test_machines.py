"""What a program sees by a page's token: publishing, looking up, the change log."""

from typing import Any

import httpx
import pytest

from tests.services.sandbox.conftest import Page, open_page, say


async def test_publishing_answers_with_id_url_and_time(network: httpx.AsyncClient, page: Page) -> None:
    answer = await page.publish(text="news", media=[{"url": "https://x.example/a.png", "alt": "a"}])
    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "url", "published_at"}
    post = (await network.get(f"/api/posts/{answer.json()['id']}")).json()
    assert post["author"]["handle"] == post["account"] == "cafe"
    assert post["author"]["kind"] == "page"
    assert post["media"] == [{"url": "https://x.example/a.png", "kind": "image", "alt": "a"}]


async def test_the_same_client_id_twice_makes_two_posts_and_finds_both(page: Page) -> None:
    made = [(await page.publish(text="news", client_id="out_1")).json()["id"] for _ in range(2)]
    await page.publish(text="other", client_id="out_2")
    found = (await page.get("/posts", client_id="out_1")).json()["posts"]
    assert [post["id"] for post in found] == made
    assert {post["client_id"] for post in found} == {"out_1"}


async def test_a_look_up_finds_only_the_pages_own_posts(network: httpx.AsyncClient, page: Page) -> None:
    await page.publish(text="news", client_id="out_1")
    velo = await open_page(network, "velo")
    assert (await velo.get("/posts", client_id="out_1")).json() == {"posts": []}


async def test_a_look_up_leaves_out_what_is_older_than_since(network: httpx.AsyncClient, page: Page) -> None:
    await say(network, "not the page's own")
    await page.publish(text="old")
    await network.post("/api/clock", json={"at": "2040-01-01T00:00:00Z"})
    await page.publish(text="new")
    found = (await page.get("/posts", since="2040-01-01T00:00:00Z")).json()["posts"]
    assert [post["text"] for post in found] == ["new"]


async def test_the_log_pages_over_every_change_in_order(network: httpx.AsyncClient, page: Page) -> None:
    post_id = await say(network, "first")
    await say(network, "elsewhere", account="velo")
    await network.patch(f"/api/posts/{post_id}", json={"text": "second"})
    await network.post(f"/api/posts/{post_id}/reactions", json={"as": "tom"})
    await network.post(f"/api/posts/{post_id}/reactions", json={"as": "tom", "on": False})
    await network.delete(f"/api/posts/{post_id}")
    changes: list[dict[str, Any]] = []
    cursor, more = "0", True
    while more:
        answer = (await page.get("/posts", after=cursor, limit=2)).json()
        assert set(answer) == {"changes", "cursor", "more"}
        changes, cursor, more = [*changes, *answer["changes"]], answer["cursor"], answer["more"]
    assert [change["verb"] for change in changes] == ["created", "edited", "reacted", "unreacted", "deleted"]
    assert [change["post"]["text"] for change in changes if "post" in change] == ["first", "second", None]
    numbers = [change["number"] for change in changes]
    assert numbers == sorted(set(numbers))
    reaction = changes[2]["reaction"]
    assert (reaction["post_id"], reaction["by"]["handle"], reaction["reaction"]) == (post_id, "tom", "like")
    assert reaction["counters"]["likes"] == 1
    assert (await page.get("/posts", after=cursor)).json() == {"changes": [], "cursor": cursor, "more": False}


async def test_the_log_begins_at_the_beginning(network: httpx.AsyncClient, page: Page) -> None:
    assert (await page.get("/posts")).json() == {"changes": [], "cursor": "0", "more": False}
    await say(network, kind="message")
    (change,) = (await page.get("/posts")).json()["changes"]
    assert change["post"]["visibility"] == "private"


async def test_the_page_answers_a_private_message_privately(network: httpx.AsyncClient, page: Page) -> None:
    message = await say(network, kind="message")
    answer = (await page.publish(text="hello", parent_id=message)).json()
    post = (await page.get(f"/posts/{answer['id']}")).json()
    assert (post["kind"], post["visibility"]) == ("message", "private")


async def test_a_post_is_read_with_live_counters_on_its_own_page_only(network: httpx.AsyncClient, page: Page) -> None:
    post_id = await say(network)
    await network.post(f"/api/posts/{post_id}/reactions", json={"as": "tom"})
    assert (await page.get(f"/posts/{post_id}")).json()["counters"]["likes"] == 1
    assert (await (await open_page(network, "velo")).get(f"/posts/{post_id}")).status_code == 404


async def test_a_program_reads_who_it_is(page: Page) -> None:
    me = (await page.get("/me")).json()
    assert (me["account"], me["may"], me["webhook"]) == ("cafe", ["read", "publish", "webhook"], None)


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic abc", "Bearer"])
async def test_without_a_good_token_nothing_is_told(network: httpx.AsyncClient, header: str | None) -> None:
    answer = await network.get("/api/v1/me", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_token")


@pytest.mark.parametrize(
    "params", [{"after": "x"}, {"after": "-1"}, {"after": "9" * 19}, {"limit": "0"}, {"limit": "101"}, {"since": "x"}]
)
async def test_a_bad_cursor_limit_or_time_is_refused(page: Page, params: dict[str, str]) -> None:
    answer = await page.get("/posts", **params)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")


@pytest.mark.parametrize("body", [{}, {"text": " "}, {"text": "x", "extra": 1}, {"text": "x", "parent_id": "p_0"}])
async def test_a_bad_post_is_refused_and_not_made(page: Page, body: dict[str, object]) -> None:
    assert (await page.publish(**body)).status_code == 422
    assert (await page.get("/posts")).json()["changes"] == []


async def test_a_search_finds_what_everybody_may_read_on_any_page(network: httpx.AsyncClient, page: Page) -> None:
    told = [await say(network, "Lekkere CAFÉ!"), await say(network, "cafe, lekkere", account="velo")]
    await say(network, "lekkere thee")
    await say(network, "lekkere café", kind="message")
    await network.delete(f"/api/posts/{await say(network, 'lekkere café, weg')}")
    await network.post(f"/api/posts/{await say(network, 'lekkere café, verborgen')}/hidden", json={})

    async def search(*more: tuple[str, str]) -> dict[str, Any]:
        asked = httpx.QueryParams([("q", "café"), ("q", "Lekkere"), ("since", "2020-01-01T00:00:00Z"), *more])
        answer = await network.get("/api/v1/search", params=asked, headers=page.headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    found = await search()
    assert [post["id"] for post in found["posts"]] == told[::-1]
    first = await search(("limit", "1"))
    rest = await search(("before", first["cursor"]))
    assert [post["id"] for post in [*first["posts"], *rest["posts"]]] == told[::-1]
    assert rest["cursor"] is None
