"""The README's path through a Python client that was generated from the running house's own OpenAPI document."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.house import Tenant, eventually, mention

PACKAGE = "client_of_the_house"


@pytest.fixture(scope="module")
def generated(tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the generated package stands."""
    place = tmp_path_factory.mktemp("generated")
    document = place / "openapi.json"
    document.write_bytes(tenant.web.get(f"{tenant.local['api']}/openapi.json").content)
    made = subprocess.run(
        [Path(sys.executable).with_name("openapi-python-client"), "generate", "--path", document, "--output-path",
         place / PACKAGE, "--meta", "none", "--fail-on-warning"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    return place


@pytest.fixture
def part(generated: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of the generated package by its name."""
    monkeypatch.syspath_prepend(generated)
    return lambda name: importlib.import_module(f"{PACKAGE}.{name}")


@pytest.fixture
def client(part: Any, tenant: Tenant) -> Iterator[Any]:
    with part("client").AuthenticatedClient(base_url=tenant.local["api"], token=tenant.given["api_key"]) as made:
        yield made


def test_a_signed_webhook_is_read_as_a_mention(part: Any, client: Any, tenant: Tenant) -> None:
    tenant.hear(mention("readme", "Les lanternes sont magnifiques", language="fr", rating=5))

    def look() -> Any:
        found = part("api.mentions.list_mentions").sync(tenant.brand_id, client=client, q="lanternes")
        return found.data and found.data[0]

    read = eventually(look, "the mention")
    assert (read.text, read.network.value, read.rating) == ("Les lanternes sont magnifiques", "generic", 5.0)


def test_a_post_is_written_and_read(part: Any, client: Any, tenant: Tenant) -> None:
    draft = part("models.post_draft").PostDraft(text="Bonjour", channel_ids=[tenant.channel("sandbox").id])

    made = part("api.posts.create_post").sync(tenant.brand_id, client=client, body=draft)
    read = part("api.posts.get_post").sync(tenant.brand_id, made.id, client=client)

    assert (read.text, read.status.value) == ("Bonjour", "draft")


def test_a_refusal_is_a_problem_with_its_code(part: Any, client: Any, tenant: Tenant) -> None:
    found = part("api.posts.get_post").sync("brand_nothing", "post_nothing", client=client)

    assert type(found).__name__ == "Problem"
    assert (found.status, found.code) == (404, "not_found")
