"""Connecting a channel, by token or by what a person consented to."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi import Body as FromBody
from pydantic import Field

from services.api import consenting, identifying, self_test
from services.api.context import Services
from services.api.rest.call import SteppedRoute, Stepping, Steps
from services.api.rest.channels import ChannelRead, facts
from services.api.rest.ids import BrandId, ConsentRef
from services.api.rest.shapes import Body, Text
from shared.connectors.registry import connector
from shared.contract import Choice
from shared.db import Session
from shared.domain.brands import channels
from shared.domain.brands.channels import Connected
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.channel import Channel, ChannelDraft
from shared.models.enums import Network

router = APIRouter(prefix="/v1/brands/{brand_id}/channels", route_class=SteppedRoute, tags=["channels"])


class ChannelConnected(ChannelRead):
    """A channel as it was just connected. `secret` and `verify_token` are shown this once, where we made them."""

    secret: str | None
    verify_token: str | None


class ChannelConnect(Body):
    """What a network needs is said in docs/connectors.md; what is missing or unknown is named in the problem.

    Without `external_id` the network is asked what the credentials speak for, where it can say so. `terms` are the
    hashtags and searches that the channel follows.

    By token: `network` and `credentials`. By consent: `consent_id`, and `external_id` where several were given.
    """

    consent_id: ConsentRef | None = None
    network: Network | None = None
    name: Text | None = Field(default=None, max_length=200)
    external_id: Text | None = Field(default=None, max_length=500)
    base_url: Text | None = Field(default=None, max_length=2000)
    credentials: dict[Text, Text] = Field(default_factory=dict, max_length=20)
    terms: list[Text] = Field(default_factory=list, max_length=50)


@dataclass(frozen=True, slots=True)
class _Given:
    """A token, what it is to be connected as, and what its network says that it speaks for."""

    draft: ChannelDraft
    credentials: dict[str, str]
    choice: Choice | None


def _connected(channel: Channel, made: Connected, hook_base_url: str) -> Response:
    body = ChannelConnected(**facts(channel, hook_base_url), secret=made.secret, verify_token=made.shared.verify_token)
    where = f"/v1/brands/{typeid(Prefix.BRAND, channel.brand_id)}/channels/{typeid(Prefix.CHANNEL, channel.id)}"
    status = 201 if made.is_new else 200
    return Response(body.model_dump_json(), status, {"location": where}, "application/json")


@router.post(
    "",
    status_code=201,
    response_model=ChannelConnected,
    responses={200: {"model": ChannelConnected, "description": "The brand had it: it has its new login."}},
    summary="Connect a channel by token, or what a person consented to",
)
async def connect_channel(steps: Stepping, brand_id: BrandId, body: Annotated[ChannelConnect, FromBody()]) -> Response:
    services, base = steps.services, steps.services.settings.hook_base_url
    chosen = consenting.chosen(**dict(body))
    await self_test.refuse_address(services, body.base_url, body.credentials)
    given = await _given(steps, brand_id, body) if chosen is None else None
    async with steps.effect(brand_id) as (session, scope, effect):
        if chosen is not None:
            made = await consenting.connect(services, session, scope, chosen)
        else:
            assert given is not None
            made = await _by_token(services, session, scope, given)
        subject = await self_test.subject(services, session, scope, made.channel)
        await effect.keep(_connected(made.channel, made, base))
    result = await self_test.examine(services, subject, subscribe=True)
    async with steps.transaction(brand_id) as (session, scope):
        channel = await self_test.store(services, session, scope, subject, result)
        response = _connected(channel, made, base)
        await steps.amend(session, response)
    return response


async def _given(steps: Steps, brand_id: UUID, body: ChannelConnect) -> _Given:
    draft = ChannelDraft.model_validate(body.model_dump(exclude={"credentials", "consent_id"}))
    if not identifying.is_needed(connector(draft.network).card, draft, body.credentials):
        return _Given(draft, body.credentials, None)
    async with steps.effect(brand_id) as (_, scope, _unkept):  # a repeat gets its answer, a stranger none
        channels.require(scope)
    return _Given(draft, body.credentials, await identifying.of_draft(steps.services, draft, body.credentials))


async def _by_token(services: Services, session: Session, scope: Scope, given: _Given) -> Connected:
    network = connector(given.draft.network)
    return await channels.connect(
        session,
        scope,
        services.vault,
        draft=given.draft,
        credentials=given.credentials,
        card=network.card,
        new_secret=network.new_secret(),
        hook_base_url=services.settings.hook_base_url,
        choice=given.choice,
        now=services.clock(),
    )
