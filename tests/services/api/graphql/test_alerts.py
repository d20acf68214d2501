"""What a brand is watched for and what was found, by GraphQL."""

from typing import Any

from shared.ids import Prefix, typeid
from tests.conftest import NOW, HouseBrand
from tests.domain.insight.alerting.conftest import Lookout, lookout
from tests.services.api.graphql.asking import Api, brand_id

__all__ = ["lookout"]
CREATE = """mutation M($i: CreateAlertRuleInput!) { createAlertRule(input: $i) {
  alertRule { id name kind sensitivity where { networks } version } errors { code path } } }"""
UPDATE = """mutation M($i: UpdateAlertRuleInput!) { updateAlertRule(input: $i) {
  alertRule { name version } errors { code } } }"""
ALERTS = """query Q($b: ID!) { brand(id: $b) { alertRules { nodes { id name } } alerts(state: OPEN) { nodes {
  id kind state seen expected rule { id }
  evidence { low high chance drivers { what key mention { id text } } } } } } }"""


async def created(api: Api, brand: HouseBrand, **more: Any) -> Any:
    given = {"brandId": brand_id(brand), "name": "Storms", "kind": "VOLUME_SPIKE", **more}
    return (await api.data(CREATE, brand.api_key, i=given))["createAlertRule"]


async def test_a_rule_is_made_changed_by_its_version_and_deleted(api: Api, brand: HouseBrand) -> None:
    made = (await created(api, brand, where={"networks": ["GENERIC"]}))["alertRule"]
    assert (made["sensitivity"], made["where"]["networks"]) == ("MEDIUM", ["GENERIC"])
    change = {"id": made["id"], "name": "Gales", "ifVersion": 1}
    changed = (await api.data(UPDATE, brand.api_key, i=change))["updateAlertRule"]
    assert changed["alertRule"] == {"name": "Gales", "version": 2}
    stale = (await api.data(UPDATE, brand.api_key, i=change))["updateAlertRule"]
    assert stale == {"alertRule": None, "errors": [{"code": "STALE"}]}
    delete = "mutation M($i: DeleteAlertRuleInput!) { deleteAlertRule(input: $i) { deletedId errors { code } } }"
    gone = (await api.data(delete, brand.api_key, i={"id": made["id"]}))["deleteAlertRule"]
    assert gone == {"deletedId": made["id"], "errors": []}
    assert (await api.data(ALERTS, brand.api_key, b=brand_id(brand)))["brand"]["alertRules"]["nodes"] == []


async def test_what_is_wrong_with_a_rule_is_said_as_data(api: Api, brand: HouseBrand) -> None:
    wrong = await created(api, brand, where={"channelIds": ["chan_nothing"]})
    assert wrong["alertRule"] is None
    assert wrong["errors"] == [{"code": "UNKNOWN_CHANNEL", "path": ["where", "channelIds"]}]


async def test_an_alert_shows_its_evidence_and_is_closed(api: Api, lookout: Lookout) -> None:
    rule = await lookout.rule()
    await lookout.storm(NOW)
    await lookout.look(rule, NOW)
    key, brand = lookout.brand.api_key, brand_id(lookout.brand)
    (alert,) = (await api.data(ALERTS, key, b=brand))["brand"]["alerts"]["nodes"]
    assert (alert["rule"]["id"], alert["state"]) == (typeid(Prefix.ALERT_RULE, rule.id), "OPEN")
    assert alert["seen"] > alert["evidence"]["high"]
    texts = [one["mention"]["text"] for one in alert["evidence"]["drivers"] if one["what"] == "MENTION"]
    assert all(text.startswith("Rappel produit") for text in texts)
    assert len(texts) == 3
    close = "mutation M($i: CloseAlertInput!) { closeAlert(input: $i) { alert { state } errors { code } } }"
    assert (await api.data(close, key, i={"id": alert["id"]}))["closeAlert"]["alert"] == {"state": "CLOSED"}
    again = (await api.data(close, key, i={"id": alert["id"]}))["closeAlert"]
    assert again == {"alert": None, "errors": [{"code": "ALREADY_CLOSED"}]}
