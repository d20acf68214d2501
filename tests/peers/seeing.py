"""What has to be seen of a peer in Parvis, by GraphQL, and within what time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.peers.house import WITHIN_ONE_POLL, Json, PeerHouse
from tests.peers.peer import Row


@dataclass(frozen=True, slots=True)
class Seeing:
    """The mentions of one network, looked at until they are as they have to be."""

    house: PeerHouse
    network: str

    async def look(
        self, what: str, sees: Callable[[dict[str, Json]], bool], *, within: float = WITHIN_ONE_POLL
    ) -> Row:  # fmt: skip
        """A row: whether and when the mentions, by external id, are as they have to be."""

        async def look() -> bool:
            return sees(await self.house.mentions(self.network))

        seen, took = await self.house.until(look, 4 * WITHIN_ONE_POLL)
        good = seen and took <= within
        return Row(what, good, took if seen else None, "" if good else "late" if seen else "never seen")

    async def heard(self, what: str, external_id: str, *, within: float = WITHIN_ONE_POLL, **wanted: Any) -> Row:
        """A row: whether this is a mention that has these values."""

        def sees(found: dict[str, Json]) -> bool:
            mention = found.get(external_id)
            return mention is not None and all(mention[name] == value for name, value in wanted.items())

        return await self.look(what, sees, within=within)
