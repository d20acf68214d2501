"""Slots, the queue, days of silence, recurrences, the calendar and its feeds, by REST."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import icalendar
import pytest

from shared.ids import Prefix, typeid
from tests.conftest import House, HouseBrand, HouseChannel
from tests.services.api.rest.conftest import Caller, problem

ANY = {"if-match": "*"}


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> str:
    credentials = {"url": "http://127.0.0.1:1/posts", "secret": "whsec_c2VjcmV0IG9mIHRoZSByZWNlaXZlcg=="}
    made: HouseChannel = await house.channel(brand, name="Letters", credentials=credentials)
    return typeid(Prefix.CHANNEL, made.id)


async def make(caller: Caller, place: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await caller.post(place, body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert (await caller.get(answer.headers["location"])).json() == found
    return found


async def make_slot(caller: Caller, **more: Any) -> dict[str, Any]:
    return await make(caller, "/slots", {"weekday": "monday", "local_time": "10:00", **more})


async def queued(caller: Caller, channel: str, **more: Any) -> dict[str, Any]:
    return await make(caller, "/posts", {"text": "Hello", "channel_ids": [channel], "slot": "next", **more})


async def test_a_post_goes_into_the_next_slot_and_shows_which(caller: Caller, channel: str) -> None:
    slot = await make_slot(caller)
    post = await queued(caller, channel)
    assert (post["slot_id"], post["status"], post["local_time"][11:]) == (slot["id"], "scheduled", "10:00")
    draft = await make(caller, "/posts", {"text": "Hello", "channel_ids": [channel]})
    answer = await caller.post(f"/posts/{draft['id']}/schedule", {"slot": slot["id"]}, headers=ANY)
    assert answer.json()["local_time"] > post["local_time"]
    assert [one["id"] for one in (await caller.get("/queue")).json()["data"]] == [post["id"], draft["id"]]


async def test_a_slot_that_cannot_be_had_is_named(caller: Caller, channel: str) -> None:
    answer = await caller.post("/posts", {"text": "Hello", "channel_ids": [channel], "slot": "next"})
    assert problem(answer, 422)["errors"][0] == {
        "pointer": "/slot",
        "code": "no_slot",
        "detail": "no slot is for all of the post's channels: make one, or give a time",
    }
    assert problem(await caller.post("/posts", {"text": "x", "slot": "tomorrow"}), 422)


async def test_a_change_of_a_slot_says_what_moved(caller: Caller, channel: str) -> None:
    slot = await make_slot(caller)
    post = await queued(caller, channel)
    assert problem(await caller.patch(f"/slots/{slot['id']}", {"local_time": "11:00"}), 428)
    answer = await caller.patch(f"/slots/{slot['id']}", {"local_time": "11:00"}, headers=ANY)
    (moved,) = answer.json()["moved"]
    assert (moved["post_id"], moved["before"], moved["slot_id"]) == (post["id"], post["scheduled_at"], slot["id"])
    assert (await caller.get(f"/posts/{post['id']}")).json()["scheduled_at"] == moved["after"]


async def test_removing_a_slot_says_what_kept_its_time(caller: Caller, channel: str) -> None:
    slot = await make_slot(caller)
    post = await queued(caller, channel)
    answer = await caller.post(f"/slots/{slot['id']}/remove")
    assert [(one["post_id"], one["slot_id"]) for one in answer.json()["moved"]] == [(post["id"], None)]
    assert (await caller.get("/slots")).json()["data"] == []
    assert problem(await caller.get(f"/slots/{slot['id']}"), 404)


async def test_the_queue_is_reordered(caller: Caller, channel: str) -> None:
    await make_slot(caller)
    one, two = await queued(caller, channel), await queued(caller, channel)
    answer = await caller.post("/queue/reorder", {"post_ids": [two["id"], one["id"]]})
    assert sorted(moved["post_id"] for moved in answer.json()["moved"]) == sorted([one["id"], two["id"]])
    assert [post["id"] for post in (await caller.get("/queue")).json()["data"]] == [two["id"], one["id"]]
    wrong = await caller.post("/queue/reorder", {"post_ids": [one["id"], one["id"]]})
    assert problem(wrong, 422)["errors"][0]["pointer"] == "/post_ids/1"


async def test_a_post_for_a_day_of_silence_is_warned_of_and_not_refused(caller: Caller, channel: str) -> None:
    await make(caller, "/blackouts", {"starts_on": "2027-02-01", "label": "Mourning"})
    post = await make(caller, "/posts", {"text": "x", "channel_ids": [channel], "local_time": "2027-02-01T10:00"})
    assert post["status"] == "scheduled"
    assert [(one["code"], one["path"]) for one in post["warnings"]] == [("blackout", ["scheduled_at"])]
    assert "Mourning" in post["warnings"][0]["message"]


async def test_days_of_silence_are_changed_and_let_go(caller: Caller) -> None:
    made = await make(caller, "/blackouts", {"starts_on": "2027-02-01"})
    assert made["ends_on"] == "2027-02-01"
    changed = await caller.patch(f"/blackouts/{made['id']}", {"ends_on": "2027-02-03"}, headers=ANY)
    assert (changed.json()["ends_on"], changed.json()["version"]) == ("2027-02-03", 2)
    wrong = await caller.patch(f"/blackouts/{made['id']}", {"ends_on": "2027-01-03"}, headers=ANY)
    assert problem(wrong, 422)["errors"][0]["pointer"] == "/ends_on"
    assert (await caller.delete(f"/blackouts/{made['id']}")).status_code == 204
    assert (await caller.get("/blackouts")).json()["data"] == []


async def test_a_recurrence_is_begun_changed_skipped_paused_resumed_and_ended(caller: Caller, channel: str) -> None:
    body = {"text": "Soup", "rule": "freq=daily;count=20", "local_time": "10:00", "channel_ids": [channel]}
    made = await make(caller, "/recurrences", body)
    place = f"/recurrences/{made['id']}"
    assert (made["rule"], made["status"], made["timezone"]) == ("FREQ=DAILY;COUNT=20", "active", "Europe/Brussels")
    ahead = (await caller.get(f"{place}/preview", params={"count": 3})).json()["data"]
    posts = (await caller.get("/posts", params={"limit": 100})).json()["data"]
    assert {one["at"] for one in ahead} <= {post["scheduled_at"] for post in posts}
    assert {post["recurrence_id"] for post in posts} == {made["id"]}

    changed = (await caller.patch(place, {"text": "Stew"}, headers=ANY)).json()
    assert (changed["replaced"], changed["kept"], changed["text"]) == (len(posts), [], "Stew")
    skipped = (await caller.post(f"{place}/skip", {"day": ahead[1]["day"]})).json()
    assert (skipped["skipped"], skipped["replaced"]) == ([ahead[1]["day"]], 1)
    assert (await caller.post(f"{place}/pause")).json()["status"] == "paused"
    assert (await caller.get("/posts")).json()["data"] == []
    assert (await caller.post(f"{place}/resume")).json()["status"] == "active"
    again = (await caller.get("/posts", params={"limit": 100})).json()["data"]
    assert (len(again), {post["text"] for post in again}) == (len(posts) - 1, {"Stew"})
    assert (await caller.post(f"{place}/end")).json()["status"] == "ended"
    assert problem(await caller.post(f"{place}/resume"), 409)


async def test_a_rule_is_tried_before_it_is_kept(caller: Caller) -> None:
    params = {"rule": "FREQ=WEEKLY;BYDAY=MO;COUNT=9", "local_time": "02:30", "starts_on": "2027-03-22", "count": "2"}
    found = (await caller.get("/recurrences/preview", params=params)).json()["data"]
    assert [one["at"] for one in found] == ["2027-03-22T01:30:00Z", "2027-03-29T00:30:00Z"]
    wrong = await caller.get("/recurrences/preview", params={**params, "rule": "FREQ=DAILY"})
    assert problem(wrong, 422)["errors"][0]["code"] == "no_end"


async def test_the_calendar_shows_what_is_planned_by_local_day(caller: Caller, channel: str) -> None:
    slot = await make_slot(caller)
    await make(caller, "/blackouts", {"starts_on": "2027-03-29", "label": "Easter"})
    post = await make(caller, "/posts", {"text": "Hello", "channel_ids": [channel], "local_time": "2027-03-28T02:30"})
    params = {"from": "2027-03-21T23:00:00Z", "to": "2027-04-04T22:00:00Z"}
    answer = await caller.get("/calendar", params=params)
    days = {day["date"]: day for day in answer.json()["days"]}
    assert (len(days), answer.json()["timezone"]) == (14, "Europe/Brussels")
    (shown,) = days["2027-03-28"]["posts"]
    assert (shown["id"], shown["at"], shown["local_time"]) == (post["id"], "2027-03-28T01:30:00Z", "2027-03-28T02:30")
    assert [one["channel_id"] for one in shown["variants"]] == [channel]
    assert [one["slot_id"] for one in days["2027-03-22"]["slots"]] == [slot["id"]]
    assert (days["2027-03-29"]["slots"], days["2027-03-29"]["blackouts"][0]["label"]) == ([], "Easter")
    known = {"if-none-match": answer.headers["etag"]}
    assert (await caller.get("/calendar", params=params, headers=known)).status_code == 304
    too_long = await caller.get("/calendar", params={**params, "to": "2027-09-01T00:00:00Z"})
    assert problem(too_long, 422)["errors"][0]["code"] == "too_long"


async def feed(caller: Caller) -> tuple[str, str]:
    answer = await caller.post("/calendar/feeds", {"label": "Phone"})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], "/calendar/" + answer.json()["url"].rpartition("/")[2]


async def events(client: httpx.AsyncClient, address: str) -> tuple[list[Any], httpx.Response]:
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    read = icalendar.Calendar.from_ical(answer.content)
    assert not isinstance(read, list)
    return list(read.events), answer


async def test_a_feed_reads_without_a_key_what_a_calendar_program_needs(caller: Caller, channel: str) -> None:
    _, address = await feed(caller)
    soon = (datetime.now(UTC) + timedelta(days=200)).date()
    text = "Zo; dag, \\ allemaal\nBEGIN:VEVENT\r\nen meer"
    post = await make(caller, "/posts", {"text": text, "channel_ids": [channel], "local_time": f"{soon}T10:00"})
    (event,), answer = await events(caller.client, address)
    assert (event["uid"], event["summary"], event["status"]) == (
        f"{post['id']}@parvis", "Zo; dag, \\ allemaal", "CONFIRMED",
    )  # fmt: skip
    assert event["description"].replace("\r\n", "\n") == text.replace("\r\n", "\n")
    start = event["dtstart"]
    assert (start.params["TZID"], start.dt.replace(tzinfo=None).isoformat()) == ("Europe/Brussels", f"{soon}T10:00:00")
    assert start.dt.astimezone(UTC) == datetime.fromisoformat(post["scheduled_at"])
    assert event["last-modified"].dt == datetime.fromisoformat(post["updated_at"]).replace(microsecond=0)
    assert b"BEGIN:VTIMEZONE\r\nTZID:Europe/Brussels" in answer.content
    known = await caller.client.get(address, headers={"if-none-match": answer.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")

    await caller.post(f"/posts/{post['id']}/cancel")
    (event,), later = await events(caller.client, address)
    assert (event["uid"], event["status"]) == (f"{post['id']}@parvis", "CANCELLED")
    assert later.headers["etag"] != answer.headers["etag"]


async def test_a_revoked_feed_leads_nowhere(caller: Caller) -> None:
    feed_id, address = await feed(caller)
    assert [one["id"] for one in (await caller.get("/calendar/feeds")).json()["data"]] == [feed_id]
    assert (await caller.delete(f"/calendar/feeds/{feed_id}")).status_code == 204
    for gone in (address, "/calendar/x.ics", f"/calendar/{'x' * 300}.ics"):
        assert problem(await caller.client.get(gone), 404)
    assert problem(await caller.delete(f"/calendar/feeds/{feed_id}"), 404)


async def test_who_lost_the_brand_reads_its_feed_no_more(caller: Caller, house: House, brand: HouseBrand) -> None:
    _, address = await feed(caller)
    async with house.owner_db.session() as session:
        from sqlalchemy import text

        await session.execute(text('DELETE FROM "grant" WHERE brand_id = :brand'), {"brand": brand.brand_id})
    assert problem(await caller.client.get(address), 404)


async def test_a_brand_says_what_becomes_of_the_missed(caller: Caller) -> None:
    answer = await caller.patch("", {"missed": "ask", "grace_seconds": 900})
    assert (answer.json()["missed"], answer.json()["grace_seconds"]) == ("ask", 900)
    wrong = await caller.patch("", {"grace_seconds": -1})
    assert problem(wrong, 422)["errors"][0]["pointer"] == "/grace_seconds"
