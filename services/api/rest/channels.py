"""A brand's presences on networks."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi import Body as FromBody
from pydantic import Field

from services.api import identifying, self_test
from services.api.rest.call import Calling, InBrand, SteppedRoute, Stepping, TransactedRoute
from services.api.rest.etags import IfMatch, meant
from services.api.rest.ids import BrandId, ChannelPath, ChannelRef
from services.api.rest.shapes import Body, ListRead, Moment, Paging, Read, Text, listed, whole
from shared.connectors.registry import connector
from shared.contract import Capability
from shared.domain.brands import channels, coverage, hooks
from shared.domain.brands.channels import ChannelChanges
from shared.models.channel import Channel, Coverage
from shared.models.enums import ChannelStatus, CoverageKind, Network

_PATH = "/v1/brands/{brand_id}/channels"
reading = APIRouter(prefix=_PATH, route_class=TransactedRoute, tags=["channels"])
connecting = APIRouter(prefix=_PATH, route_class=SteppedRoute, tags=["channels"])


class FindingRead(Read):
    """One line of a self-test, in words. `mend` says what to do where it is not ok."""

    ok: bool
    code: str
    message: str
    mend: str | None


class ChannelRead(Read):
    """One connected presence. Its credentials are never answered; `webhook_url` is null where the network is polled."""

    id: ChannelRef
    network: Network
    name: str
    external_id: str
    base_url: str | None
    terms: list[str]
    login_expires_at: datetime | None
    status: ChannelStatus
    status_reason: str | None
    capabilities: list[Capability]
    webhook_url: str | None
    findings: list[FindingRead]
    checked_at: datetime | None
    last_heard_at: datetime | None
    last_polled_at: datetime | None
    created_at: datetime
    version: int


class ChannelList(ListRead[ChannelRead]):
    pass


class ChannelPatch(Body):
    """What is not sent stays. `credentials` replace the ones before, whole."""

    name: Text | None = Field(default=None, max_length=200)
    base_url: Text | None = Field(default=None, max_length=2000)
    credentials: dict[Text, Text] | None = Field(default=None, max_length=20)
    terms: list[Text] | None = Field(default=None, max_length=50)


class CoverageRead(Read):
    """An interval in which the channel was observed, or a known hole in it; `to` is null while it lasts."""

    kind: CoverageKind
    via: str
    from_: datetime = Field(alias="from")
    to: datetime | None
    reason: str | None


class CoverageList(ListRead[CoverageRead]):
    pass


def facts(channel: Channel, hook_base_url: str) -> dict[str, Any]:
    card = connector(channel.network).card
    pushes = card.can(Capability.WEBHOOKS)
    return {
        "id": channel.id,
        "network": channel.network,
        "name": channel.name,
        "external_id": channel.external_id,
        "base_url": channel.base_url,
        "terms": channel.terms,
        "login_expires_at": channel.login_expires_at,
        "status": channel.status,
        "status_reason": channel.status_reason,
        "capabilities": sorted(card.capabilities),
        "webhook_url": hooks.url(hook_base_url, channel.hook_id) if pushes else None,
        "findings": channel.findings,
        "checked_at": channel.checked_at,
        "last_heard_at": channel.last_heard_at,
        "last_polled_at": channel.last_polled_at,
        "created_at": channel.created_at,
        "version": channel.version,
    }


def read(channel: Channel, hook_base_url: str) -> ChannelRead:
    return ChannelRead(**facts(channel, hook_base_url))


@reading.get("", response_model=ChannelList, summary="Channels, newest first")
async def list_channels(call: Calling, scope: InBrand, page: Paging) -> dict[str, Any]:
    found = await channels.page(call.session, scope, page=page, cursors=call.services.cursors)
    return listed(found, lambda channel: read(channel, call.services.settings.hook_base_url))


@reading.get("/{channel_id}", summary="One channel")
async def get_channel(call: Calling, scope: InBrand, channel_id: ChannelPath) -> ChannelRead:
    return read(await channels.get(call.session, scope, channel_id), call.services.settings.hook_base_url)


@connecting.patch("/{channel_id}", summary="Rename a channel, move it, or give it new credentials")
async def update_channel(
    steps: Stepping,
    brand_id: BrandId,
    channel_id: ChannelPath,
    body: Annotated[ChannelPatch, FromBody()],
    if_match: IfMatch = None,
) -> ChannelRead:
    services = steps.services
    await self_test.refuse_address(services, body.base_url, body.credentials)
    choice = None
    if body.credentials is not None:
        async with steps.transaction(brand_id) as (session, scope):
            channels.require(scope)
            channel = await channels.get(session, scope, channel_id)
        choice = await identifying.of_channel(services, channel, body.base_url, body.credentials)
    async with steps.transaction(brand_id) as (session, scope):
        channel = await channels.get(session, scope, channel_id)
        channel = await channels.update(
            session,
            scope,
            services.vault,
            channel_id,
            changes=ChannelChanges(**body.model_dump(exclude_unset=True)),
            card=connector(channel.network).card,
            choice=choice,
            if_version=meant(if_match, channel.version),
            now=services.clock(),
        )
    return read(channel, services.settings.hook_base_url)


@reading.post("/{channel_id}/pause", summary="Stop polling and sending; hearing goes on")
async def pause_channel(
    call: Calling, scope: InBrand, channel_id: ChannelPath, if_match: IfMatch = None
) -> ChannelRead:
    version = meant(if_match, (await channels.get(call.session, scope, channel_id)).version)
    channel = await channels.pause(call.session, scope, channel_id, if_version=version, now=call.services.clock())
    return read(channel, call.services.settings.hook_base_url)


@reading.post("/{channel_id}/resume", summary="Poll and send again")
async def resume_channel(
    call: Calling, scope: InBrand, channel_id: ChannelPath, if_match: IfMatch = None
) -> ChannelRead:
    channel = await channels.get(call.session, scope, channel_id)
    channel = await channels.resume(
        call.session,
        scope,
        channel_id,
        card=connector(channel.network).card,
        if_version=meant(if_match, channel.version),
        now=call.services.clock(),
    )
    return read(channel, call.services.settings.hook_base_url)


@connecting.post("/{channel_id}/check", response_model=ChannelRead, summary="Run the channel's self-test now")
async def check_channel(steps: Stepping, brand_id: BrandId, channel_id: ChannelPath) -> Response:
    services = steps.services
    async with steps.effect(brand_id) as (session, scope, effect):
        channels.require(scope)
        channel = await channels.get(session, scope, channel_id)
        subject = await self_test.subject(services, session, scope, channel)
        await effect.keep(_checked(channel, services.settings.hook_base_url))
    result = await self_test.examine(services, subject, subscribe=False)
    async with steps.transaction(brand_id) as (session, scope):
        channel = await self_test.store(services, session, scope, subject, result)
        response = _checked(channel, services.settings.hook_base_url)
        await steps.amend(session, response)
    return response


def _checked(channel: Channel, hook_base_url: str) -> Response:
    return Response(read(channel, hook_base_url).model_dump_json(), media_type="application/json")


@reading.delete(
    "/{channel_id}", status_code=204, response_class=Response, summary="Remove a channel; its mentions stay"
)
async def remove_channel(call: Calling, scope: InBrand, channel_id: ChannelPath, if_match: IfMatch = None) -> None:
    version = meant(if_match, (await channels.get(call.session, scope, channel_id)).version)
    await channels.remove(call.session, scope, channel_id, if_version=version, now=call.services.clock())


@reading.get("/{channel_id}/coverage", response_model=CoverageList, summary="When the channel was observed")
async def get_channel_coverage(
    call: Calling,
    scope: InBrand,
    channel_id: ChannelPath,
    since: Annotated[Moment | None, Query()] = None,
    until: Annotated[Moment | None, Query()] = None,
) -> dict[str, Any]:
    await channels.get(call.session, scope, channel_id)
    found = await coverage.intervals(call.session, scope, [channel_id], since, until)
    return whole([_interval(interval) for interval in found[channel_id]])


def _interval(interval: Coverage) -> CoverageRead:
    return CoverageRead.model_validate(
        {
            "kind": interval.kind,
            "via": interval.via,
            "from": interval.from_at,
            "to": interval.to_at,
            "reason": interval.reason,
        }
    )
