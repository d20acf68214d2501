"""Media laid ready on an instance: uploaded, described, and waited for until the instance has worked on them.

Source: `POST /api/v2/media` (202: still at work) and `GET /api/v1/media/:id` (206 until it is ready) of the Mastodon
API.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx

from shared.connectors import mastodon_calls as calls
from shared.connectors.file_types import file_name, file_type
from shared.connectors.reading import identifier
from shared.contract import Files, Login, MediaLimit, OutgoingEffect, OutgoingMedia, Prepared
from shared.errors import Refused, Unavailable, Uncertain, Unprepared

MOST = 4
_AT_ONCE = timedelta(milliseconds=1)
_FIRST_LOOK, _LONGEST = timedelta(seconds=1), timedelta(seconds=30)
_ALONE = frozenset({"video", "audio"})

# Mastodon's own since 4.2; an instance may take less, and refuses it then.
_ALT = 1_500
_PICTURE, _FILM = 16 * 1024 * 1024, 99 * 1024 * 1024
LIMITS: Mapping[str, MediaLimit] = {
    "image": MediaLimit(
        frozenset({"image/jpeg", "image/png", "image/webp", "image/heic", "image/heif", "image/avif"}),
        most_bytes=_PICTURE, most_pixels=33_177_600, longest_alt=_ALT,
    ),
    "gif": MediaLimit(frozenset({"image/gif"}), most_bytes=_PICTURE, most_pixels=33_177_600, longest_alt=_ALT),
    "video": MediaLimit(
        frozenset({"video/mp4", "video/quicktime", "video/webm"}),
        most_bytes=_FILM, most_pixels=8_294_400, longest_alt=_ALT,
    ),
    "audio": MediaLimit(
        frozenset({"audio/mpeg", "audio/ogg", "audio/wav", "audio/flac", "audio/aac", "audio/mp4", "audio/opus"}),
        most_bytes=_FILM, longest_alt=_ALT,
    ),
}  # fmt: skip


def ready_ids(outgoing: OutgoingEffect) -> list[str]:
    """The ids of what was laid ready, in order. Raises Unprepared where not all of it was."""
    marks = _marks(outgoing)
    ids = [mark["id"] for mark in marks if mark.get("ready")]
    if len(ids) != len(outgoing.media):
        raise Unprepared(calls.NETWORK, f"{len(ids)} of {len(outgoing.media)} media are ready on the instance")
    return ids


async def prepare(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect, files: Files) -> Prepared:
    """One step further: one upload, or one look at what the instance works on, so that none of it is done twice.

    What is called ready already is asked for again, since a status may have been refused for it; what the instance
    does not know (any more) is uploaded anew.
    """
    if len(outgoing.media) > 1 and any(media.kind in _ALONE for media in outgoing.media):
        raise Refused(calls.NETWORK, "a film or a sound stands alone: take the other media out")
    marks = _marks(outgoing)
    if len(marks) == len(outgoing.media) and all(mark.get("ready") for mark in marks):
        marks = [await _look(http, login, mark) for mark in marks]
    else:
        missing = next((index for index, mark in enumerate(marks) if not mark.get("id")), len(marks))
        if missing < len(outgoing.media):
            marks[missing : missing + 1] = [await _upload(http, login, outgoing.media[missing], files)]
        else:
            waiting = next(index for index, mark in enumerate(marks) if not mark.get("ready"))
            marks[waiting] = await _look(http, login, marks[waiting])
    return Prepared({"media": marks}, _wait(marks, len(outgoing.media)))


def _marks(outgoing: OutgoingEffect) -> list[dict[str, Any]]:
    """A mark for each medium that was uploaded: its id, whether it is ready, how often it was looked at."""
    kept = outgoing.marks.get("media")
    marks = [dict(mark) for mark in kept if isinstance(mark, Mapping)] if isinstance(kept, list) else []
    return marks[: len(outgoing.media)]


def _wait(marks: list[dict[str, Any]], wanted: int) -> timedelta | None:
    if len(marks) < wanted or any(not mark.get("id") for mark in marks):
        return _AT_ONCE
    looks = [mark.get("looks", 0) for mark in marks if not mark.get("ready")]
    return min(_FIRST_LOOK * 2.0 ** min(looks[0], 10), _LONGEST) if looks else None


async def _upload(http: httpx.AsyncClient, login: Login, media: OutgoingMedia, files: Files) -> dict[str, Any]:
    told = {"description": media.alt} if media.alt else {}
    file = (file_name(media), await files.read(media), file_type(media))
    form = httpx.Request("POST", "https://form.invalid/", data=told, files={"file": file})
    headers = {"content-type": form.headers["content-type"]}
    try:
        response = await calls.post(http, login, "POST", "/api/v2/media", content=form.read(), headers=headers)
        if response.status_code not in {200, 202}:
            raise calls.effect_failure(response)
        value = calls.value_of(response)
    except Uncertain as error:
        # Of a medium that belongs to no status nobody sees anything, and the instance sweeps it away.
        raise Unavailable(calls.NETWORK, error.message, unsent=True) from error
    external_id = identifier(value.get("id")) if isinstance(value, Mapping) else None
    if external_id is None:
        raise Unavailable(calls.NETWORK, "the instance took a medium and gave no id for it", unsent=True)
    return {"id": external_id, "ready": response.status_code == 200, "looks": 0}


async def _look(http: httpx.AsyncClient, login: Login, mark: Mapping[str, Any]) -> dict[str, Any]:
    """What became of a medium. An empty mark where the instance does not know it."""
    response = await calls.get(http, login, f"/api/v1/media/{quote(str(mark['id']), safe='')}")
    match response.status_code:
        case 200:
            return {**mark, "ready": True}
        case 206:
            return {**mark, "ready": False, "looks": mark.get("looks", 0) + 1}
        case 404 | 410 if calls.error_of(response) != calls.NO_REASON:
            return {}
        case 422:
            raise Refused(calls.NETWORK, f"the instance can't use a medium: {calls.error_of(response)}")
        case _:
            raise calls.failure(response)
