"""What the brand does to what people say. Each verb brings one outgoing effect under way, and answers with it."""

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Body as FromBody

from services.api.rest.call import Call, Calling, InBrand, TransactedRoute
from services.api.rest.ids import ChannelRef, IdentityPath, MentionPath
from services.api.rest.outgoing import OutgoingRead, made
from services.api.rest.shapes import Body
from shared.connectors.registry import CARDS
from shared.domain.engagement import acts
from shared.domain.engagement.acts import ReplyDraft
from shared.domain.scope import Scope
from shared.models.enums import OutgoingKind
from shared.models.post import Outgoing
from shared.queues import SendOutgoing

router = APIRouter(prefix="/v1/brands/{brand_id}/mentions", route_class=TransactedRoute, tags=["mentions"])
blocking = APIRouter(prefix="/v1/brands/{brand_id}/identities", route_class=TransactedRoute, tags=["identities"])


class OnChannel(Body):
    """From which of the brand's channels."""

    channel_id: ChannelRef


def _under_way(call: Call, scope: Scope, row: Outgoing, status: int = 201) -> Response:
    call.ring(SendOutgoing())
    return made(scope, row, status)


@router.post("/{mention_id}/replies", status_code=201, response_model=OutgoingRead, summary="Answer a mention")
async def reply_to_mention(
    call: Calling, scope: InBrand, mention_id: MentionPath, body: Annotated[ReplyDraft, FromBody()]
) -> Response:
    now = call.services.clock()
    return _under_way(call, scope, await acts.reply(call.session, scope, mention_id, draft=body, cards=CARDS, now=now))


@router.post("/{mention_id}/hide", status_code=201, response_model=OutgoingRead, summary="Hide it on its network")
async def hide_mention(call: Calling, scope: InBrand, mention_id: MentionPath) -> Response:
    return _under_way(call, scope, await _act(call, scope, mention_id, OutgoingKind.HIDE))


@router.post("/{mention_id}/unhide", status_code=201, response_model=OutgoingRead, summary="Show it again")
async def unhide_mention(call: Calling, scope: InBrand, mention_id: MentionPath) -> Response:
    return _under_way(call, scope, await _act(call, scope, mention_id, OutgoingKind.UNHIDE))


@router.post("/{mention_id}/like", status_code=201, response_model=OutgoingRead, summary="Like it")
async def like_mention(call: Calling, scope: InBrand, mention_id: MentionPath) -> Response:
    return _under_way(call, scope, await _act(call, scope, mention_id, OutgoingKind.LIKE))


@router.post("/{mention_id}/unlike", status_code=201, response_model=OutgoingRead, summary="Take a like back")
async def unlike_mention(call: Calling, scope: InBrand, mention_id: MentionPath) -> Response:
    return _under_way(call, scope, await _act(call, scope, mention_id, OutgoingKind.UNLIKE))


@router.delete("/{mention_id}", status_code=202, response_model=OutgoingRead, summary="Delete it on its network")
async def delete_mention(call: Calling, scope: InBrand, mention_id: MentionPath) -> Response:
    return _under_way(call, scope, await _act(call, scope, mention_id, OutgoingKind.DELETE), 202)


@blocking.post("/{identity_id}/block", status_code=201, response_model=OutgoingRead, summary="Keep a person out")
async def block_identity(
    call: Calling, scope: InBrand, identity_id: IdentityPath, body: Annotated[OnChannel, FromBody()]
) -> Response:
    return _under_way(call, scope, await _block(call, scope, identity_id, OutgoingKind.BLOCK, body))


@blocking.post("/{identity_id}/unblock", status_code=201, response_model=OutgoingRead, summary="Let a person back")
async def unblock_identity(
    call: Calling, scope: InBrand, identity_id: IdentityPath, body: Annotated[OnChannel, FromBody()]
) -> Response:
    return _under_way(call, scope, await _block(call, scope, identity_id, OutgoingKind.UNBLOCK, body))


async def _act(call: Call, scope: Scope, mention_id: MentionPath, kind: OutgoingKind) -> Outgoing:
    return await acts.act(call.session, scope, mention_id, kind, cards=CARDS, now=call.services.clock())


async def _block(call: Call, scope: Scope, identity_id: IdentityPath, kind: OutgoingKind, body: OnChannel) -> Outgoing:
    now, channel_id = call.services.clock(), body.channel_id
    return await acts.block(call.session, scope, identity_id, kind, channel_id=channel_id, cards=CARDS, now=now)
