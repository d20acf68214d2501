"""Where the bytes of media come from when a network takes none by address."""

import httpx

from shared.connectors import outcome
from shared.contract import OutgoingMedia
from shared.errors import Refused, Unavailable
from shared.store import Missing, Store, StoreAway

_GONE = frozenset({404, 410})


class Brought:
    """Media of ours out of the store; what stands on the web by the guarded client, within its limit of size."""

    def __init__(self, http: httpx.AsyncClient, store: Store) -> None:
        self._http = http
        self._store = store

    async def read(self, media: OutgoingMedia) -> bytes:
        """All of it. Raises Unavailable where it can't be had now, Refused where it is gone."""
        if media.key is None or media.size is None:
            return await self._fetched(media)
        try:
            return b"".join([piece async for piece in self._store.read(media.key, 0, media.size)])
        except Missing as error:
            raise Refused("media", f"the file of this media is lost: {error.message}") from None
        except StoreAway as error:
            raise Unavailable("media", error.message, unsent=True) from None

    async def _fetched(self, media: OutgoingMedia) -> bytes:
        reached = await outcome.follow(self._http, "media", media.url)
        status = reached.response.status_code
        if reached.response.is_success:
            return reached.response.content
        if status in _GONE:
            raise Refused("media", f"{media.url[:200]} is not there any more ({status})")
        raise Unavailable("media", f"{media.url[:200]} answers with status {status}", unsent=True)
