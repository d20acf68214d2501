"""What is the same in all that is brought about by Graph: ids, addresses, private messages, and finding it again."""

import asyncio
import json
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from shared.connectors.graph import Done, Graph, Value, listed, moment, next_page, place_of
from shared.connectors.reading import identifier, web_address
from shared.contract import OutgoingEffect, OutgoingMedia, Sent
from shared.errors import LoginDead, LoginExpired, NetworkError, RateLimited, Refused, Unavailable, Uncertain

# An effect that was first tried so long ago is looked for before it is tried again: what was shown late may be there.
REPEATS_AFTER = timedelta(minutes=1)
SOON = timedelta(seconds=10)  # until a part of what is laid ready that failed is tried again
_CLOCKS = timedelta(seconds=90)  # by which the network's clock may be behind ours
_LOOKED_PAGES = 10
_PATIENCE = 4  # seconds for an address, without which a thing is live all the same
_LONGEST_MESSAGE = {"facebook": 2000, "instagram": 1000}
_MESSAGE = "id,message,from,created_time,attachments{mime_type}"


@dataclass(frozen=True, slots=True)
class Mark:
    """How an effect of unknown outcome is told from others: what it says, by whom, from when on."""

    text: str
    since: datetime | None

    def fits(self, text: object, at: object) -> bool:
        """Whether a thing with this text and time can be the effect."""
        said_at = moment(at)
        early = self.since is not None and said_at is not None and said_at < self.since - _CLOCKS
        return not early and same_words(text if isinstance(text, str) else "", self.text)

    def is_beyond(self, at: datetime | None) -> bool:
        """Whether a list that goes back in time has come to what is older than the effect."""
        return self.since is not None and at is not None and at < self.since - _CLOCKS


def mark(outgoing: OutgoingEffect, text: str | None = None) -> Mark:
    return Mark(outgoing.text if text is None else text, outgoing.first_attempt_at)


def same_words(one: str, other: str) -> bool:
    """Whether two texts are the same but for white space and how accents are written: Meta writes both anew."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def with_link(outgoing: OutgoingEffect) -> str:
    """The text with its link beneath, where a link is no thing of its own."""
    if not outgoing.link or outgoing.link in outgoing.text:
        return outgoing.text
    return f"{outgoing.text}\n\n{outgoing.link}" if outgoing.text else outgoing.link


def segment(external_id: str | None) -> str:
    """An id as a part of an address. Raises nothing: an empty one leads nowhere."""
    return quote(external_id or "-", safe="")


def needed(graph: Graph, outgoing: OutgoingEffect) -> str:
    """The id of what is acted on. Raises Refused where the effect names nothing."""
    if outgoing.target is None or not outgoing.target.external_id:
        raise Refused(graph.network, "it is not said what this is about")
    return outgoing.target.external_id


def given_id(graph: Graph, done: Done, *names: str) -> str:
    """The id under which the network has it now. Raises Uncertain where it tells none."""
    for name in names or ("id",):
        found = identifier(done.value.get(name))
        if found is not None:
            return found
    raise Uncertain(graph.network, "the network took it and gave no id for it")


async def seen(graph: Graph, external_id: str, fields: str) -> Value:
    """What the network tells of it at once, and nothing where it does not: it is live either way."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return (await graph.get(segment(external_id), fields=fields)).value
    except (NetworkError, TimeoutError):
        return {}


async def address(graph: Graph, external_id: str, field: str) -> str | None:
    """Where anybody can see it, if the network says so at once."""
    return web_address((await seen(graph, external_id, field)).get(field))


def is_repeat(outgoing: OutgoingEffect) -> bool:
    first = outgoing.first_attempt_at
    return first is not None and datetime.now(UTC) - first > REPEATS_AFTER


@contextmanager
def before_sending(graph: Graph) -> Iterator[None]:
    """A look before a repeat: where it fails nothing was sent, and where it tells nothing, nothing is."""
    try:
        yield
    except Uncertain as error:
        raise Unavailable(graph.network, error.message, unsent=True) from error


@contextmanager
def looking_up(graph: Graph) -> Iterator[None]:
    """A failed look-up leaves the effect as uncertain as it was."""
    try:
        yield
    except (RateLimited, LoginDead, LoginExpired, Uncertain):
        raise
    except NetworkError as error:
        raise Uncertain(graph.network, f"it could not be looked up: {error.message}") from error


async def walk(graph: Graph, path: str, asked: Mark, time: str, **query: str | None) -> AsyncIterator[Value]:
    """The things on an edge, down to the effect's first attempt or to the end. Raises Uncertain where it is too long.

    `time` is the field that dates them. An edge that lists the oldest first is read to its end.
    """
    place: dict[str, str] = {}
    last = None
    for _ in range(_LOOKED_PAGES):
        answer = await graph.get(path, **{"limit": "50", **query, **place})
        for item in answer.items:
            yield item
        times = [at for item in answer.items if (at := moment(item.get(time))) is not None]
        place = place_of(answer.next_page)
        goes_back = bool(times) and times[-1] <= times[0] and (last is None or times[0] <= last)
        if not place or (goes_back and asked.is_beyond(min(times))):
            return
        last = times[-1] if times else last
    raise Uncertain(graph.network, "so much was said since that it could not be found among it")


# ---------------------------------------------------------------- private messages


async def send_message(graph: Graph, owner: str, outgoing: OutgoingEffect, **more: str) -> Sent:
    """Answer somebody in private, as part of the conversation that they began."""
    target = outgoing.target
    if target is None or not target.author_external_id:
        raise Refused(graph.network, "it is not known who wrote the message, so that nobody can be answered")
    recipient = json.dumps({"id": target.author_external_id})
    done = await graph.act(
        "POST", f"{owner}/messages", recipient=recipient, message=json.dumps(_content(graph, outgoing)), **more
    )
    return Sent(given_id(graph, done, "message_id", "id"), room=done.room)


def _content(graph: Graph, outgoing: OutgoingEffect) -> dict[str, object]:
    """A message is words or one file: both would be two messages."""
    text, media = with_link(outgoing), outgoing.media
    limit = _LONGEST_MESSAGE[graph.network]
    size = len(text.encode()) if graph.network == "instagram" else len(text)
    if size > limit:
        unit = "bytes" if graph.network == "instagram" else "characters"
        raise Refused(graph.network, f"a private message has {limit:,} {unit} at most, this one has {size:,}")
    if len(media) > 1 or (media and text):
        raise Refused(graph.network, "a private message is a text or one file: send them one after the other")
    if media:
        return {"attachment": {"type": _attachment(media[0]), "payload": {"url": media[0].url}}}
    return {"text": text}


def _attachment(media: OutgoingMedia) -> str:
    return "image" if media.kind == "gif" else media.kind


async def find_message(
    graph: Graph, owner: str, outgoing: OutgoingEffect, platform: str, own: frozenset[str]
) -> Sent | None:
    """Our answer among the newest messages of the conversation with that person."""
    target = outgoing.target
    if target is None or not target.author_external_id:
        return None  # nobody to send it to: it was refused
    answer = await graph.get(
        f"{owner}/conversations", platform=platform, user_id=target.author_external_id,
        fields=f"id,messages.limit(50){{{_MESSAGE}}}", limit="1",
    )  # fmt: skip
    asked, found = mark(outgoing, with_link(outgoing)), None
    for conversation in answer.items:
        messages = listed(conversation.get("messages"))
        for message in messages:
            author = message.get("from")
            by = identifier(author.get("id")) if isinstance(author, dict) else None
            has_file = bool(listed(message.get("attachments")))
            fits = asked.fits(message.get("message"), message.get("created_time"))
            if by in own and fits and has_file == bool(outgoing.media):
                found = identifier(message.get("id")) or found
        times = [at for one in messages if (at := moment(one.get("created_time"))) is not None]
        more = next_page(conversation.get("messages")) is not None
        if found is None and more and not (times and asked.is_beyond(min(times))):
            raise Uncertain(graph.network, "so much was written since that it could not be found among it")
    return None if found is None else Sent(found)
