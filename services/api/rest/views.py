"""Filters of mentions that are kept under a name."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi import Body as FromBody
from pydantic import Field

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.etags import IfMatch, require_version
from services.api.rest.ids import ChannelRef, IdentityRef, QueryRef, ThreadRef, UserRef, ViewPath, ViewRef
from services.api.rest.shapes import Body, ListRead, Moment, Paging, Read, Text, listed
from shared.domain.listening import views
from shared.domain.listening.filters import SEARCH_MOST, MentionFilter
from shared.domain.listening.views import LONGEST_VALUE, MOST_VALUES, ViewChanges, ViewDraft
from shared.ids import Prefix, typeid
from shared.models.enums import AuthorKind, Intent, MentionKind, MentionOrder, Network, Sentiment, Visibility
from shared.models.view import View

router = APIRouter(prefix="/v1/brands/{brand_id}/views", route_class=TransactedRoute, tags=["views"])

Language = Annotated[str, Field(max_length=LONGEST_VALUE)]


class ViewWhere(Body):
    """Which mentions a view shows. Absent or null: any; `deleted`, `duplicates` are as in the list of mentions."""

    networks: list[Network] | None = Field(default=None, max_length=MOST_VALUES)
    channel_ids: list[ChannelRef] | None = Field(default=None, max_length=MOST_VALUES)
    kinds: list[MentionKind] | None = Field(default=None, max_length=MOST_VALUES)
    visibility: Visibility | None = None
    languages: list[Language] | None = Field(default=None, max_length=MOST_VALUES)
    sentiments: list[Sentiment] | None = Field(default=None, max_length=MOST_VALUES)
    intents: list[Intent] | None = Field(default=None, max_length=MOST_VALUES)
    author_id: IdentityRef | None = None
    author_kinds: list[AuthorKind] | None = Field(default=None, max_length=MOST_VALUES)
    thread_id: ThreadRef | None = None
    query_ids: list[QueryRef] | None = Field(default=None, max_length=MOST_VALUES)
    min_rating: float | None = Field(default=None, allow_inf_nan=False)
    search: Text | None = Field(default=None, max_length=SEARCH_MOST)
    since: Moment | None = None
    until: Moment | None = None
    deleted: bool | None = False
    duplicates: bool | None = None

    def read(self) -> MentionFilter:
        values: dict[str, Any] = {name: getattr(self, name) for name in ViewWhere.model_fields}
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return MentionFilter(**(values | lists))


class ViewRead(Read):
    """A filter of mentions under a name, and the order in which it shows them."""

    id: ViewRef
    name: str
    where: ViewWhere
    order: MentionOrder
    created_by: UserRef | None
    created_at: datetime
    updated_at: datetime
    version: int


class ViewList(ListRead[ViewRead]):
    pass


class ViewBody(Body):
    """A new view. `order` is `best` only where `where` searches."""

    name: Text = Field(min_length=1, max_length=200)
    where: ViewWhere | None = None
    order: MentionOrder = MentionOrder.NEWEST


class ViewPatch(Body):
    """What is absent stays; `where` is replaced whole."""

    name: Text | None = Field(default=None, min_length=1, max_length=200)
    where: ViewWhere | None = None
    order: MentionOrder | None = None


def _read(row: View) -> ViewRead:
    kept = views.filter_of(row)
    where = ViewWhere.model_validate({name: getattr(kept, name) for name in ViewWhere.model_fields})
    shown = {name: getattr(row, name) for name in ViewRead.model_fields if name != "where"}
    return ViewRead(**shown, where=where)


def _given(body: Body) -> dict[str, Any]:
    """What was set of a body, a filter as the domain knows it."""
    found = {name: getattr(body, name) for name in body.model_fields_set}
    return {name: value.read() if isinstance(value, ViewWhere) else value for name, value in found.items()}


@router.get("", response_model=ViewList, summary="The brand's views, the newest made first")
async def list_views(call: Calling, scope: InBrand, page: Paging) -> dict[str, Any]:
    return listed(await views.search(call.session, scope, page=page, cursors=call.services.cursors), _read)


@router.post("", status_code=201, response_model=ViewRead, summary="Keep a filter under a name")
async def create_view(
    call: Calling, scope: InBrand, body: Annotated[ViewBody, FromBody()], response: Response
) -> ViewRead:
    given = {name: value for name, value in _given(body).items() if value is not None}
    made = await views.create(call.session, scope, draft=ViewDraft(**given), now=call.services.clock())
    brand, own = typeid(Prefix.BRAND, scope.brand_id), typeid(Prefix.VIEW, made.id)
    response.headers["location"] = f"/v1/brands/{brand}/views/{own}"
    return _read(made)


@router.get("/{view_id}", summary="One view")
async def get_view(call: Calling, scope: InBrand, view_id: ViewPath) -> ViewRead:
    return _read(await views.get(call.session, scope, view_id))


@router.patch("/{view_id}", summary="Change a view")
async def update_view(
    call: Calling,
    scope: InBrand,
    view_id: ViewPath,
    body: Annotated[ViewPatch, FromBody()],
    if_match: IfMatch = None,
) -> ViewRead:
    current = (await views.get(call.session, scope, view_id)).version
    require_version(if_match, current)
    changes = ViewChanges(**_given(body))
    return _read(
        await views.change(call.session, scope, view_id, changes=changes, now=call.services.clock(), if_version=current)
    )


@router.delete("/{view_id}", status_code=204, response_class=Response, summary="Keep it no longer")
async def delete_view(call: Calling, scope: InBrand, view_id: ViewPath, if_match: IfMatch = None) -> None:
    current = (await views.get(call.session, scope, view_id)).version
    require_version(if_match, current)
    await views.delete(call.session, scope, view_id, if_version=current)
