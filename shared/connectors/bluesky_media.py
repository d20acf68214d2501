"""Pictures laid ready with an account's host: uploaded as blobs, which nobody sees before a post names them.

Source: the lexicons com.atproto.repo.uploadBlob and app.bsky.embed.images.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx

from shared.connectors.bluesky_xrpc import NETWORK, call, effect_failure, session, value
from shared.connectors.file_types import file_type
from shared.contract import Files, Login, MediaLimit, OutgoingEffect, OutgoingMedia, Prepared
from shared.errors import Refused, Unavailable, Uncertain, Unprepared

MOST = 4
LIMITS: Mapping[str, MediaLimit] = {
    "image": MediaLimit(frozenset({"image/jpeg", "image/png", "image/webp"}), most_bytes=2_000_000, longest_alt=2_000)
}
_AT_ONCE = timedelta(milliseconds=1)
_UPLOAD = "com.atproto.repo.uploadBlob"


async def prepare(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect, files: Files) -> Prepared:
    """One upload further. Where all were uploaded already the host has lost them, and it begins anew: the same bytes
    are the same blob."""
    here, blobs = session(login), _blobs(outgoing)
    if len(blobs) >= len(outgoing.media):
        blobs = []
    media = outgoing.media[len(blobs)]
    if media.kind not in LIMITS:
        raise Refused(NETWORK, f"a post takes pictures here, and this is of kind {media.kind!r}")
    raw = await files.read(media)
    most = LIMITS[media.kind].most_bytes
    if most is not None and len(raw) > most:
        raise Refused(NETWORK, f"a picture has at most {most:,} bytes here, and this one has {len(raw):,}")
    try:
        response = await call(http, here, _UPLOAD, raw, file_type(media))
        if response.status_code != 200:
            raise effect_failure(response, login)
    except Uncertain as error:
        # A blob that no record names is seen by nobody, and is swept away.
        raise Unavailable(NETWORK, error.message, unsent=True) from error
    blob = value(response).get("blob")
    if not isinstance(blob, Mapping):
        raise Unavailable(NETWORK, "the host took a picture and gave no blob for it", unsent=True)
    blobs = [*blobs, dict(blob)]
    return Prepared({"blobs": blobs}, None if len(blobs) == len(outgoing.media) else _AT_ONCE)


def embedded(outgoing: OutgoingEffect) -> Mapping[str, object]:
    """The pictures as a post names them. Raises Unprepared where not all of them were uploaded."""
    blobs = _blobs(outgoing)
    if len(blobs) != len(outgoing.media):
        raise Unprepared(NETWORK, f"{len(blobs)} of {len(outgoing.media)} pictures are uploaded")
    images = [_image(media, blob) for media, blob in zip(outgoing.media, blobs, strict=True)]
    return {"$type": "app.bsky.embed.images", "images": images}


def _blobs(outgoing: OutgoingEffect) -> list[Mapping[str, Any]]:
    kept = outgoing.marks.get("blobs")
    return [blob for blob in kept if isinstance(blob, Mapping)] if isinstance(kept, list) else []


def _image(media: OutgoingMedia, blob: Mapping[str, Any]) -> Mapping[str, object]:
    shape = {}
    if media.width and media.height:
        shape = {"aspectRatio": {"width": media.width, "height": media.height}}
    return {"alt": media.alt or "", "image": blob, **shape}
