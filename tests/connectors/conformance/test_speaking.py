"""Every kind of effect on a card is brought about on the network's fake, seen by anybody, settled when in doubt."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.contract import Capability, Certainty, Login, OutgoingEffect, Preparing, Target
from shared.errors import Refused
from shared.models.enums import MentionKind, OutgoingKind
from tests.connectors.conformance.speaking import (
    ACTING,
    EFFECTS,
    PEOPLE,
    POINTING,
    STANDS,
    TEXT,
    UNDOES,
    WRITTEN,
    do,
    shown,
)
from tests.connectors.conformance.specimen import PICTURE, PICTURES, Specimen, effect, laid_ready, prepares
from tests.connectors.specimens import SPECIMENS, each

ALL = each(SPECIMENS.values())
LONG_AGO = timedelta(minutes=50)  # what networks show late, they show by then
NOTHING = Login("x", None, {})


# ---------------------------------------------------------------- cards


def test_there_is_an_exercise_and_a_proof_for_every_kind() -> None:
    assert EFFECTS.keys() == set(OutgoingKind)
    assert STANDS.keys() == set(OutgoingKind)


@pytest.mark.parametrize("specimen", ALL)
def test_a_card_that_publishes_has_the_effect_and_one_that_looks_up_the_capability(specimen: Specimen) -> None:
    card = specimen.connector.card
    assert card.can(Capability.PUBLISH) == (OutgoingKind.PUBLISH in card.effects)
    assert card.can(Capability.FIND) == (Certainty.LOOKED_UP in card.effects.values())
    assert card.prepares is Preparing.NEVER or OutgoingKind.PUBLISH in card.effects
    assert not card.effects or specimen.world is not None


@pytest.mark.parametrize("specimen", ALL)
def test_what_can_be_taken_back_can_be_done(specimen: Specimen) -> None:
    effects = specimen.connector.card.effects
    assert {UNDOES[kind] for kind in effects if kind in UNDOES} <= effects.keys()


# ---------------------------------------------------------------- what is declared


def _cases(*kinds: OutgoingKind, certainty: Certainty | None = None) -> list[Any]:
    return [
        pytest.param(specimen, kind, id=f"{network.value}-{kind.value}")
        for network, specimen in SPECIMENS.items()
        for kind, settled in specimen.connector.card.effects.items()
        if kind in (kinds or OutgoingKind) and certainty in {None, settled}
    ]


def _long_ago(wanted: OutgoingEffect) -> OutgoingEffect:
    """The effect as one that was first tried long ago."""
    return replace(wanted, first_attempt_at=effect(attempted=LONG_AGO).first_attempt_at)


@pytest.fixture
def world_of(specimen: Specimen) -> Any:
    assert specimen.world is not None
    return specimen.world()


@pytest.mark.parametrize(("specimen", "kind"), _cases())
async def test_it_is_done_and_anybody_sees_it(specimen: Specimen, kind: OutgoingKind, world_of: Any) -> None:
    async with world_of as world:
        wanted = await EFFECTS[kind](specimen, world, "out_1")
        other = None if kind in {*WRITTEN, *PEOPLE} else await EFFECTS[kind](specimen, world, "out_2")
        sent = await do(specimen, world, wanted)
        assert sent.external_id
        assert await STANDS[kind](world, wanted, sent)
        assert other is None or not await STANDS[kind](world, other, sent), "another thing was touched as well"


@pytest.mark.parametrize(("specimen", "kind"), _cases(certainty=Certainty.LOOKED_UP))
async def test_what_was_done_is_found_and_what_was_not_is_not(
    specimen: Specimen, kind: OutgoingKind, world_of: Any
) -> None:
    async with world_of as world:
        it = specimen.connector
        # In a small world it is one person who says everything.
        wanted, *others = [
            _long_ago(await laid_ready(specimen, world, await EFFECTS[kind](specimen, world, name)))
            for name in (("out_1",) if kind in PEOPLE else ("out_1", "out_2"))
        ]
        assert await it.find(world.http, world.login, wanted) is None
        sent = await it.send(world.http, world.login, wanted)
        found = await it.find(world.http, world.login, wanted)
        assert found is not None
        assert found.external_id == sent.external_id
        for other in others:
            assert await it.find(world.http, world.login, other) is None


@pytest.mark.parametrize(("specimen", "kind"), _cases(certainty=Certainty.REPEATED))
async def test_what_is_done_twice_is_as_if_done_once(specimen: Specimen, kind: OutgoingKind, world_of: Any) -> None:
    async with world_of as world:
        wanted = await laid_ready(specimen, world, await EFFECTS[kind](specimen, world, "out_1"))
        once = await specimen.connector.send(world.http, world.login, wanted)
        seen = await world.published() if world.published is not None else []
        twice = await specimen.connector.send(world.http, world.login, _long_ago(wanted))
        assert once.external_id == twice.external_id
        assert await STANDS[kind](world, wanted, twice)
        assert (await world.published() if world.published is not None else []) == seen


@pytest.mark.parametrize(("specimen", "kind"), _cases(*POINTING, *ACTING))
async def test_what_points_to_nothing_is_refused_in_words(
    specimen: Specimen, kind: OutgoingKind, world_of: Any
) -> None:
    async with world_of as world:
        wanted = await EFFECTS[kind](specimen, world, "out_1")
        nothing = specimen.name(999_999_999)
        if wanted.target is not None:
            wanted = replace(wanted, target=replace(wanted.target, external_id=nothing))
        if wanted.parent_external_id is not None:
            wanted = replace(wanted, parent_external_id=nothing, root_external_id=nothing)
        with pytest.raises(Refused) as raised:
            await specimen.connector.send(world.http, world.login, wanted)
        assert " " in raised.value.message


@pytest.mark.parametrize(("specimen", "kind"), _cases(OutgoingKind.PUBLISH))
async def test_media_arrive_with_their_words_for_who_does_not_see(
    specimen: Specimen, kind: OutgoingKind, world_of: Any
) -> None:
    async with world_of as world:
        sent = await do(specimen, world, effect(kind=kind, text=TEXT, media=(PICTURE,)))
        found = await shown(world, sent.external_id)
        assert found is not None
        assert found.media == (PICTURE.alt,)
        assert TEXT in found.text


# ---------------------------------------------------------------- what is laid ready


PREPARING = each(one for one in SPECIMENS.values() if one.connector.card.prepares is not Preparing.NEVER)


@pytest.mark.parametrize("specimen", PREPARING)
async def test_what_is_laid_ready_is_seen_by_nobody_and_laying_it_again_makes_no_second(
    specimen: Specimen, world_of: Any
) -> None:
    async with world_of as world:
        assert world.published is not None
        wanted = effect(text=TEXT, media=(PICTURE,))
        assert prepares(specimen, wanted)
        await laid_ready(specimen, world, wanted)  # whoever did this died before it was written down
        ready = await laid_ready(specimen, world, wanted)
        again = await specimen.connector.prepare(world.http, world.login, ready, world.files or PICTURES)
        assert await world.published() == []
        sent = await specimen.connector.send(world.http, world.login, replace(ready, marks=again.marks))
        assert await world.published() == [sent.external_id]


@pytest.mark.parametrize(
    "specimen", each(one for one in SPECIMENS.values() if one.connector.card.prepares is Preparing.NEVER)
)
async def test_where_nothing_is_laid_ready_nothing_can_be(specimen: Specimen) -> None:
    """There is no client to lay it with."""
    client: Any = None
    with pytest.raises(Refused, match="does not offer"):
        await specimen.connector.prepare(client, NOTHING, effect(), PICTURES)


# ---------------------------------------------------------------- what is not declared


@pytest.mark.parametrize(
    ("specimen", "kind"),
    [
        pytest.param(specimen, kind, id=f"{network.value}-{kind.value}")
        for network, specimen in SPECIMENS.items()
        for kind in OutgoingKind
        if kind not in specimen.connector.card.effects
    ],
)
async def test_a_kind_that_is_not_on_the_card_is_refused_and_nothing_is_sent(
    specimen: Specimen, kind: OutgoingKind
) -> None:
    """There is no client to send with: a call that tried to would fail otherwise."""
    client: Any = None
    target = Target(specimen.name(1), MentionKind.COMMENT, "a_1")
    with pytest.raises(Refused, match="does not offer"):
        await specimen.connector.send(client, NOTHING, effect(kind=kind, target=target))
