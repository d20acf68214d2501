"""Who reacted to what, last, and how many that are."""

from collections.abc import Mapping
from uuid import UUID

from shared.contract import Reacted, storable
from shared.db import Session, driver
from shared.domain.listening import counters, rows
from shared.domain.listening.merge import MentionState
from shared.ids import new_uuid

Reactions = Mapping[tuple[UUID, UUID], Reacted]


async def count(session: Session, brand_id: UUID, reactions: Reactions, states: Mapping[UUID, MentionState]) -> None:
    """Keep reactions, by mention's and actor's key, and count anew those to the same mentions."""
    if not reactions:
        return
    wanted = sorted(reactions)
    connection = await driver(session)
    stored = await connection.fetch(
        'SELECT mention_key, actor_key, reaction, "on", stamp FROM reaction WHERE brand_id = $1'
        " AND (mention_key, actor_key) IN (SELECT * FROM unnest($2::uuid[], $3::uuid[]))",
        brand_id,
        [mention for mention, _ in wanted],
        [actor for _, actor in wanted],
    )
    standing = {(r["mention_key"], r["actor_key"]): (r["stamp"], r["on"], r["reaction"]) for r in stored}
    newer = []
    for place in wanted:
        one, known = reactions[place], standing.get(place)
        if known is None or counters.reacted_order(one) > counters.reaction_order(*known):
            newer.append((place, one))
    await rows.upsert(
        session,
        brand_id,
        "reaction",
        [
            {"id": new_uuid(), "mention_key": mention, "actor_key": actor, "reaction": storable(one.reaction),
             "on": one.on, "stamp": one.stamp}
            for (mention, actor), one in newer
        ],
        conflict="mention_key, actor_key",
    )  # fmt: skip
    counts = await connection.fetch(
        'SELECT mention_key, count(*) FILTER (WHERE "on") AS n FROM reaction'
        " WHERE brand_id = $1 AND mention_key = ANY ($2) GROUP BY 1",
        brand_id,
        list({mention for (mention, _), _ in newer}),
    )
    for row in counts:
        state = states[row["mention_key"]]
        state.reactions, state.noted = row["n"], True
        counters.show_counters(state)
