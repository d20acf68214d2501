"""What a person on a network gave, to choose from."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from services.api.schema.channel import Channel
from services.api.schema.connection import Info
from shared.domain.brands import consents
from shared.errors import NotFound
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.enums import ConsentStatus, Network


@strawberry.type(
    description="One thing that the person gave. `missing`: rights not given; `channel`: the brand has it already."
)
class Choice:
    external_id: str
    name: str
    base_url: str | None
    missing: list[str]
    channel: Channel | None


@strawberry.type(description="What came of asking a person on a network. `error` says why nothing did.")
class Consent:
    id: strawberry.ID
    network: Network
    status: ConsentStatus
    error: str | None
    choices: list[Choice]
    created_at: datetime
    expires_at: datetime


async def consent(info: Info, brand_id: UUID, id_: str) -> Consent | None:
    """The asking user's own consent on this brand; null for any other, and for one whose time is over."""
    services = info.context.services
    now = services.clock()
    try:
        consent_id = parse_typeid(Prefix.CONSENT, id_)
        async with info.context.reading(brand_id) as (session, scope):
            found = await consents.get(session, scope, consent_id, now=now)
            known: dict[str, Any] = dict(await consents.connected(session, scope, found))
    except NotFound:
        return None
    return Consent(
        id=strawberry.ID(typeid(Prefix.CONSENT, found.id)),
        network=found.network,
        status=consents.status_of(found, now=now),
        error=consents.error_of(found, now=now),
        choices=[
            Choice(
                external_id=one.external_id,
                name=one.name,
                base_url=one.base_url,
                missing=list(one.missing),
                channel=known.get(one.external_id),
            )
            for one in consents.choices(services.vault, found)
        ],
        created_at=found.created_at,
        expires_at=found.expires_at,
    )
