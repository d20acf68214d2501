"""The pages to look at: threads, escaping, forms."""

import httpx
import pytest

from tests.services.sandbox.conftest import say

EVIL = "<script>alert('x')</script>\"'&"


async def test_the_start_page_shows_what_was_said_and_loads_nothing(network: httpx.AsyncClient) -> None:
    await say(network, "Bonjour à tous")
    answer = await network.get("/")
    assert "Bonjour à tous" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "src=" not in answer.text
    assert "<link" not in answer.text


@pytest.mark.parametrize("path", ["/", "/pages/{}", "/people/{}"])
async def test_every_outside_word_is_escaped(network: httpx.AsyncClient, path: str) -> None:
    media = [{"url": "https://x.example/" + EVIL, "kind": EVIL, "alt": EVIL}]
    body = {"account": EVIL, "as": EVIL, "name": EVIL, "text": EVIL, "media": media}
    assert (await network.post("/api/say", json=body)).status_code == 201
    page = await network.get(path.format(httpx.URL("http://x/" + EVIL.replace("/", "%2F")).raw_path.decode()[1:]))
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text


async def test_answers_stand_below_what_they_answer(network: httpx.AsyncClient) -> None:
    root = await say(network, "the root")
    other = await say(network, "another root")
    await say(network, "the answer", parent_id=root)
    text = (await network.get("/pages/cafe")).text
    assert text.index("another root") < text.index("the root") < text.index("the answer")
    thread = (await network.get(f"/posts/{root}")).text
    assert "the answer" in thread
    assert other not in thread


async def test_a_deleted_post_is_struck(network: httpx.AsyncClient) -> None:
    post_id = await say(network, "regretted")
    await network.delete(f"/api/posts/{post_id}")
    assert "<del>regretted</del>" in (await network.get("/pages/cafe")).text


async def test_a_very_deep_thread_is_shown(network: httpx.AsyncClient) -> None:
    root = parent = await say(network)
    for _ in range(1200):
        parent = await say(network, parent_id=parent)
    assert parent in (await network.get(f"/posts/{root}")).text


async def test_the_form_speaks_as_somebody(network: httpx.AsyncClient) -> None:
    form = {"account": "cafe", "as": "lea", "text": "one\r\ntwo", "kind": "", "rating": "5"}
    answer = await network.post("/say", data=form)
    assert answer.status_code == 303
    assert (await network.get(answer.headers["location"])).status_code == 200
    (post,) = (await network.get("/api/posts")).json()["posts"]
    assert (post["text"], post["kind"], post["rating"]) == ("one\ntwo", "review", 5)


async def test_forms_edit_like_and_delete(network: httpx.AsyncClient) -> None:
    post_id = await say(network)
    for path, form in (("edit", {"text": "better"}), ("like", {}), ("delete", {})):
        assert (await network.post(f"/posts/{post_id}/{path}", data=form)).status_code == 303
    (post,) = (await network.get("/api/posts")).json()["posts"]
    assert post["deleted"]
    assert post["counters"]["likes"] == 1
    assert post["edited_at"]


async def test_a_form_from_elsewhere_is_refused(network: httpx.AsyncClient) -> None:
    form = {"account": "cafe", "as": "lea", "text": "x"}
    answer = await network.post("/say", data=form, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert (await network.get("/api/posts")).json()["total"] == 0


@pytest.mark.parametrize("path", ["/pages/nobody", "/people/nobody", "/posts/p_0", "/nowhere"])
async def test_an_unknown_place_is_a_page_that_says_so(network: httpx.AsyncClient, path: str) -> None:
    answer = await network.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_bad_form_is_answered_in_words(network: httpx.AsyncClient) -> None:
    answer = await network.post("/say", data={"account": "cafe", "text": "x"})
    assert answer.status_code == 422
    assert "as: Field required" in answer.text
