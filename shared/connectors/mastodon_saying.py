"""What an account says on its instance: a status of its own, parts beneath it, answers; and whether it was said.

Source: `POST /api/v1/statuses` of the Mastodon API. The instance keeps an Idempotency-Key for an hour and answers the
same key with the status that was made by it, whatever is asked the second time.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote, urlencode

import httpx

from shared.connectors import mastodon_calls as calls
from shared.connectors.mastodon_media import ready_ids
from shared.connectors.mastodon_statuses import account_id, handles_of
from shared.connectors.mastodon_text import text_of
from shared.connectors.reading import identifier, rfc3339, web_address, words
from shared.contract import Login, OutgoingEffect, Sent, storable
from shared.errors import Refused, Unavailable, Uncertain, Unprepared
from shared.models.enums import OutgoingKind

AUDIENCES = ("public", "unlisted", "private")
KEY_KEPT = timedelta(hours=1)

_SLACK = timedelta(seconds=5)  # between our moment of the first attempt and the instance's of the status
_PAGE = 40
_PAGES = 5
_MENTION = re.compile(r"(?<![\w/])@(\w+(?:[.-]+\w+)*)(?:@\w[\w.-]*\w(?::\d+)?)?")
_ADDRESS = re.compile(r"https?://(?:www\.)?([^\s<>\"]+?)/?(?=[\s<>\"]|$)", re.IGNORECASE)
_GREETING = re.compile(r"^(?:\s*@\w+(?:[.-]+\w+)*)+")

Value = Mapping[str, object]


async def say(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Publish the status. Raises Unprepared where its media are not there (any more), Refused without its parent."""
    form = await _form(http, login, outgoing)
    headers = {"idempotency-key": outgoing.id}
    response = await calls.post(
        http, login, "POST", "/api/v1/statuses", content=urlencode(form).encode(), headers=headers
    )
    if response.status_code == 422 and outgoing.media and _of_media(calls.error_of(response)):
        raise Unprepared(calls.NETWORK, f"the instance does not take the media: {calls.error_of(response)}")
    made = calls.made_of(response)
    external_id = identifier(made.get("id"))
    if external_id is None:
        raise Uncertain(calls.NETWORK, "the instance answered without the status that it made")
    return Sent(external_id, address_of(made), calls.room_of(response))


async def find(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    """The status, among the account's own since the first attempt: the one that says the same, in the same place.

    None where there is certainly none: the account said nothing since, or the instance still keeps the key, so that
    asking again makes no second one. Raises Uncertain where several say it, and where an hour has passed and the
    account said other things: a text that the instance has changed is not known again.
    """
    now = datetime.now(UTC)
    first = outgoing.first_attempt_at or now
    since = await _own_since(http, login, first - _SLACK)
    same = [status for status in since if _says(status, outgoing)]
    if len(same) > 1:
        raise Uncertain(
            calls.NETWORK, f"the account has said this {len(same)} times since: nothing tells which this is"
        )
    if same:
        return Sent(str(identifier(same[0].get("id"))), address_of(same[0]))
    if since and now - first >= KEY_KEPT:
        raise Uncertain(calls.NETWORK, "an hour has passed, and of what the account said since nothing reads the same")
    return None


def address_of(status: Value) -> str | None:
    """Where people see a status."""
    return web_address(status.get("url")) or web_address(status.get("uri"))


async def read_status(http: httpx.AsyncClient, login: Login, external_id: str) -> Value | None:
    """The status as the account sees it; None where the instance says that there is none."""
    response = await calls.get(http, login, f"/api/v1/statuses/{quote(external_id, safe='')}")
    if response.status_code in {404, 410} and calls.error_of(response) != calls.NO_REASON:
        return None
    if response.status_code != 200:
        raise calls.failure(response)
    value = calls.value_of(response)
    if not isinstance(value, Mapping) or identifier(value.get("id")) is None:
        raise Unavailable(calls.NETWORK, "the instance answered with something else than a status", unsent=True)
    return value


# ---------------------------------------------------------------- what is asked for


async def _form(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> list[tuple[str, str]]:
    text, audience = outgoing.text, outgoing.audience or AUDIENCES[0]
    if audience not in AUDIENCES:
        raise Refused(calls.NETWORK, f"{audience[:40]!r} is no audience here: it is one of {', '.join(AUDIENCES)}")
    if outgoing.kind is OutgoingKind.REPLY:
        text, audience = await _answering(http, login, outgoing, text)
    form = [("status", text), ("visibility", audience)]
    parent = _parent(outgoing)
    if parent is not None:
        form.append(("in_reply_to_id", parent))
    if outgoing.language:
        form.append(("language", outgoing.language))
    return [*form, *(("media_ids[]", one) for one in ready_ids(outgoing))]


async def _answering(
    http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect, text: str
) -> tuple[str, str]:  # fmt: skip
    """The text, its addressee named first as people do, and the visibility of what is answered: private stays private.

    Who is not named is not notified, and of a direct status sees nothing.
    """
    parent = _parent(outgoing)
    if parent is None:
        raise Refused(calls.NETWORK, "a reply needs what it answers")
    status = await read_status(http, login, parent)
    if status is None:
        raise Refused(calls.NETWORK, "what is answered is not there (any more)")
    author = status.get("account")
    known = author if isinstance(author, Mapping) else {}
    handle = words(known.get("acct")) or words(known.get("username"))
    ours = identifier(known.get("id")) == account_id(login.channel_external_id)
    if handle and not ours and not re.search(rf"(?<![\w/])@{re.escape(handle)}(?![\w@])", text, re.IGNORECASE):
        text = f"@{handle} {text}"
    return text, words(status.get("visibility")) or AUDIENCES[0]


def _parent(outgoing: OutgoingEffect) -> str | None:
    if outgoing.kind is OutgoingKind.REPLY:
        return outgoing.target.external_id if outgoing.target is not None else None
    return outgoing.parent_external_id


def _of_media(said: str) -> bool:
    """Whether a refusal is about media that were laid ready: still at work on them, unknown, or used up."""
    found = said.casefold()
    return "finished processing" in found or "already attached" in found or ("media" in found and "not found" in found)


# ---------------------------------------------------------------- whether it was said


async def _own_since(http: httpx.AsyncClient, login: Login, since: datetime) -> list[Value]:
    """The account's own statuses since that moment of ours, newest first. Raises Uncertain where they are too many."""
    path = f"/api/v1/accounts/{quote(account_id(login.channel_external_id), safe='')}/statuses"
    found: list[Value] = []
    place: list[tuple[str, str]] = []
    for _ in range(_PAGES):
        response = await calls.get(http, login, path, [("limit", str(_PAGE)), ("exclude_reblogs", "true"), *place])
        if response.status_code != 200:
            raise calls.failure(response)
        page = calls.value_of(response)
        if not isinstance(page, list):
            raise Unavailable(calls.NETWORK, "the instance answered with something else than statuses", unsent=True)
        ahead = calls.its_now(response) - datetime.now(UTC)
        statuses = [status for status in page if isinstance(status, Mapping)]
        newer = [status for status in statuses if _written_at(status) >= since + ahead]
        found += newer
        last = identifier(statuses[-1].get("id")) if statuses else None
        if last is None or len(newer) < len(statuses):
            return found
        place = [("max_id", last)]
    raise Uncertain(calls.NETWORK, f"the account has said more than {len(found)} things since: it can't be looked up")


def _written_at(status: Value) -> datetime:
    """When it was written; one that does not tell may have been just now."""
    try:
        return rfc3339(storable(str(status.get("created_at"))))
    except ValueError:
        return datetime.now(UTC)


def _says(status: Value, outgoing: OutgoingEffect) -> bool:
    """Whether a status is what was to be said, as far as a reader can tell."""
    media = status.get("media_attachments")
    if isinstance(status.get("reblog"), Mapping) or identifier(status.get("in_reply_to_id")) != _parent(outgoing):
        return False
    if (len(media) if isinstance(media, list) else 0) != len(outgoing.media):
        return False
    shown = text_of(words(status.get("content")) or "", handles_of(status.get("mentions")))
    return comparable(shown) == comparable(outgoing.text)


def comparable(text: str) -> str:
    """A text without what instances change in it: space, the host of a mention, the shape of a link, who is greeted."""
    plain = _MENTION.sub(r"@\1", _ADDRESS.sub(r"\1", unquote(unicodedata.normalize("NFKC", text))))
    return "".join(_GREETING.sub("", plain).split()).casefold()
