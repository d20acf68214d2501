"""The rows that a search looks in."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.db import Session, driver
from shared.domain.listening.merge import MentionState


async def keep(
    session: Session, brand_id: UUID, changed: Sequence[MentionState], before: Mapping[UUID, MentionState]
) -> None:
    """Keep the search rows with the texts: what is found otherwise now is indexed again, what went is forgotten."""
    connection = await driver(session)
    stale, fresh = [], []
    for state in changed:
        old = before.get(state.key)
        was = old is not None and old.listed and old.text is not None
        gone = not state.listed or not state.text
        moved = was and old is not None and (gone or old.published_at != state.published_at)
        if moved and old is not None:
            stale.append(old)
        said = (state.text, state.language)
        if state.listed and state.text and (not was or moved or (old and (old.text, old.language) != said)):
            fresh.append(state)
    if stale:
        await connection.execute(
            "SELECT parvis.forget_mentions($1, $2, $3)",
            brand_id,
            [s.id for s in stale],
            [s.published_at for s in stale],
        )
    if fresh:
        await connection.execute(
            "SELECT parvis.index_mentions($1, $2, $3, $4, $5)",
            brand_id,
            [s.id for s in fresh],
            [s.published_at for s in fresh],
            [s.language for s in fresh],
            [s.text for s in fresh],
        )
