"""Slots, the queue, days of silence, recurrences and the calendar, by GraphQL: the same as by REST."""

from typing import Any

import pytest

from shared.ids import Prefix, typeid
from tests.conftest import House, HouseBrand, HouseChannel
from tests.services.api.graphql.asking import Api, brand_id

CREATE_SLOT = "mutation S($i: CreateSlotInput!) { createSlot(input: $i) { slot { id weekday } errors { code path } } }"
CREATE_POST = """mutation P($i: CreatePostInput!) {
  createPost(input: $i) { post { id slotId localTime warnings { code } } errors { code path } } }"""
CREATE_BLACKOUT = (
    "mutation B($i: CreateBlackoutInput!) { createBlackout(input: $i) { blackout { id endsOn } errors { code } } }"
)
CALENDAR = """query C($b: ID!, $from: DateTime!, $to: DateTime!, $channel: ID) { brand(id: $b) {
  calendar(from: $from, to: $to, channelId: $channel) { timezone days { date
    blackouts { label } posts { id status text at localTime variants { channelId state: status } }
    slots { slotId at } previews { recurrenceId day } } } } }"""
RANGE = {"from": "2027-01-31T23:00:00Z", "to": "2027-02-28T23:00:00Z"}


@pytest.fixture
async def letters(house: House, brand: HouseBrand) -> str:
    credentials = {"url": "http://127.0.0.1:1/posts", "secret": "whsec_c2VjcmV0IG9mIHRoZSByZWNlaXZlcg=="}
    made: HouseChannel = await house.channel(brand, name="Letters", credentials=credentials)
    return typeid(Prefix.CHANNEL, made.id)


async def ask(api: Api, brand: HouseBrand, query: str, **variables: Any) -> Any:
    answer = (await api.post(query, brand.api_key, **variables)).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def do(api: Api, brand: HouseBrand, mutation: str, **given: Any) -> Any:
    (payload,) = (await ask(api, brand, mutation, i=given)).values()
    assert payload["errors"] == [], payload
    return payload


async def test_posts_go_through_slots_and_move_with_them(api: Api, brand: HouseBrand, letters: str) -> None:
    own = brand_id(brand)
    slot = (await do(api, brand, CREATE_SLOT, brandId=own, weekday="MONDAY", localTime="10:00"))["slot"]
    posts = [
        (await do(api, brand, CREATE_POST, brandId=own, text="x", channelIds=[letters], slot="next"))["post"]
        for _ in range(2)
    ]
    assert {post["slotId"] for post in posts} == {slot["id"]}
    reorder = (
        "mutation R($i: ReorderQueueInput!) { reorderQueue(input: $i) { moved { posts { postId } } errors { code } } }"
    )
    moved = await do(api, brand, reorder, brandId=own, postIds=[posts[1]["id"], posts[0]["id"]])
    assert len(moved["moved"]["posts"]) == 2
    queue = "query Q($b: ID!) { brand(id: $b) { queue(first: 5) { nodes { id } } slots { label paused } } }"
    found = (await ask(api, brand, queue, b=own))["brand"]
    assert [node["id"] for node in found["queue"]["nodes"]] == [posts[1]["id"], posts[0]["id"]]
    remove = """mutation R($i: RemoveSlotInput!) { removeSlot(input: $i) {
      slot { id } moved { posts { postId slotId before after } } errors { code } } }"""
    gone = await do(api, brand, remove, id=slot["id"])
    assert [one["slotId"] for one in gone["moved"]["posts"]] == [None, None]
    assert all(one["before"] == one["after"] for one in gone["moved"]["posts"])


async def test_a_slot_that_cannot_be_had_is_named(api: Api, brand: HouseBrand, letters: str) -> None:
    given = {"brandId": brand_id(brand), "text": "x", "channelIds": [letters], "slot": "next"}
    payload = (await ask(api, brand, CREATE_POST, i=given))["createPost"]
    assert payload == {"post": None, "errors": [{"code": "NO_SLOT", "path": ["slot"]}]}


async def test_a_repeat_of_a_change_is_answered_with_what_moved_then(api: Api, brand: HouseBrand, letters: str) -> None:
    own = brand_id(brand)
    slot = (await do(api, brand, CREATE_SLOT, brandId=own, weekday="MONDAY", localTime="10:00"))["slot"]
    await do(api, brand, CREATE_POST, brandId=own, text="x", channelIds=[letters], slot="next")
    change = """mutation U($i: UpdateSlotInput!) { updateSlot(input: $i) {
      slot { localTime } moved { posts { postId after } } errors { code } } }"""
    api.headers["idempotency-key"] = "once"
    first = await do(api, brand, change, id=slot["id"], localTime="18:00")
    again = await do(api, brand, change, id=slot["id"], localTime="18:00")
    assert first == again
    assert len(first["moved"]["posts"]) == 1


async def test_a_recurrence_is_begun_changed_and_ended(api: Api, brand: HouseBrand, letters: str) -> None:
    own = brand_id(brand)
    create = """mutation C($i: CreateRecurrenceInput!) { createRecurrence(input: $i) {
      recurrence { id status rule text channelIds skipped madeUntil } errors { code path } } }"""
    given = {"text": "Soup", "rule": "FREQ=DAILY;COUNT=9", "localTime": "23:59", "channelIds": [letters]}
    made = (await do(api, brand, create, brandId=own, **given))["recurrence"]
    assert (made["status"], made["channelIds"]) == ("ACTIVE", [letters])
    change = """mutation U($i: UpdateRecurrenceInput!) { updateRecurrence(input: $i) {
      recurrence { text version } remade { replaced keptIds } errors { code } } }"""
    changed = await do(api, brand, change, id=made["id"], text="Stew", ifVersion=1)
    assert changed["remade"] == {"replaced": 9, "keptIds": []}
    stale = (await ask(api, brand, change, i={"id": made["id"], "text": "x", "ifVersion": 1}))["updateRecurrence"]
    assert [error["code"] for error in stale["errors"]] == ["STALE"]
    end = """mutation E($i: EndRecurrenceInput!) { endRecurrence(input: $i) {
      recurrence { status } remade { replaced } errors { code } } }"""
    ended = await do(api, brand, end, id=made["id"])
    assert (ended["recurrence"]["status"], ended["remade"]["replaced"]) == ("ENDED", 9)
    preview = """query P($b: ID!) { brand(id: $b) {
      recurrencePreview(rule: "FREQ=YEARLY;COUNT=2", localTime: "10:00", startsOn: "2028-02-29") { day at } } }"""
    ahead = (await ask(api, brand, preview, b=own))["brand"]["recurrencePreview"]
    assert [one["day"] for one in ahead] == ["2028-02-29", "2032-02-29"]


async def test_the_calendar_is_that_of_rest(api: Api, brand: HouseBrand, letters: str) -> None:
    own = brand_id(brand)
    await do(api, brand, CREATE_SLOT, brandId=own, weekday="FRIDAY", localTime="10:00")
    await do(api, brand, CREATE_BLACKOUT, brandId=own, startsOn="2027-02-05", label="Silence")
    given = {"text": "Soup", "rule": "FREQ=DAILY;COUNT=9", "localTime": "10:00", "channelIds": [letters]}
    create = "mutation C($i: CreateRecurrenceInput!) { createRecurrence(input: $i) { errors { code } } }"
    await do(api, brand, create, brandId=own, startsOn="2027-02-10", **given)
    await do(api, brand, CREATE_POST, brandId=own, text="Hello", channelIds=[letters], localTime="2027-02-05T10:00")
    shown = (await ask(api, brand, CALENDAR, b=own, **RANGE))["brand"]["calendar"]
    rest = await api.client.get(
        f"/v1/brands/{own}/calendar", params=RANGE, headers={"authorization": f"Bearer {brand.api_key}"}
    )
    days = rest.json()["days"]
    assert (shown["timezone"], [day["date"] for day in shown["days"]]) == (
        "Europe/Brussels", [day["date"] for day in days],
    )  # fmt: skip
    for ours, theirs in zip(shown["days"], days, strict=True):
        assert [post["id"] for post in ours["posts"]] == [post["id"] for post in theirs["posts"]]
        assert [post["at"] for post in ours["posts"]] == [post["at"] for post in theirs["posts"]]
        assert [one["at"] for one in ours["slots"]] == [one["at"] for one in theirs["slots"]]
        assert [one["day"] for one in ours["previews"]] == [one["day"] for one in theirs["previews"]]
        assert [one["label"] for one in ours["blackouts"]] == [one["label"] for one in theirs["blackouts"]]
    (post,) = [post for day in shown["days"] for post in day["posts"]]
    assert post["variants"] == [{"channelId": letters, "state": "SCHEDULED"}]
    assert len([one for day in shown["days"] for one in day["previews"]]) == 9


async def test_a_foreign_channel_has_nothing_in_the_calendar(
    api: Api, brand: HouseBrand, letters: str, house: House
) -> None:
    own = brand_id(brand)
    await do(api, brand, CREATE_POST, brandId=own, text="Hello", channelIds=[letters], localTime="2027-02-05T10:00")
    other = await house.channel(await house.brand("Zee"))
    shown = (await ask(api, brand, CALENDAR, b=own, channel=typeid(Prefix.CHANNEL, other.id), **RANGE))["brand"]
    assert [post for day in shown["calendar"]["days"] for post in day["posts"]] == []
    mine = (await ask(api, brand, CALENDAR, b=own, channel=letters, **RANGE))["brand"]
    assert len([post for day in mine["calendar"]["days"] for post in day["posts"]]) == 1


async def test_what_only_the_executor_knows_comes_out_the_same(api: Api, brand: HouseBrand, letters: str) -> None:
    own = brand_id(brand)
    await do(api, brand, CREATE_POST, brandId=own, text="Hello", channelIds=[letters], localTime="2027-02-05T10:00")
    quick = (await ask(api, brand, CALENDAR, b=own, **RANGE))["brand"]["calendar"]
    slow = CALENDAR.replace("calendar(", "__typename calendar(").replace("{ timezone", "{ __typename timezone")
    found = (await ask(api, brand, slow, b=own, **RANGE))["brand"]["calendar"]
    assert found.pop("__typename") == "Calendar"
    assert found == quick


async def test_a_calendar_costs_its_days(api: Api, brand: HouseBrand) -> None:
    own = brand_id(brand)
    query = "query C($b: ID!, $f: DateTime!, $t: DateTime!) { brand(id: $b) { calendar(from: $f, to: $t) { %s } } }"
    costs = []
    for to in ("2027-02-01T00:00:00Z", "2027-02-11T00:00:00Z"):
        answer = await api.post(
            query % "days { date posts { id } }", brand.api_key, b=own, f="2027-01-31T00:00:00Z", t=to
        )
        costs.append(answer.json()["extensions"]["cost"])
    assert costs == [2 + 2, 2 + 11 * 2]


async def test_an_address_of_the_calendar_is_made_and_revoked(api: Api, brand: HouseBrand) -> None:
    own = brand_id(brand)
    create = """mutation C($i: CreateCalendarFeedInput!) { createCalendarFeed(input: $i) {
      calendarFeed { id label } url errors { code } } }"""
    made = await do(api, brand, create, brandId=own, label="Phone")
    address = "/calendar/" + made["url"].rpartition("/")[2]
    assert (await api.client.get(address)).status_code == 200
    listed = (await ask(api, brand, "query F($b: ID!) { brand(id: $b) { calendarFeeds { id } } }", b=own))["brand"]
    assert [one["id"] for one in listed["calendarFeeds"]] == [made["calendarFeed"]["id"]]
    revoke = """mutation R($i: RevokeCalendarFeedInput!) { revokeCalendarFeed(input: $i) {
      calendarFeed { label } revokedId errors { code } } }"""
    gone = await do(api, brand, revoke, id=made["calendarFeed"]["id"])
    assert (gone["revokedId"], gone["calendarFeed"]["label"]) == (made["calendarFeed"]["id"], "Phone")
    assert (await api.client.get(address)).status_code == 404


async def test_days_of_silence_are_let_go_once(api: Api, brand: HouseBrand) -> None:
    made = await do(api, brand, CREATE_BLACKOUT, brandId=brand_id(brand), startsOn="2027-02-05", label="Silence")
    gone = """mutation D($i: DeleteBlackoutInput!) {
      deleteBlackout(input: $i) { blackout { label startsOn } deletedId errors { code } } }"""
    api.headers["idempotency-key"] = "once"
    first = await do(api, brand, gone, id=made["blackout"]["id"])
    assert first == await do(api, brand, gone, id=made["blackout"]["id"])
    assert first["blackout"] == {"label": "Silence", "startsOn": "2027-02-05"}
