"""What a payload tells is heard: all of it, once, whatever came before it, and whatever is wrong beside it."""

import itertools
import json
import time
from datetime import timedelta
from typing import Any

import pytest

from shared.contract import Capability, Deleted, Parsed, RawArrival, RawPart, Said
from shared.errors import BadPayload
from tests.connectors.conformance.folding import fold, hear, part, texts
from tests.connectors.conformance.specimen import NOW, Event, Specimen, Verb
from tests.connectors.specimens import SPECIMENS, each

ALL = each(SPECIMENS.values())
MANY = 1000


def _ids(parsed: Parsed) -> list[str]:
    return [fact.external_id for fact in parsed.heard if isinstance(fact, Said)]


@pytest.mark.parametrize("specimen", ALL)
def test_what_is_said_edited_and_deleted_is_heard_under_its_id(specimen: Specimen) -> None:
    said = [fact for fact in hear(specimen, Event(Verb.SAID, 1, text="één")) if isinstance(fact, Said)]
    assert [(fact.external_id, fact.text) for fact in said] == [(specimen.name(1), "één")]
    edit = Event(Verb.EDITED, 1, NOW + timedelta(minutes=1), "twee")
    edited = [fact for fact in hear(specimen, edit) if isinstance(fact, Said)]
    assert [(fact.external_id, fact.text) for fact in edited] == [(specimen.name(1), "twee")]
    gone = [fact for fact in hear(specimen, Event(Verb.DELETED, 1)) if isinstance(fact, Deleted)]
    assert [fact.external_id for fact in gone] == [specimen.name(1)]


@pytest.mark.parametrize("specimen", ALL)
def test_what_is_said_is_of_a_kind_that_the_card_names(specimen: Specimen) -> None:
    said = [fact for fact in hear(specimen, Event(Verb.SAID, 1)) if isinstance(fact, Said)]
    assert {fact.kind for fact in said} <= specimen.connector.card.hears


@pytest.mark.parametrize("specimen", ALL)
def test_a_payload_of_a_thousand_things_is_heard_whole_and_soon(specimen: Specimen) -> None:
    one = part(specimen, *(Event(Verb.SAID, number, text=f"n° {number}") for number in range(1, MANY + 1)))
    began = time.process_time()
    parsed = specimen.connector.parse(one)
    assert time.process_time() - began < 5
    assert parsed.problems == ()
    assert set(_ids(parsed)) == {specimen.name(number) for number in range(1, MANY + 1)}


@pytest.mark.parametrize("specimen", ALL)
def test_any_order_and_any_repetition_end_in_the_same_state(specimen: Specimen) -> None:
    told = [
        Event(Verb.SAID, 1, NOW, "one"),
        Event(Verb.EDITED, 1, NOW + timedelta(minutes=3), "one, edited"),
        Event(Verb.SAID, 2, NOW + timedelta(minutes=1), "two"),
        Event(Verb.DELETED, 2, NOW + timedelta(minutes=4)),
        Event(Verb.SAID, 3, NOW + timedelta(minutes=2), "three"),
    ]
    deliveries = [hear(specimen, event) for event in told]
    network = specimen.connector.network
    expected = fold(network, itertools.chain(*deliveries))
    for order in itertools.permutations(deliveries):
        assert fold(network, itertools.chain(*order, *order[:2], order[0])) == expected
    assert texts(network, itertools.chain(*deliveries)) == {
        specimen.name(1): "one, edited",
        specimen.name(2): None,
        specimen.name(3): "three",
    }


@pytest.mark.parametrize("specimen", ALL)
def test_an_unknown_event_is_kept_knowingly_and_its_neighbours_are_heard(specimen: Specimen) -> None:
    parsed = specimen.connector.parse(part(specimen, Event(Verb.SAID, 1), Event(Verb.UNKNOWN, 2), Event(Verb.SAID, 3)))
    assert _ids(parsed) == [specimen.name(1), specimen.name(3)]
    reasons = [one.message for one in parsed.problems] if specimen.unknown_is_a_problem else list(parsed.ignored)
    assert reasons
    assert all(len(reason.split()) > 2 for reason in reasons)


@pytest.mark.parametrize("specimen", ALL)
def test_an_unknown_event_by_itself_is_ignored_or_unreadable_and_says_why(specimen: Specimen) -> None:
    alone = part(specimen, Event(Verb.UNKNOWN, 2))
    if specimen.unknown_is_a_problem:
        with pytest.raises(BadPayload) as unreadable:
            specimen.connector.parse(alone)
        assert unreadable.value.problems
        return
    parsed = specimen.connector.parse(alone)
    assert parsed.heard == ()
    assert parsed.ignored


@pytest.mark.parametrize("specimen", ALL)
def test_a_bad_item_is_a_problem_and_its_neighbours_are_heard(specimen: Specimen) -> None:
    parsed = specimen.connector.parse(part(specimen, Event(Verb.SAID, 1), Event(Verb.BROKEN, 2), Event(Verb.SAID, 3)))
    assert {specimen.name(1), specimen.name(3)} <= set(_ids(parsed))
    assert parsed.problems
    assert all(problem.path and problem.message for problem in parsed.problems)


@pytest.mark.parametrize("specimen", each(one for one in SPECIMENS.values() if one.several_deleted))
def test_deletions_and_what_is_said_come_in_one_payload(specimen: Specimen) -> None:
    found = hear(specimen, Event(Verb.DELETED, 1), Event(Verb.SAID, 2), Event(Verb.DELETED, 3))
    assert {fact.external_id for fact in found if isinstance(fact, Deleted)} == {specimen.name(1), specimen.name(3)}


@pytest.mark.parametrize("specimen", ALL)
def test_an_id_that_comes_as_a_number_is_the_same_id(specimen: Specimen) -> None:
    written = part(specimen, Event(Verb.SAID, 1), Event(Verb.SAID, 2))
    numbered = RawPart(written.channel_external_id, _numbered(written.body), written.stamp, written.headers)
    parsed = specimen.connector.parse(numbered)
    assert _ids(parsed) == _ids(specimen.connector.parse(written))


def _numbered(body: bytes) -> bytes:
    """The payload with every id that is all digits written as a number."""
    try:
        value = json.loads(body)
    except ValueError:
        return body

    def again(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: again(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [again(inner, name) for inner in value]
        is_id = isinstance(value, str) and value.isdigit() and (name == "id" or name.endswith("_id"))
        return int(value) if is_id else value

    return json.dumps(again(value)).encode()


@pytest.mark.parametrize("specimen", each(s for s in SPECIMENS.values() if s.pushing and s.pushing.several))
def test_a_delivery_about_several_channels_is_cut_so_that_each_hears_its_own(specimen: Specimen) -> None:
    assert specimen.pushing is not None
    assert specimen.pushing.several is not None
    assert specimen.connector.card.can(Capability.APP_WEBHOOKS)
    body = specimen.pushing.several({"1001": [Event(Verb.SAID, 1)], "1002": [Event(Verb.SAID, 2), Event(Verb.SAID, 3)]})
    parts = specimen.connector.route(RawArrival("k", body, NOW))
    heard = {
        one.channel_external_id: specimen.connector.parse(RawPart(specimen.channel, one.body, NOW)) for one in parts
    }
    assert len(parts) == 2
    assert {name: len(_ids(parsed)) for name, parsed in heard.items()} == {"1001": 1, "1002": 2}


@pytest.mark.parametrize("specimen", ALL)
def test_only_a_network_whose_app_hears_for_many_routes_to_several(specimen: Specimen) -> None:
    several = specimen.pushing is not None and specimen.pushing.several is not None
    assert specimen.connector.card.can(Capability.APP_WEBHOOKS) == several
