"""What is said of an alert, in four languages. Pure: from facts to a title and a sentence."""

from collections.abc import Mapping
from typing import Any

from shared.models.enums import AlertKind, NotificationKind

_K = AlertKind
# Of each language: the titles by what opened, then what is said of each, of what follows and of the end.
_TITLES: dict[str, dict[str, str]] = {
    "fr": {
        _K.VOLUME_SPIKE: "On parle plus de vous que d’habitude", _K.NEGATIVE_SPIKE: "Les critiques montent",
        _K.SILENCE: "On ne dit plus rien", _K.RISING_PHRASE: "Une expression monte",
        _K.URGENT_MENTION: "Une mention est urgente", _K.FAR_REACHING_AUTHOR: "Quelqu’un de très suivi parle de vous",
        _K.COPIES: "Beaucoup disent la même chose", "followed": "Une alerte continue", "closed": "Une alerte est finie",
    },
    "nl": {
        _K.VOLUME_SPIKE: "Er wordt meer gezegd dan gewoonlijk", _K.NEGATIVE_SPIKE: "De kritiek neemt toe",
        _K.SILENCE: "Het is stil geworden", _K.RISING_PHRASE: "Een uitdrukking neemt toe",
        _K.URGENT_MENTION: "Een vermelding is dringend",
        _K.FAR_REACHING_AUTHOR: "Iemand met veel volgers heeft het over u",
        _K.COPIES: "Velen zeggen hetzelfde", "followed": "Een melding gaat voort", "closed": "Een melding is voorbij",
    },
    "de": {
        _K.VOLUME_SPIKE: "Es wird mehr gesagt als sonst", _K.NEGATIVE_SPIKE: "Die Kritik nimmt zu",
        _K.SILENCE: "Es ist still geworden", _K.RISING_PHRASE: "Ein Ausdruck nimmt zu",
        _K.URGENT_MENTION: "Eine Erwähnung ist dringend",
        _K.FAR_REACHING_AUTHOR: "Jemand mit großer Reichweite spricht über Sie",
        _K.COPIES: "Viele sagen dasselbe", "followed": "Ein Alarm geht weiter", "closed": "Ein Alarm ist vorbei",
    },
    "en": {
        _K.VOLUME_SPIKE: "More is said than usual", _K.NEGATIVE_SPIKE: "Criticism is rising",
        _K.SILENCE: "It has gone quiet", _K.RISING_PHRASE: "A phrase is rising",
        _K.URGENT_MENTION: "A mention is urgent", _K.FAR_REACHING_AUTHOR: "Somebody with a wide reach speaks of you",
        _K.COPIES: "Many say the same", "followed": "An alert goes on", "closed": "An alert is over",
    },
}  # fmt: skip
_SENTENCES: dict[str, dict[str, str]] = {
    "fr": {
        "counted": "{rule} : {seen} mentions depuis {since}, là où {expected} seraient habituelles.",
        _K.NEGATIVE_SPIKE: "{rule} : {seen} mentions négatives depuis {since}, là où {expected} seraient habituelles.",
        _K.SILENCE: "{rule} : plus rien ou presque depuis {since}, là où {expected} mentions seraient habituelles.",
        "single": "{rule} : depuis {since}. Nombre de mentions : {seen}.",
        "closed": "{rule} : c’est redevenu comme d’habitude.", "about": "Il y est question de : {phrases}.",
        "rule": "Une règle d’alerte", "once": "un moment", "none": "moins",
        "opened_by": "Ce qui est dit : {mentions}.", "followed_by": "Nouveau : {mentions}.",
        "quoted": "« {} »", "by": "{author} sur {network}", "on": "sur {network}",
        "private": "un message privé", "mention": "une mention",
    },
    "nl": {
        "counted": "{rule}: {seen} vermeldingen sinds {since}, waar er gewoonlijk {expected} zijn.",
        _K.NEGATIVE_SPIKE: "{rule}: {seen} negatieve vermeldingen sinds {since}, waar er gewoonlijk {expected} zijn.",
        _K.SILENCE: "{rule}: sinds {since} zo goed als niets, waar er gewoonlijk {expected} vermeldingen zijn.",
        "single": "{rule}: sinds {since}. Aantal vermeldingen: {seen}.",
        "closed": "{rule}: het is weer zoals gewoonlijk.", "about": "Het gaat over: {phrases}.",
        "rule": "Een meldingsregel", "once": "een moment", "none": "minder",
        "opened_by": "Wat er gezegd is: {mentions}.", "followed_by": "Nieuw: {mentions}.",
        "quoted": "“{}”", "by": "{author} op {network}", "on": "op {network}",
        "private": "een privébericht", "mention": "een vermelding",
    },
    "de": {
        "counted": "{rule}: {seen} Erwähnungen seit {since}, wo sonst {expected} üblich sind.",
        _K.NEGATIVE_SPIKE: "{rule}: {seen} negative Erwähnungen seit {since}, wo sonst {expected} üblich sind.",
        _K.SILENCE: "{rule}: seit {since} so gut wie nichts, wo sonst {expected} Erwähnungen üblich sind.",
        "single": "{rule}: seit {since}. Zahl der Erwähnungen: {seen}.",
        "closed": "{rule}: Es ist wieder wie gewohnt.", "about": "Es geht um: {phrases}.",
        "rule": "Eine Alarmregel", "once": "einem Moment", "none": "weniger",
        "opened_by": "Gesagt wurde: {mentions}.", "followed_by": "Neu: {mentions}.",
        "quoted": "„{}“", "by": "{author} auf {network}", "on": "auf {network}",
        "private": "eine private Nachricht", "mention": "eine Erwähnung",
    },
    "en": {
        "counted": "{rule}: {seen} mentions since {since}, where {expected} would be usual.",
        _K.NEGATIVE_SPIKE: "{rule}: {seen} negative mentions since {since}, where {expected} would be usual.",
        _K.SILENCE: "{rule}: next to nothing since {since}, where {expected} mentions would be usual.",
        "single": "{rule}: since {since}. Number of mentions: {seen}.",
        "closed": "{rule}: it is as usual again.", "about": "It is about: {phrases}.",
        "rule": "An alert rule", "once": "a moment", "none": "fewer",
        "opened_by": "What was said: {mentions}.", "followed_by": "New: {mentions}.",
        "quoted": "“{}”", "by": "{author} on {network}", "on": "on {network}",
        "private": "a private message", "mention": "a mention",
    },
}  # fmt: skip
_COUNTED = frozenset({_K.VOLUME_SPIKE, _K.RISING_PHRASE})
KINDS = frozenset({NotificationKind.ALERT_OPENED, NotificationKind.ALERT_FOLLOWED, NotificationKind.ALERT_CLOSED})


def said(kind: NotificationKind, facts: Mapping[str, Any], language: str) -> tuple[str, str]:
    """The title and the sentence of a turn of an alert, in a language that there are words in."""
    titles, sentences = _TITLES[language], _SENTENCES[language]
    of = AlertKind(facts["alert"]) if facts.get("alert") else AlertKind.VOLUME_SPIKE
    named = {
        "rule": str(facts.get("rule") or sentences["rule"]),
        "seen": str(facts.get("seen", 0)),
        "expected": str(facts.get("expected") if facts.get("expected") is not None else sentences["none"]),
        "since": str(facts.get("since") or sentences["once"]),
    }
    if kind is NotificationKind.ALERT_CLOSED:
        return titles["closed"], sentences["closed"].format_map(named)
    title = titles[of] if kind is NotificationKind.ALERT_OPENED else f"{titles['followed']}: {titles[of]}"
    sentence = sentences["counted" if of in _COUNTED else of if of in sentences else "single"].format_map(named)
    phrases = ", ".join(map(str, facts.get("phrases") or ()))
    if phrases:
        sentence = f"{sentence} {sentences['about'].format(phrases=phrases)}"
    mentions = "; ".join(_mentioned(one, sentences) for one in facts.get("mentions") or ())
    if mentions:
        by = "opened_by" if kind is NotificationKind.ALERT_OPENED else "followed_by"
        sentence = f"{sentence} {sentences[by].format(mentions=mentions)}"
    return title, sentence


def _mentioned(one: Mapping[str, Any], sentences: Mapping[str, str]) -> str:
    """A mention by its text, or by what it is where there is none to show, and where it comes from."""
    nothing = sentences["private" if one.get("is_private") else "mention"]
    what = sentences["quoted"].format(one["text"]) if one.get("text") else nothing
    network = str(one.get("network") or "").capitalize()
    source = sentences["by" if one.get("author") else "on"].format(author=one.get("author"), network=network)
    return f"{what} ({source})"
