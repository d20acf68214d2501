"""Posts over REST: conventions of change, and the verbs."""

from typing import Any

import pytest

from shared.ids import Prefix, typeid
from shared.models.enums import Network
from tests.conftest import House, HouseBrand, HouseChannel
from tests.services.api.rest.conftest import Caller, problem


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    credentials = {"url": "http://127.0.0.1:1/posts", "secret": "whsec_c2VjcmV0IG9mIHRoZSByZWNlaXZlcg=="}
    return await house.channel(brand, name="Letters", credentials=credentials)


async def _draft(caller: Caller, channel: HouseChannel, **more: Any) -> dict[str, Any]:
    body = {"text": "Hello", "channel_ids": [typeid(Prefix.CHANNEL, channel.id)], **more}
    response = await caller.post("/posts", body)
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"/v1/brands/{caller.brand_id}/posts/{response.json()['id']}"
    made: dict[str, Any] = response.json()
    return made


async def test_a_post_is_made_a_draft_and_read_back_the_same(caller: Caller, channel: HouseChannel) -> None:
    made = await _draft(caller, channel)

    assert made["status"] == "draft"
    assert [variant["text"] for variant in made["variants"]] == ["Hello"]
    assert (await caller.get(f"/posts/{made['id']}")).json() == made
    assert (await caller.get("/posts")).json()["data"] == [made]


async def test_changing_needs_if_match(caller: Caller, channel: HouseChannel) -> None:
    made = await _draft(caller, channel)

    assert problem(await caller.patch(f"/posts/{made['id']}", {"text": "New"}), 428)["code"] == "if_match_required"


async def test_the_etag_that_was_read_lets_change_once(caller: Caller, channel: HouseChannel) -> None:
    made = await _draft(caller, channel)
    tag = (await caller.get(f"/posts/{made['id']}")).headers["etag"]

    first = await caller.patch(f"/posts/{made['id']}", {"text": "New"}, headers={"if-match": tag})
    second = await caller.patch(f"/posts/{made['id']}", {"text": "Newer"}, headers={"if-match": tag})

    assert (first.status_code, first.json()["text"]) == (200, "New")
    assert first.headers["etag"] != tag
    assert problem(second, 412)["code"] == "stale"


@pytest.mark.parametrize("header", ['W/"1-x"', '"7"', "nonsense", ""])
async def test_a_tag_that_is_weak_or_wrong_matches_nothing(caller: Caller, channel: HouseChannel, header: str) -> None:
    made = await _draft(caller, channel)

    problem(await caller.patch(f"/posts/{made['id']}", {"text": "New"}, headers={"if-match": header}), 412)


async def test_any_of_several_tags_will_do(caller: Caller, channel: HouseChannel) -> None:
    made = await _draft(caller, channel)
    tag = (await caller.get(f"/posts/{made['id']}")).headers["etag"]

    changed = await caller.patch(f"/posts/{made['id']}", {"text": "New"}, headers={"if-match": f'"9-z", {tag}'})

    assert changed.status_code == 200


async def test_scheduling_publishing_and_cancelling(caller: Caller, channel: HouseChannel) -> None:
    made = await _draft(caller, channel, scheduled_at="2099-12-01T09:00:00Z")
    moved = await caller.post(
        f"/posts/{made['id']}/schedule",
        {"local_time": "2099-07-01T10:00", "timezone": "Europe/Brussels"},
        headers={"if-match": '"1"'},
    )
    cancelled = await caller.post(f"/posts/{made['id']}/cancel")
    again = await _draft(caller, channel)
    published = await caller.post(f"/posts/{again['id']}/publish")

    assert (made["status"], made["scheduled_at"]) == ("scheduled", "2099-12-01T09:00:00Z")
    assert (moved.json()["scheduled_at"], moved.json()["local_time"]) == ("2099-07-01T08:00:00Z", "2099-07-01T10:00")
    assert cancelled.json()["status"] == "cancelled"
    assert published.json()["status"] == "publishing"
    assert published.json()["variants"][0]["outgoing"][0]["state"] == "waiting"


async def test_a_verb_in_the_wrong_state_is_409(caller: Caller, channel: HouseChannel) -> None:
    made = await _draft(caller, channel)
    await caller.post(f"/posts/{made['id']}/publish")

    problem(await caller.delete(f"/posts/{made['id']}"), 409)


async def test_a_draft_is_deleted(caller: Caller, channel: HouseChannel) -> None:
    made = await _draft(caller, channel)

    assert (await caller.delete(f"/posts/{made['id']}")).status_code == 204
    problem(await caller.get(f"/posts/{made['id']}"), 404)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"text": 1}, {"text": "x", "channel_ids": ["chan_01h2xcejqtf2nbrexx3vqjhp41"]},
        {"text": "x", "channel_ids": ["nonsense"]}, {"text": "x", "scheduled_at": "2026-12-01T09:00:00"},
        {"text": "x", "local_time": "2026-12-01T10:00", "timezone": "Mars/Base"}, {"text": "x", "status": "published"},
    ],
)  # fmt: skip
async def test_bad_posts_are_422_and_nothing_is_written(caller: Caller, body: dict[str, Any]) -> None:
    assert problem(await caller.post("/posts", body), 422)["errors"]
    assert (await caller.get("/posts")).json()["data"] == []


async def test_u0000_in_a_text_is_made_storable(caller: Caller, channel: HouseChannel) -> None:
    assert (await _draft(caller, channel, text="a\x00b"))["text"] == "a\ufffdb"


async def test_settling_what_is_not_uncertain_is_409(caller: Caller, channel: HouseChannel) -> None:
    made = await _draft(caller, channel)
    published = (await caller.post(f"/posts/{made['id']}/publish")).json()
    effect = published["variants"][0]["outgoing"][0]["id"]

    problem(await caller.post(f"/outgoing/{effect}/settle", {"as": "drop"}), 409)
    problem(await caller.post(f"/outgoing/{effect}/settle", {"as": "forget"}), 422)
    problem(await caller.post("/outgoing/out_01h2xcejqtf2nbrexx3vqjhp41/settle", {"as": "drop"}), 404)


async def test_a_text_that_is_too_long_for_its_network_is_kept_as_a_draft_and_refused_to_go_out(
    caller: Caller, house: House, brand: HouseBrand
) -> None:
    practice = await house.channel(
        brand, Network.SANDBOX, name="Practice", base_url="http://127.0.0.1:1", credentials={"access_token": "t"}
    )
    made = await _draft(caller, practice, text="x" * 10_001)
    etag = {"if-match": f'"{made["version"]}"'}
    at = {"scheduled_at": "2099-01-01T09:00:00Z"}
    refused = [
        await caller.post(f"/posts/{made['id']}/publish"),
        await caller.post(f"/posts/{made['id']}/schedule", at, headers=etag),
        await caller.post("/posts", {"text": "x" * 10_001, "channel_ids": [made["variants"][0]["channel_id"]], **at}),
    ]

    (listed,) = made["variants"][0]["problems"]
    assert (listed["code"], listed["used"], listed["limit"], listed["unit"]) == (
        "too_long",
        10_001,
        10_000,
        "characters",
    )
    for answer in refused:
        (found,) = problem(answer, 422)["errors"]
        assert (found["pointer"], found["code"]) == ("/variants/0/text", "too_long")
        assert found["detail"] == listed["message"]


async def test_scheduling_changes_a_post_and_needs_if_match(caller: Caller, channel: HouseChannel) -> None:
    made = await _draft(caller, channel)
    at = {"scheduled_at": "2099-12-01T09:00:00Z"}

    missing = await caller.post(f"/posts/{made['id']}/schedule", at)
    stale = await caller.post(f"/posts/{made['id']}/schedule", at, headers={"if-match": '"7"'})
    right = await caller.post(f"/posts/{made['id']}/schedule", at, headers={"if-match": '"1"'})

    assert problem(missing, 428)["code"] == "if_match_required"
    assert problem(stale, 412)["code"] == "stale"
    assert (right.status_code, right.json()["status"]) == (200, "scheduled")


@pytest.mark.parametrize("verb", ["publish", "cancel"])
async def test_publishing_and_cancelling_honour_if_match_and_do_without(
    caller: Caller, channel: HouseChannel, verb: str
) -> None:
    made = await _draft(caller, channel)

    stale = await caller.post(f"/posts/{made['id']}/{verb}", headers={"if-match": '"7"'})
    without = await caller.post(f"/posts/{made['id']}/{verb}")

    assert problem(stale, 412)["code"] == "stale"
    assert without.status_code == 200


@pytest.mark.parametrize(
    "at",
    ["4102444800", "4102444800.5", 4102444800, "2099-12-01", "20991201T090000Z", "2099-W49-2T09:00:00Z", "tomorrow",
     "2099-12-01T09:00:00", "2099-13-01T09:00:00Z", "-1", "", True],
)  # fmt: skip
async def test_a_time_that_is_not_rfc_3339_is_422_at_its_place(
    caller: Caller, channel: HouseChannel, at: object
) -> None:
    made = await _draft(caller, channel)
    answers = [
        await caller.post(
            "/posts", {"text": "x", "channel_ids": [made["variants"][0]["channel_id"]], "scheduled_at": at}
        ),
        await caller.patch(f"/posts/{made['id']}", {"scheduled_at": at}, headers={"if-match": '"1"'}),
        await caller.post(f"/posts/{made['id']}/schedule", {"scheduled_at": at}, headers={"if-match": '"1"'}),
    ]

    for answer in answers:
        assert [one["pointer"] for one in problem(answer, 422)["errors"]] == ["/scheduled_at"]


@pytest.mark.parametrize("at", ["2099-12-01T09:00:00Z", "2099-12-01t10:00:00.000+01:00", "2099-12-01 09:00:00z"])
async def test_a_time_in_any_form_of_rfc_3339_is_that_moment(caller: Caller, channel: HouseChannel, at: str) -> None:
    assert (await _draft(caller, channel, scheduled_at=at))["scheduled_at"] == "2099-12-01T09:00:00Z"
