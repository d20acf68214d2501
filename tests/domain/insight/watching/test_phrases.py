"""Phrases that rise, in four languages, and those that are always there."""

import random

from shared.domain.insight.watching.phrases import Tally, counted, phrases_of, rises, rising

USUAL = [
    "La livraison est arrivée en avance, merci", "Winkel was netjes en de service goed",
    "Der Kaffee schmeckt wie immer gut", "Great service in the store today", "Je n'ai pas reçu ma commande",
    "Mooie winkel maar lange wachtrij", "Die Lieferung kam heute an", "Love the new colour of the cups",
]  # fmt: skip


def usual(count: int, seed: int = 1) -> list[tuple[str, int]]:
    chance = random.Random(seed)
    return [(chance.choice(USUAL), number) for number in range(count)]


def test_a_phrase_that_was_never_there_rises_and_is_named_whole() -> None:
    now = usual(40, 2) + [(f"rappel produit chez vous, attention {n}", 1000 + n) for n in range(9)]
    found = rising(counted(now), counted(usual(2000)), chance=1e-3, ratio=2, fewest=5, voices=5)
    assert found[0].phrase == "rappel produit"
    assert (found[0].seen, found[0].authors) == (9, 9)
    assert found[0].expected < 1


def test_what_is_always_said_does_not_rise() -> None:
    assert rising(counted(usual(200, 5)), counted(usual(3000)), chance=1e-3, ratio=2, fewest=3) == []


def test_one_voice_saying_it_often_is_no_rise() -> None:
    now = usual(40, 2) + [("rappel produit maintenant", 7)] * 12
    assert not [
        one for one in rising(counted(now), counted(usual(2000)), chance=1e-3, ratio=2, fewest=3, voices=3)
        if "rappel" in one.phrase
    ]  # fmt: skip


def test_addresses_and_accounts_are_no_phrases() -> None:
    assert phrases_of("Kijk https://example.org/rappel en @Rappel.Dienst") == {"kijk"}


def test_accents_compounds_and_elisions_stay_words() -> None:
    found = phrases_of("L’été, Straßenbahnverspätung! Zoë's fiets")
    assert {"l’été", "straßenbahnverspätung".casefold(), "zoë's fiets"} <= found


def test_without_mentions_nothing_rises() -> None:
    assert rises(Tally(), counted(usual(10))) == []
