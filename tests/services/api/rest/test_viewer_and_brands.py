"""Who is asking, and which brands they see."""

import asyncio

import pytest

from shared.ids import Prefix, typeid
from tests.conftest import House, HouseBrand
from tests.services.api.rest.conftest import Caller, problem


async def test_the_viewer_is_the_user_the_organization_and_the_key(caller: Caller, brand: HouseBrand) -> None:
    found = (await caller.get("/v1/viewer")).json()

    assert found["user"] == {"id": typeid(Prefix.USER, brand.user_id), "name": "Noor"}
    assert found["organization"] == {"id": typeid(Prefix.ORGANIZATION, brand.organization_id), "name": "Dunes NV"}
    assert found["key"]["scopes"] == ["*"]
    assert brand.api_key not in str(found)
    assert brand.api_key.startswith(found["key"]["start"])


async def test_a_keys_last_use_is_noted(caller: Caller) -> None:
    await caller.get("/v1/viewer")
    for _ in range(1500):
        used = (await caller.get("/v1/viewer")).json()["key"]["last_used_at"]
        if used is not None:
            break
        await asyncio.sleep(0.02)
    assert used is not None


async def test_a_principal_lists_its_own_brands_only(caller: Caller, house: House) -> None:
    await house.brand("Other")

    found = (await caller.get("/v1/brands")).json()

    assert [brand["id"] for brand in found["data"]] == [caller.brand_id]
    assert found["data"][0] == (await caller.get("")).json()
    assert (found["has_more"], found["next_cursor"]) == (False, None)


async def test_a_brand_is_changed_and_the_change_audited(caller: Caller) -> None:
    changed = await caller.patch("", {"name": "Duinen", "languages": ["nl"]})

    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["languages"], changed.json()["version"]) == ("Duinen", ["nl"], 2)
    (entry,) = (await caller.get("/audit")).json()["data"]
    assert (entry["action"], entry["details"]) == ("brand.update", {"changed": ["languages", "name"]})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": ""}, "/name"), ({"name": None}, "/name"), ({"timezone": "Mars/Base"}, "/timezone"),
        ({"languages": "nl"}, "/languages"), ({"id": "brand_x"}, "/id"),
    ],
)  # fmt: skip
async def test_a_bad_change_is_422_at_its_place(caller: Caller, body: dict[str, object], pointer: str) -> None:
    assert problem(await caller.patch("", body), 422)["errors"][0]["pointer"] == pointer


async def test_a_brand_that_has_changed_since_it_was_read_is_412(caller: Caller) -> None:
    tag = (await caller.get("")).headers["etag"]
    first = await caller.patch("", {"name": "Duinen"}, headers={"if-match": tag})
    stale = await caller.patch("", {"name": "Lost"}, headers={"if-match": tag})

    assert first.status_code == 200
    assert problem(stale, 412)["code"] == "stale"
    assert (await caller.get("")).json()["name"] == "Duinen"
