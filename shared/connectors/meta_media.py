"""Pictures and films on Meta's servers, whose addresses change with every answer while they stay the same."""

from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from shared.connectors.reading import web_address
from shared.contract import MediaDraft

_SERVERS = (".fbcdn.net", ".cdninstagram.com")
_ASSETS = ".fbsbx.com"


def known_by(url: str) -> str | None:
    """What stays of an address that is signed anew in every answer: the file's name, or the asset's id."""
    try:
        address = urlsplit(url)
        host = (address.hostname or "").lower()
    except ValueError:
        return None
    if host.endswith(_SERVERS):
        return address.path.rpartition("/")[2] or None
    if host.endswith(_ASSETS):
        return next(iter(parse_qs(address.query).get("asset_id", [])), None)
    return None


def media(found: Iterable[tuple[object, str]]) -> tuple[MediaDraft, ...]:
    """Each usable address with its kind, once."""
    unique: dict[str, MediaDraft] = {}
    for outside, kind in found:
        url = web_address(outside)
        if url is not None:
            same = known_by(url)
            unique.setdefault(same or url, MediaDraft(url, kind, key=same))
    return tuple(unique.values())
