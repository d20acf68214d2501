"""The same way through Facebook Login, by an app that an operator has added"""

from urllib.parse import urlsplit

from sqlalchemy import text

from shared.db import Database
from shared.domain.brands import apps
from shared.domain.brands.apps import AppDraft
from shared.models.enums import Network
from tests.conftest import NOW, House
from tests.connectors.graph_rig import PAGE, SECRET, USER, rig
from tests.connectors.test_meta_consent import given
from tests.services.api.journey import RETURN, query_of
from tests.services.api.rest.conftest import Caller

HOOK = text("SELECT through_app_id, granted_by FROM hook WHERE channel_id IS NOT NULL")


async def test_a_page_becomes_a_channel_by_consent(caller: Caller, owner_db: Database, house: House) -> None:
    async with rig() as here:
        base = here.base("graph.facebook.com")
        draft = AppDraft(
            network=Network.FACEBOOK, name="Facebook", base_url=base, client_id="4242", client_secret=SECRET
        )
        async with owner_db.session() as session:
            await apps.keep(session, house.vault, draft=draft, hears=True, now=NOW)
        given(here)
        body = {"network": "facebook", "base_url": base, "return_url": RETURN}
        asked = await caller.post("/channels/authorize", body)
        assert asked.status_code == 201, asked.text
        question = query_of(asked.json()["authorize_url"])
        assert urlsplit(question["redirect_uri"]).path == "/v1/oauth/facebook/callback"
        here.graph.login.codes["code-1"] = (question["redirect_uri"], "short")

        back = {"code": "code-1", "state": question["state"]}
        answer = await caller.client.get("/v1/oauth/facebook/callback", params=back)
        consent = query_of(answer.headers["location"])["consent"]
        shown = (await caller.get(f"/consents/{consent}")).json()
        made = await caller.post("/channels", {"consent_id": consent, "external_id": PAGE})

    assert [one["external_id"] for one in shown["choices"]] == [PAGE, "1002"]
    assert made.status_code == 201, made.text
    assert (made.json()["name"], made.json()["secret"]) == ("Café Parvis", None)
    assert SECRET not in shown["choices"][0].values()
    assert SECRET not in made.text
    async with owner_db.session() as session:
        app = await apps.find(session, Network.FACEBOOK, apps.server(base))
        row = (await session.execute(HOOK)).one()
    assert app is not None
    assert (row.through_app_id, row.granted_by) == (app.id, USER)
