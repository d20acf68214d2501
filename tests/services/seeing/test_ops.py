"""The dashboard and the alert rules: whole, sayable, and each alert with its section in docs/operate.md."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[3]
DASHBOARD = ROOT / "ops/grafana/parvis.json"
PAGE = (ROOT / "docs/operate.md").read_text("utf-8")


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return found


def rules() -> list[dict[str, Any]]:
    groups = YAML(typ="safe").load((ROOT / "ops/prometheus/alerts.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def section(alert: str) -> str:
    """The part of the page under the alert's heading; empty where there is none."""
    found = re.search(rf"^### {alert}$(.*?)(?=^##)", f"{PAGE}\n## ", re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_every_alert_has_a_section_that_says_what_to_do(rule: dict[str, Any]) -> None:
    said = section(rule["alert"])
    assert {word for word in ("**It means**", "**Look**", "**Do**") if word not in said} == set()
    assert rule["annotations"]["runbook"] == f"docs/operate.md#{rule['alert'].lower()}"
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["labels"]["severity"] in {"page", "ticket"}


def test_every_section_of_the_page_has_its_alert() -> None:
    assert set(re.findall(r"^### (Parvis\w+)$", PAGE, re.MULTILINE)) == {rule["alert"] for rule in rules()}


def test_every_job_of_the_scrape_configuration_is_one_that_the_alerts_go_by() -> None:
    read = YAML(typ="safe").load((ROOT / "ops/prometheus/scrape.yml").read_text("utf-8"))
    assert [job["job_name"] for job in read["scrape_configs"] if not job["job_name"].startswith("parvis")] == []
    services = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    asked = {
        (name, dns["port"]) for job in read["scrape_configs"] for dns in job["dns_sd_configs"] for name in dns["names"]
    }
    served = {(name, 9100) for name, it in services.items() if it.get("environment", {}).get("PARVIS_METRICS_PORT")}
    assert asked == served | {("api", 8000), ("ingest", 8001)}


def test_every_panel_has_a_unit_a_question_and_the_chosen_datasource() -> None:
    shown = [panel for panel in panels() if panel["type"] != "row"]
    assert shown
    for panel in shown:
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"] is None
        assert panel["targets"]
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert {source["uid"] for source in sources} == {"${datasource}"}, panel["title"]


def test_no_two_panels_share_a_number_or_a_place() -> None:
    ids = [panel["id"] for panel in panels()]
    assert len(set(ids)) == len(ids)
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels())
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24
