"""Each network over its paired payloads: a new case is two files and no code."""

import json
from pathlib import Path

import pytest

from shared.connectors.registry import CONNECTORS
from shared.models.enums import Network
from tests.connectors.pairs import NETWORKS, cases, hear


@pytest.mark.parametrize(
    "payload", cases(), ids=lambda path: f"{path.parent.name}-{path.name.removesuffix('.payload.json')}"
)
def test_a_payload_is_heard_as_its_pair_says(payload: Path) -> None:
    expected = json.loads(payload.with_name(payload.name.replace(".payload.", ".mentions.")).read_bytes())
    assert hear(Network(payload.parent.name), payload.read_bytes()) == expected


def test_every_expectation_has_a_payload() -> None:
    expectations = {path.name.replace(".mentions.", ".payload.") for path in NETWORKS.glob("*/*.mentions.json")}
    assert expectations == {path.name for path in cases()}


def test_every_network_has_a_connector_with_its_name_and_pairs() -> None:
    assert set(CONNECTORS) == set(Network)
    for network, connector in CONNECTORS.items():
        assert connector.network is network is connector.card.network
        assert any(path.parent.name == network.value for path in cases()), f"no paired payload for {network.value}"
