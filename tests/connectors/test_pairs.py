"""Each network over its paired payloads: a new case is two files and no code."""

import json
from pathlib import Path

import pytest

from shared.connectors.registry import CONNECTORS
from shared.models.enums import Network
from tests.connectors.pairs import NETWORKS, beside, cases, hear


@pytest.mark.parametrize("payload", cases(), ids=lambda path: f"{path.parent.name}-{path.name.partition('.')[0]}")
def test_a_payload_is_heard_as_its_pair_says(payload: Path) -> None:
    assert hear(payload) == json.loads(beside(payload, "mentions").read_bytes())


def test_every_expectation_has_a_payload() -> None:
    expectations = set(NETWORKS.glob("*/*.mentions.json"))
    assert expectations == {beside(path, "mentions") for path in cases()}
    assert set(NETWORKS.glob("*/*.headers.json")) <= {beside(path, "headers") for path in cases()}


def test_every_network_has_a_connector_with_its_name_and_pairs() -> None:
    assert set(CONNECTORS) == set(Network)
    for network, connector in CONNECTORS.items():
        assert connector.network is network is connector.card.network
        assert any(path.parent.name == network.value for path in cases()), f"no paired payload for {network.value}"
