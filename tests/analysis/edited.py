"""Texts made up of words, and the eight things that people do to a text when they pass it on."""

import random
from collections.abc import Callable, Sequence

_SENTENCES = (
    "the train was late again and nobody at the station would say why we had to wait so long for coffee in the cold"
    " le magasin de la rue neuve a fermé sans prévenir et les clients attendent encore leur commande depuis des mois"
    " de winkel in gent heeft mij een kapotte doos gestuurd en niemand neemt de telefoon op als ik bel over de levering"
    " der laden in köln schließt früher als angegeben und die straße davor wird für große fahrräder gesperrt müde grüße"
)
_WORDS = _SENTENCES.split()
_SIGNS = ["😡", "🔥", "👏", "🙏🏽", "❤️", "😂😂", "‼️", "🚆"]
_ACCENTS = {"é": "e", "ö": "oe", "ß": "ss", "ü": "ue", "ä": "ae"}


def text(chance: random.Random, fewest: int = 15, most: int = 40) -> str:
    """A text of so many words."""
    words = [
        chance.choice(_WORDS) if chance.random() < 0.8 else f"{chance.choice(_WORDS)}{chance.choice(_WORDS)}"
        for _ in range(chance.randint(fewest, most))
    ]
    for place in range(7, len(words), 9):
        words[place] += "."
    return " ".join(words).capitalize()


def _cased(chance: random.Random, given: str) -> str:
    written = chance.choice([str.upper, str.title, str.lower])(given)
    return written.replace(".", chance.choice(["!", " ...", ";", ""])) + chance.choice(["", "!!!", "?"])


def _linked(chance: random.Random, given: str) -> str:
    link = f"https://t.example/{chance.randrange(10**6)}?utm_source=x"
    return chance.choice([f"{given} {link}", f"{link} {given}", f"{given}\n\n{link}"])


def _passed_on(chance: random.Random, given: str) -> str:
    return chance.choice(["RT @lea: {}", "via @tom.example {}", "Fwd: {}", "{} (via @nieuws)", "Copied: {}"]).format(
        given
    )


def _tagged(chance: random.Random, given: str) -> str:
    words = given.split()
    place = chance.randrange(len(words))
    words[place] = "#" + words[place]
    return " ".join(["@" + chance.choice(["lea", "tom"]), *words, chance.choice(["", "#help", "#nmbs #sncb"])])


def _felt(chance: random.Random, given: str) -> str:
    words = given.split()
    for _ in range(chance.randint(1, 4)):
        words.insert(chance.randrange(len(words)), chance.choice([*_SIGNS, ":-)", ":D"]))
    return " ".join(words)


def _reworded(chance: random.Random, given: str) -> str:
    words = given.split()
    for _ in range(chance.randint(1, 2)):
        place = chance.randrange(len(words))
        change = chance.randrange(4)
        if change == 0:
            words[place] = chance.choice(["other", "never", "always"])
        elif change == 1:
            del words[place]
        elif change == 2:
            words.insert(place, chance.choice(["really", "so"]))
        else:
            words[place] = words[place][::-1]
    return " ".join(words)


def _cut(chance: random.Random, given: str) -> str:
    return given[: int(len(given) * chance.uniform(0.7, 0.95))] + chance.choice(["…", "...", ""])


def _respelled(_: random.Random, given: str) -> str:
    return "".join(_ACCENTS.get(one, one) for one in given)


EDITS: dict[str, Callable[[random.Random, str], str]] = {
    "accents": _respelled,
    "case and punctuation": _cased,
    "cut": _cut,
    "emoji": _felt,
    "link": _linked,
    "passed on": _passed_on,
    "tags and handles": _tagged,
    "word": _reworded,
}


def pairs(kind: str, number: int, seed: int = 1) -> Sequence[tuple[str, str]]:
    """So many texts, each with an edit of that kind."""
    chance = random.Random(f"{kind} {seed}")
    return [(given, EDITS[kind](chance, given)) for given in (text(chance) for _ in range(number))]
