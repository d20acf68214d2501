"""What a brand is watched for and what was found, by REST."""

from typing import Any
from uuid import uuid4

import pytest

from shared.ids import Prefix, typeid
from shared.models.enums import KeyScope
from tests.conftest import NOW, House, HouseBrand
from tests.domain.insight.alerting.conftest import Lookout, lookout
from tests.services.api.rest.conftest import Caller, problem

__all__ = ["lookout"]
RULE = {"name": "Storms", "kind": "volume_spike"}


@pytest.fixture
async def alert(lookout: Lookout) -> dict[str, Any]:
    """A storm was found."""
    rule = await lookout.rule()
    await lookout.storm(NOW)
    await lookout.look(rule, NOW)
    (made,) = await lookout.alerts()
    return {"id": typeid(Prefix.ALERT, made.id), "rule_id": typeid(Prefix.ALERT_RULE, rule.id)}


async def test_a_rule_is_made_read_changed_and_removed(caller: Caller) -> None:
    made = await caller.post("/alert-rules", {**RULE, "where": {"networks": ["generic"]}})
    assert made.status_code == 201
    own = made.headers["location"]
    read = await caller.get(own)
    assert read.json() == made.json()
    assert (read.json()["sensitivity"], read.json()["where"]["networks"]) == ("medium", ["generic"])
    changed = await caller.patch(own, {"sensitivity": "low", "where": None}, headers={"if-match": read.headers["etag"]})
    assert (changed.json()["sensitivity"], changed.json()["where"]["networks"]) == ("low", [])
    gone = await caller.delete(own, headers={"if-match": changed.headers["etag"]})
    assert gone.status_code == 204
    problem(await caller.get(own), 404)
    assert (await caller.get("/alert-rules")).json()["data"] == []


async def test_a_rule_is_changed_only_by_who_knows_its_version(caller: Caller) -> None:
    own = (await caller.post("/alert-rules", RULE)).headers["location"]
    problem(await caller.patch(own, {"name": "Gales"}), 428)
    problem(await caller.patch(own, {"name": "Gales"}, headers={"if-match": '"7"'}), 412)
    problem(await caller.delete(own), 428)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"kind": "weather"},
        {"where": {"networks": ["smoke"]}},
        {"where": {"weather": ["rain"]}},
        {"where": {"channel_ids": [typeid(Prefix.CHANNEL, uuid4())]}},
        {"reach": 500},
        {"sensitivity": 3},
    ],
    ids=["unnamed", "kind", "network", "unknown", "channel", "reach", "sensitivity"],
)
async def test_a_wrong_rule_is_refused_with_its_place(caller: Caller, wrong: dict[str, Any]) -> None:
    said = problem(await caller.post("/alert-rules", {**RULE, **wrong}), 422)
    assert said["errors"][0]["pointer"].startswith(f"/{next(iter(wrong))}")


async def test_who_may_not_hold_posts_makes_no_rule_that_does(caller: Caller, house: House, brand: HouseBrand) -> None:
    narrow = caller.as_(await house.key(brand, KeyScope.READ, KeyScope.RESPOND))
    problem(await narrow.post("/alert-rules", {**RULE, "hold_posts": True}), 403)
    assert (await narrow.post("/alert-rules", RULE)).status_code == 201


async def test_who_only_reads_makes_no_rule(caller: Caller, house: House, brand: HouseBrand) -> None:
    problem(await caller.as_(await house.key(brand, KeyScope.READ)).post("/alert-rules", RULE), 403)


async def test_an_alert_explains_itself(caller: Caller, alert: dict[str, Any]) -> None:
    (found,) = (await caller.get("/alerts")).json()["data"]
    assert (found["id"], found["rule_id"], found["state"]) == (alert["id"], alert["rule_id"], "open")
    assert found["seen"] > found["high"] >= found["expected"] >= found["low"]
    assert found["chance"] < 1e-4
    drivers = {one["what"]: one["key"] for one in found["drivers"]}
    assert drivers["mention"].startswith("men_")
    assert "rappel" in drivers["phrase"] or "produit" in drivers["phrase"] or "dangereux" in drivers["phrase"]
    assert (await caller.get(f"/alerts/{alert['id']}")).json() == found


async def test_alerts_are_listed_by_state_and_rule(caller: Caller, alert: dict[str, Any]) -> None:
    async def count(**where: str) -> int:
        return len((await caller.get("/alerts", params=where)).json()["data"])

    assert [await count(state="open"), await count(state="closed")] == [1, 0]
    assert await count(rule_id=alert["rule_id"]) == 1
    assert await count(rule_id=typeid(Prefix.ALERT_RULE, uuid4())) == 0


async def test_an_alert_is_closed_once(caller: Caller, alert: dict[str, Any]) -> None:
    closed = (await caller.post(f"/alerts/{alert['id']}/close")).json()
    assert (closed["state"], closed["closed_by"][:5]) == ("closed", "user_")
    assert problem(await caller.post(f"/alerts/{alert['id']}/close"), 409)["code"] == "already_closed"


async def test_snoozing_an_alert_keeps_its_rule_quiet(caller: Caller, alert: dict[str, Any]) -> None:
    problem(await caller.post(f"/alerts/{alert['id']}/snooze", {"until": "2020-01-01T00:00:00Z"}), 422)
    problem(await caller.post(f"/alerts/{alert['id']}/snooze", {}), 422)
    place = f"/alert-rules/{alert['rule_id']}"
    before = (await caller.get(place)).json()["snoozed_until"]
    assert (await caller.post(f"/alerts/{alert['id']}/snooze", {"until": None})).status_code == 200
    assert before == (await caller.get(place)).json()["snoozed_until"] is None


async def test_a_foreign_alert_is_not_there(caller: Caller, house: House, alert: dict[str, Any]) -> None:
    other = caller.as_((await house.brand("Zee")).api_key)
    problem(await other.get(f"/alerts/{alert['id']}"), 404)
