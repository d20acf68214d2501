"""Saved queries over REST."""

from typing import Any
from uuid import UUID

import pytest

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening import record
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.ears import Ears
from shared.ids import Prefix, typeid
from shared.models.enums import Network
from tests.conftest import House, HouseBrand, HouseChannel
from tests.services.api.graphql.asking import at, said
from tests.services.api.rest.conftest import Caller, problem


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


async def _hear(db: Database, channel: HouseChannel, *texts: str) -> None:
    async with db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        heard = [said(str(n), text, language="nl") for n, text in enumerate(texts)]
        part = HeardPart(channel.id, Network.GENERIC, str(channel.id), heard)
        await record.record(session, scope, [part], now=at(1), ears=Ears())


async def _save(caller: Caller, expression: str, **more: str) -> dict[str, Any]:
    answer = await caller.post("/queries", {"name": "Bier", "expression": expression, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"].endswith(f"/queries/{made['id']}")
    return made


async def test_a_query_is_saved_read_and_listed(caller: Caller) -> None:
    made = await _save(caller, "bier OR #bier", group="competitor")
    assert made["id"].startswith("qry_")
    assert (made["group"], made["terms"], made["is_broad"], made["version"]) == ("competitor", 2, False, 1)
    assert (await caller.get(f"/queries/{made['id']}")).json() == made
    assert (await caller.get("/queries")).json()["data"] == [made]


async def test_a_query_that_means_nothing_is_refused_with_the_place(caller: Caller) -> None:
    refused = problem(await caller.post("/queries", {"name": "x", "expression": "(bier"}), 422)
    assert [(one["pointer"], one["code"]) for one in refused["errors"]] == [("/expression", "unclosed_parenthesis")]
    assert "characters 0 to 1" in refused["errors"][0]["detail"]


async def test_a_query_of_five_thousand_terms_is_refused(caller: Caller) -> None:
    expression = " OR ".join(f"w{n}" for n in range(5_000))
    refused = problem(await caller.post("/queries", {"name": "x", "expression": expression}), 422)
    assert refused["errors"][0]["code"] == "too_many_terms"


async def test_a_change_needs_the_version_and_keeps_the_one_before(caller: Caller) -> None:
    made = await _save(caller, "bier")
    place = f"/queries/{made['id']}"
    problem(await caller.patch(place, {"expression": "wijn"}), 428)
    tag = (await caller.get(place)).headers["etag"]
    changed = await caller.patch(place, {"expression": "wijn"}, headers={"if-match": tag})
    assert changed.json()["version"] == 2
    problem(await caller.patch(place, {"expression": "thee"}, headers={"if-match": tag}), 412)
    versions = (await caller.get(f"{place}/versions")).json()["data"]
    assert [(one["version"], one["expression"]) for one in versions] == [(2, "wijn"), (1, "bier")]


async def test_mentions_are_found_by_what_they_match(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    made = await _save(caller, "bier")
    await _hear(worker_db, channel, "Lekker bier", "Bierzelt")
    found = (await caller.get("/mentions", params={"query_id": made["id"]})).json()["data"]
    assert [one["text"] for one in found] == ["Lekker bier"]
    matches = (await caller.get(f"/mentions/{found[0]['id']}/matches")).json()["data"]
    assert matches == [{"query_id": made["id"], "version": 1, "spans": [{"start": 7, "end": 11}]}]


async def test_a_deleted_query_listens_no_longer(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    made = await _save(caller, "bier")
    await _hear(worker_db, channel, "Lekker bier")
    assert (await caller.delete(f"/queries/{made['id']}")).status_code == 204
    problem(await caller.get(f"/queries/{made['id']}"), 404)
    assert (await caller.get("/mentions", params={"query_id": made["id"]})).json()["data"] == []


async def test_a_query_is_tried_before_it_is_saved(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    await _hear(worker_db, channel, "Lekker bier", "Koffie")
    tried = (await caller.post("/queries/try", {"expression": "bier*"})).json()
    assert tried["explanation"] == "Finds mentions with a word beginning with “bier”."
    assert (tried["matched"], tried["asked"], tried["is_complete"], tried["problem"]) == (1, 2, True, None)
    assert tried["sample"][0]["mention"]["text"] == "Lekker bier"
    assert tried["sample"][0]["spans"] == [{"start": 7, "end": 11}]
    assert tried["languages"] == [{"language": "nl", "count": 1}]
    assert tried["networks"] == [{"network": "generic", "count": 1}]


async def test_a_trial_of_what_means_nothing_says_where(caller: Caller) -> None:
    tried = (await caller.post("/queries/try", {"expression": "bier AND lang:dutch"})).json()
    assert (tried["problem"]["code"], tried["problem"]["start"], tried["problem"]["end"]) == ("unknown_value", 14, 19)
    assert tried["explanation"] is None


@pytest.mark.parametrize("id_", [typeid(Prefix.QUERY, UUID(int=1)), "qry_nothing", typeid(Prefix.POST, UUID(int=1))])
async def test_an_unknown_query_is_not_found(caller: Caller, id_: str) -> None:
    problem(await caller.get(f"/queries/{id_}"), 404)
