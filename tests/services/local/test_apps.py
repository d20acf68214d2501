"""Apps by the command line and by the environment."""

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from pydantic import SecretStr

from services.local import apps as environment_apps
from services.local.folder import CannotRun
from services.local.plan import environment
from shared.db import Database
from shared.domain.brands import apps
from shared.models.enums import Network
from shared.settings import AppSetting, Settings
from shared.vault import Vault
from tests.conftest import TestDatabase

HUSH = "a-secret-of-the-app"


async def parvis(database: TestDatabase, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "services", *words],
            env={**os.environ, **environment(database.settings), **more}, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    return await asyncio.to_thread(run)


async def told(database: TestDatabase, *words: str, **more: str) -> Any:
    done = await parvis(database, *words, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert HUSH not in done.stdout + done.stderr
    return json.loads(done.stdout)


async def test_an_app_is_added_listed_and_removed_and_its_secret_is_never_said(database: TestDatabase) -> None:
    added = await told(
        database, "app", "add", "--network", "facebook", "--client-id", "42", PARVIS_APP_CLIENT_SECRET=HUSH
    )
    listed = await told(database, "app", "list")
    assert [one["id"] for one in listed] == [added["id"]]
    assert added["webhook_url"].startswith("http://127.0.0.1:8001/webhooks/hook_")
    assert added["verify_token"]
    await told(database, "app", "remove", added["id"])
    assert await told(database, "app", "list") == []


async def test_an_app_that_lacks_its_secret_is_refused_in_a_sentence(database: TestDatabase) -> None:
    done = await parvis(database, "app", "add", "--network", "facebook", "--client-id", "42")
    assert done.returncode == 1
    assert "a client id and its secret come together" in done.stderr + done.stdout


async def test_a_network_without_apps_has_none_to_be_added(database: TestDatabase) -> None:
    done = await parvis(database, "app", "add", "--network", "generic", "--client-id", "42", "--client-secret", HUSH)
    assert done.returncode == 1
    assert "knows no apps" in done.stderr + done.stdout


async def test_the_environments_apps_are_kept_once_and_changed_when_they_change(
    database: TestDatabase, owner_db: Database
) -> None:
    def settings(secret: str) -> Any:
        one = AppSetting(
            network="sandbox", base_url="http://127.0.0.1:9", client_id="c", client_secret=SecretStr(secret)
        )
        return database.settings.model_copy(update={"apps": (one,)})

    said = [await environment_apps.keep(settings(secret)) for secret in (HUSH, HUSH, "another")]
    async with owner_db.session() as session:
        found = await apps.find(session, Network.SANDBOX, "http://127.0.0.1:9")
    assert found is not None
    assert [len(lines) for lines in said] == [1, 0, 1]
    assert apps.login(Vault(["a key of the tests"]), found).client_secret == "another"


async def test_a_network_that_nobody_knows_stops_the_house_with_its_name(database: TestDatabase) -> None:
    one = AppSetting(network="myspace", client_id="c", client_secret=SecretStr(HUSH))
    with pytest.raises(CannotRun, match="myspace"):
        await environment_apps.keep(database.settings.model_copy(update={"apps": (one,)}))


@pytest.mark.parametrize("written", ["{broken", '[{"network": "facebook", "client_secret": "a-secret-of-the-app"}]'])
async def test_apps_that_are_written_wrongly_are_said_to_be_without_their_secrets(
    database: TestDatabase, written: str
) -> None:
    done = await parvis(database, "migrate", PARVIS_APPS=written)
    assert done.returncode != 0
    assert "apps" in (done.stdout + done.stderr).lower()
    assert HUSH not in done.stdout + done.stderr


async def test_no_apps_may_be_written_as_nothing() -> None:
    assert Settings.model_validate({"apps": ""}).apps == ()
