"""The page on which a client approves: plain HTML that needs no script, and the same as JSON for frontends."""

import html
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from services.api import approving
from services.api.approval_words import WORDS, Words, written
from services.api.context import Services
from shared.connectors.registry import CARDS
from shared.domain.publishing.agreeing.showing import Form, Shown, Stage, View
from shared.ids import Prefix, typeid
from shared.models.approval import Approval
from shared.models.enums import ApprovalKind

_PAGE = Template((Path(__file__).with_name("static") / "approve.html").read_text())
_KINDS = {"image": "picture", "gif": "picture", "video": "video", "audio": "audio"}


class Writing:
    """What is said on one page: the language, and the zone in which its times are told."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self.language = language
        self._words: Words = WORDS[language]
        self._zone = zone

    def say(self, key: str, **values: str) -> str:
        """A sentence of ours with these values in it, safe to stand in HTML."""
        return html.escape(Template(self._words[key]).substitute(values))

    def when(self, moment: datetime) -> str:
        return written(moment.astimezone(self._zone), self.language)


def page(services: Services, view: View, token: str, *, notes: Mapping[str, str], typed: Mapping[str, str]) -> str:
    """The whole page. `notes`: a key of the words for each post that is to say something; `typed` is put back in."""
    to = Writing(view.link.language, view.brand.zone)
    posts = "".join(_post(services, view, one, token, to, notes, typed) for one in view.posts)
    stages = [one.stage for one in view.posts]
    yours, agreed = stages.count(Stage.YOURS), stages.count(Stage.AGREED) + stages.count(Stage.OUT)
    counts = to.say("counts", yours=str(yours), agreed=str(agreed), rest=str(len(stages) - yours - agreed))
    head = (
        f"<header><h1>{html.escape(view.brand.name)}: {to.say('title')}</h1>"
        f"<p>{to.say('hello', name=view.link.name, until=to.when(view.link.expires_at))}</p>"
        f'<p class="quiet">{counts if posts else to.say("none")}</p></header>'
    )
    return _whole(to, to.say("title"), f'{head}{posts}<p class="quiet">{to.say("private")}</p>')


def sentence(language: str, key: str) -> str:
    """A page that has nothing to show, and says why."""
    to = Writing(language, ZoneInfo("UTC"))
    title = to.say(f"{key}_title")
    return _whole(to, title, f"<header><h1>{title}</h1><p>{to.say(key)}</p></header>")


def _whole(to: Writing, title: str, content: str) -> str:
    return _PAGE.substitute(language=to.language, title=title, content=content)


def _post(
    services: Services,
    view: View,
    one: Shown,
    token: str,
    to: Writing,
    notes: Mapping[str, str],
    typed: Mapping[str, str],
) -> str:
    own = typeid(Prefix.POST, one.post.id)
    at = one.post.scheduled_at
    when = to.say("when", when=to.when(at), zone=view.brand.timezone) if at is not None else to.say("no_time")
    note = notes.get(own)
    told = f'<p class="note{" good" if note == "done" else ""}" role="status">{to.say(note)}</p>' if note else ""
    form = _form(services, view, one, token, to, typed if note not in {None, "done"} else {})
    return (
        f'<article id="{own}" aria-labelledby="h-{own}"><h2 id="h-{own}">{when}</h2>'
        f'<span class="stage {one.stage.value}">{to.say(one.stage.value)}</span>{told}'
        f"{''.join(_channel(shown, to) for shown in one.forms)}{''.join(_word(said, to) for said in one.said)}"
        f"{form if one.stage is Stage.YOURS else ''}</article>"
    )


def _channel(shown: Form, to: Writing) -> str:
    label = f"{shown.channel} ({CARDS[shown.network].label})"
    parts = "".join(
        f"<h4>{to.say('part', number=str(number))}</h4>{_said(part.get('text') or '', part.get('media') or [], to)}"
        for number, part in enumerate(shown.parts, start=2)
    )
    comment = (
        f'<h4>{to.say("first_comment")}</h4><p class="text">{html.escape(shown.first_comment)}</p>'
        if shown.first_comment
        else ""
    )
    seen = f"<p>{_anchor(shown.url, to.say('see'))}</p>" if shown.url else ""
    link = f'<p class="link">{_anchor(shown.link, html.escape(shown.link))}</p>' if shown.link else ""
    said = _said(shown.text, shown.media, to)
    return f"<section><h3>{to.say('on', channel=label)}</h3>{said}{link}{parts}{comment}{seen}</section>"


def _said(text: str, media: list[dict[str, Any]], to: Writing) -> str:
    return f'<p class="text" dir="auto">{html.escape(text)}</p>{"".join(_medium(one, to) for one in media)}'


def _medium(item: dict[str, Any], to: Writing) -> str:
    kind = _KINDS.get(str(item.get("kind")), "picture")
    alt, url = item.get("alt"), item.get("url")
    caption = f"{to.say(kind)}: {html.escape(alt) if alt else to.say('no_alt')}"
    if not _is_web(url):
        return f'<figure class="box">{caption}</figure>'
    source = html.escape(str(url))
    match kind:
        case "video":
            shown = f'<video controls preload="none" src="{source}"></video>'
        case "audio":
            shown = f'<audio controls preload="none" src="{source}"></audio>'
        case _:
            shown = f'<img src="{source}" alt="{html.escape(alt or "")}" loading="lazy">'
    return f"<figure>{shown}<figcaption>{caption}</figcaption></figure>"


def _word(said: Approval, to: Writing) -> str:
    told = to.say(f"said_{said.kind.value}", name=said.name or "", when=to.when(said.created_at))
    quote = f"<blockquote>{html.escape(said.text)}</blockquote>" if said.text else ""
    good = " good" if said.kind is ApprovalKind.APPROVED else ""
    return f'<div class="note{good}">{told}{quote}</div>'


def _form(services: Services, view: View, one: Shown, token: str, to: Writing, typed: Mapping[str, str]) -> str:
    own = typeid(Prefix.POST, one.post.id)
    hidden = {
        "post": own,
        "content": one.content.hex(),
        "seal": approving.seal(services, view.link, one.post.id, one.content),
    }
    fields = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in hidden.items())
    name = html.escape(typed.get("name") or view.link.name)
    asked = f'<input name="name" required maxlength="200" autocomplete="name" value="{name}">'
    return (
        f'<form method="post" action="/approve/{html.escape(token)}#{own}">{fields}'
        f"<label>{to.say('name')}{asked}</label>"
        f"<label>{to.say('comment')} <span>{to.say('comment_hint')}</span>"
        f'<textarea name="comment" maxlength="10000">{html.escape(typed.get("comment", ""))}</textarea></label>'
        f'<div class="buttons"><button class="agree" name="verdict" value="approved">{to.say("approve")}</button>'
        f'<button name="verdict" value="changes_requested">{to.say("change")}</button></div></form>'
    )


def _anchor(url: str, said: str) -> str:
    if not _is_web(url):
        return said
    return f'<a href="{html.escape(url)}" rel="noopener noreferrer" target="_blank">{said}</a>'


def _is_web(url: object) -> bool:
    """Whether an address may be asked for by the client's browser: http and https alone."""
    return isinstance(url, str) and urlsplit(url).scheme in {"http", "https"}
