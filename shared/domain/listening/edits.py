"""The history of mentions that have had several versions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from shared.db import Session, driver
from shared.domain.listening import rows
from shared.domain.listening.merge import EditDraft, MentionState
from shared.ids import new_uuid


async def keep(
    session: Session, brand_id: UUID, versions: Iterable[EditDraft], changed: Sequence[MentionState]
) -> None:
    """Versions go into the history once each, with their greatest stamp; a deleted mention's lose their text."""
    drafts: dict[tuple[UUID, datetime | None, bytes], EditDraft] = {}
    for one in versions:
        place = (one.mention_key, one.edited_at, one.digest)
        known = drafts.get(place)
        if known is None or one.stamp > known.stamp:
            drafts[place] = one
    await rows.upsert(
        session,
        brand_id,
        "edit",
        [
            {"id": new_uuid(), "mention_key": d.mention_key, "text": d.text, "edited_at": d.edited_at,
             "stamp": d.stamp, "digest": d.digest, "observed_at": d.observed_at}
            for d in drafts.values()
        ],
        conflict="mention_key, edited_at, digest",
        merge={
            "stamp": "greatest(edit.stamp, excluded.stamp)",
            "observed_at": "least(edit.observed_at, excluded.observed_at)",
            "text": "coalesce(edit.text, excluded.text)",
        },
    )  # fmt: skip
    gone = [s.key for s in changed if s.deleted_at is not None]
    if gone:
        await (await driver(session)).execute(
            "UPDATE edit SET text = NULL WHERE brand_id = $1 AND mention_key = ANY ($2) AND text IS NOT NULL",
            brand_id,
            gone,
        )
