"""`parvis organization | key | channel | app …` beside a running house, in its data folder."""

import base64
import json
import os

import httpx
import pytest

from tests.contract.conftest import Up, parvis
from tests.contract.house import Json, Tenant
from tests.contract.receiver import SECRET, Receiver

HOLDER = {"organization_id", "user_id", "brand_id", "api_key", "channels"}


def told(up: Up, *words: str, **settings: str) -> Json:
    """What the command prints; it has to succeed."""
    done = parvis(up.folder, up.environment | settings, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    found: Json = json.loads(done.stdout)
    return found


def refused(up: Up, *words: str) -> str:
    """The one plain sentence with which the command ends."""
    done = parvis(up.folder, up.environment, *words)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def status_of(up: Up, web: httpx.Client, key: str) -> int:
    return web.get(up.local["api"] + "/v1/viewer", headers={"authorization": f"Bearer {key}"}).status_code


def test_an_organization_without_a_brand_has_a_user_and_a_key_that_sees_nothing(up: Up, web: httpx.Client) -> None:
    made = told(up, "organization", "create", "--name", "Bureau Zonder Merk")

    assert set(made) == HOLDER
    assert (made["brand_id"], made["channels"]) == (None, [])
    assert (made["organization_id"][:4], made["user_id"][:5], made["api_key"][:3]) == ("org_", "user_", "pv_")
    brands = web.get(up.local["api"] + "/v1/brands", headers={"authorization": f"Bearer {made['api_key']}"})
    assert (brands.status_code, brands.json()["data"]) == (200, [])


def test_a_key_is_made_listed_without_its_secret_and_revoked(up: Up, tenant: Tenant, web: httpx.Client) -> None:
    given = tenant.given
    made = told(up, "key", "create", "--user", given["user_id"], "--scope", "read", "--name", "screen")
    before = status_of(up, web, made["api_key"])
    done = parvis(up.folder, up.environment, "key", "list", "--organization", given["organization_id"])
    listed = {one["id"]: one for one in json.loads(done.stdout)}
    revoked = told(up, "key", "revoke", made["id"])

    assert before == 200
    assert (listed[made["id"]]["name"], listed[made["id"]]["scopes"]) == ("screen", ["read"])
    assert made["api_key"] not in done.stdout
    assert given["api_key"] not in done.stdout
    assert revoked["revoked_at"] is not None
    assert status_of(up, web, made["api_key"]) == 401


def test_a_person_is_added_to_an_organization_changed_listed_and_given_a_key(
    up: Up, tenant: Tenant, web: httpx.Client
) -> None:
    of = tenant.given["organization_id"]
    made = told(up, "user", "create", "--organization", of, "--name", "Ann", "--email", "ann.of.commands@example.org")
    changed = told(up, "user", "update", made["id"], "--language", "nl", "--email", "ann.again@example.org")
    key = told(up, "key", "create", "--user", made["id"])
    listed = json.loads(parvis(up.folder, up.environment, "user", "list", "--organization", of).stdout)

    assert (changed["name"], changed["language"], changed["email"]) == ("Ann", "nl", "ann.again@example.org")
    assert [one["id"] for one in listed] == [tenant.given["user_id"], made["id"]]
    assert status_of(up, web, key["api_key"]) == 200


def test_rotating_seals_everything_again_with_the_newest_key_once(up: Up, tenant: Tenant) -> None:
    kept = (up.folder / "secret_keys").read_text().strip().split(",")
    newer = ",".join([base64.b64encode(os.urandom(32)).decode(), *kept])
    first = told(up, "key", "rotate", PARVIS_SECRET_KEYS=newer)
    second = told(up, "key", "rotate", PARVIS_SECRET_KEYS=newer)
    back = told(up, "key", "rotate", PARVIS_SECRET_KEYS=",".join([*kept, newer.split(",")[0]]))

    assert first["sealed_again"] > 0
    assert second["sealed_again"] == 0
    assert back["sealed_again"] >= first["sealed_again"]
    assert tenant.hear({"id": "after rotation", "kind": "comment", "text": "x", "author": {"id": "n"},
                        "published_at": "2026-11-20T10:00:00Z"})["state"] == "settled"  # fmt: skip


def test_a_channel_is_connected_tested_changed_paused_resumed_and_removed(
    up: Up, tenant: Tenant, receiver: Receiver, web: httpx.Client
) -> None:
    made = told(
        up, "channel", "connect", "--network", "generic", "--brand", tenant.brand_id, "--name", "Letters",
        "--credential", f"url={receiver.url}", "--credential", f"secret=whsec_{SECRET}",
    )  # fmt: skip
    id_ = made["id"]
    checked = told(up, "channel", "check", id_)
    renamed = told(up, "channel", "update", id_, "--name", "Post")
    paused = told(up, "channel", "pause", id_)
    resumed = told(up, "channel", "resume", id_)
    done = parvis(up.folder, up.environment, "channel", "list", "--brand", tenant.brand_id)
    removed = told(up, "channel", "remove", id_)

    assert (made["network"], made["name"], made["brand_id"]) == ("generic", "Letters", tenant.brand_id)
    assert made["secret"].startswith("whsec_")
    assert made["webhook_url"].startswith(up.local["ingest"] + "/webhooks/hook_")
    assert [finding["ok"] for finding in checked["findings"]] == [True]
    assert (renamed["name"], paused["status"], resumed["status"]) == ("Post", "paused", "active")
    assert id_ in {one["id"] for one in json.loads(done.stdout)}
    assert SECRET not in done.stdout
    assert made["secret"] not in done.stdout
    assert removed["status"] == "removed"
    assert tenant.rest("GET", f"/channels/{id_}").status_code == 404
    assert web.post(made["webhook_url"], content=b"{}").status_code == 404


def test_a_channel_that_fails_its_test_is_told_and_ends_with_1(up: Up, tenant: Tenant) -> None:
    made = told(
        up, "channel", "connect", "--network", "generic", "--brand", tenant.brand_id, "--name", "Nobody",
        "--credential", "url=http://127.0.0.1:1/", "--credential", f"secret=whsec_{SECRET}",
    )  # fmt: skip
    done = parvis(up.folder, up.environment, "channel", "check", made["id"])

    assert done.returncode == 1
    assert [finding["ok"] for finding in json.loads(done.stdout)["findings"]] == [False]
    assert json.loads(done.stdout)["findings"][0]["mend"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("channel", "connect", "--network", "facebook"), "app_secret"),
        (("channel", "connect", "--network", "generic", "--credential", "url"), "NAME=VALUE"),
        (("channel", "pause", "chan_01h2xcejqtf2nbrexx3vqjhp41"), "no channel"),
        (("channel", "list", "--brand", "nonsense"), "nonsense"),
        (("key", "revoke", "key_01h2xcejqtf2nbrexx3vqjhp41"), "key"),
        (("app", "add", "--network", "generic", "--secret", "x"), "app"),
    ],
)
def test_what_cannot_be_done_is_one_plain_sentence(up: Up, words: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(up, *words)


def test_an_app_speaks_for_the_channels_that_know_its_secret(up: Up, tenant: Tenant, web: httpx.Client) -> None:
    made = told(up, "app", "add", "--network", "facebook", "--secret", "the app's own secret", "--name", "Ours")

    assert made["id"].startswith("app_")
    assert made["webhook_url"].startswith(up.local["ingest"] + "/webhooks/hook_")
    asked = {"hub.mode": "subscribe", "hub.verify_token": made["verify_token"], "hub.challenge": "1158201444"}
    answer = web.get(made["webhook_url"], params=asked)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert web.get(made["webhook_url"], params=asked | {"hub.verify_token": "wrong"}).status_code == 403


def test_a_rule_is_run_over_the_past_and_what_it_would_have_told_is_printed(up: Up, tenant: Tenant) -> None:
    made = tenant.rest("POST", "/alert-rules", json={"name": "Storms", "kind": "volume_spike"}).json()
    found = told(up, "alerts", "backtest", "--brand", tenant.brand_id, "--rule", made["id"], "--days", "2")

    assert (found["rule"], found["kind"], found["days"]) == ("Storms", "volume_spike", 2)
    assert found["opened"] == sum(turn["turn"] == "opened" for turn in found["turns"])
    copies = tenant.rest("POST", "/alert-rules", json={"name": "Copies", "kind": "copies"}).json()
    refusal = refused(up, "alerts", "backtest", "--brand", tenant.brand_id, "--rule", copies["id"])
    assert "silence, volume_spike" in refusal
