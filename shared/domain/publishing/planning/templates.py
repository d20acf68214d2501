"""What a recurrence says: its template, read as what each of its posts will be."""

from uuid import UUID

from shared.db import Session
from shared.domain.publishing.drafts import MediaItem, PostDraft, VariantDraft
from shared.domain.publishing.library import naming
from shared.domain.publishing.planning import wallclock
from shared.domain.publishing.planning.repeats import Occurrence
from shared.domain.scope import Scope
from shared.models.enums import RecurrenceStatus
from shared.models.planning import Recurrence


def forms_of(recurrence: Recurrence) -> list[VariantDraft]:
    """What is said on single channels."""
    # Ids are kept as they are stored, not as they are shown.
    said = recurrence.template.get("variants") or []
    return [VariantDraft.model_validate({**one, "channel_id": UUID(one["channel_id"])}) for one in said]


def media_of(recurrence: Recurrence) -> list[MediaItem]:
    """What goes with it."""
    return [MediaItem.model_validate(item) for item in recurrence.template["media"]]


def campaign_of(recurrence: Recurrence) -> UUID | None:
    """The campaign that its posts join."""
    id_ = recurrence.template.get("campaign_id")
    return UUID(id_) if id_ is not None else None


def channels_of(recurrence: Recurrence) -> list[UUID]:
    """The channels on which it speaks."""
    named = [form["channel_id"] for form in recurrence.template.get("variants") or []]
    return [UUID(id_) for id_ in dict.fromkeys([*named, *(recurrence.template.get("channel_ids") or [])])]


def draft_of(recurrence: Recurrence, occurrence: Occurrence) -> PostDraft:
    """What an occurrence says, and when."""
    local = wallclock.written(occurrence.local)
    return PostDraft(
        text=recurrence.template["text"],
        media=media_of(recurrence),
        link=recurrence.template["link"],
        campaign_id=campaign_of(recurrence),
        channel_ids=channels_of(recurrence),
        variants=forms_of(recurrence),
        local_time=local,
        timezone=occurrence.zone,
    )


async def keep_media(session: Session, scope: Scope, recurrence: Recurrence) -> None:
    """Hold the files that its posts to come will name; let go of them once none will come."""
    if recurrence.status is RecurrenceStatus.ENDED:
        await naming.keep_uses_of_recurrence(session, scope, recurrence.id, [])
        return
    lists = [media_of(recurrence)]
    for form in forms_of(recurrence):
        lists += [form.media or [], *(part.media for part in form.parts)]
    stored = [[item.stored() for item in items] for items in lists]
    await naming.keep_uses_of_recurrence(session, scope, recurrence.id, stored)
