"""Pictures, films and sounds to go with posts."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi import Body as FromBody

from services.api import receiving, streams, uploads
from services.api.context import Services
from services.api.receiving import Received
from services.api.rest.call import (
    Calling,
    CheckedRoute,
    Handler,
    InBrand,
    Replayed,
    SteppedRoute,
    Stepping,
    Steps,
    TransactedRoute,
)
from services.api.rest.etags import IfMatch, meant, require_version, tagged
from services.api.rest.ids import BrandId, MediaPath, MediaRef, UserRef
from services.api.rest.shapes import ListRead, Paging, Read, listed
from shared.domain.publishing.library import media
from shared.domain.publishing.library.media import MediaChanges, MediaFilter
from shared.domain.publishing.library.media_addresses import Address
from shared.errors import ParvisError
from shared.ids import Prefix, typeid
from shared.models.enums import MediaKind
from shared.models.media import Media

_PATH = "/v1/brands/{brand_id}/media"


class UploadRoute(CheckedRoute):
    """The body is a file: it goes to disk as it comes, once it is known that its sender may bring one."""

    reads_body = False

    async def act(self, request: Request, body: bytes, check: Callable[[], None], inner: Handler) -> Response:
        services: Services = request.app.state.services
        header = request.headers.get("authorization")
        principal = await self.entered(request)
        check()
        with receiving.room(services.incoming) as received:
            async with Steps(services, header).transaction(self.brand(request)) as (_, scope):
                media.require_bringing(scope)
            await receiving.receive(request, received, services.settings.media_max_bytes)
            request.state.received = received
            request.state.steps = Steps(services, header, self.asked(request, principal, received.asked))
            try:
                return tagged(await inner(request))
            except Replayed as before:
                return before.response


def _received(request: Request) -> Received:
    received: Received = request.state.received
    return received


uploading = APIRouter(prefix=_PATH, route_class=UploadRoute, tags=["media"])
router = APIRouter(prefix=_PATH, route_class=TransactedRoute, tags=["media"])
content = APIRouter(prefix=_PATH, route_class=SteppedRoute, tags=["media"])


class MediaFileRead(Read):
    """One file. `url` is where anybody can fetch it for some hours; `alts` are texts by language.

    `size` is in bytes, `width` and `height` in pixels; `fingerprint` is the SHA-256 of what is kept.
    """

    id: MediaRef
    name: str
    kind: MediaKind
    type: str
    size: int
    width: int | None
    height: int | None
    seconds: float | None
    fingerprint: str
    alts: dict[str, str]
    url: str
    created_by: UserRef | None
    created_at: datetime
    version: int


class MediaFileList(ListRead[MediaFileRead]):
    pass


def read(row: Media, address: Address) -> MediaFileRead:
    facts = {name: getattr(row, name) for name in MediaFileRead.model_fields if name != "url"}
    return MediaFileRead(**facts, url=address(row.brand_id, row.id))


_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "name": {"type": "string", "description": "Instead of the file's own name."},
        **{
            f"alt_{language}": {"type": "string", "description": f"What is seen on it, in {said}."}
            for language, said in (("fr", "French"), ("nl", "Dutch"), ("de", "German"), ("en", "English"))
        },
    },
    "additionalProperties": {"type": "string"},
}
_BODY = {
    "requestBody": {
        "required": True,
        "description": "A form; or the bare file, under any other Content-Type. What it is, is told by its content.",
        "content": {
            "multipart/form-data": {"schema": _FORM},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
FileName = Annotated[
    str | None,
    Header(
        alias="Parvis-File-Name", description="The name of a bare file, percent-encoded where it is not plain ASCII."
    ),
]


@uploading.post(
    "",
    status_code=201,
    response_model=MediaFileRead,
    responses={200: {"model": MediaFileRead, "description": "The brand has these bytes already: this is that file."}},
    openapi_extra=_BODY,
    summary="Bring a picture, film or sound",
)
async def upload_media(
    steps: Stepping,
    brand_id: BrandId,
    received: Annotated[Received, Depends(_received)],
    parvis_file_name: FileName = None,  # read where the file is received; named for the document
) -> Response:
    services = steps.services
    if steps.asked is not None:
        async with steps.effect(brand_id):
            pass  # what was carried out before is not checked and stored a second time
    new = await uploads.lay_down(services, brand_id, received)
    try:
        async with steps.effect(brand_id) as (session, scope, effect):
            row, is_new = await uploads.write_down(services, session, scope, new)
            response = _answer(services, row, 201 if is_new else 200)
            await effect.keep(response)
    except (ParvisError, Replayed):
        await uploads.give_up(services, new)
        raise
    if not is_new:
        await uploads.give_up(services, new)
    uploads.told(row.kind, is_new=is_new)
    return response


def _answer(services: Services, row: Media, status: int) -> Response:
    found = read(row, services.addresses.at(services.clock()))
    response = Response(found.model_dump_json(), status, media_type="application/json")
    if status == 201:
        brand, own = typeid(Prefix.BRAND, row.brand_id), typeid(Prefix.MEDIA, row.id)
        response.headers["location"] = f"/v1/brands/{brand}/media/{own}"
    return response


@router.get("", response_model=MediaFileList, summary="Media, the newest first")
async def list_media(
    call: Calling,
    scope: InBrand,
    page: Paging,
    kind: Annotated[list[MediaKind] | None, Query()] = None,
    unused: Annotated[bool | None, Query(description="true: those that no post names; false: those one does.")] = None,
) -> dict[str, Any]:
    services = call.services
    where = MediaFilter(kinds=tuple(kind or ()), unused=unused)
    found = await media.search(call.session, scope, where=where, page=page, cursors=services.cursors)
    address = services.addresses.at(services.clock())
    return listed(found, lambda row: read(row, address))


@router.get("/{media_id}", summary="One file, and what is known of it")
async def get_media(call: Calling, scope: InBrand, media_id: MediaPath) -> MediaFileRead:
    row = await media.get(call.session, scope, media_id)
    return read(row, call.services.addresses.at(call.services.clock()))


@router.patch("/{media_id}", summary="Rename a file, or say in a language what is seen on it")
async def update_media(
    call: Calling,
    scope: InBrand,
    media_id: MediaPath,
    body: Annotated[MediaChanges, FromBody()],
    if_match: IfMatch = None,
) -> MediaFileRead:
    current = (await media.get(call.session, scope, media_id)).version
    require_version(if_match, current)
    row = await media.update(call.session, scope, media_id, changes=body, if_version=current)
    return read(row, call.services.addresses.at(call.services.clock()))


@router.delete(
    "/{media_id}", status_code=204, response_class=Response, summary="Let go of a file that no waiting post needs"
)
async def delete_media(call: Calling, scope: InBrand, media_id: MediaPath, if_match: IfMatch = None) -> None:
    version = meant(if_match, (await media.get(call.session, scope, media_id)).version)
    await media.remove(call.session, scope, media_id, now=call.services.clock(), if_version=version)


RangeHeader = Annotated[
    str | None, Header(alias="Range", description="`bytes=first-last`, one range; anything else answers all of it.")
]


@content.get(
    "/{media_id}/content",
    response_class=Response,
    responses={
        200: {
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            "description": "All of it.",
        },
        206: {
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            "description": "A range of it.",
        },
        416: {"description": "There is nothing of this file in the range."},
    },
    summary="The file itself; ranges can be asked for",
)
async def get_media_content(
    request: Request, steps: Stepping, brand_id: BrandId, media_id: MediaPath, range_: RangeHeader = None
) -> Response:
    async with steps.transaction(brand_id) as (session, scope):
        row = await media.get(session, scope, media_id)
    return await streams.stored(request, steps.services.store, row, "private, max-age=3600")
