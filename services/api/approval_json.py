"""What a link opens, for frontends that show it in a page of their own. Neither address asks for a key."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi import Body as FromBody

from services.api import approving
from services.api.context import Services
from services.api.rest.ids import PostRef
from services.api.rest.mentions import MediaRead
from services.api.rest.shapes import Body, Read, Text
from shared.domain.publishing.agreeing.showing import Form, Shown, Stage, View
from shared.models.approval import Approval
from shared.models.enums import ApprovalKind, Network

# The token in the address is all that is asked for, and a word said twice is one word.
_OPEN: dict[str, Any] = {"security": []}

router = APIRouter(prefix="/v1/approval-links/{token}", tags=["approvals"])


class ClientPartRead(Read):
    """What follows in the same thread."""

    text: str
    media: list[MediaRead]


class ClientVariantRead(Read):
    """A post on one channel, as it will look there; `url` once it is out."""

    channel: str
    network: Network
    text: str
    media: list[MediaRead]
    link: str | None
    first_comment: str | None
    parts: list[ClientPartRead]
    url: str | None


class ClientWordRead(Read):
    """What was said by this link."""

    kind: ApprovalKind
    name: str | None
    text: str | None
    created_at: datetime


class ClientPostRead(Read):
    """One post for the client. What is not theirs to see has no variants, and null in the place of `content`."""

    id: PostRef
    stage: Stage
    content: str | None
    scheduled_at: datetime | None
    variants: list[ClientVariantRead]
    said: list[ClientWordRead]


class ClientViewRead(Read):
    """All that a link opens."""

    name: str
    language: str
    expires_at: datetime
    brand: str
    timezone: str
    posts: list[ClientPostRead]


class ClientWord(Body):
    """A client's word: `content` names the version that they saw; with changes a `comment` says which."""

    post_id: Text
    content: Text
    verdict: Literal[ApprovalKind.APPROVED, ApprovalKind.CHANGES_REQUESTED]
    name: Text
    comment: Text | None = None


@router.get("", summary="What a client's link opens", openapi_extra=_OPEN)
async def get_client_view(request: Request, response: Response, token: str) -> ClientViewRead:
    await approving.spend(request, token)
    return await _seen(request, response, token)


@router.post("", summary="A client's word on a post of their link", openapi_extra=_OPEN)
async def answer_as_client(
    request: Request, response: Response, token: str, word: Annotated[ClientWord, FromBody()]
) -> ClientViewRead:
    services: Services = request.app.state.services
    await approving.spend(request, token)
    await approving.say(
        services, token, post=word.post_id, content=word.content, kind=word.verdict, name=word.name,
        comment=word.comment,
    )  # fmt: skip
    return await _seen(request, response, token)


async def _seen(request: Request, response: Response, token: str) -> ClientViewRead:
    response.headers["cache-control"] = "no-store"
    return shown(await approving.look(request.app.state.services, token))


def shown(view: View) -> ClientViewRead:
    """All of it, as it is answered."""
    return ClientViewRead(
        name=view.link.name,
        language=view.link.language,
        expires_at=view.link.expires_at,
        brand=view.brand.name,
        timezone=view.brand.timezone,
        posts=[_post(one) for one in view.posts],
    )


def _post(one: Shown) -> ClientPostRead:
    return ClientPostRead(
        id=one.post.id,
        stage=one.stage,
        content=one.content.hex() if one.forms else None,
        scheduled_at=one.post.scheduled_at,
        variants=[_variant(form) for form in one.forms],
        said=[_word(said) for said in one.said],
    )


def _variant(form: Form) -> ClientVariantRead:
    return ClientVariantRead(
        channel=form.channel,
        network=form.network,
        text=form.text,
        media=[MediaRead.model_validate(item) for item in form.media],
        link=form.link,
        first_comment=form.first_comment,
        parts=[ClientPartRead(text=part["text"], media=part["media"]) for part in form.parts],
        url=form.url,
    )


def _word(said: Approval) -> ClientWordRead:
    return ClientWordRead(kind=said.kind, name=said.name, text=said.text, created_at=said.created_at)
