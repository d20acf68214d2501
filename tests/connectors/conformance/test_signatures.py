"""What a network signed is taken, and nothing else is."""

import json
import random
from datetime import datetime, timedelta

import pytest

from shared.contract import Capability, RawRequest, Secret
from shared.errors import BadSignature
from tests.connectors.conformance.specimen import NOW, Event, Pushing, Specimen, Verb
from tests.connectors.specimens import PUSHED, SPECIMENS, each

PUSHES = each(PUSHED)
SIGNED_BODIES = each(one for one in PUSHED if one.pushing and one.pushing.over_the_body)


def _pushing(specimen: Specimen) -> Pushing:
    assert specimen.pushing is not None
    return specimen.pushing


def _body(specimen: Specimen, *numbers: int) -> bytes:
    return specimen.write([Event(Verb.SAID, number) for number in numbers or (1,)]).body


def _verify(specimen: Specimen, request: RawRequest, *keys: str) -> datetime | None:
    return specimen.connector.verify(request, Secret(keys or _pushing(specimen).keys[:1]))


@pytest.mark.parametrize("specimen", each(SPECIMENS.values()))
def test_a_network_is_said_to_push_exactly_where_its_specimen_does(specimen: Specimen) -> None:
    assert specimen.connector.card.can(Capability.WEBHOOKS) == (specimen.pushing is not None)


@pytest.mark.parametrize("specimen", each(one for one in SPECIMENS.values() if one.pushing is None))
def test_a_network_that_pushes_nothing_has_every_delivery_refused(specimen: Specimen) -> None:
    request = RawRequest("POST", {"x-hub-signature-256": "sha256=00"}, {}, _body(specimen), NOW)
    for keys in ((), ("k",), (specimen.connector.new_secret(),)):
        with pytest.raises(BadSignature):
            specimen.connector.verify(request, Secret(keys))


@pytest.mark.parametrize("specimen", PUSHES)
def test_a_signed_delivery_is_accepted(specimen: Specimen) -> None:
    pushing = _pushing(specimen)
    assert _verify(specimen, pushing.deliver(_body(specimen))) == (None if pushing.tolerance is None else NOW)


@pytest.mark.parametrize("specimen", PUSHES)
def test_a_delivery_without_any_of_its_signed_headers_is_refused(specimen: Specimen) -> None:
    signed = _pushing(specimen).deliver(_body(specimen))
    for missing in (*((name,) for name in _pushing(specimen).signed_headers), _pushing(specimen).signed_headers):
        headers = {name: value for name, value in signed.headers.items() if name not in missing}
        for emptied in (headers, headers | dict.fromkeys(missing, "")):
            with pytest.raises(BadSignature):
                _verify(specimen, signed._replace(headers=emptied))


@pytest.mark.parametrize("specimen", SIGNED_BODIES)
def test_a_delivery_with_a_flipped_bit_in_its_body_is_refused(specimen: Specimen) -> None:
    signed = _pushing(specimen).deliver(_body(specimen))
    places = range(len(signed.body) * 8)
    for place in random.Random(4).sample(places, min(400, len(places))):
        flipped = bytearray(signed.body)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(BadSignature):
            _verify(specimen, signed._replace(body=bytes(flipped)))


@pytest.mark.parametrize("specimen", PUSHES)
def test_a_delivery_with_another_letter_in_its_signature_is_refused(specimen: Specimen) -> None:
    pushing = _pushing(specimen)
    signed = pushing.deliver(_body(specimen))
    given = signed.headers[pushing.header]
    digest = pushing.digest(given)
    for place in range(*digest.indices(len(given))):
        other = "0" if given[place] != "0" else "1"
        forged = given[:place] + other + given[place + 1 :]
        with pytest.raises(BadSignature):
            _verify(specimen, signed._replace(headers={**signed.headers, pushing.header: forged}))


@pytest.mark.parametrize("specimen", PUSHES)
def test_a_signature_that_is_cut_doubled_or_no_signature_is_refused(specimen: Specimen) -> None:
    pushing = _pushing(specimen)
    signed = pushing.deliver(_body(specimen))
    given = signed.headers[pushing.header]
    digest = given[pushing.digest(given)]
    rest = given.replace(digest, "")
    for forged in (
        rest,
        given[:-1],
        given + "0",
        digest,
        rest + digest * 2,
        "é€",
        "\x00",
        "=",
        "," * 5000,
        rest + "\udc80",
    ):
        with pytest.raises(BadSignature):
            _verify(specimen, signed._replace(headers={**signed.headers, pushing.header: forged}))


@pytest.mark.parametrize("specimen", PUSHES)
def test_a_delivery_signed_by_another_key_is_refused(specimen: Specimen) -> None:
    pushing = _pushing(specimen)
    stolen = pushing.deliver(_body(specimen), key=pushing.keys[1])
    with pytest.raises(BadSignature):
        _verify(specimen, stolen)


@pytest.mark.parametrize("specimen", PUSHES)
def test_a_hook_without_a_key_takes_nothing(specimen: Specimen) -> None:
    with pytest.raises(BadSignature):
        specimen.connector.verify(_pushing(specimen).deliver(_body(specimen)), Secret(()))


@pytest.mark.parametrize("specimen", PUSHES)
def test_while_keys_rotate_the_old_one_and_the_new_one_are_taken(specimen: Specimen) -> None:
    pushing = _pushing(specimen)
    for key in pushing.keys:
        _verify(specimen, pushing.deliver(_body(specimen), key=key), *pushing.keys)
        _verify(specimen, pushing.deliver(_body(specimen), key=key), *reversed(pushing.keys))


@pytest.mark.parametrize("specimen", PUSHES)
def test_a_new_secret_of_the_connectors_own_signs(specimen: Specimen) -> None:
    one, other = specimen.connector.new_secret(), specimen.connector.new_secret()
    assert one != other
    assert len(one) < 200  # WebSub takes no more
    _verify(specimen, _pushing(specimen).deliver(_body(specimen), key=one), one)


@pytest.mark.parametrize("specimen", SIGNED_BODIES)
def test_a_body_that_was_written_again_is_refused(specimen: Specimen) -> None:
    signed = _pushing(specimen).deliver(_body(specimen))
    try:
        again = json.dumps(json.loads(signed.body), indent=3).encode()
    except ValueError:
        again = signed.body.replace(b"><", b">\n<", 1)
    assert again != signed.body
    with pytest.raises(BadSignature):
        _verify(specimen, signed._replace(body=again))


@pytest.mark.parametrize("specimen", PUSHES)
def test_a_signed_time_is_good_for_as_long_as_the_scheme_says_and_no_longer(specimen: Specimen) -> None:
    pushing = _pushing(specimen)
    if pushing.tolerance is None:
        assert _verify(specimen, pushing.deliver(_body(specimen), received_at=NOW + timedelta(days=1))) is None
        return
    for off in (pushing.tolerance, -pushing.tolerance):
        _verify(specimen, pushing.deliver(_body(specimen), received_at=NOW + off))
        with pytest.raises(BadSignature):
            _verify(specimen, pushing.deliver(_body(specimen), received_at=NOW + off * 1.01))


@pytest.mark.parametrize("specimen", PUSHES)
def test_a_repeat_has_the_same_key_and_anything_else_has_another(specimen: Specimen) -> None:
    pushing, key = _pushing(specimen), specimen.connector.key
    first = pushing.deliver(_body(specimen), number=1)
    later = pushing.deliver(_body(specimen), number=1, at=NOW + timedelta(hours=30))
    assert key(first) == key(later)
    others = [pushing.deliver(_body(specimen, number), number=number) for number in range(2, 30)]
    assert len({key(one) for one in (first, *others)}) == 29
    assert 0 < len(key(first)) <= 200


@pytest.mark.parametrize("specimen", PUSHES)
def test_every_handshake_is_answered_as_the_network_wants_it(specimen: Specimen) -> None:
    for shake in _pushing(specimen).handshakes:
        answer = specimen.connector.handshake(shake.request, shake.secret)
        assert answer is not None, shake.name
        assert answer.status == shake.status, shake.name
        assert shake.body is None or answer.body == shake.body, shake.name


@pytest.mark.parametrize("specimen", each(SPECIMENS.values()))
def test_a_request_without_a_challenge_is_no_handshake(specimen: Specimen) -> None:
    secret = Secret(specimen.pushing.keys if specimen.pushing else (), "token")
    for method in ("GET", "POST"):
        assert specimen.connector.handshake(RawRequest(method, {}, {"x": "1"}, b"", NOW), secret) is None
    if specimen.pushing is not None:
        assert specimen.connector.handshake(specimen.pushing.deliver(_body(specimen)), secret) is None
