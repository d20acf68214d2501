"""Media as they are shown: whole and in parts, to who has a key and to who has the address."""

from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from shared.ids import Prefix, parse_typeid
from tests.services.api.rest.conftest import Caller, problem
from tests.services.api.rest.test_media import JPEG, bring, services_of
from tests.services.media import making

RANGES = {
    "bytes=0-9": (0, 10),
    "bytes=10-": (10, None),
    "bytes=-7": (-7, None),
    "bytes=5-5": (5, 6),
    "bytes=3-99999999": (3, None),
}


@pytest.mark.parametrize("asked", RANGES)
async def test_a_part_of_a_file_is_answered(asked: str, caller: Caller) -> None:
    made = (await bring(caller)).json()
    path = f"/media/{made['id']}/content"
    whole = (await caller.get(path)).content
    part = await caller.get(path, headers={"range": asked})
    start, end = RANGES[asked]
    assert part.status_code == 206
    assert part.content == whole[start:end]
    first = start % len(whole)
    assert part.headers["content-range"] == f"bytes {first}-{first + len(part.content) - 1}/{len(whole)}"


@pytest.mark.parametrize("asked", ["bytes=9-3", "bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=x-y"])
async def test_a_range_that_is_not_understood_is_answered_by_all_of_it(asked: str, caller: Caller) -> None:
    made = (await bring(caller)).json()
    answer = await caller.get(f"/media/{made['id']}/content", headers={"range": asked})
    assert (answer.status_code, len(answer.content)) == (200, made["size"])


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
async def test_a_range_behind_the_end_is_refused(asked: str, caller: Caller) -> None:
    made = (await bring(caller)).json()
    answer = await caller.get(f"/media/{made['id']}/content", headers={"range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{made['size']}"


async def test_what_a_caller_has_is_not_sent_again(caller: Caller) -> None:
    made = (await bring(caller)).json()
    path = f"/media/{made['id']}/content"
    tag = (await caller.get(path)).headers["etag"]
    assert (await caller.get(path, headers={"if-none-match": tag})).status_code == 304
    changed = await caller.get(path, headers={"range": "bytes=0-3", "if-range": '"another"'})
    assert changed.status_code == 200
    same = await caller.get(path, headers={"range": "bytes=0-3", "if-range": tag})
    assert same.status_code == 206


def path_of(url: str) -> str:
    return "/media/" + url.rpartition("/media/")[2]


async def test_who_has_the_address_has_the_file(caller: Caller, client: httpx.AsyncClient, app: FastAPI) -> None:
    made = (await bring(caller)).json()
    assert made["url"].startswith(services_of(app).settings.api_base_url + "/media/")
    answer = await client.get(path_of(made["url"]))
    assert answer.status_code == 200
    assert making.pixels(answer.content) == making.pixels(JPEG)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    head = await client.head(path_of(made["url"]))
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(made["size"]), b"")
    part = await client.get(path_of(made["url"]), headers={"range": "bytes=0-2"})
    assert (part.status_code, part.content) == (206, answer.content[:3])


async def test_an_address_is_good_for_hours_and_then_over(
    caller: Caller, client: httpx.AsyncClient, app: FastAPI
) -> None:
    services = services_of(app)
    media_id = parse_typeid(Prefix.MEDIA, (await bring(caller)).json()["id"])
    brand_id, now = parse_typeid(Prefix.BRAND, caller.brand_id), services.clock()
    for age, status in ((timedelta(hours=5, minutes=59), 200), (timedelta(hours=12), 404)):
        url = services.addresses.at(now - age)(brand_id, media_id)
        assert (await client.get(path_of(url))).status_code == status


async def test_a_forged_address_is_nothing(caller: Caller, client: httpx.AsyncClient) -> None:
    path = path_of((await bring(caller)).json()["url"])
    head, _, signature = path.partition(".")
    flipped = head[:-3] + ("A" if head[-3] != "A" else "B") + head[-2:]
    for forged in (f"{flipped}.{signature}", f"{head}.", head, f"{head}.é", "/media/x.y", "/media/%00.%00", path + "A"):
        answer = await client.get(forged)
        assert problem(answer, 404)["code"] == "not_found", forged
