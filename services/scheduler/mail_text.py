"""A letter as a mail: text and HTML that say the same, every value escaped, nothing loaded from anywhere."""

import html
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address, HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr
from pathlib import Path
from string import Template

from shared.domain.notifying import addresses, kinds
from shared.domain.notifying.mails import Letter, Line
from shared.ids import Prefix

_FOLDER = Path(__file__).with_name("mails")
_PAGE, _BRAND, _LINE, _LINK = (
    Template((_FOLDER / f"{name}.html").read_text("utf-8")) for name in ("mail", "brand", "line", "link")
)


class _Whole(UniqueUnstructuredHeader):
    """An address that stands in its header as it is: folded it would be written in encoded words, which no mail program
    reads there (RFC 2047, 5)."""

    name: str

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _Whole)  # type: ignore[arg-type]  # the registry makes a header of it
_POLICY = SMTP.clone(header_factory=_HEADERS)
_URGENT, _CALM = "#b3402a", "#0b5a7d"
_WORDS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "greeting": "Bonjour {name},", "look": "Voir dans l’application", "many": "{count} notifications",
        "more": "Et {count} autres, dans l’application.", "stop": "Ne plus recevoir ces mails",
        "why": "Vous recevez ce mail parce que vous travaillez pour cette marque.",
    },
    "nl": {
        "greeting": "Dag {name},", "look": "Bekijk in de app", "many": "{count} meldingen",
        "more": "En nog {count}, in de app.", "stop": "Deze mails niet meer ontvangen",
        "why": "U krijgt deze mail omdat u voor dit merk werkt.",
    },
    "de": {
        "greeting": "Guten Tag {name},", "look": "In der App ansehen", "many": "{count} Meldungen",
        "more": "Und {count} weitere, in der App.", "stop": "Diese Mails nicht mehr erhalten",
        "why": "Sie erhalten diese Mail, weil Sie für diese Marke arbeiten.",
    },
    "en": {
        "greeting": "Hello {name},", "look": "Have a look in the app", "many": "{count} notifications",
        "more": "And {count} more, in the app.", "stop": "Get no more of these mails",
        "why": "You get this mail because you work for this brand.",
    },
}  # fmt: skip


def compose(letter: Letter, *, sender: str, unsubscribe: str, frontend_url: str | None, now: datetime) -> EmailMessage:
    """The mail. Its Message-ID is made of the letter's own id, so a repeat can be recognised.

    Raises ValueError where a name or an address can't stand in a header.
    """
    spoken = _WORDS[letter.language]
    subject = _subject(letter, spoken)
    name, address = parseaddr(sender)
    message = EmailMessage(policy=_POLICY)
    message["Subject"] = subject
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(_line(letter.name), addr_spec=letter.to)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{letter.id.hex}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["List-Unsubscribe"] = f"<{unsubscribe}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    # Wide enough for a link: folded by a relay, it would lead nowhere.
    message.set_content(_text(letter, spoken, unsubscribe, frontend_url), cte="quoted-printable")
    page = _html(letter, spoken, subject, unsubscribe, frontend_url)
    message.add_alternative(page, subtype="html", cte="quoted-printable")
    return message


def _subject(letter: Letter, spoken: Mapping[str, str]) -> str:
    lines = [line for lines in letter.brands.values() for line in lines]
    names = _line(", ".join(letter.brands))[:100]
    if len(lines) + letter.more == 1:
        return f"{names}: {lines[0].said.title}"
    return f"{names}: {spoken['many'].format(count=len(lines) + letter.more)}"


def _text(
    letter: Letter, spoken: Mapping[str, str], unsubscribe: str, frontend_url: str | None
) -> str:  # fmt: skip
    parts = [spoken["greeting"].format(name=_line(letter.name)), ""]
    for brand, lines in letter.brands.items():
        parts += [brand, "-" * min(len(brand), 60)]
        for line in lines:
            url = _url(line, frontend_url)
            parts += [line.said.title, line.said.sentence, *([url] if url else []), _at(line), ""]
    if letter.more:
        parts += [spoken["more"].format(count=letter.more), ""]
    return "\n".join([*parts, spoken["why"], f"{spoken['stop']}: {unsubscribe}", ""])


def _html(
    letter: Letter,
    spoken: Mapping[str, str],
    subject: str,
    unsubscribe: str,
    frontend_url: str | None,
) -> str:
    brands = []
    for brand, lines in letter.brands.items():
        shown = []
        for line in lines:
            url = _url(line, frontend_url)
            colour = _URGENT if kinds.HABITS[line.notification.kind].is_urgent else _CALM
            link = _filled(_LINK, url=url, look=spoken["look"]) if url else ""
            said = {"title": line.said.title, "sentence": line.said.sentence, "at": _at(line)}
            shown.append(_filled(_LINE, {"link": link}, colour=colour, **said))
        brands.append(_filled(_BRAND, {"lines": "\n".join(shown)}, brand=brand))
    more = f"<p>{html.escape(spoken['more'].format(count=letter.more))}</p>" if letter.more else ""
    return _filled(
        _PAGE, {"brands": "\n".join(brands), "more": more}, language=letter.language, subject=subject,
        greeting=spoken["greeting"].format(name=_line(letter.name)), why=spoken["why"], stop=spoken["stop"],
        unsubscribe=unsubscribe,
    )  # fmt: skip


def _filled(template: Template, made: Mapping[str, str] | None = None, **values: str) -> str:
    """The template with every value escaped; `made` is HTML of our own."""
    return template.substitute({**{name: html.escape(value) for name, value in values.items()}, **(made or {})})


def _url(line: Line, frontend_url: str | None) -> str | None:
    one = line.notification
    return addresses.of(frontend_url, one.brand_id, Prefix(one.thing_prefix), one.thing_id)


def _at(line: Line) -> str:
    return f"{line.notification.at.astimezone(line.zone):%Y-%m-%d %H:%M %Z}"


def _line(text: str) -> str:
    """A name as it may stand in a header."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
