"""Files leave the store when nothing needs them any more, and not before."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.scheduler import tidying
from services.scheduler.house import House as Shop
from shared import http
from shared.connectors.registry import CARDS
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.publishing import posts
from shared.domain.publishing.drafts import PostDraft
from shared.domain.publishing.library import media
from shared.domain.publishing.library.media import NewMedia
from shared.ids import Prefix, new_uuid, typeid
from shared.models.enums import MediaKind
from shared.models.media import Media
from shared.queues import Queues
from shared.settings import Settings
from shared.store import Store, open_store
from tests.conftest import NOW, House, HouseBrand, TestDatabase

TOMORROW = datetime.now(UTC) + timedelta(days=1, hours=1)


async def keys(store: Store) -> set[str]:
    return {kept.key async for kept in store.list_()}


async def lay(store: Store, folder: Path, key: str) -> str:
    path = folder / "made"
    path.write_bytes(b"a picture")
    await store.put(key, path, "image/jpeg")
    return key


async def bring(db: Database, brand: HouseBrand, store: Store, folder: Path) -> Media:
    """Media of the brand, with its file."""
    id_ = new_uuid()
    key = f"{typeid(Prefix.BRAND, brand.brand_id)}/{typeid(Prefix.MEDIA, id_)}.jpg"
    await lay(store, folder, key)
    new = NewMedia(id_, "a.jpg", MediaKind.IMAGE, "image/jpeg", 9, 1, 1, None, id_.hex, key, {})
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        row, _ = await media.add(session, scope, new, now=NOW)
    return row


async def remove(db: Database, brand: HouseBrand, row: Media) -> None:
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        await media.remove(session, scope, row.id, now=NOW)


async def tidy(db: Database, store: Store, settings: Settings, at: datetime) -> int:
    assert settings.redis_url is not None
    queues = Queues(settings.redis_url)
    async with http.client(settings) as client:
        shop = Shop(db, queues, House(db).vault, client, settings, clock=lambda: at)
        try:
            return await tidying.tidy(shop, store)
        finally:
            await queues.close()


async def test_what_was_removed_leaves_and_what_is_named_stays(
    database: TestDatabase, app_db: Database, worker_db: Database, brand: HouseBrand, tmp_path: Path
) -> None:
    store = open_store(database.settings)
    gone, kept, named = [await bring(app_db, brand, store, tmp_path) for _ in range(3)]
    async with app_db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        draft = PostDraft.model_validate({"text": "Bonjour", "media_ids": [typeid(Prefix.MEDIA, named.id)]})
        post = await posts.create(session, scope, draft=draft, cards=CARDS, now=NOW)
        await posts.cancel(session, scope, post.id, now=NOW)
    for row in (gone, named):
        await remove(app_db, brand, row)
    assert await tidy(worker_db, store, database.settings, datetime.now(UTC)) == 1
    assert await keys(store) == {kept.key, named.key}


async def test_a_file_without_a_row_has_a_day_to_get_one(
    database: TestDatabase, app_db: Database, worker_db: Database, brand: HouseBrand, tmp_path: Path
) -> None:
    store = open_store(database.settings)
    kept = await bring(app_db, brand, store, tmp_path)
    lost = await lay(store, tmp_path, f"{typeid(Prefix.BRAND, brand.brand_id)}/{typeid(Prefix.MEDIA, new_uuid())}.jpg")
    assert await tidy(worker_db, store, database.settings, datetime.now(UTC)) == 0
    assert await keys(store) == {kept.key, lost}
    assert await tidy(worker_db, store, database.settings, TOMORROW) == 1
    assert await keys(store) == {kept.key}


async def test_what_is_not_of_a_brand_of_ours_is_left_alone(
    database: TestDatabase, worker_db: Database, tmp_path: Path
) -> None:
    store = open_store(database.settings)
    strangers = {f"{typeid(Prefix.BRAND, new_uuid())}/{typeid(Prefix.MEDIA, new_uuid())}.jpg", "other/file.txt"}
    for key in strangers:
        await lay(store, tmp_path, key)
    assert await tidy(worker_db, store, database.settings, TOMORROW) == 0
    assert await keys(store) == strangers


async def test_a_store_that_is_away_is_tidied_another_night(database: TestDatabase, worker_db: Database) -> None:
    away = {"media_url": "s3://bucket", "s3_endpoint": "http://127.0.0.1:9", "s3_key": "k"}
    settings = database.settings.model_copy(update=away)
    assert await tidy(worker_db, open_store(settings), settings, TOMORROW) == 0
