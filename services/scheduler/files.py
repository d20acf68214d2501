"""Where the bytes of media come from when a network takes none by address."""

import httpx

from shared.connectors import outcome
from shared.contract import OutgoingMedia
from shared.errors import Refused, Unavailable

_GONE = frozenset({404, 410})


class Fetched:
    """Media that stand elsewhere on the web, fetched by the guarded client, within its limit of size."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def read(self, media: OutgoingMedia) -> bytes:
        """All of it. Raises Unavailable where it can't be had now, Refused where it is gone."""
        reached = await outcome.follow(self._http, "media", media.url)
        status = reached.response.status_code
        if reached.response.is_success:
            return reached.response.content
        if status in _GONE:
            raise Refused("media", f"{media.url[:200]} is not there any more ({status})")
        raise Unavailable("media", f"{media.url[:200]} answers with status {status}", unsent=True)
