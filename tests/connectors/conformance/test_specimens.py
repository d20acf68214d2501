"""Every network has a specimen, and every specimen is whole."""

from pathlib import Path

import pytest

from shared.connectors.registry import CONNECTORS
from shared.contract import Capability
from tests.connectors.conformance.specimen import Call, Specimen
from tests.connectors.specimens import SPECIMENS, each

ALL = each(SPECIMENS.values())
TESTS = Path(__file__).parents[2]
HEARING = {Capability.WEBHOOKS, Capability.APP_WEBHOOKS}
# What each network has to be able to answer wrongly: the rest of its table is its own.
ANSWERS = {
    *("too fast", "no login", "refused", "redirect", "server error"),
    *("html", "half", "empty", "error inside", "cut off", "no answer in time"),
}


def test_every_connector_has_a_specimen() -> None:
    assert CONNECTORS.keys() == SPECIMENS.keys()
    for network, specimen in SPECIMENS.items():
        assert type(specimen.connector) is type(CONNECTORS[network])


@pytest.mark.parametrize("specimen", ALL)
def test_a_specimen_shows_its_network_answering_wrongly_in_every_way(specimen: Specimen) -> None:
    card = specimen.connector.card
    wanted = {call for call, can in ((Call.POLL, Capability.POLL), (Call.SEND, Capability.PUBLISH)) if card.can(can)}
    for call in wanted:
        assert {one.name for one in specimen.failures if one.call is call} >= ANSWERS - _not_its_own(specimen)
    assert {one.call for one in specimen.failures} <= wanted
    assert bool(wanted) == (specimen.echo is not None)


def _not_its_own(specimen: Specimen) -> set[str]:
    """A site with feeds refuses nothing for good but by 404 and 410."""
    return {"refused"} if any(one.name == "gone" for one in specimen.failures) else set()


@pytest.mark.parametrize("specimen", ALL)
def test_what_a_specimen_says_of_its_evidence_is_there(specimen: Specimen) -> None:
    card, name = specimen.connector.card, specimen.connector.network.value
    assert specimen.recorded | specimen.real <= card.capabilities
    assert bool(specimen.real) == bool(specimen.real_by)
    if specimen.recorded:
        assert (TESTS / "connectors" / f"test_{name}_recorded.py").exists()


@pytest.mark.parametrize("specimen", ALL)
def test_a_specimen_has_a_world_where_its_connector_calls_anybody(specimen: Specimen) -> None:
    calls = specimen.connector.card.capabilities - HEARING - {Capability.CHECK}
    assert specimen.world is not None or not calls
