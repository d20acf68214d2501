"""Whatever the bytes are, they are heard, ignored for a reason, or unreadable: nothing else is ever raised."""

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contract import Parsed, RawArrival, RawPart, Said
from shared.errors import BadPayload
from tests.connectors.conformance.folding import fold, part
from tests.connectors.conformance.specimen import NOW, Event, Specimen, Verb
from tests.connectors.specimens import SPECIMENS, each

ALL = each(SPECIMENS.values())
EVENTS = (
    Event(Verb.SAID, 1),
    Event(Verb.EDITED, 2, NOW + timedelta(minutes=1), "twee"),
    Event(Verb.UNKNOWN, 3),
    Event(Verb.BROKEN, 4),
    Event(Verb.SAID, 5),
)
ABSURD: tuple[Any, ...] = (
    *("2099-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "+275760-09-13T00:00:00Z", "soon", ""),
    *(
        "2026-11-22T09:00:00+25:00",
        "2026-02-30T00:00:00Z",
        "2026-11-22",
        -1,
        0,
        1e20,
        2**63,
        4102444800,
        None,
        True,
        [],
    ),
)
_EXAMPLES = settings(
    max_examples=120, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["1", 1, "\x00", "\ud800", -1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def _read(specimen: Specimen, one: RawPart) -> Parsed | None:
    """What is heard; None where it is unreadable. Whatever is heard can be kept and has a place in time."""
    try:
        specimen.connector.route(RawArrival("k", one.body, one.stamp, one.headers))
    except BadPayload as error:
        repr(error).encode()
    try:
        parsed = specimen.connector.parse(one)
    except BadPayload as error:
        f"{error.message} {error.problems!r}".encode()
        return None
    assert parsed.heard or parsed.pointers or parsed.ignored or parsed.problems, "dropped in silence"
    repr(parsed).encode()  # a lone surrogate that got through would raise here
    assert "\\x00" not in repr(parsed)
    for fact in parsed.heard:
        assert fact.external_id
        assert fact.stamp.tzinfo is not None
    fold(specimen.connector.network, parsed.heard)
    return parsed


@pytest.mark.parametrize("specimen", ALL)
@_EXAMPLES
@given(body=st.binary(max_size=200))
def test_random_bytes_are_unreadable_or_nothing_said(specimen: Specimen, body: bytes) -> None:
    parsed = _read(specimen, RawPart(specimen.channel, body, NOW, part(specimen, *EVENTS).headers))
    assert parsed is None or not any(isinstance(fact, Said) and fact.text == "Bonjour" for fact in parsed.heard)


@pytest.mark.parametrize("specimen", ALL)
@_EXAMPLES
@given(data=st.data())
def test_a_payload_with_any_byte_changed_cut_or_doubled_is_read_or_unreadable(
    specimen: Specimen, data: st.DataObject
) -> None:
    one = part(specimen, *EVENTS)
    body = bytearray(one.body)
    for _ in range(data.draw(st.integers(1, 4))):
        if not body:
            break
        place = data.draw(st.integers(0, len(body) - 1))
        other = data.draw(st.integers(place, min(len(body), place + 40)))
        body[place:other] = data.draw(st.sampled_from([b"", bytes(body[place:other]) * 2]) | st.binary(max_size=4))
    _read(specimen, RawPart(one.channel_external_id, bytes(body), one.stamp, one.headers))


@pytest.mark.parametrize("specimen", ALL)
@_EXAMPLES
@given(data=st.data())
def test_a_payload_with_any_value_replaced_is_read_or_unreadable(specimen: Specimen, data: st.DataObject) -> None:
    one = part(specimen, *EVENTS)
    value = _value(one.body)
    if value is None:
        pytest.skip("this network writes no JSON: its bytes are changed instead")
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(_places(value))
        holder, key = places[data.draw(st.integers(0, len(places) - 1))]
        holder[key] = data.draw(_json)
    body = json.dumps(value).encode()
    _read(specimen, RawPart(one.channel_external_id, body, one.stamp, one.headers))


@pytest.mark.parametrize("specimen", ALL)
@pytest.mark.parametrize("absurd", ABSURD, ids=repr)
def test_a_time_that_is_absurd_or_of_another_type_harms_nothing(specimen: Specimen, absurd: Any) -> None:
    one = part(specimen, Event(Verb.SAID, 1), Event(Verb.EDITED, 2, NOW + timedelta(minutes=1), "twee"))
    written = _value(one.body)
    bodies = [one.body.replace(b"2026-11-22T09", str(absurd).encode())] if written is None else []
    for place in range(len(list(_places(written))) if written is not None else 0):
        value = copy.deepcopy(written)
        holder, key = list(_places(value))[place]
        if _is_time(holder[key]):
            holder[key] = absurd
            bodies.append(json.dumps(value).encode())
    assert bodies
    for body in bodies:
        parsed = _read(specimen, RawPart(one.channel_external_id, body, one.stamp, one.headers))
        for fact in parsed.heard if parsed else ():
            if isinstance(fact, Said) and fact.published_at is not None:
                assert fact.published_at.tzinfo is not None


@pytest.mark.parametrize("specimen", ALL)
def test_what_claims_to_be_of_ten_years_from_now_is_kept_as_of_now(specimen: Specimen) -> None:
    one = part(specimen, Event(Verb.SAID, 1, NOW + timedelta(days=3650)))
    parsed = specimen.connector.parse(RawPart(one.channel_external_id, one.body, NOW, one.headers))
    [shown] = fold(specimen.connector.network, parsed.heard)["mentions"].values()
    at = [value for value in shown if isinstance(value, datetime)]
    stamps = {fact.stamp for fact in parsed.heard}
    assert all(value <= max(stamps) + timedelta(minutes=5) for value in at)
    assert specimen.clock_moves or all(stamp <= NOW + timedelta(days=1) for stamp in stamps)


@pytest.mark.parametrize("specimen", ALL)
@pytest.mark.parametrize("depth", [200, 2_000, 100_000])
def test_deep_nesting_is_read_or_unreadable(specimen: Specimen, depth: int) -> None:
    one = part(specimen, Event(Verb.SAID, 1))
    body = one.body.replace(b'"Bonjour"', b"[" * depth + b"]" * depth) + b"<a>" * depth
    for tried in (body, b"[" * depth, b'{"a":' * depth, one.body.replace(b'"Bonjour"', b"[" * depth + b"]" * depth)):
        _read(specimen, RawPart(one.channel_external_id, tried, one.stamp, one.headers))


@pytest.mark.parametrize("specimen", ALL)
def test_text_that_no_database_takes_is_kept_as_the_nearest_that_one_does(specimen: Specimen) -> None:
    one = part(specimen, Event(Verb.SAID, 1, text="a\x00b"))
    _read(specimen, one)


def _value(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _places(value: Any) -> Any:
    """Every place in a JSON value that holds something, as (holder, key)."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)


def _is_time(value: Any) -> bool:
    if type(value) is int:
        return value > 10**9
    if not isinstance(value, str):
        return False
    try:
        return datetime.fromisoformat(value).astimezone(UTC).year >= 2000
    except ValueError:
        return False
