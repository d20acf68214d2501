"""What a notification says, in the reader's language. Pure: from facts to a title and a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.notifying import alert_words
from shared.models.enums import NotificationKind, Reviewer

LANGUAGES = ("fr", "nl", "de", "en")
_OTHERS = "en"
_K = NotificationKind


@dataclass(frozen=True, slots=True)
class Said:
    """A notification in words; the sentence ends with why, where that is known."""

    title: str
    sentence: str
    language: str


_TEXTS: dict[str, dict[str, tuple[str, str]]] = {
    "fr": {
        _K.POST_FAILED: ("Un billet n’est pas parti", "{post} n’a pas pu être publié sur {channels}."),
        _K.POST_UNCERTAIN: (
            "On ne sait pas si un billet est paru",
            "{post} : {channels} n’a pas dit si c’était publié. Regardez, puis décidez.",
        ),
        _K.POST_PUBLISHED: ("Un billet est paru", "{post} est en ligne sur {channels}."),
        _K.POST_REMOVED_ON_NETWORK: (
            "Un billet a été supprimé sur le réseau",
            "{post} n’est plus sur {channels} ; ce n’est pas nous qui l’avons retiré.",
        ),
        _K.EFFECT_UNCERTAIN: (
            "On ne sait pas si une action a abouti",
            "{effect} sur {channels} : le réseau n’a pas dit si c’était fait. Regardez, puis décidez.",
        ),
        _K.EFFECT_REFUSED: ("Une action est refusée", "{effect} sur {channels} : le réseau ne l’a pas acceptée."),
        _K.CHANNEL_DIED: ("Un canal est à l’arrêt", "{channels} ne répond plus : ce qui était prévu y attend."),
        _K.APPROVAL_WAITING: ("Une approbation est attendue", "{post} attend votre avis."),
        "waiting_client": ("Une approbation est attendue", "{post} attend l’avis du client."),
        _K.APPROVAL_DECIDED: ("Une approbation est donnée ou refusée", "{post} : {decision}."),
        "held": ("Tout est suspendu", "Plus rien ne part pour {brand}."),
        "released": ("La suspension est levée", "Ce qui est prévu pour {brand} part de nouveau."),
        _K.WEBHOOK_DISABLED: (
            "Un webhook est désactivé",
            "{address} échoue depuis des jours ; rien ne lui est plus envoyé.",
        ),
    },
    "nl": {
        _K.POST_FAILED: ("Een bericht is niet vertrokken", "{post} kon niet op {channels} geplaatst worden."),
        _K.POST_UNCERTAIN: (
            "Het is niet zeker of een bericht verschenen is",
            "{post}: {channels} heeft niet gezegd of het geplaatst is. Kijk het na en beslis.",
        ),
        _K.POST_PUBLISHED: ("Een bericht is verschenen", "{post} staat op {channels}."),
        _K.POST_REMOVED_ON_NETWORK: (
            "Een bericht is op het netwerk verwijderd",
            "{post} staat niet meer op {channels}; wij hebben het niet weggehaald.",
        ),
        _K.EFFECT_UNCERTAIN: (
            "Het is niet zeker of een actie gelukt is",
            "{effect} op {channels}: het netwerk heeft niet gezegd of het gebeurd is. Kijk het na en beslis.",
        ),
        _K.EFFECT_REFUSED: ("Een actie is geweigerd", "{effect} op {channels}: het netwerk heeft het niet aanvaard."),
        _K.CHANNEL_DIED: ("Een kanaal ligt stil", "{channels} antwoordt niet meer: wat gepland was, wacht."),
        _K.APPROVAL_WAITING: ("Er wordt op goedkeuring gewacht", "{post} wacht op uw oordeel."),
        "waiting_client": ("Er wordt op goedkeuring gewacht", "{post} wacht op het oordeel van de klant."),
        _K.APPROVAL_DECIDED: ("Over een goedkeuring is beslist", "{post}: {decision}."),
        "held": ("Alles staat stil", "Er vertrekt niets meer voor {brand}."),
        "released": ("Alles loopt weer", "Wat voor {brand} gepland is, vertrekt weer."),
        _K.WEBHOOK_DISABLED: (
            "Een webhook is uitgeschakeld",
            "{address} faalt al dagen; er wordt niets meer naartoe gestuurd.",
        ),
    },
    "de": {
        _K.POST_FAILED: ("Ein Beitrag ist nicht rausgegangen", "{post} konnte auf {channels} nicht erscheinen."),
        _K.POST_UNCERTAIN: (
            "Ungewiss, ob ein Beitrag erschienen ist",
            "{post}: {channels} hat nicht gesagt, ob es geklappt hat. Bitte nachsehen und entscheiden.",
        ),
        _K.POST_PUBLISHED: ("Ein Beitrag ist erschienen", "{post} steht auf {channels}."),
        _K.POST_REMOVED_ON_NETWORK: (
            "Ein Beitrag wurde im Netzwerk gelöscht",
            "{post} steht nicht mehr auf {channels}; wir haben ihn nicht entfernt.",
        ),
        _K.EFFECT_UNCERTAIN: (
            "Ungewiss, ob eine Aktion geklappt hat",
            "{effect} auf {channels}: Das Netzwerk sagt nicht, ob es geschehen ist. Bitte nachsehen und entscheiden.",
        ),
        _K.EFFECT_REFUSED: (
            "Eine Aktion wurde abgelehnt",
            "{effect} auf {channels}: Das Netzwerk hat es nicht angenommen.",
        ),
        _K.CHANNEL_DIED: ("Ein Kanal steht still", "{channels} antwortet nicht mehr: Geplantes wartet dort."),
        _K.APPROVAL_WAITING: ("Eine Freigabe steht aus", "{post} wartet auf Ihr Urteil."),
        "waiting_client": ("Eine Freigabe steht aus", "{post} wartet auf das Urteil des Kunden."),
        _K.APPROVAL_DECIDED: ("Über eine Freigabe ist entschieden", "{post}: {decision}."),
        "held": ("Alles ist angehalten", "Für {brand} geht nichts mehr raus."),
        "released": ("Es geht weiter", "Was für {brand} geplant ist, geht wieder raus."),
        _K.WEBHOOK_DISABLED: (
            "Ein Webhook ist abgeschaltet",
            "{address} schlägt seit Tagen fehl; es wird nichts mehr dorthin gesendet.",
        ),
    },
    "en": {
        _K.POST_FAILED: ("A post did not go out", "{post} could not be published on {channels}."),
        _K.POST_UNCERTAIN: (
            "Nobody knows whether a post is out",
            "{post}: {channels} did not say whether it was published. Have a look, then decide.",
        ),
        _K.POST_PUBLISHED: ("A post is out", "{post} is on {channels}."),
        _K.POST_REMOVED_ON_NETWORK: (
            "A post was removed on its network",
            "{post} is no longer on {channels}; it was not taken down from here.",
        ),
        _K.EFFECT_UNCERTAIN: (
            "Nobody knows whether something was done",
            "{effect} on {channels}: the network did not say whether it happened. Have a look, then decide.",
        ),
        _K.EFFECT_REFUSED: ("Something was refused", "{effect} on {channels}: the network did not take it."),
        _K.CHANNEL_DIED: ("A channel stands still", "{channels} no longer answers: what was planned there waits."),
        _K.APPROVAL_WAITING: ("An approval is awaited", "{post} waits for your word."),
        "waiting_client": ("An approval is awaited", "{post} waits for the client’s word."),
        _K.APPROVAL_DECIDED: ("An approval was decided", "{post}: {decision}."),
        "held": ("Everything is held", "Nothing goes out for {brand} any more."),
        "released": ("The hold is over", "What is planned for {brand} goes out again."),
        _K.WEBHOOK_DISABLED: (
            "A webhook was switched off",
            "{address} has been failing for days; nothing is sent there any more.",
        ),
    },
}
# What stands where a fact is not known, and our own words for what was done or decided.
_NOUNS: dict[str, dict[str, str]] = {
    "fr": {
        "post": "Un billet", "quoted": "« {} »", "channels": "un canal", "and": "et", "reason": "Raison : {}",
        "effect": "Une action", "address": "Une adresse", "decision": "une décision est prise",
        "reply": "Une réponse", "hide": "Un masquage", "unhide": "Un démasquage", "delete": "Une suppression",
        "like": "Un « j’aime »", "unlike": "Un « j’aime » retiré", "block": "Un blocage", "unblock": "Un déblocage",
        "approved": "approuvé", "changes_requested": "des changements sont demandés", "rejected": "refusé",
        "revoked": "approbation retirée",
    },
    "nl": {
        "post": "Een bericht", "quoted": "“{}”", "channels": "een kanaal", "and": "en", "reason": "Reden: {}",
        "effect": "Een actie", "address": "Een adres", "decision": "er is beslist",
        "reply": "Een antwoord", "hide": "Verbergen", "unhide": "Weer tonen", "delete": "Verwijderen",
        "like": "Een like", "unlike": "Een ingetrokken like", "block": "Blokkeren", "unblock": "Deblokkeren",
        "approved": "goedgekeurd", "changes_requested": "er worden wijzigingen gevraagd", "rejected": "afgekeurd",
        "revoked": "goedkeuring ingetrokken",
    },
    "de": {
        "post": "Ein Beitrag", "quoted": "„{}“", "channels": "einem Kanal", "and": "und", "reason": "Grund: {}",
        "effect": "Eine Aktion", "address": "Eine Adresse", "decision": "es ist entschieden",
        "reply": "Eine Antwort", "hide": "Verbergen", "unhide": "Wieder zeigen", "delete": "Löschen",
        "like": "Ein Like", "unlike": "Ein zurückgenommenes Like", "block": "Sperren", "unblock": "Entsperren",
        "approved": "freigegeben", "changes_requested": "Änderungen sind erbeten", "rejected": "abgelehnt",
        "revoked": "Freigabe zurückgezogen",
    },
    "en": {
        "post": "A post", "quoted": "“{}”", "channels": "a channel", "and": "and", "reason": "Reason: {}",
        "effect": "Something", "address": "An address", "decision": "it was decided",
        "reply": "A reply", "hide": "Hiding", "unhide": "Showing again", "delete": "Deleting",
        "like": "A like", "unlike": "Taking back a like", "block": "Blocking", "unblock": "Unblocking",
        "approved": "approved", "changes_requested": "changes are asked for", "rejected": "rejected",
        "revoked": "the approval was taken back",
    },
}  # fmt: skip


def language_of(*wanted: str | None) -> str:
    """The first of these languages (such as `nl` or `nl-BE`) in which there are words; else English."""
    for one in wanted:
        code = (one or "").lower().partition("-")[0]
        if code in LANGUAGES:
            return code
    return _OTHERS


def say(kind: NotificationKind, facts: Mapping[str, Any], language: str) -> Said:
    """The notification in one of `LANGUAGES`."""
    if kind in alert_words.KINDS:
        title, sentence = alert_words.said(kind, facts, language)
        return Said(title, sentence[:1].upper() + sentence[1:], language)
    name = kind.value
    if kind is NotificationKind.HOLD_CHANGED:
        name = "held" if facts.get("held", True) else "released"
    if kind is NotificationKind.APPROVAL_WAITING and facts.get("waits_for") == Reviewer.CLIENT.value:
        name = "waiting_client"
    title, sentence = _TEXTS[language][name]
    said = sentence.format_map(_named(facts, language))
    reason = str(facts.get("reason") or "").strip()
    said = f"{said} {_NOUNS[language]['reason'].format(reason)}" if reason else said
    return Said(title, said[:1].upper() + said[1:], language)


def _named(facts: Mapping[str, Any], language: str) -> dict[str, str]:
    nouns = _NOUNS[language]
    post = str(facts.get("post") or "")
    return {
        "post": nouns["quoted"].format(post) if post else nouns["post"],
        "channels": _listed(facts.get("channels") or (), nouns) or nouns["channels"],
        "brand": str(facts.get("brand") or ""),
        "effect": nouns.get(str(facts.get("effect")), nouns["effect"]),
        "address": str(facts.get("address") or nouns["address"]),
        "decision": nouns.get(str(facts.get("decision")), nouns["decision"]),
    }


def _listed(names: Sequence[str], nouns: Mapping[str, str]) -> str:
    *most, last = names or ("",)
    return f"{', '.join(most)} {nouns['and']} {last}" if most else last
