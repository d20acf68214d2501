"""`parvis channel …`"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import httpx
import typer

from services.admin.house import House, moment, now, run, say
from services.api import identifying, self_test
from services.local import folder
from shared import http
from shared.connectors.registry import connector
from shared.contract import Choice
from shared.db import Database, Session
from shared.domain.brands import channels, connecting, hooks
from shared.domain.brands.channels import ChannelChanges
from shared.domain.scope import Scope
from shared.errors import Invalid
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.channel import Channel, ChannelDraft
from shared.models.enums import Network
from shared.settings import Settings
from shared.vault import Vault

channel = typer.Typer(no_args_is_help=True, help="A brand's presences on networks.")

ChannelId = Annotated[str, typer.Argument(metavar="CHANNEL", help="The channel's id, chan_….")]
Brand = Annotated[str | None, typer.Option(help="brand_…; the example's where none is given.")]
Name = Annotated[str | None, typer.Option(help="What a person calls it.")]
BaseUrl = Annotated[str | None, typer.Option(help="The address of the network's server, where it has several.")]
Credentials = Annotated[
    list[str] | None, typer.Option("--credential", metavar="NAME=VALUE", help="Repeated for several.")
]
Terms = Annotated[list[str] | None, typer.Option("--term", help="A hashtag or search to follow; repeated for several.")]
Verb = Callable[[Session, Scope, UUID], Awaitable[Channel]]


@dataclass(frozen=True, slots=True)
class _Means:
    db: Database
    vault: Vault
    settings: Settings
    http: httpx.AsyncClient
    clock: Callable[[], datetime]


@asynccontextmanager
async def _means(house: House) -> AsyncIterator[_Means]:
    async with http.client(house.settings) as client:
        yield _Means(house.db, house.vault, house.settings, client, now)


@channel.command("list")
def list_(brand: Brand = None) -> None:
    """A brand's channels, newest first."""

    async def act(house: House) -> list[dict[str, Any]]:
        async with house.on_brand(_brand_id(house, brand)) as (session, scope):
            return [_told(house, one) for one in await channels.list_(session, scope)]

    say(run(act))


@channel.command("connect")
def connect(
    network: Annotated[Network, typer.Option(help="Which network.")],
    brand: Brand = None,
    name: Name = None,
    external_id: Annotated[str | None, typer.Option(help="The page, account or place on the network.")] = None,
    base_url: BaseUrl = None,
    credential: Credentials = None,
    term: Terms = None,
) -> None:
    """Connect a channel by token, and test it. A secret that we made is shown this once."""

    async def act(house: House) -> dict[str, Any]:
        known, given = connector(network), _pairs(credential) or {}
        async with _means(house) as means:
            await self_test.refuse_address(means, base_url, given)
            draft = ChannelDraft(
                network=network, name=name, external_id=external_id, base_url=base_url, terms=term or []
            )  # fmt: skip
            needed = identifying.is_needed(known.card, draft)
            choice = await identifying.of_draft(means, draft, given) if needed else None
            async with house.on_brand(_brand_id(house, brand)) as (session, scope):
                made = await connecting.connect(
                    session,
                    scope,
                    house.vault,
                    draft=draft,
                    credentials=given,
                    card=known.card,
                    new_secret=known.new_secret(),
                    hook_base_url=house.settings.hook_base_url,
                    choice=choice,
                    now=now(),
                )
            told = await _tested(house, means, typeid(Prefix.CHANNEL, made.channel.id), subscribe=True)
        return {**told, "secret": made.secret, "verify_token": made.shared.verify_token}

    say(run(act))


@channel.command("update")
def update(
    id: ChannelId, name: Name = None, base_url: BaseUrl = None, credential: Credentials = None, term: Terms = None
) -> None:
    """Rename a channel, move it, let it follow other terms, or give it new credentials."""
    given: dict[str, Any] = {"name": name, "base_url": base_url, "credentials": _pairs(credential), "terms": term}
    changes = ChannelChanges(**{field: value for field, value in given.items() if value is not None})

    async def act(house: House) -> dict[str, Any]:
        async with _means(house) as means:
            await self_test.refuse_address(means, changes.base_url, changes.credentials)
            choice = await _choice(house, means, id, changes)
        async with house.on_channel(id) as (session, scope, channel_id):
            card = connector((await channels.get(session, scope, channel_id)).network).card
            changed = await channels.update(
                session, scope, house.vault, channel_id, changes=changes, card=card, choice=choice, now=now()
            )
            return _told(house, changed)

    say(run(act))


@channel.command("pause")
def pause(id: ChannelId) -> None:
    """Stop polling and sending; hearing goes on."""
    _change(id, lambda session, scope, channel_id: channels.pause(session, scope, channel_id, now=now()))


@channel.command("resume")
def resume(id: ChannelId) -> None:
    """Poll and send again."""

    async def act(session: Session, scope: Scope, channel_id: UUID) -> Channel:
        card = connector((await channels.get(session, scope, channel_id)).network).card
        return await channels.resume(session, scope, channel_id, card=card, now=now())

    _change(id, act)


@channel.command("remove")
def remove(id: ChannelId) -> None:
    """Remove a channel; its mentions stay."""
    _change(id, lambda session, scope, channel_id: channels.remove(session, scope, channel_id, now=now()))


@channel.command("check")
def check(id: ChannelId) -> None:
    """Run the channel's self-test now; exit code 1 where something is to be mended."""

    async def act(house: House) -> dict[str, Any]:
        async with _means(house) as means:
            return await _tested(house, means, id, subscribe=False)

    told = run(act)
    say(told)
    if not all(finding["ok"] for finding in told["findings"]):
        raise typer.Exit(1)


def _change(id: str, verb: Verb) -> None:
    async def act(house: House) -> dict[str, Any]:
        async with house.on_channel(id) as (session, scope, channel_id):
            return _told(house, await verb(session, scope, channel_id))

    say(run(act))


async def _choice(house: House, means: _Means, id: str, changes: ChannelChanges) -> Choice | None:
    """What new credentials speak for, where there are any."""
    if changes.credentials is None:
        return None
    async with house.on_channel(id) as (session, scope, channel_id):
        channel = await channels.get(session, scope, channel_id)
    return await identifying.of_channel(means, channel, changes.base_url, changes.credentials)


async def _tested(house: House, means: _Means, id: str, *, subscribe: bool) -> dict[str, Any]:
    async with house.on_channel(id) as (session, scope, channel_id):
        subject = await self_test.subject(means, session, scope, await channels.get(session, scope, channel_id))
    result = await self_test.examine(means, subject, subscribe=subscribe)
    async with house.on_channel(id) as (session, scope, _):
        return _told(house, await self_test.store(means, session, scope, subject, result))


def _brand_id(house: House, brand: str | None) -> UUID:
    """The brand that was named, else the example's, which local.json tells while the house runs."""
    local = folder.read_local(house.settings.data_dir) or {}
    named = brand or local.get("brand_id")
    if not isinstance(named, str):
        raise Invalid("say which brand: --brand brand_…")
    return parse_typeid(Prefix.BRAND, named)


def _pairs(given: list[str] | None) -> dict[str, str] | None:
    if not given:
        return None
    if any("=" not in one for one in given):
        raise Invalid("a credential is written NAME=VALUE")
    return {name: value for name, _, value in (one.partition("=") for one in given)}


def _told(house: House, one: Channel) -> dict[str, Any]:
    return {
        "id": typeid(Prefix.CHANNEL, one.id),
        "brand_id": typeid(Prefix.BRAND, one.brand_id),
        "network": one.network.value,
        "name": one.name,
        "external_id": one.external_id,
        "base_url": one.base_url,
        "terms": one.terms,
        "login_expires_at": moment(one.login_expires_at),
        "status": one.status.value,
        "status_reason": one.status_reason,
        "webhook_url": hooks.url(house.settings.hook_base_url, one.hook_id),
        "findings": one.findings,
        "checked_at": moment(one.checked_at),
        "last_heard_at": moment(one.last_heard_at),
        "created_at": moment(one.created_at),
    }
