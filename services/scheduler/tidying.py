"""Files that nobody needs any more leave the store: of removed media, and of uploads that never became any."""

from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from services.scheduler.house import House
from shared.domain import scope as scopes
from shared.domain.publishing.library import media_leaving
from shared.errors import NotFound
from shared.ids import Prefix, parse_typeid
from shared.log import logger
from shared.store import Store, StoreAway

_log = logger("scheduler.media")
BATCH = 500
# No upload takes so long from the store to its row: what is older and has none never gets one.
UNCLAIMED = timedelta(days=1)


async def tidy(house: House, store: Store) -> int:
    """Let go of what nothing names, and of what has stood in the store for a day without a row; how many files.

    Where the store is away, the next night goes on.
    """
    gone = 0
    try:
        for folder, keys in sorted((await _old(house, store)).items()):
            try:
                brand_id = parse_typeid(Prefix.BRAND, folder)
            except NotFound:
                continue  # not ours
            gone += await _forget_removed(house, store, brand_id)
            gone += await _drop_unclaimed(house, store, brand_id, sorted(keys))
    except StoreAway as error:
        _log.warning("media.not_tidied", why=error.message)
    if gone:
        _log.info("media.tidied", count=gone)
    return gone


async def _old(house: House, store: Store) -> dict[str, set[str]]:
    """The keys that are in the store, by brand; the young ones are left out and their brands are not."""
    found: dict[str, set[str]] = defaultdict(set)
    before = house.clock() - UNCLAIMED
    async for kept in store.list_():
        keys = found[kept.key.partition("/")[0]]
        if kept.at < before:
            keys.add(kept.key)
    return found


async def _forget_removed(house: House, store: Store, brand_id: UUID) -> int:
    """Rows go first: a row always has its file, and a file that is left without one is found the next night."""
    gone = 0
    while True:
        async with house.db.session() as session:
            scope = await scopes.house(session, brand_id)
            keys = await media_leaving.forget(session, scope, limit=BATCH)
        for key in keys:
            await store.delete(key)
        gone += len(keys)
        if len(keys) < BATCH:
            return gone


async def _drop_unclaimed(house: House, store: Store, brand_id: UUID, keys: list[str]) -> int:
    gone = 0
    for start in range(0, len(keys), BATCH):
        for key in await _unclaimed(house, brand_id, keys[start : start + BATCH]):
            await store.delete(key)
            gone += 1
    return gone


async def _unclaimed(house: House, brand_id: UUID, keys: Collection[str]) -> set[str]:
    async with house.db.reading() as session:
        scope = await scopes.house(session, brand_id)
        return await media_leaving.unclaimed(session, scope, keys)
