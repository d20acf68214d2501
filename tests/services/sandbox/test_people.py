"""Speaking as anybody: what CONTRACT's section on the practice network promises from outside."""

import httpx
import pytest

from tests.services.sandbox.conftest import Page, open_page, say

KEYS = {
    "id", "url", "account", "author", "kind", "text", "parent_id", "rating", "media", "visibility", "client_id",
    "published_at", "edited_at", "deleted", "deleted_at", "counters", "hidden", "audience",
}  # fmt: skip


async def posts_of(network: httpx.AsyncClient, account: str = "cafe") -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await network.get("/api/posts", params={"account": account})).json()["posts"]
    return found


async def test_saying_something_answers_with_id_and_url(network: httpx.AsyncClient) -> None:
    answer = await network.post("/api/say", json={"account": "cafe", "as": "lea", "text": "Bonjour"})
    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "url"}
    assert (await network.get(answer.json()["url"])).status_code == 200


async def test_posts_are_listed_newest_first_with_every_field(network: httpx.AsyncClient) -> None:
    first, second = await say(network, "one"), await say(network, "two")
    listed = await posts_of(network)
    assert [post["id"] for post in listed] == [second, first]
    assert set(listed[0]) == KEYS
    assert listed[0]["author"] == {
        "id": listed[1]["author"]["id"],  # type: ignore[index]
        "handle": "lea",
        "name": "lea",
        "kind": "person",
        "url": str(network.base_url).rstrip("/") + "/people/lea",
    }


async def test_how_many_follow_somebody_is_told_with_what_they_say(network: httpx.AsyncClient) -> None:
    for followers in (None, 240, 0):
        told = {} if followers is None else {"followers": followers}
        answer = await network.post("/api/say", json={"account": "cafe", "as": "lea", "text": "Bonjour", **told})
        assert answer.status_code == 201
        author = (await posts_of(network))[0]["author"]
        assert isinstance(author, dict)
        assert author.get("followers") == followers
        assert ("followers" in author) == (followers is not None)


async def test_another_pages_posts_are_not_listed(network: httpx.AsyncClient) -> None:
    await say(network, "here")
    await say(network, "there", account="velo")
    assert [post["text"] for post in await posts_of(network, "velo")] == ["there"]


@pytest.mark.parametrize(
    ("parent", "more", "kind", "visibility"),
    [
        (None, {}, "post", "public"),
        (None, {"rating": 4}, "review", "public"),
        (None, {"kind": "message"}, "message", "private"),
        ({}, {}, "comment", "public"),
        ({"rating": 1}, {}, "comment", "public"),
        ({"kind": "comment"}, {}, "reply", "public"),
        ({"kind": "message"}, {}, "message", "private"),
    ],
)
async def test_the_kind_follows_from_what_is_answered(
    network: httpx.AsyncClient, parent: dict[str, object] | None, more: dict[str, object], kind: str, visibility: str
) -> None:
    parent_id = None if parent is None else await say(network, "above", **parent)
    new_id = await say(network, "below", parent_id=parent_id, **more)
    post = (await network.get(f"/api/posts/{new_id}")).json()
    assert (post["kind"], post["visibility"], post["parent_id"]) == (kind, visibility, parent_id)


async def test_an_edit_shows_the_new_text_and_when(network: httpx.AsyncClient) -> None:
    post_id = await say(network, "old")
    answer = await network.patch(f"/api/posts/{post_id}", json={"text": "new"})
    assert answer.status_code == 200
    assert answer.json()["text"] == "new"
    assert answer.json()["edited_at"] > answer.json()["published_at"]


async def test_a_deleted_post_stays_listed_without_its_text(network: httpx.AsyncClient) -> None:
    post_id = await say(network, "gone")
    assert (await network.delete(f"/api/posts/{post_id}")).status_code == 204
    assert (await network.delete(f"/api/posts/{post_id}")).status_code == 204
    (post,) = await posts_of(network)
    assert (post["deleted"], post["text"]) == (True, None)
    assert (await network.patch(f"/api/posts/{post_id}", json={"text": "back"})).status_code == 409


async def test_a_person_reacts_once_to_a_post_and_may_take_it_back(network: httpx.AsyncClient) -> None:
    url = f"/api/posts/{await say(network)}/reactions"
    likes = [
        (await network.post(url, json=body)).json()["counters"]["likes"]
        for body in (
            {"as": "tom"},
            {"as": "tom", "reaction": "love"},
            {"as": "amy"},
            {"as": "tom", "on": False},
            {"as": "tom", "on": False},
        )
    ]
    assert likes == [1, 1, 2, 1, 1]


async def test_answers_are_counted_without_the_deleted_ones(network: httpx.AsyncClient) -> None:
    post_id = await say(network)
    gone = await say(network, "a", parent_id=post_id)
    await say(network, "b", parent_id=post_id)
    await network.delete(f"/api/posts/{gone}")
    assert (await network.get(f"/api/posts/{post_id}")).json()["counters"]["replies"] == 1


async def test_the_moved_clock_dates_new_posts_and_ticks_on(network: httpx.AsyncClient) -> None:
    moved = (await network.post("/api/clock", json={"at": "2031-05-01T10:00:00+02:00"})).json()
    assert moved["moved"] is True
    post = (await network.get(f"/api/posts/{await say(network)}")).json()
    assert "2031-05-01T08:00:00" < moved["now"] < post["published_at"] < "2031-05-01T08:01:00"


async def test_the_clock_returns_to_the_real_time(network: httpx.AsyncClient) -> None:
    real = (await network.get("/api/clock")).json()["now"]
    await network.post("/api/clock", json={"at": "2031-05-01T08:00:00Z"})
    back = (await network.post("/api/clock", json={"at": None})).json()
    assert back["moved"] is False
    assert real < back["now"] < "2031"


async def test_a_page_keeps_its_token(network: httpx.AsyncClient, page: Page) -> None:
    await say(network)
    assert (await open_page(network)).headers == page.headers
    assert (await network.post("/api/accounts", json={"account": "new"})).status_code == 201
    assert (await network.post("/api/accounts", json={"account": "new"})).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not_json"),
        (b'{"account": "\xff"}', 400, "bad_request"),
        (b"[" * 100_000, 400, "bad_request"),
        (b"[]", 422, "invalid"),
        (b'{"account": "cafe", "as": "lea"}', 422, "empty"),
        (b'{"account": " ", "as": "lea", "text": "x"}', 422, "invalid"),
        (b'{"account": "cafe", "as": "lea", "text": "x", "kind": "shout"}', 422, "invalid"),
        (b'{"account": "cafe", "as": "lea", "text": "x", "\\ud800": 1}', 422, "invalid"),
        (b'{"account": "cafe", "as": "lea", "text": "\\ud800"}', 422, "invalid"),
        (b'{"account": "\\ud800", "as": "lea", "text": "x"}', 422, "invalid"),
        (b'{"account": "cafe", "as": "lea", "text": "x", "rating": NaN}', 422, "invalid"),
        (b'{"account": "cafe", "as": "lea", "text": "x", "rating": 6}', 422, "invalid"),
        (b'{"account": "cafe", "as": "lea", "text": "x", "kind": "post", "rating": 5}', 422, "wrong_kind"),
        (b'{"account": "cafe", "as": "lea", "text": "x", "parent_id": "p_0"}', 422, "unknown_parent"),
        (b'{"account": "cafe", "as": "lea", "text": "' + b"x" * 10_001 + b'"}', 422, "too_long"),
        (b'{"account": "cafe", "as": "lea", "text": "' + b"x" * 1_050_000 + b'"}', 413, "too_large"),
    ],
    ids=lambda value: repr(value)[:50],
)
async def test_bad_input_is_refused_in_words_and_nothing_is_made(
    network: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    answer = await network.post("/api/say", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]
    assert (await network.get("/api/posts")).json() == {"posts": [], "total": 0}
    assert (await network.get("/api/accounts")).json() == {"accounts": []}


async def test_what_answers_another_page_or_a_deleted_post_is_refused(network: httpx.AsyncClient) -> None:
    post_id = await say(network)
    body = {"account": "velo", "as": "lea", "text": "x", "parent_id": post_id}
    assert (await network.post("/api/say", json=body)).json()["error"]["code"] == "unknown_parent"
    await network.delete(f"/api/posts/{post_id}")
    answer = await network.post("/api/say", json={**body, "account": "cafe"})
    assert answer.json()["error"]["code"] == "parent_deleted"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/posts/p_0"), ("PATCH", "/api/posts/p_0"), ("DELETE", "/api/posts/p_0"), ("GET", "/api/nothing")],
)
async def test_an_unknown_id_is_404(network: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await network.request(method, path, json={"text": "x"} if method == "PATCH" else None)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_a_text_with_a_null_character_is_kept(network: httpx.AsyncClient) -> None:
    post_id = await say(network, "a\x00b")
    assert (await network.get(f"/api/posts/{post_id}")).json()["text"] == "a\x00b"


async def test_the_network_says_that_it_is_ready(network: httpx.AsyncClient) -> None:
    assert (await network.get("/healthz")).status_code == 200
    assert (await network.get("/readyz")).json() == {"status": "ready", "database": "up", "deliveries": "up"}


async def test_a_bare_curl_may_forget_to_say_that_it_sends_json(network: httpx.AsyncClient) -> None:
    body, form = b'{"account": "cafe", "as": "lea", "text": "x"}', "application/x-www-form-urlencoded"
    assert (await network.post("/api/say", content=body, headers={"content-type": form})).status_code == 201
    assert (await network.post("/api/say", content=body)).status_code == 201


async def test_a_foreign_pages_form_cannot_pass_for_json(network: httpx.AsyncClient) -> None:
    body = b'{"account": "cafe", "as": "lea", "text": "x"}'
    headers = {"content-type": "text/plain", "sec-fetch-site": "cross-site"}
    assert (await network.post("/api/say", content=body, headers=headers)).status_code == 422
    assert (await network.get("/api/posts")).json()["total"] == 0
