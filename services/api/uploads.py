"""From a received file to media: opened and bared, put into the store, and only then written down."""

import time
from uuid import UUID

from prometheus_client import Counter, Histogram

from services.api.context import Services
from services.api.receiving import Received
from services.media.checking import Checked
from shared.db import Session
from shared.domain.publishing.library import media
from shared.domain.publishing.library.media import NewMedia
from shared.domain.scope import Scope
from shared.errors import Invalid, Problem
from shared.ids import Prefix, new_uuid, typeid
from shared.log import logger
from shared.models.enums import MediaKind
from shared.models.media import Media
from shared.store import StoreAway

_log = logger("media")
_ALT = "alt_"

UPLOADS = Counter("parvis_media_uploads_total", "Files that were uploaded, by what came of it.", ["kind", "outcome"])
SECONDS = Histogram(
    "parvis_media_check_seconds",
    "How long it took to open, measure and bare a file.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)


async def lay_down(services: Services, brand_id: UUID, received: Received) -> NewMedia:
    """Check a file and put it into the store, under a key of its own. Raises Invalid, StoreAway.

    The store comes before the row: a row always has its file, and a file that never got a row is swept away.
    """
    alts = _alts(received.fields)
    began = time.perf_counter()
    try:
        checked = await services.checker.check(received.path)
    except Invalid:
        UPLOADS.labels("unknown", "refused").inc()
        raise
    SECONDS.observe(time.perf_counter() - began)
    new = _new(brand_id, received, checked, alts)
    await services.store.put(new.key, checked.path, new.type)
    return new


def _new(brand_id: UUID, received: Received, checked: Checked, alts: dict[str, str]) -> NewMedia:
    id_, measured = new_uuid(), checked.measured
    name = received.fields.get("name") or received.name
    return NewMedia(
        id=id_,
        name=media.file_name(name),
        kind=MediaKind(measured.kind),
        type=measured.type,
        size=checked.size,
        width=measured.width,
        height=measured.height,
        seconds=measured.seconds,
        fingerprint=checked.fingerprint,
        key=f"{typeid(Prefix.BRAND, brand_id)}/{typeid(Prefix.MEDIA, id_)}.{checked.ending}",
        alts=alts,
    )


def _alts(fields: dict[str, str]) -> dict[str, str]:
    """The texts of a form by language. Raises Invalid, naming the field."""
    unknown = [name for name in fields if name != "name" and not name.startswith(_ALT)]
    if unknown:
        message = "there is no such field here; known: file, name, and alt_ with a language, such as alt_fr"
        raise Invalid([Problem("unknown", message, (name[:60],)) for name in unknown])
    given: dict[str, str | None] = {name.removeprefix(_ALT): said for name, said in fields.items() if name != "name"}
    try:
        checked = media.checked_alts(given)
    except Invalid as error:
        raise Invalid([Problem(p.code, p.message, _field(p.path)) for p in error.problems]) from None
    return {language: said for language, said in checked.items() if said is not None}


def _field(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return (f"{_ALT}{path[1]}",) if len(path) > 1 else path


async def write_down(services: Services, session: Session, scope: Scope, new: NewMedia) -> tuple[Media, bool]:
    """Let a file that was laid down be found; the one that is there already, and False, where the brand has it."""
    return await media.add(session, scope, new, now=services.clock())


def told(kind: MediaKind, *, is_new: bool) -> None:
    """Count what came of an upload."""
    UPLOADS.labels(kind.value, "kept" if is_new else "known").inc()


async def give_up(services: Services, new: NewMedia) -> None:
    """Let go of a file that got no row. Where that fails it is swept away later."""
    try:
        await services.store.delete(new.key)
    except StoreAway as error:
        _log.warning("media.left", key=new.key, why=error.message)
