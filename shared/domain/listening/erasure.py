"""Erasing what a person said, as if they had deleted it on the network."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from shared.contract import Card, Deleted
from shared.db import Session
from shared.domain.brands import audit
from shared.domain.listening import record
from shared.domain.listening.batches import HeardPart
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.enums import Network

AT_ONCE = 200

_THEIRS = text("SELECT id FROM identity WHERE brand_id = :brand AND network = :network AND external_id = :person")
_SAID = text(
    "SELECT channel_id, external_id FROM mention WHERE brand_id = :brand AND author_id = ANY (:authors)"
    " AND deleted_at IS NULL ORDER BY published_at LIMIT :most"
)
_NAMELESS = text(
    "UPDATE identity SET handle = NULL, name = NULL, url = NULL, followers = NULL"
    " WHERE brand_id = :brand AND id = ANY (:ids)"
    " AND (handle IS NOT NULL OR name IS NOT NULL OR url IS NOT NULL OR followers IS NOT NULL) RETURNING id"
)


async def erase_some(
    session: Session, scope: Scope, *, network: Network, person: str, card: Card, now: datetime
) -> tuple[int, bool]:
    """Blank up to 200 mentions that the person wrote to the brand, and their names; how many, and whether that is all.

    Doing it again does nothing. Raises NotFound where the brand is gone.
    """
    theirs = {"brand": scope.brand_id, "network": network.value, "person": person}
    authors = list((await session.execute(_THEIRS, theirs)).scalars())
    if not authors:
        return 0, True
    wanted = {"brand": scope.brand_id, "authors": authors, "most": AT_ONCE}
    said: dict[UUID, list[Deleted]] = defaultdict(list)
    for channel_id, external_id in await session.execute(_SAID, wanted):
        said[channel_id].append(Deleted(external_id, now))
    parts = [
        HeardPart(channel_id, network, "" if card.shared_ids else str(channel_id), gone)
        for channel_id, gone in sorted(said.items())
    ]
    if parts:
        await record.record(session, scope, parts, now=now)
    unnamed = await session.execute(_NAMELESS, {"brand": scope.brand_id, "ids": authors})
    count = sum(len(gone) for gone in said.values())
    for author in set(authors if count else ()) | set(unnamed.scalars()):
        await audit.add(session, scope, "identity.erase", typeid(Prefix.IDENTITY, author), {"mentions": count})
    return count, count < AT_ONCE
