"""Sections 1, 3 and 4: what `up` leaves in local.json, and what `organization create` prints."""

import base64
import os
import re
import signal
import stat
import time

import asyncpg
import httpx

from tests.contract.conftest import Up, is_alive
from tests.contract.house import Tenant, eventually, mention

URLS = ("database_url", "worker_database_url", "door_database_url", "owner_database_url")
SERVICES = {"api", "ingest", "ingest_worker", "scheduler", "sandbox", "postgres", "valkey"}
TENANT = {"organization_id": "org", "user_id": "user", "brand_id": "brand"}


def assert_typeid(value: str, prefix: str) -> None:
    assert re.fullmatch(rf"{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}", value), value


def assert_channels(tenant: Tenant) -> None:
    channels = tenant.given["channels"]
    assert sorted(it["network"] for it in channels) == ["facebook", "feed", "generic", "instagram", "sandbox"]
    for channel in channels:
        assert {"id", "network", "external_id", "webhook_url", "secret", "verify_token"} <= set(channel)
        assert_typeid(channel["id"], "chan")
        assert channel["external_id"]
        hook = channel["webhook_url"].removeprefix(f"{tenant.local['ingest']}/webhooks/")
        assert_typeid(hook, "hook")


async def count_mentions(url: str, brand_id: str | None) -> int:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            if brand_id is not None:
                await connection.execute("SELECT parvis.scope($1)", brand_id)
            return int(await connection.fetchval("SELECT count(*) FROM mention"))
    finally:
        await connection.close()


def test_every_key_of_section_3_is_there(up: Up) -> None:
    assert {"api", "ingest", "sandbox", *URLS, "redis_url", "pids", "schema", *TENANT, "api_key", "channels"} <= set(
        up.local
    )


def test_the_file_is_for_its_owner_only(up: Up) -> None:
    assert stat.S_IMODE(up.file.stat().st_mode) == 0o600


def test_urls_are_plain_without_a_driver(up: Up) -> None:
    local = up.local
    for name in URLS:
        assert re.fullmatch(r"postgresql://\w+:[^@/]+@127\.0\.0\.1:\d+/\w+", local[name]), name
    assert re.fullmatch(r"redis://127\.0\.0\.1:\d+/0", local["redis_url"])
    for name in ("api", "ingest", "sandbox"):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", local[name])
    assert len({local[name] for name in URLS}) == 4


def test_pids_are_living_processes(up: Up) -> None:
    pids = up.local["pids"]
    assert set(pids) == SERVICES
    assert all(is_alive(pid) for pid in pids.values())


def test_the_schema_is_the_first_one_or_later(up: Up) -> None:
    assert re.match(r"\d{4}", up.local["schema"])


def test_the_tenant_has_typeids_and_a_key(first: Tenant) -> None:
    for name, prefix in TENANT.items():
        assert_typeid(first.given[name], prefix)
    assert first.given["api_key"].startswith("pv_")


def test_one_channel_for_each_network_that_takes_webhooks_and_one_of_the_practice_network(first: Tenant) -> None:
    assert_channels(first)


def test_secrets_are_in_each_networks_form(first: Tenant) -> None:
    generic = first.channel("generic").given
    assert generic["secret"].startswith("whsec_")
    assert len(base64.b64decode(generic["secret"].removeprefix("whsec_"), validate=True)) >= 24
    assert generic["verify_token"] is None
    facebook = first.channel("facebook").given
    assert facebook["secret"]
    assert not facebook["secret"].startswith("whsec_")
    assert facebook["verify_token"]


def test_without_the_example_nothing_is_played(up: Up, first: Tenant) -> None:
    assert up.environment["PARVIS_EXAMPLE"] == "0"
    assert not [it for it in first.mentions() if not it["external_id"].startswith("contract ")]


def test_every_example_channel_is_whole_without_the_example_payloads(first: Tenant) -> None:
    states = {it["network"]: (it["status"], it["status_reason"]) for it in first.get("/channels")["data"]}
    paused = {"feed": ("paused", None)}  # there is nothing of the example elsewhere that could be polled
    assert states == dict.fromkeys(("facebook", "generic", "instagram", "sandbox"), ("active", None)) | paused


async def test_the_row_secured_role_counts_nothing_without_a_scope(up: Up, first: Tenant) -> None:
    first.hear(mention("contract row security"))

    assert await count_mentions(up.local["database_url"], None) == 0
    assert await count_mentions(up.local["database_url"], first.brand_id) > 0


async def test_a_scope_on_another_brand_counts_nothing_of_this_one(up: Up, first: Tenant, other: Tenant) -> None:
    first.hear(mention("contract foreign scope"), mention("contract foreign scope 2"))

    assert await count_mentions(up.local["database_url"], other.brand_id) == 1


async def test_the_scope_ends_with_its_transaction(up: Up, first: Tenant) -> None:
    first.hear(mention("contract scope ends"))
    connection = await asyncpg.connect(up.local["database_url"])
    try:
        async with connection.transaction():
            await connection.execute("SELECT parvis.scope($1)", first.brand_id)
        assert await connection.fetchval("SELECT count(*) FROM mention") == 0
    finally:
        await connection.close()


def test_organization_create_prints_a_whole_tenant(other: Tenant) -> None:
    assert {*TENANT, "api_key", "channels"} <= set(other.given)
    for name, prefix in TENANT.items():
        assert_typeid(other.given[name], prefix)
    assert_channels(other)


def test_the_new_tenants_key_opens_its_brand_and_no_other(first: Tenant, other: Tenant) -> None:
    assert other.get()["id"] == other.brand_id
    assert other.call("GET", f"/v1/brands/{first.brand_id}").status_code == 404
    assert [it["id"] for it in other.call("GET", "/v1/brands").json()["data"]] == [other.brand_id]


def test_a_dead_service_is_there_again_within_five_seconds(up: Up, web: httpx.Client) -> None:
    before = up.local["pids"]["sandbox"]
    os.kill(before, signal.SIGKILL)
    began = time.monotonic()

    def answers() -> bool:
        try:
            return web.get(f"{up.local['sandbox']}/api/posts", params={"account": "nobody"}).status_code < 500
        except httpx.TransportError:
            return False

    eventually(lambda: up.local["pids"]["sandbox"] != before, "the restart of the practice network")
    assert time.monotonic() - began < 5
    eventually(answers, "the practice network to answer again")
    assert is_alive(up.local["pids"]["sandbox"])
