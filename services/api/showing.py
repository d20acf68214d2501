"""Media under signed addresses, for networks that fetch for themselves: who has the address has the file."""

from fastapi import APIRouter, Request, Response

from services.api import streams
from services.api.context import Services
from shared.domain import scope as scopes
from shared.domain.publishing.library import media
from shared.store import Missing

router = APIRouter(include_in_schema=False)
_LONGEST = 3600


@router.api_route("/media/{token}", methods=["GET", "HEAD"])
async def show_media(request: Request, token: str) -> Response:
    """The file of an address that we signed and that is not over; anything else is nothing."""
    services: Services = request.app.state.services
    now = services.clock()
    brand_id, media_id, until = services.addresses.read(token, now)
    async with services.db.reading() as session:
        scope = await scopes.house(session, brand_id)
        row = (await media.by_ids(session, scope, [media_id])).get(media_id)
    if row is None:
        raise media.unknown(media_id)
    age = min(_LONGEST, int((until - now).total_seconds()))
    try:
        return await streams.stored(request, services.store, row, f"public, max-age={age}, immutable")
    except Missing:
        raise media.unknown(media_id) from None
