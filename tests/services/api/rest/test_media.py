"""Media by REST: brought as a form or bare, found, named, and let go."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from services.api.app import create_app
from services.api.context import Services
from shared.ids import Prefix, typeid
from shared.models.enums import KeyScope
from tests.conftest import House, HouseBrand, TestDatabase
from tests.services.api.rest.conftest import Caller, problem
from tests.services.media import making

JPEG = making.jpeg()


async def bring(
    caller: Caller, file: bytes = JPEG, *, called: str = "a.jpg", headers: dict[str, str] | None = None, **fields: str
) -> httpx.Response:
    return await caller.ask("POST", "/media", files={"file": (called, file)}, data=fields, headers=headers or {})


def services_of(app: FastAPI) -> Services:
    services: Services = app.state.services
    return services


async def stored(app: FastAPI) -> list[str]:
    return [kept.key async for kept in services_of(app).store.list_()]


async def test_a_form_brings_a_file_with_its_texts(caller: Caller) -> None:
    answer = await bring(caller, alt_fr="Les lanternes", alt_nl="De lantaarns")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["location"] == f"/v1/brands/{caller.brand_id}/media/{made['id']}"
    assert (made["name"], made["kind"], made["type"]) == ("a.jpg", "image", "image/jpeg")
    assert (made["width"], made["height"], made["seconds"]) == (60, 40, None)
    assert made["alts"] == {"fr": "Les lanternes", "nl": "De lantaarns"}
    again = await caller.get(f"/media/{made['id']}")
    assert again.json() == made


async def test_a_bare_body_brings_a_file_with_its_name(caller: Caller) -> None:
    headers = {"content-type": "image/jpeg", "parvis-file-name": "caf%C3%A9.jpg"}
    answer = await caller.ask("POST", "/media", content=JPEG, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == "café.jpg"


async def test_what_is_kept_is_what_its_fingerprint_says(caller: Caller) -> None:
    made = (await bring(caller)).json()
    content = await caller.get(f"/media/{made['id']}/content")
    assert hashlib.sha256(content.content).hexdigest() == made["fingerprint"]
    assert len(content.content) == made["size"]
    assert making.pixels(content.content) == making.pixels(JPEG)
    assert b"Noor" not in content.content


NAMES = {
    "../../etc/passwd": "passwd",
    "C:\\photos\\a.jpg": "a.jpg",
    "a\u202egpj.exe": "agpj.exe",
    "x" * 300 + ".jpg": "x" * 251 + ".jpg",
    "": "file",
    "..": "file",
    "Léa à la mer.jpg": "Léa à la mer.jpg",
}


@pytest.mark.parametrize("given", NAMES, ids=[str(number) for number in range(len(NAMES))])
async def test_any_name_becomes_one_that_can_be_kept(given: str, caller: Caller) -> None:
    answer = await bring(caller, name=given or "/")
    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == NAMES[given]


async def test_a_name_with_what_postgres_refuses_is_made_storable(caller: Caller) -> None:
    headers = {"content-type": "image/jpeg", "parvis-file-name": "a%00b%ED%A0%80.jpg"}
    answer = await caller.ask("POST", "/media", content=JPEG, headers=headers)
    assert answer.status_code == 201, answer.text
    assert "\x00" not in answer.json()["name"]


async def test_the_same_bytes_again_are_the_same_file(caller: Caller, app: FastAPI) -> None:
    first = await bring(caller, alt_fr="Les lanternes")
    again = await bring(caller, called="other.jpg", alt_fr="Autre chose", alt_nl="De lantaarns")
    assert (first.status_code, again.status_code) == (201, 200)
    made = again.json()
    assert (made["id"], made["name"]) == (first.json()["id"], "a.jpg")
    # What it said stays, what it lacked is added.
    assert made["alts"] == {"fr": "Les lanternes", "nl": "De lantaarns"}
    assert made["version"] == 2
    assert len(await stored(app)) == 1


async def test_the_same_bytes_at_once_are_one_file(caller: Caller, app: FastAPI) -> None:
    answers = await asyncio.gather(*(bring(caller) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await stored(app)) == 1


async def test_an_idempotency_key_brings_a_file_once(caller: Caller, app: FastAPI) -> None:
    headers = {"idempotency-key": "lanterns"}
    first = await bring(caller, headers=headers)
    # A form is cut at another boundary each time; it says the same.
    again = await bring(caller, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert len(await stored(app)) == 1
    other = await bring(caller, making.png(), headers=headers)
    assert problem(other, 422)["code"] == "idempotency_mismatch"
    assert len(await stored(app)) == 1


WRONG = {
    "nothing": (b"", "media_empty"),
    "html in a picture's name": (b"<html><script>", "media_type"),
    "svg": (b"<svg onload='alert(1)'/>", "media_type"),
    "cut off": (JPEG[:-200], "media_broken"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_no_media_is_refused_in_words_and_leaves_nothing(what: str, caller: Caller, app: FastAPI) -> None:
    file, code = WRONG[what]
    found = problem(await bring(caller, file), 422)
    assert [(one["pointer"], one["code"]) for one in found["errors"]] == [("/file", code)]
    assert await stored(app) == []
    assert list(services_of(app).incoming.iterdir()) == []


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"--b\r\n", "multipart/form-data; boundary=b", "bad_form"),
        (b"nonsense", "multipart/form-data; boundary=b", "bad_form"),
        (b"nonsense", "multipart/form-data", "bad_form"),
        (b"--b--\r\n", "multipart/form-data; boundary=b", "required"),
    ],
    ids=["cut off", "no form", "no boundary", "no file"],
)
async def test_a_form_that_is_none_is_refused(body: bytes, kind: str, code: str, caller: Caller) -> None:
    answer = await caller.ask("POST", "/media", content=body, headers={"content-type": kind})
    assert problem(answer, 422)["code"] == code


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("alt_Klingon!", "x", "unknown_language"), ("colour", "x", "unknown"), ("alt_fr", "x" * 40_000, "too_long")],
)
async def test_a_field_that_is_wrong_is_named(field: str, value: str, code: str, caller: Caller) -> None:
    answer = await caller.ask("POST", "/media", files={"file": ("a.jpg", JPEG)}, data={field: value})
    found = problem(answer, 422)
    assert [(one["pointer"], one["code"]) for one in found["errors"]] == [(f"/{field}", code)]


async def test_two_files_in_a_form_are_one_too_many(caller: Caller) -> None:
    files = [("file", ("a.jpg", JPEG)), ("file", ("b.jpg", JPEG))]
    assert problem(await caller.ask("POST", "/media", files=files), 422)["code"] == "duplicate"


@pytest.fixture
async def small(database: TestDatabase, brand: HouseBrand) -> AsyncIterator[tuple[Caller, FastAPI]]:
    """An api that takes 1.5 MB a file, more than a body elsewhere."""
    app = create_app(database.settings.model_copy(update={"media_max_bytes": 1_500_000}))
    transport = httpx.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://api") as http:
        yield Caller(http, typeid(Prefix.BRAND, brand.brand_id), brand.api_key), app


async def test_a_file_that_is_too_large_is_refused_however_it_comes(small: tuple[Caller, FastAPI]) -> None:
    caller, app = small

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield bytes(100_000)

    bare = await caller.ask("POST", "/media", content=bytes(1_500_001))
    unsaid = await caller.ask("POST", "/media", content=pieces())
    form = await bring(caller, bytes(1_600_000))
    for answer in (bare, unsaid, form):
        assert problem(answer, 413)["code"] == "body_too_large"
    assert list(services_of(app).incoming.iterdir()) == []
    fits = await bring(caller, JPEG + bytes(1_400_000))
    assert fits.status_code == 201


async def test_another_address_still_takes_small_bodies_only(caller: Caller) -> None:
    answer = await caller.ask("POST", "/posts", content=bytes(1_100_000))
    assert problem(answer, 413)["code"] == "body_too_large"


async def test_who_may_not_publish_brings_nothing(caller: Caller, brand: HouseBrand, house: House) -> None:
    reader = caller.as_(await house.key(brand, KeyScope.READ))
    assert problem(await bring(reader), 403)["code"] == "not_allowed"
    assert (await bring(caller.as_("pv_nobody"))).status_code == 401
    made = (await bring(caller)).json()
    assert (await reader.get(f"/media/{made['id']}/content")).status_code == 200
    assert (await reader.delete(f"/media/{made['id']}")).status_code == 403


async def test_who_answers_brings_what_goes_with_an_answer_and_changes_nothing(
    caller: Caller, brand: HouseBrand, house: House
) -> None:
    responder = caller.as_(await house.key(brand, KeyScope.READ, KeyScope.RESPOND))
    made = await bring(responder)
    assert made.status_code == 201, made.text
    assert (await responder.delete(f"/media/{made.json()['id']}")).status_code == 403


async def test_another_brands_file_is_not_found(caller: Caller, house: House) -> None:
    made = (await bring(caller)).json()
    other = await house.brand("Zee")
    stranger = Caller(caller.client, typeid(Prefix.BRAND, other.brand_id), other.api_key)
    for path in (f"/media/{made['id']}", f"/media/{made['id']}/content"):
        assert (await stranger.get(path)).status_code == 404
    assert (await stranger.delete(f"/media/{made['id']}")).status_code == 404
    assert (await stranger.get("/media")).json()["data"] == []
    # The same bytes are each brand's own.
    theirs = await bring(stranger)
    assert theirs.status_code == 201
    assert theirs.json()["id"] != made["id"]


async def test_a_list_is_paged_and_filtered(caller: Caller) -> None:
    first = (await bring(caller)).json()
    second = (await bring(caller, making.gif(3))).json()
    third = (await bring(caller, making.png())).json()
    page = (await caller.get("/media", params={"limit": 2})).json()
    assert [one["id"] for one in page["data"]] == [third["id"], second["id"]]
    rest = (await caller.get("/media", params={"limit": 2, "cursor": page["next_cursor"]})).json()
    assert [one["id"] for one in rest["data"]] == [first["id"]]
    gifs = (await caller.get("/media", params={"kind": "gif"})).json()
    assert [one["id"] for one in gifs["data"]] == [second["id"]]
    assert len((await caller.get("/media", params={"unused": "true"})).json()["data"]) == 3
    assert (await caller.get("/media", params={"unused": "false"})).json()["data"] == []


async def test_texts_and_names_change_by_version(caller: Caller) -> None:
    made = await bring(caller, alt_fr="Les lanternes", alt_nl="De lantaarns")
    path, tag = f"/media/{made.json()['id']}", made.headers["etag"]
    assert problem(await caller.patch(path, {"name": "b.jpg"}), 428)
    body = {"name": "phare.jpg", "alts": {"nl": None, "de": "Die Laternen"}}
    changed = await caller.patch(path, body, headers={"if-match": tag})
    assert changed.status_code == 200, changed.text
    assert changed.json()["alts"] == {"fr": "Les lanternes", "de": "Die Laternen"}
    assert changed.json()["name"] == "phare.jpg"
    assert problem(await caller.patch(path, body, headers={"if-match": tag}), 412)["code"] == "stale"
    found = problem(await caller.patch(path, {"alts": {"klingonisch": "x"}}, headers={"if-match": "*"}), 422)
    assert found["errors"][0]["pointer"] == "/alts/klingonisch"


async def test_a_file_that_no_post_names_can_go(caller: Caller) -> None:
    made = (await bring(caller)).json()
    assert (await caller.delete(f"/media/{made['id']}")).status_code == 204
    assert (await caller.get(f"/media/{made['id']}")).status_code == 404
    assert (await caller.get("/media")).json()["data"] == []
    # Brought again it is another file.
    again = await bring(caller)
    assert again.status_code == 201
    assert again.json()["id"] != made["id"]


async def test_a_store_that_is_away_says_so_and_keeps_no_row(
    database: TestDatabase, brand: HouseBrand, tmp_path: Path
) -> None:
    away = {"media_url": "s3://bucket", "s3_endpoint": "http://127.0.0.1:9", "s3_key": "k"}
    app = create_app(database.settings.model_copy(update=away))
    transport = httpx.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://api") as http:
        caller = Caller(http, typeid(Prefix.BRAND, brand.brand_id), brand.api_key)
        found = problem(await bring(caller), 503)
        assert found["code"] == "media_store_away"
        assert (await caller.get("/media")).json()["data"] == []


async def test_what_a_killed_process_left_behind_is_cleared_at_the_start(database: TestDatabase) -> None:
    incoming = database.settings.data_dir / "media" / ".incoming"
    incoming.mkdir(parents=True)
    old, new = incoming / "old.upload", incoming / "new.upload"
    for path in (old, new):
        path.write_bytes(b"x")
    hours = 25 * 3600
    os.utime(old, (old.stat().st_mtime - hours,) * 2)
    app = create_app(database.settings)
    async with app.router.lifespan_context(app):
        assert [path.name for path in incoming.iterdir()] == ["new.upload"]
