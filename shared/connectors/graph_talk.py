"""Conversations as Graph answers them: the same edges and messages for a Page and for an Instagram account."""

from collections.abc import Mapping
from urllib.parse import quote

from shared.connectors.graph import Graph, Value, listed, moment, next_page, place_of
from shared.connectors.graph_answers import needed_id, oldest, text
from shared.connectors.graph_rounds import Read, Step, arrival, onward
from shared.connectors.meta_events import Entry, Told
from shared.connectors.meta_media import media
from shared.connectors.reading import identifier, name
from shared.contract import Author, MediaDraft, Said, storable
from shared.models.enums import MentionKind, Visibility

CONVERSATIONS, MESSAGES = "conversations", "messages"
_FILES = ("image_data", "video_data", "audio_data")


async def conversations(graph: Graph, step: Step, owner: str, platform: str) -> Read:
    """A page of the conversations, latest first; the messages of each that has new ones are steps of their own."""
    place = place_of(step.after)
    answer = await graph.get(
        f"{quote(owner, safe='')}/conversations", platform=platform, fields="id,updated_time", limit="25", **place
    )
    follow = []
    for one in answer.items:
        updated_at, external_id = moment(one.get("updated_time")), identifier(one.get("id"))
        if external_id is not None and (updated_at is None or updated_at.timestamp() >= step.since):
            follow.append(Step(MESSAGES, external_id, since=step.since))
    follow += onward(step, answer.next_page, oldest(answer.items, "updated_time"))
    return Read(follow=tuple(follow), wait=answer.wait)


async def messages(graph: Graph, step: Step, fields: str) -> Read:
    """A page of one conversation's messages, newest first."""
    after = "".join(f".{how}({where})" for how, where in place_of(step.after).items())
    answer = await graph.get(quote(step.about, safe=""), fields=f"messages.limit(20){after}{{{fields}}}")
    items = listed(answer.value.get("messages"))
    arrivals = (arrival(step, answer.body, answer.asked_at),) if items else ()
    follow = onward(step, next_page(answer.value.get("messages")), oldest(items, "created_time"))
    return Read(arrivals, follow, answer.wait)


def hear_message(place: Entry, message: Value) -> Told:
    """One private message. Graph tells no edits and no deletions of messages: only webhooks do."""
    external_id = needed_id(message, "message")
    author = _author(message.get("from"))
    said = Said(
        external_id=external_id,
        kind=MentionKind.MESSAGE,
        stamp=place.stamp,
        text=words if (words := text(message.get("message"))) is None else storable(words),
        author=author,
        author_kind=place.author_kind(author),
        published_at=moment(message.get("created_time")),
        media=_media(message),
        visibility=Visibility.PRIVATE,
    )
    if said.text is None and author is None and said.published_at is None and not said.media:
        return [f"message {storable(external_id[:60])}: only its id is told"]
    return [said]


def _author(source: object) -> Author | None:
    external_id = identifier(source.get("id")) if isinstance(source, Mapping) else None
    if not isinstance(source, Mapping) or external_id is None:
        return None
    return Author(external_id, handle=name(source.get("username")), name=name(source.get("name")))


def _media(message: Value) -> tuple[MediaDraft, ...]:
    found: list[tuple[object, str]] = []
    for attachment in listed(message.get("attachments")):
        kind = str(attachment.get("mime_type") or "file").partition("/")[0]
        files = [data for one in _FILES if isinstance(data := attachment.get(one), Mapping)]
        url = files[0].get("url") if files else attachment.get("file_url")
        found.append((url, _kind(kind, attachment)))
    found.append((message.get("sticker"), "image"))
    found += [(share.get("link"), "share") for share in listed(message.get("shares"))]
    story = message.get("story")
    for what, kind in (("mention", "story_mention"), ("reply_to", "story")):
        told = story.get(what) if isinstance(story, Mapping) else None
        found.append((told.get("link") if isinstance(told, Mapping) else None, kind))
    return media(found)


def _kind(kind: str, attachment: Value) -> str:
    """The word that a webhook has for it."""
    if kind in ("image", "video", "audio"):
        return kind
    for field, word in (("image_data", "image"), ("video_data", "video"), ("audio_data", "audio")):
        if field in attachment:
            return word
    return "file"
