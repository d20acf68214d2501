"""Posts that come again."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi import Body as FromBody

from services.api.rest.call import Call, Calling, InBrand, TransactedRoute
from services.api.rest.etags import IfMatch, meant, require_version
from services.api.rest.forms import FormPartRead, MediaItemRead
from services.api.rest.ids import CampaignRef, ChannelRef, MediaRef, PostRef, RecurrencePath, RecurrenceRef, UserRef
from services.api.rest.shapes import Body, ListRead, Paging, Read, listed, whole
from shared.connectors.registry import CARDS
from shared.domain.publishing.planning import occurring, recurrences, templates
from shared.domain.publishing.planning.occurring import Changed
from shared.domain.publishing.planning.recurrences import (
    MOST_AHEAD,
    RecurrenceChanges,
    RecurrenceDraft,
    RecurrenceTiming,
)
from shared.domain.publishing.planning.repeats import Occurrence
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.base import JsonObject
from shared.models.enums import BlackoutPolicy, RecurrenceStatus
from shared.models.planning import Recurrence
from shared.queues import SendOutgoing

router = APIRouter(prefix="/v1/brands/{brand_id}/recurrences", route_class=TransactedRoute, tags=["planning"])


class FormRead(Read):
    """What is said on one channel; null: the recurrence's own."""

    channel_id: ChannelRef
    text: str | None
    media: list[MediaItemRead] | None
    media_ids: list[MediaRef] | None
    link: str | None
    first_comment: str | None
    parts: list[FormPartRead]
    audience: str | None


class RecurrenceRead(Read):
    """A post that comes again. Those up to `made_until` have become posts; `problem`: why it was paused by itself."""

    id: RecurrenceRef
    status: RecurrenceStatus
    text: str
    media: list[MediaItemRead]
    link: str | None
    campaign_id: CampaignRef | None
    channel_ids: list[ChannelRef]
    variants: list[FormRead]
    rule: str
    starts_on: date
    local_time: str
    timezone: str
    blackouts: BlackoutPolicy
    skipped: list[date]
    made_until: date | None
    problem: JsonObject | None
    created_by: UserRef | None
    created_at: datetime
    updated_at: datetime
    version: int


class RecurrenceChanged(RecurrenceRead):
    """The recurrence as it is now; how many of its posts were let go or made again, and those that stay as they are,
    since a person had changed them."""

    replaced: int
    kept: list[PostRef]


class OccurrenceRead(Read):
    """One time: the day that the rule names, the wall clock that it comes to, and its moment."""

    day: date
    local_time: str
    timezone: str
    at: datetime


class RecurrenceList(ListRead[RecurrenceRead]):
    pass


class OccurrenceList(ListRead[OccurrenceRead]):
    pass


class Skip(Body):
    """The occurrence that is left out, by its day."""

    day: date


Count = Annotated[
    int,
    Query(description=f"How many, 1 to {MOST_AHEAD}.", json_schema_extra={"minimum": 1, "maximum": MOST_AHEAD}),
]


def _facts(row: Recurrence) -> dict[str, Any]:
    own = {name: getattr(row, name) for name in RecurrenceRead.model_fields if hasattr(row, name)}
    said = {name: row.template[name] for name in ("text", "link")}
    media = [item.model_dump() for item in templates.media_of(row)]
    forms = [form.model_dump() for form in templates.forms_of(row)]
    said["campaign_id"] = templates.campaign_of(row)
    return {**own, **said, "media": media, "channel_ids": templates.channels_of(row), "variants": forms}


def _read(row: Recurrence) -> RecurrenceRead:
    return RecurrenceRead.model_validate(_facts(row))


def _occurrence(one: Occurrence) -> OccurrenceRead:
    local = one.local.isoformat(timespec="minutes")
    return OccurrenceRead(day=one.on, local_time=local, timezone=one.zone, at=one.at)


def _changed(call: Call, found: Changed) -> RecurrenceChanged:
    call.ring(SendOutgoing())
    facts = {**_facts(found.recurrence), "replaced": found.replaced, "kept": found.kept}
    return RecurrenceChanged.model_validate(facts)


async def _if_version(call: Call, scope: Scope, recurrence_id: RecurrencePath, if_match: str | None) -> int | None:
    return meant(if_match, (await recurrences.get(call.session, scope, recurrence_id)).version)


@router.get("", response_model=RecurrenceList, summary="The brand's recurrences, the newest first")
async def list_recurrences(call: Calling, scope: InBrand, page: Paging) -> dict[str, Any]:
    return listed(await recurrences.list_(call.session, scope, page=page, cursors=call.services.cursors), _read)


@router.post("", status_code=201, response_model=RecurrenceRead, summary="Begin a post that comes again")
async def create_recurrence(call: Calling, scope: InBrand, body: Annotated[RecurrenceDraft, FromBody()]) -> Response:
    made = await occurring.create(call.session, scope, draft=body, cards=CARDS, now=call.services.clock())
    call.ring(SendOutgoing())
    where = f"/v1/brands/{typeid(Prefix.BRAND, scope.brand_id)}/recurrences/{typeid(Prefix.RECURRENCE, made.id)}"
    return Response(_read(made).model_dump_json(), 201, {"location": where}, "application/json")


@router.get("/preview", response_model=OccurrenceList, summary="The next moments that a rule would come to")
async def preview_recurrence(
    call: Calling,
    scope: InBrand,
    rule: Annotated[str, Query(max_length=200)],
    local_time: Annotated[str, Query(max_length=5)],
    timezone: Annotated[str | None, Query(max_length=64)] = None,
    starts_on: Annotated[date | None, Query()] = None,
    blackouts: Annotated[BlackoutPolicy, Query()] = BlackoutPolicy.SKIP,
    count: Count = 10,
) -> dict[str, Any]:
    when = RecurrenceTiming(
        rule=rule, local_time=local_time, timezone=timezone, starts_on=starts_on, blackouts=blackouts
    )
    found = await recurrences.preview(call.session, scope, when=when, count=count, now=call.services.clock())
    return whole([_occurrence(one) for one in found])


@router.get("/{recurrence_id}", summary="One recurrence")
async def get_recurrence(call: Calling, scope: InBrand, recurrence_id: RecurrencePath) -> RecurrenceRead:
    return _read(await recurrences.get(call.session, scope, recurrence_id))


@router.get("/{recurrence_id}/preview", response_model=OccurrenceList, summary="Its next moments")
async def list_occurrences(
    call: Calling, scope: InBrand, recurrence_id: RecurrencePath, count: Count = 10
) -> dict[str, Any]:
    row = await recurrences.get(call.session, scope, recurrence_id)
    found = await recurrences.upcoming(call.session, scope, row, count=count, now=call.services.clock())
    return whole([_occurrence(one) for one in found])


@router.patch("/{recurrence_id}", summary="Change a recurrence from now on")
async def update_recurrence(
    call: Calling,
    scope: InBrand,
    recurrence_id: RecurrencePath,
    body: Annotated[RecurrenceChanges, FromBody()],
    if_match: IfMatch = None,
) -> RecurrenceChanged:
    current = (await recurrences.get(call.session, scope, recurrence_id)).version
    require_version(if_match, current)
    now = call.services.clock()
    found = await occurring.change(
        call.session, scope, recurrence_id, changes=body, cards=CARDS, now=now, if_version=current
    )
    return _changed(call, found)


@router.post("/{recurrence_id}/pause", summary="Let nothing come of it until it is resumed")
async def pause_recurrence(
    call: Calling, scope: InBrand, recurrence_id: RecurrencePath, if_match: IfMatch = None
) -> RecurrenceChanged:
    version, now = await _if_version(call, scope, recurrence_id, if_match), call.services.clock()
    return _changed(call, await occurring.pause(call.session, scope, recurrence_id, now=now, if_version=version))


@router.post("/{recurrence_id}/resume", summary="Let it go on with what lies ahead")
async def resume_recurrence(
    call: Calling, scope: InBrand, recurrence_id: RecurrencePath, if_match: IfMatch = None
) -> RecurrenceChanged:
    version, now = await _if_version(call, scope, recurrence_id, if_match), call.services.clock()
    found = await occurring.resume(call.session, scope, recurrence_id, cards=CARDS, now=now, if_version=version)
    return _changed(call, found)


@router.post("/{recurrence_id}/end", summary="End it for good; its posts ahead are let go")
async def end_recurrence(
    call: Calling, scope: InBrand, recurrence_id: RecurrencePath, if_match: IfMatch = None
) -> RecurrenceChanged:
    version, now = await _if_version(call, scope, recurrence_id, if_match), call.services.clock()
    return _changed(call, await occurring.end(call.session, scope, recurrence_id, now=now, if_version=version))


@router.post("/{recurrence_id}/skip", summary="Leave one occurrence out")
async def skip_occurrence(
    call: Calling,
    scope: InBrand,
    recurrence_id: RecurrencePath,
    body: Annotated[Skip, FromBody()],
    if_match: IfMatch = None,
) -> RecurrenceChanged:
    version, now = await _if_version(call, scope, recurrence_id, if_match), call.services.clock()
    found = await occurring.skip(call.session, scope, recurrence_id, day=body.day, now=now, if_version=version)
    return _changed(call, found)
