"""The same way through a Mastodon instance: registered with by itself, one account to choose."""

from tests.connectors.mastodon_world import world
from tests.services.api.journey import RETURN, query_of
from tests.services.api.rest.conftest import Caller


async def test_an_account_of_an_instance_becomes_a_channel_by_consent(caller: Caller) -> None:
    async with world() as here:
        body = {"network": "mastodon", "base_url": here.login.base_url, "return_url": RETURN}
        asked = await caller.post("/channels/authorize", body)
        assert asked.status_code == 201, asked.text
        brought = here.instance.approve(asked.json()["authorize_url"], here.cafe)
        answer = await caller.client.get("/v1/oauth/mastodon/callback", params=brought)
        consent = query_of(answer.headers["location"])["consent"]
        made = await caller.post("/channels", {"consent_id": consent})
    found = made.json()
    assert (made.status_code, found["network"], found["external_id"]) == (201, "mastodon", here.channel_id)
    assert found["name"] == "@cafe@fake.example"
    assert all(finding["ok"] for finding in found["findings"] if finding["code"] == "login"), found["findings"]
