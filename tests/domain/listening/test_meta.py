"""What a Page's webhooks said and what was asked for after an outage meet in the same mentions, in any order."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import asyncpg
import orjson

from shared.connectors.facebook import Facebook
from shared.contract import Heard, RawPart
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening import record
from shared.domain.listening.batches import HeardPart
from shared.models.enums import Network
from tests.conftest import House, TestDatabase
from tests.connectors.graph_rig import PAGE, Rig, heard, rig, whole_round

facebook = Facebook()
PICTURE = "https://scontent{host}.fbcdn.net/v/{size}/77_88_n.jpg?oh={signed}"


async def hear(db: Database, house: House, brands: Sequence[Sequence[Heard]]) -> Any:
    """Record these facts, one batch after the other, in a brand of their own; the brand."""
    brand = await house.brand()
    channel = await house.channel(brand, Network.FACEBOOK, external_id=PAGE, credentials={"app_secret": "s"})
    for facts in brands:
        async with db.session() as session:
            scope = await scopes.house(session, brand.brand_id)
            part = HeardPart(channel.id, Network.FACEBOOK, "", list(facts))
            await record.record(session, scope, [part], now=datetime.now(UTC))
    return brand.brand_id


def pushed(*changes: dict[str, Any], at: int) -> list[Heard]:
    listed = [{"field": "feed", "value": value} for value in changes]
    body = orjson.dumps({"object": "page", "entry": [{"id": PAGE, "time": at, "changes": listed}]})
    return list(facebook.parse(RawPart(PAGE, body, datetime.now(UTC))).heard)


async def outage(here: Rig) -> tuple[list[Heard], list[Heard], list[Heard]]:
    """What the webhooks told, some of it late; what a round of polling told; what looking again told."""
    world = here.graph.world
    shown = {"type": "photo", "media": {"image": {"src": PICTURE.format(host="", size="p720", signed=1)}}}
    post = world.post(PAGE, "Nouvelle saison", attachments={"data": [shown]})
    asked, gone, missed = (world.comment(post, text) for text in ("Quand ?", "spam", "said in the outage"))
    at = {one: int(world.things[one].at.timestamp()) for one in (post, asked, gone)}
    photo = {"item": "photo", "verb": "add", "post_id": post, "message": "Nouvelle saison"}
    link = PICTURE.format(host=".xx", size="s2048", signed=2)
    page = {"from": {"id": PAGE, "name": "Café Parvis"}, "link": link, "created_time": at[post]}

    def comment(external_id: str, text: str, verb: str = "add", **more: int) -> dict[str, Any]:
        person = {"from": {"id": "771", "name": "Léa"}, "post_id": post, "parent_id": post, "item": "comment"}
        said = {"comment_id": external_id, "message": text, "created_time": at[external_id], "verb": verb}
        return {**person, **said, **more}

    told = [
        *pushed({**photo, **page}, at=at[post] + 1),
        *pushed(comment(asked, "Quand"), at=at[asked] + 1),
        *pushed(comment(asked, "Quand ?", "edited", edited_time=at[asked] + 30), at=at[asked] + 31),
        *pushed(comment(gone, "spam"), at=at[gone] + 1),
    ]
    polled, _ = await whole_round(facebook, here, here.page)
    world.delete(gone)
    again = await facebook.recheck(here.http, here.page, [post, asked, gone, missed])
    return told, polled, heard(facebook, here.page, again)


_SEEN = """
SELECT m.external_id, m.kind, m.text, m.edited_at, m.deleted_at IS NOT NULL, m.published_at, p.external_id AS parent,
       a.external_id AS author, m.author_kind, m.media, m.likes,
       (SELECT array_agg(e.text ORDER BY e.edited_at NULLS FIRST, e.stamp, e.digest) FROM edit e
         WHERE e.brand_id = m.brand_id AND e.mention_key = m.key) AS history
  FROM mention m LEFT JOIN mention p ON p.brand_id = m.brand_id AND p.id = m.parent_id
  LEFT JOIN identity a ON a.brand_id = m.brand_id AND a.id = m.author_id
 WHERE m.brand_id = $1 ORDER BY m.published_at
"""


async def test_after_an_outage_webhooks_polls_and_second_looks_end_alike_in_every_order(
    database: TestDatabase, owner_db: Database, house: House
) -> None:
    # A source that does not answer in time is passed over, which is no matter of this test.
    async with rig(send_timeout_seconds=30) as here:
        batches = await outage(here)
    seen = []
    connection = await asyncpg.connect(database.owner_url)
    try:
        for order in permutations(batches):
            brand_id = await hear(owner_db, house, [*order, order[0]])
            seen.append([tuple(row) for row in await connection.fetch(_SEEN, brand_id)])
    finally:
        await connection.close()
    assert all(one == seen[0] for one in seen[1:])
    post, asked, gone, missed = seen[0]
    assert (post[2], post[-1]) == ("Nouvelle saison", None)  # one picture, signed anew by each, is no edit
    assert (asked[2], asked[3] is not None, asked[-1][0]) == ("Quand ?", True, "Quand")
    assert (gone[2], gone[4]) == (None, True)
    assert (missed[2], missed[6]) == ("said in the outage", post[0])
