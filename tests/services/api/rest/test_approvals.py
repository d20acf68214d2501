"""Approval, the client's page, and hold, through the doors."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from shared.domain.brands import keys
from shared.ids import Prefix, typeid
from shared.models.enums import KeyScope, MembershipRole
from shared.models.organization import Membership, User
from tests.conftest import NOW, House, HouseBrand, HouseChannel
from tests.services.api.rest.conftest import Caller, problem

LATER = (datetime.now(UTC) + timedelta(days=3)).isoformat()


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    credentials = {"url": "http://127.0.0.1:1/posts", "secret": "whsec_c2VjcmV0IG9mIHRoZSByZWNlaXZlcg=="}
    return await house.channel(brand, name="Letters", credentials=credentials)


@pytest.fixture
async def elif_(caller: Caller, house: House, brand: HouseBrand) -> Caller:
    """Another user of the same organization."""
    async with house.owner_db.session() as session:
        user = User(name="Elif", created_at=NOW)
        session.add(user)
        await session.flush()
        session.add(
            Membership(
                organization_id=brand.organization_id, user_id=user.id, role=MembershipRole.MEMBER, created_at=NOW
            )
        )
        await session.flush()
        _, key = await keys.create(
            session, organization_id=brand.organization_id, user_id=user.id, name="Elif's", scopes=[KeyScope.ALL],
            brand_id=None, expires_at=None, now=NOW,
        )  # fmt: skip
    return caller.as_(key)


async def wants(caller: Caller, **rule: Any) -> None:
    answer = await caller.patch("", {"approval": "one", **rule})
    assert answer.status_code == 200, answer.text


async def write(caller: Caller, channel: HouseChannel, **more: Any) -> dict[str, Any]:
    body = {"text": "Hello <b>dear</b> square", "channel_ids": [typeid(Prefix.CHANNEL, channel.id)], **more}
    answer = await caller.post("/posts", {"scheduled_at": LATER, **body})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def agree(caller: Caller, post: dict[str, Any]) -> dict[str, Any]:
    headers = {"if-match": f'"{post["version"]}-x"'}
    answer = await caller.post(f"/posts/{post['id']}/approve", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def page_for(caller: Caller, *post: dict[str, Any], **more: Any) -> str:
    """The address of a client's page, without its host."""
    ends = (datetime.now(UTC) + timedelta(days=7)).isoformat()
    body = {"name": "Mme Claes", "expires_at": ends, "post_ids": [one["id"] for one in post], **more}
    answer = await caller.post("/approval-links", body)
    assert answer.status_code == 201, answer.text
    return urlsplit(answer.json()["url"]).path  # type: ignore[no-any-return]


def form(page: httpx.Response, **typed: str) -> dict[str, str]:
    """What the page's one form sends."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
    assert set(hidden) == {"post", "content", "seal"}
    return {**hidden, "name": "Mme Claes", "comment": "", "verdict": "approved", **typed}


async def test_a_rule_makes_planned_posts_wait_for_another_person(
    caller: Caller, elif_: Caller, channel: HouseChannel
) -> None:
    await wants(caller)
    post = await write(caller, channel)
    assert post["status"] == "in_review"
    (waiting,) = (await caller.get("/approvals/waiting")).json()["data"]
    assert (waiting["post_id"], waiting["waits_for"]) == (post["id"], "people")

    headers = {"if-match": f'"{post["version"]}-x"'}
    own = await caller.post(f"/posts/{post['id']}/approve", {}, headers=headers)
    assert problem(own, 403)["code"] == "own_post"
    assert (await agree(elif_, post))["status"] == "scheduled"
    (said,) = (await caller.get(f"/posts/{post['id']}/approvals")).json()["data"]
    assert (said["kind"], said["version"]) == ("approved", post["version"])


@pytest.mark.parametrize(("verb", "body"), [("approve", {}), ("request-changes", {"comment": "no"})])
async def test_a_word_on_a_post_says_which_version_it_is_of(
    caller: Caller, elif_: Caller, channel: HouseChannel, verb: str, body: dict[str, str]
) -> None:
    await wants(caller)
    post = await write(caller, channel)
    problem(await elif_.post(f"/posts/{post['id']}/{verb}", body), 428)
    problem(await elif_.post(f"/posts/{post['id']}/{verb}", body, headers={"if-match": '"99-x"'}), 412)


async def test_the_brands_rule_is_checked(caller: Caller) -> None:
    problem(await caller.patch("", {"approval": "three"}), 422)
    assert problem(await caller.patch("", {"approval_reminder_hours": -1}), 422)["errors"][0]["pointer"] == (
        "/approval_reminder_hours"
    )


async def test_an_edit_while_it_is_sent_is_told_what_stands(caller: Caller, channel: HouseChannel) -> None:
    post = await write(caller, channel)
    post = (await caller.post(f"/posts/{post['id']}/publish")).json()
    found = problem(await caller.patch(f"/posts/{post['id']}", {"text": "x"}, headers={"if-match": "*"}), 409)
    assert found["code"] == "already_sending"
    assert "publishing on 1" in found["detail"]


async def test_a_client_agrees_on_the_page(
    caller: Caller, elif_: Caller, channel: HouseChannel, client: httpx.AsyncClient
) -> None:
    await wants(caller, client_approval=True)
    post = await agree(elif_, await write(caller, channel))
    address = await page_for(caller, post)

    page = await client.get(address)
    assert page.status_code == 200
    assert "Hello &lt;b&gt;dear&lt;/b&gt; square" in page.text
    sent = await client.post(address, data=form(page))
    assert (sent.status_code, sent.headers["location"]) == (303, f"{address}?done={post['id']}#{post['id']}")

    after = await client.get(sent.headers["location"])
    assert "Thank you" in after.text
    assert "<form" not in after.text
    assert (await caller.get(f"/posts/{post['id']}")).json()["status"] == "scheduled"
    assert [one["name"] for one in (await caller.get(f"/posts/{post['id']}/approvals")).json()["data"]] == [
        None,
        "Mme Claes",
    ]


async def test_a_form_of_an_old_version_is_refused_with_the_new_one_shown(
    caller: Caller, elif_: Caller, channel: HouseChannel, client: httpx.AsyncClient
) -> None:
    await wants(caller, client_approval=True)
    post = await agree(elif_, await write(caller, channel))
    address = await page_for(caller, post)
    old = form(await client.get(address), comment="looks fine")
    edited = await caller.patch(f"/posts/{post['id']}", {"text": "Another text"}, headers={"if-match": "*"})
    await agree(elif_, edited.json())

    refused = await client.post(address, data=old)

    assert refused.status_code == 412
    assert "Another text" in refused.text
    assert "has been changed since you saw it" in refused.text
    assert "looks fine" in refused.text
    assert (await caller.get(f"/posts/{post['id']}")).json()["status"] == "in_review"


async def test_asking_for_changes_without_saying_what_is_told_on_the_page(
    caller: Caller, elif_: Caller, channel: HouseChannel, client: httpx.AsyncClient
) -> None:
    await wants(caller, client_approval=True)
    address = await page_for(caller, await agree(elif_, await write(caller, channel)))
    sent = await client.post(address, data=form(await client.get(address), verdict="changes_requested"))
    assert sent.status_code == 422
    assert "what should be changed" in sent.text


@pytest.mark.parametrize("wrong", [{"seal": "x"}, {"content": "00"}, {"seal": ""}], ids=["seal", "content", "no_seal"])
async def test_a_form_that_is_not_ours_does_nothing(
    caller: Caller, elif_: Caller, channel: HouseChannel, client: httpx.AsyncClient, wrong: dict[str, str]
) -> None:
    await wants(caller, client_approval=True)
    post = await agree(elif_, await write(caller, channel))
    address = await page_for(caller, post)
    sent = await client.post(address, data={**form(await client.get(address)), **wrong})
    assert sent.status_code == 404
    assert (await caller.get(f"/posts/{post['id']}")).json()["status"] == "in_review"


async def test_a_link_that_has_ended_says_so_in_the_clients_language(
    caller: Caller, channel: HouseChannel, client: httpx.AsyncClient
) -> None:
    address = await page_for(caller, await write(caller, channel), language="nl")
    (link,) = (await caller.get("/approval-links")).json()["data"]
    assert (await caller.delete(f"/approval-links/{link['id']}")).status_code == 204
    page = await client.get(address)
    assert (page.status_code, "Deze link geldt niet meer" in page.text) == (410, True)
    assert "Letters" not in page.text
    assert problem(await client.get(f"/v1/approval-links/{address.rpartition('/')[2]}"), 410)["code"] == "over"


async def test_a_token_that_nobody_gave_out_has_a_page_in_the_browsers_language(client: httpx.AsyncClient) -> None:
    page = await client.get("/approve/nothing", headers={"accept-language": "de-BE,fr;q=0.5"})
    assert (page.status_code, "Diesen Link gibt es nicht" in page.text) == (404, True)


@pytest.mark.parametrize(
    ("language", "said"), [("fr", "Approuver"), ("nl", "Goedkeuren"), ("de", "Freigeben"), ("en", "Approve")]
)
async def test_the_page_speaks_the_clients_language(
    caller: Caller, elif_: Caller, channel: HouseChannel, client: httpx.AsyncClient, language: str, said: str
) -> None:
    await wants(caller, client_approval=True)
    page = await client.get(await page_for(caller, await agree(elif_, await write(caller, channel)), language=language))
    assert f'<html lang="{language}">' in page.text
    assert f">{said}</button>" in page.text
    assert "$" not in html.unescape(page.text)


async def test_the_page_is_closed_to_scripts_frames_caches_and_referrers(
    caller: Caller, channel: HouseChannel, client: httpx.AsyncClient
) -> None:
    page = await client.get(await page_for(caller, await write(caller, channel)))
    policy = page.headers["content-security-policy"]
    assert "script-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")


async def test_an_address_that_is_no_web_address_is_no_link(
    caller: Caller, elif_: Caller, channel: HouseChannel, client: httpx.AsyncClient
) -> None:
    await wants(caller, client_approval=True)
    body = {"link": "javascript:alert(1)"}
    answer = await caller.post(
        "/posts",
        {"text": "x", "channel_ids": [typeid(Prefix.CHANNEL, channel.id)], "scheduled_at": LATER, **body},
    )
    if answer.status_code == 422:
        return
    page = await client.get(await page_for(caller, await agree(elif_, answer.json())))
    assert 'href="javascript:' not in page.text


async def test_a_link_is_asked_for_so_often_and_no_more(
    caller: Caller, channel: HouseChannel, client: httpx.AsyncClient
) -> None:
    address = await page_for(caller, await write(caller, channel))
    assert (await client.get(address)).status_code == 200
    for _ in range(2 * 120 + 1):  # a minute may end meanwhile
        if (await client.get(address)).status_code == 429:
            return
    pytest.fail("it was answered each time")


async def test_frontends_read_and_answer_the_same_as_json(
    caller: Caller, elif_: Caller, channel: HouseChannel, client: httpx.AsyncClient
) -> None:
    await wants(caller, client_approval=True)
    post = await agree(elif_, await write(caller, channel))
    address = (await page_for(caller, post)).replace("/approve/", "/v1/approval-links/")
    shown = (await client.get(address)).json()
    (one,) = shown["posts"]
    assert (one["stage"], one["variants"][0]["text"]) == ("yours", "Hello <b>dear</b> square")

    word = {"post_id": post["id"], "content": one["content"], "verdict": "approved", "name": "Mme Claes"}
    problem(await client.post(address, json={**word, "content": "00"}), 412)
    problem(await client.post(address, json={**word, "verdict": "comment"}), 422)
    after = await client.post(address, json=word)
    assert after.json()["posts"][0]["stage"] == "agreed"


async def test_everything_is_held_and_released(caller: Caller, channel: HouseChannel) -> None:
    post = await write(caller, channel)
    made = await caller.post("/hold", {"reason": "a storm"})
    assert (made.status_code, made.headers["location"]) == (201, f"/v1/brands/{caller.brand_id}/hold")
    assert (await caller.get(f"/posts/{post['id']}")).json()["status"] == "held"
    found = (await caller.get("/hold")).json()
    assert (found["hold"]["reason"], found["waiting"], found["missed"]) == ("a storm", 1, 0)
    assert problem(await caller.post("/hold", {"reason": "again"}), 409)["code"] == "already_held"
    assert (await caller.post("/hold/release", {"missed": "ask"})).json()["missed"] == "ask"
    assert (await caller.get(f"/posts/{post['id']}")).json()["status"] == "scheduled"
    assert (await caller.get("/hold")).json()["hold"] is None


async def test_the_two_doors_say_the_same(caller: Caller, elif_: Caller, channel: HouseChannel) -> None:
    async def graph(who: Caller, query: str, **variables: Any) -> Any:
        answer = await who.ask("POST", "/v1/../graphql", json={"query": query, "variables": variables})
        assert "errors" not in answer.json(), answer.text
        return answer.json()["data"]

    rule = await graph(
        caller,
        "mutation($input: UpdateBrandInput!) { updateBrand(input: $input) { brand { approval } errors { code } } }",
        input={"id": caller.brand_id, "approval": "ONE"},
    )
    assert rule["updateBrand"] == {"brand": {"approval": "ONE"}, "errors": []}
    post = await write(caller, channel)
    said = await graph(
        elif_,
        "mutation($input: RequestChangesInput!) { requestChanges(input: $input) { post { status comments { text } }"
        " errors { code } } }",
        input={"id": post["id"], "ifVersion": post["version"], "comment": "too loud"},
    )
    assert said["requestChanges"]["post"] == {"status": "DRAFT", "comments": [{"text": "too loud"}]}
    stale = await graph(
        elif_,
        "mutation($input: ApproveInput!) { approve(input: $input) { post { id } errors { code } } }",
        input={"id": post["id"], "ifVersion": post["version"]},
    )
    assert [one["code"] for one in stale["approve"]["errors"]] == ["STALE"]
