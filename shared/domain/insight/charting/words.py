"""The words of charts in four languages, and how each writes days and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.insight.charting.look import ChartLanguage
from shared.models.enums import Dimension, Interval, MetricKey

_NARROW = "\N{NARROW NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Words:
    """One language's. `dot` follows a day's number; `named` are values of dimensions, the empty one being none;
    `unseen` and `partly` explain what is drawn grey and pale."""

    months: tuple[str, ...]
    dot: str
    decimal: str
    thousands: str
    keys: Mapping[str, str]
    per: Mapping[Interval, str]
    named: Mapping[Dimension, Mapping[str, str]]
    unknown: str
    others: str
    unseen: str
    partly: str
    of: str
    in_all: str
    most: str
    least: str
    nothing: str

    def day(self, at: datetime) -> str:
        """A day of the year that is meant."""
        return f"{at.day}{self.dot} {self.months[at.month - 1]}"

    def date(self, at: datetime) -> str:
        return f"{self.day(at)} {at.year}"

    def month(self, at: datetime) -> str:
        return f"{self.months[at.month - 1]} {at.year}"

    def number(self, value: float, digits: int = 0) -> str:
        written = f"{value:,.{digits}f}".replace("-", "\N{MINUS SIGN}")
        return written.translate({ord(","): self.thousands, ord("."): self.decimal})

    def key(self, key: MetricKey) -> str:
        return self.keys.get(key.value, key.value)

    def value(self, dimension: Dimension, value: str | None) -> str:
        """What a value of a dimension is called; itself where it has no word."""
        return self.named.get(dimension, {}).get(value or "", value or self.unknown)


WORDS = {
    ChartLanguage.FR: Words(
        months=("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
        dot="", decimal=",", thousands=_NARROW,
        keys={"mentions": "Mentions", "posts": "Publications", "authors": "Auteurs", "engagement": "Interactions",
              "net_sentiment": "Solde des tonalités", "reach": "Portée", "share_of_voice": "Part de voix"},
        per={Interval.HOUR: "par heure", Interval.DAY: "par jour", Interval.WEEK: "par semaine",
             Interval.MONTH: "par mois"},
        named={
            Dimension.SENTIMENT: {"positive": "Positif", "neutral": "Neutre", "negative": "Négatif", "": "Non lu"},
            Dimension.KIND: {"post": "Publication", "comment": "Commentaire", "reply": "Réponse", "message": "Message",
                             "review": "Avis", "story": "Story", "article": "Article"},
            Dimension.INTENT: {"criticism": "Critique", "question": "Question", "praise": "Éloge", "request": "Demande",
                               "thanks": "Remerciement", "": "Aucune"},
            Dimension.LANGUAGE: {"fr": "français", "nl": "néerlandais", "de": "allemand", "en": "anglais"},
        },
        unknown="inconnu", others="Autres", unseen="Gris : non observé", partly="Pâle : observé en partie",
        of="sur", in_all="au total", most="le plus", least="le moins", nothing="rien à montrer",
    ),
    ChartLanguage.NL: Words(
        months=("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"),
        dot="", decimal=",", thousands=".",
        keys={"mentions": "Vermeldingen", "posts": "Berichten", "authors": "Auteurs", "engagement": "Interacties",
              "net_sentiment": "Saldo van de stemming", "reach": "Bereik", "share_of_voice": "Stemaandeel"},
        per={Interval.HOUR: "per uur", Interval.DAY: "per dag", Interval.WEEK: "per week", Interval.MONTH: "per maand"},
        named={
            Dimension.SENTIMENT: {"positive": "Positief", "neutral": "Neutraal", "negative": "Negatief",
                                  "": "Niet gelezen"},
            Dimension.KIND: {"post": "Bericht", "comment": "Reactie", "reply": "Antwoord", "message": "Privébericht",
                             "review": "Recensie", "story": "Story", "article": "Artikel"},
            Dimension.INTENT: {"criticism": "Kritiek", "question": "Vraag", "praise": "Lof", "request": "Verzoek",
                               "thanks": "Dank", "": "Geen"},
            Dimension.LANGUAGE: {"fr": "Frans", "nl": "Nederlands", "de": "Duits", "en": "Engels"},
        },
        unknown="onbekend", others="Andere", unseen="Grijs: niet waargenomen", partly="Bleek: ten dele waargenomen",
        of="van", in_all="in totaal", most="hoogste", least="laagste", nothing="niets te tonen",
    ),
    ChartLanguage.DE: Words(
        months=("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
        dot=".", decimal=",", thousands=".",
        keys={"mentions": "Erwähnungen", "posts": "Beiträge", "authors": "Verfasser", "engagement": "Interaktionen",
              "net_sentiment": "Stimmungssaldo", "reach": "Reichweite",
              "share_of_voice": "Gesprächsanteil"},
        per={Interval.HOUR: "je Stunde", Interval.DAY: "je Tag", Interval.WEEK: "je Woche", Interval.MONTH: "je Monat"},
        named={
            Dimension.SENTIMENT: {"positive": "Positiv", "neutral": "Neutral", "negative": "Negativ",
                                  "": "Nicht gelesen"},
            Dimension.KIND: {"post": "Beitrag", "comment": "Kommentar", "reply": "Antwort", "message": "Nachricht",
                             "review": "Bewertung", "story": "Story", "article": "Artikel"},
            Dimension.INTENT: {"criticism": "Kritik", "question": "Frage", "praise": "Lob", "request": "Bitte",
                               "thanks": "Dank", "": "Keine"},
            Dimension.LANGUAGE: {"fr": "Französisch", "nl": "Niederländisch", "de": "Deutsch", "en": "Englisch"},
        },
        unknown="unbekannt", others="Andere", unseen="Grau: nicht beobachtet", partly="Blass: teilweise beobachtet",
        of="von", in_all="insgesamt", most="höchstens", least="mindestens", nothing="nichts zu zeigen",
    ),
    ChartLanguage.EN: Words(
        months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
        dot="", decimal=".", thousands=",",
        keys={"mentions": "Mentions", "posts": "Posts", "authors": "Authors", "engagement": "Interactions",
              "net_sentiment": "Net sentiment", "reach": "Reach", "share_of_voice": "Share of voice"},
        per={Interval.HOUR: "per hour", Interval.DAY: "per day", Interval.WEEK: "per week",
             Interval.MONTH: "per month"},
        named={
            Dimension.SENTIMENT: {"positive": "Positive", "neutral": "Neutral", "negative": "Negative",
                                  "": "Not read"},
            Dimension.KIND: {"post": "Post", "comment": "Comment", "reply": "Reply", "message": "Message",
                             "review": "Review", "story": "Story", "article": "Article"},
            Dimension.INTENT: {"criticism": "Criticism", "question": "Question", "praise": "Praise",
                               "request": "Request", "thanks": "Thanks", "": "None"},
            Dimension.LANGUAGE: {"fr": "French", "nl": "Dutch", "de": "German", "en": "English"},
        },
        unknown="unknown", others="Others", unseen="Grey: not observed", partly="Pale: observed in part",
        of="of", in_all="in all", most="highest", least="lowest", nothing="nothing to show",
    ),
}  # fmt: skip
