"""Connecting a channel: its row in one transaction, the network outside of any, what it said in another."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from services.api import consenting, idempotency, identifying, self_test
from services.api.consenting import Question
from services.api.context import Context, searched_brands
from services.api.mutating import Target, asked, mutate
from services.api.schema.connection import given
from services.api.schema.inputs import AuthorizeChannelInput, ConnectChannelInput
from services.api.self_test import Subject
from shared.connectors.registry import connector
from shared.contract import Choice
from shared.db import Session
from shared.domain import scope as scopes
from shared.domain.brands import channels
from shared.domain.brands.channels import ChannelChanges
from shared.domain.nodes import brand_of
from shared.domain.scope import Scope
from shared.errors import Problem
from shared.ids import Prefix, parse_typeid
from shared.models import Channel


@dataclass(frozen=True, slots=True)
class Made:
    """A connected channel, what its network must be told, and what its test needs (None: it was tested before)."""

    channel: Channel
    secret: str | None
    verify_token: str | None
    subject: Subject | None = None


async def connect(
    context: Context, response_key: str, input: ConnectChannelInput
) -> tuple[Made | None, Sequence[Problem]]:
    """Connect and test. A repeat under the same idempotency key shows what was shown the first time."""
    services = context.services

    choices: list[Choice] = []

    async def before() -> None:
        if input.chosen() is not None:
            return
        draft = input.draft()
        await self_test.refuse_address(services, draft.base_url, input.read_credentials())
        if identifying.is_needed(connector(draft.network).card, draft, input.read_credentials()) and await _is_new(
            context, response_key, input
        ):
            choices.append(await identifying.of_draft(services, draft, input.read_credentials()))

    async def act(session: Session, scope: Scope) -> Made:
        chosen = input.chosen()
        if chosen is not None:
            made = await consenting.connect(services, session, scope, chosen)
        else:
            draft = input.draft()
            network = connector(draft.network)
            made = await channels.connect(
                session, scope, services.vault, draft=draft, credentials=input.read_credentials(),
                card=network.card, new_secret=network.new_secret(), hook_base_url=services.settings.hook_base_url,
                choice=choices[-1] if choices else None, now=services.clock(),
            )  # fmt: skip
        subject = await self_test.subject(services, session, scope, made.channel)
        return Made(made.channel, made.secret, made.shared.verify_token, subject)

    async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> Made:
        id_ = UUID(kept["id"])
        found = await channels.by_ids(session, scope, [id_])
        return Made(found[id_], kept["secret"], kept["verify_token"])

    outcome = await mutate(
        context,
        response_key,
        Target(Prefix.BRAND, input.brand_id),
        act,
        kept=lambda made: {"id": str(made.channel.id), "secret": made.secret, "verify_token": made.verify_token},
        again=again,
        before=before,
    )
    made = outcome.thing
    if made is None or made.subject is None:
        return made, outcome.problems
    result = await self_test.examine(services, made.subject, subscribe=True)
    async with consenting.entered(context, made.channel.brand_id) as (session, scope):
        channel = await self_test.store(services, session, scope, made.subject, result)
    return Made(channel, made.secret, made.verify_token), ()


async def authorize(
    context: Context, response_key: str, input: AuthorizeChannelInput
) -> tuple[str | None, Sequence[Problem]]:
    """Where to send the person's browser. A repeat under the same idempotency key is the same question."""
    questions: list[Question] = []

    async def before() -> None:
        brand_id = parse_typeid(Prefix.BRAND, input.brand_id)
        questions.append(
            await consenting.prepare(
                context.services,
                partial(consenting.entered, context, brand_id),
                network=input.network,
                base_url=given(input.base_url),
                return_url=input.return_url,
            )
        )

    async def act(session: Session, scope: Scope) -> str:
        return await consenting.begin(context.services, session, scope, questions[0])

    async def again(_session: Session, _scope: Scope, kept: dict[str, Any]) -> str:
        return str(kept["url"])

    outcome = await mutate(
        context,
        response_key,
        Target(Prefix.BRAND, input.brand_id),
        act,
        kept=lambda url: {"url": url},
        again=again,
        before=before,
    )
    return outcome.thing, outcome.problems


async def _is_new(context: Context, response_key: str, input: ConnectChannelInput) -> bool:
    """Whether this is no repeat under its idempotency key, asked by who may connect. Raises NotAllowed, NotFound."""
    services, what = context.services, asked(context, response_key)
    async with services.db.session() as session:
        principal = await scopes.enter(session, context.api_key)
        if what and await idempotency.recall(session, services.vault, principal, what) is not None:
            return False
        channels.require(await scopes.open_brand(session, principal, parse_typeid(Prefix.BRAND, input.brand_id)))
    return True


async def renewed(context: Context, channel_id: str, changes: ChannelChanges) -> Choice | None:
    """What a channel's new credentials speak for; None where its network can't say."""
    services, credentials = context.services, changes.credentials
    assert credentials is not None
    async with services.db.session() as session:
        principal = await scopes.enter(session, context.api_key)
        searched = searched_brands(principal, context.brand_hint)
        await scopes.see(session, searched)
        id_ = parse_typeid(Prefix.CHANNEL, channel_id)
        scope = await scopes.open_brand(session, principal, await brand_of(session, searched, Prefix.CHANNEL, id_))
        channels.require(scope)
        channel = await channels.get(session, scope, id_)
    return await identifying.of_channel(services, channel, changes.base_url, credentials)
