"""Posts' media as they are shown: where they are, and what is said of them."""

from collections.abc import Callable, Sequence

from services.api.rest.call import Call
from services.api.rest.ids import MediaRef
from services.api.rest.mentions import MediaRead
from services.api.rest.shapes import Read
from shared.domain.publishing.library import naming
from shared.domain.scope import Scope
from shared.models.base import JsonList, JsonObject


class PartRead(Read):
    """What follows in the same thread."""

    text: str
    media: list[MediaRead]
    media_ids: list[MediaRef]


Pictured = Callable[[JsonList], list[MediaRead]]


async def pictures(call: Call, scope: Scope, lists: Sequence[JsonList]) -> Pictured:
    """How the media of these lists are shown: where they are, and what is said of them."""
    known = await naming.known(call.session, scope, lists)
    address = call.services.addresses.at(call.services.clock())

    def pictured(items: JsonList) -> list[MediaRead]:
        return [MediaRead(url=one.url, kind=one.kind, alt=one.alt) for one in known.outgoing(scope, items, address)]

    return pictured


def part_read(part: JsonObject, pictured: Pictured) -> PartRead:
    media = part.get("media") or []
    return PartRead(text=part["text"], media=pictured(media), media_ids=naming.ids_of(media))
