"""What a user is told and how they want to be told, by REST."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI

from shared.domain.events.events import NewEvent
from shared.domain.notifying import unsubscribing
from shared.ids import Prefix, new_uuid, typeid
from shared.models.enums import EventType, GrantRole, KeyScope, NotificationKind
from tests.domain.notifying.conftest import Desk, desk, post
from tests.services.api.rest.conftest import Caller, problem

__all__ = ["desk"]
PREFERENCES = "/v1/notifications/preferences"


@pytest.fixture
async def told(desk: Desk) -> Desk:
    """Three posts have failed."""
    await desk.happens(*(post("failed", new_uuid()) for _ in range(3)))
    await desk.tell()
    return desk


async def test_what_the_user_is_told_is_listed_newest_first_in_pages(caller: Caller, told: Desk) -> None:
    first = (await caller.get("/v1/notifications", params={"limit": 2})).json()
    second = (await caller.get("/v1/notifications", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    ids = [one["id"] for one in first["data"] + second["data"]]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == 3


async def test_a_notification_has_words_and_names_its_thing(caller: Caller, desk: Desk) -> None:
    id_ = new_uuid()
    await desk.happens(post("failed", id_))
    await desk.tell()
    (one,) = (await caller.get("/v1/notifications")).json()["data"]
    assert one["title"] == "Un billet n’est pas parti"
    assert (one["language"], one["kind"], one["is_urgent"]) == ("fr", "post_failed", True)
    assert one["thing_id"] == typeid(Prefix.POST, id_)
    assert one == (await caller.get(f"/v1/notifications/{one['id']}")).json()


async def test_the_users_own_language_goes_before_the_brands(caller: Caller, told: Desk) -> None:
    await caller.ask("PUT", PREFERENCES, json={"language": "nl"})
    found = (await caller.get("/v1/notifications")).json()["data"]
    assert {one["title"] for one in found} == {"Een bericht is niet vertrokken"}


async def test_a_notification_is_read_once_and_stays_so(caller: Caller, told: Desk) -> None:
    id_ = (await caller.get("/v1/notifications")).json()["data"][0]["id"]
    first = (await caller.post(f"/v1/notifications/{id_}/read")).json()
    second = (await caller.post(f"/v1/notifications/{id_}/read")).json()
    assert first["read_at"] == second["read_at"] is not None
    unread = (await caller.get("/v1/notifications", params={"unread": "true"})).json()["data"]
    assert id_ not in [one["id"] for one in unread]
    assert len(unread) == 2


async def test_all_are_read_at_once_and_their_number_is_said(caller: Caller, told: Desk) -> None:
    assert (await caller.post("/v1/notifications/read-all", {})).json() == {"count": 3}
    assert (await caller.post("/v1/notifications/read-all", {"brand_id": caller.brand_id})).json() == {"count": 0}
    assert (await caller.get("/v1/notifications", params={"unread": "true"})).json()["data"] == []


async def test_a_colleagues_notification_is_not_there(caller: Caller, told: Desk) -> None:
    colleague = await told.colleague(GrantRole.EDITOR)
    await told.happens(post("failed", new_uuid()))
    await told.tell()
    theirs = await told.eye.fetchval("SELECT id FROM notification WHERE user_id = $1", colleague.user_id)
    answer = await caller.get(f"/v1/notifications/{typeid(Prefix.NOTIFICATION, theirs)}")
    problem(answer, 404)


async def test_preferences_begin_with_what_the_role_is_told(caller: Caller) -> None:
    found = (await caller.get(PREFERENCES)).json()
    habits = {(one["kind"], one["way"]): one["is_on"] for one in found["defaults"]}
    assert habits["post_failed", "mail"] is True
    assert habits["post_published", "app"] is False
    assert (found["choices"], found["version"], found["mail_available"]) == ([], 0, False)


async def test_preferences_are_kept_whole(caller: Caller) -> None:
    wanted: dict[str, Any] = {
        "language": "de",
        "timezone": "America/New_York",
        "quiet": [{"days": [1, 2], "from": "22:00", "to": "07:00"}],
        "urgent_breaks_through": True,
        "digest": "weekly",
        "digest_time": "07:30",
        "digest_day": 5,
        "choices": [{"kind": "post_published", "way": "mail", "is_on": True, "brand_id": caller.brand_id}],
    }
    kept = (await caller.ask("PUT", PREFERENCES, json=wanted)).json()
    assert {name: kept[name] for name in wanted} == wanted
    assert kept == (await caller.get(PREFERENCES)).json()
    assert (await caller.ask("PUT", PREFERENCES, json={})).json()["choices"] == []


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        ({"language": "it"}, ["/language"]),
        ({"timezone": "Mars/Olympus"}, ["/timezone"]),
        ({"digest_time": "8 o'clock", "digest_day": 9}, ["/digest_time", "/digest_day"]),
        ({"quiet": [{"days": [], "from": "25:00", "to": "7"}]}, ["/quiet/0/days", "/quiet/0/from", "/quiet/0/to"]),
        ({"quiet": [{"days": [1, 2, 3, 4, 5, 6, 7], "from": "08:00", "to": "08:00"}]}, ["/quiet"]),
        ({"choices": [{"kind": "post_failed", "way": "app", "is_on": True}] * 2}, ["/choices/1"]),
        ({"choices": [{"kind": "post_eaten", "way": "app", "is_on": True}]}, ["/choices/0/kind"]),
    ],
    ids=["language", "zone", "digest", "quiet", "always-quiet", "repeated", "kind"],
)
async def test_bad_wishes_are_said_all_at_once_with_their_places(
    caller: Caller, wanted: dict[str, Any], places: list[str]
) -> None:
    found = problem(await caller.ask("PUT", PREFERENCES, json=wanted), 422)
    assert [one["pointer"] for one in found["errors"]] == places
    assert (await caller.get(PREFERENCES)).json()["version"] == 0


async def test_wishes_that_somebody_has_changed_meanwhile_are_stale(caller: Caller) -> None:
    tag = (await caller.get(PREFERENCES)).headers["etag"]
    await caller.ask("PUT", PREFERENCES, json={"language": "nl"}, headers={"if-match": tag})
    problem(await caller.ask("PUT", PREFERENCES, json={"language": "fr"}, headers={"if-match": tag}), 412)


async def test_a_link_in_a_mail_ends_mails_of_its_kinds_and_looking_at_it_does_not(
    caller: Caller, desk: Desk, app: FastAPI
) -> None:
    kinds = [NotificationKind.POST_FAILED, NotificationKind.CHANNEL_DIED]
    link = unsubscribing.link(desk.house.vault, "https://api.example", desk.brand.user_id, kinds)
    parts = urlsplit(link)
    address = f"{parts.path}?{parts.query}"

    page = await caller.client.get(address)
    assert page.status_code == 200
    assert '<form method="post">' in page.text
    assert (await caller.get(PREFERENCES)).json()["choices"] == []

    done = await caller.client.post(address, content=b"List-Unsubscribe=One-Click")
    assert done.status_code == 200
    choices = (await caller.get(PREFERENCES)).json()["choices"]
    assert {(one["kind"], one["way"], one["is_on"]) for one in choices} == {
        ("post_failed", "mail", False), ("channel_died", "mail", False),
    }  # fmt: skip


async def test_a_link_that_was_changed_ends_nothing(caller: Caller, desk: Desk) -> None:
    link = unsubscribing.link(desk.house.vault, "", desk.brand.user_id, [NotificationKind.POST_FAILED])
    problem(await caller.client.post(link.replace("post_failed", "channel_died")), 404)
    assert (await caller.get(PREFERENCES)).json()["choices"] == []


async def test_a_key_of_one_brand_changes_no_wishes(caller: Caller, desk: Desk) -> None:
    narrow = await desk.house.key(desk.brand, KeyScope.READ)
    await desk.eye.execute("UPDATE api_key SET brand_id = $1 WHERE name = 'narrow'", desk.brand.brand_id)
    problem(await caller.as_(narrow).ask("PUT", PREFERENCES, json={}), 403)


async def test_a_hold_is_told_in_words_of_its_own(caller: Caller, desk: Desk) -> None:
    await desk.happens(
        NewEvent(EventType.HOLD_CHANGED, new_uuid(), 1, {"state": "on"}),
        NewEvent(EventType.HOLD_CHANGED, new_uuid(), 2, {"state": "off"}),
    )
    await desk.tell()
    found = (await caller.get("/v1/notifications")).json()["data"]
    assert [one["title"] for one in found] == ["La suspension est levée", "Tout est suspendu"]
    assert {one["thing_id"] for one in found} == {caller.brand_id}
