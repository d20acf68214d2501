"""Presences on networks, and when each was really observed."""

from datetime import datetime
from typing import Any

import strawberry

from services.api import loaders
from services.api.schema.connection import Info, Node, public_id
from shared import models
from shared.connectors.registry import connector
from shared.contract import Capability
from shared.domain.brands import hooks
from shared.ids import Prefix
from shared.models.enums import ChannelStatus, CoverageKind, Network


@strawberry.type(description="One line of a channel's self-test, in words; `mend` says what to do where it is not ok.")
class Finding:
    ok: bool
    code: str
    message: str
    mend: str | None


@strawberry.type(
    description="An interval in which the channel was observed, or a known hole; `to` is open while it lasts."
)
class Coverage:
    kind: CoverageKind
    via: str
    from_: datetime = strawberry.field(name="from")
    to: datetime | None
    reason: str | None


def _health(root: strawberry.Parent[models.Channel]) -> str:
    if root.status is not ChannelStatus.ACTIVE:
        return root.status.value
    if root.checked_at is None:
        return "unknown"
    return "ok" if all(finding["ok"] for finding in root.findings) else "failing"


def _findings(root: strawberry.Parent[models.Channel]) -> Any:
    return [Finding(ok=f["ok"], code=f["code"], message=f["message"], mend=f.get("mend")) for f in root.findings]


async def _webhook_url(root: strawberry.Parent[models.Channel], info: Info) -> Any:
    if root.removed_at is not None or not connector(root.network).card.can(Capability.WEBHOOKS):
        return None
    hook = await loaders.hook(info.context, root.brand_id, root.hook_id)
    return hooks.url(info.context.services.settings.hook_base_url, hook.id) if hook is not None else None


async def _coverage(root: strawberry.Parent[models.Channel], info: Info) -> Any:
    return [
        Coverage(kind=c.kind, via=c.via, from_=c.from_at, to=c.to_at, reason=c.reason)
        for c in await loaders.intervals(info.context, root.brand_id, root.id)
    ]


@strawberry.type(description="One connected presence of a brand on a network. Its credentials are never shown.")
class Channel(Node):
    id: strawberry.ID = public_id(Prefix.CHANNEL)
    network: Network
    name: str
    external_id: str
    base_url: str | None
    terms: list[str] = strawberry.field(description="The hashtags and searches that it follows.")
    login_expires_at: datetime | None = strawberry.field(
        description="When its credentials run out by themselves; they are renewed before that where the network can."
    )
    status: ChannelStatus
    status_reason: str | None
    webhook_url: str | None = strawberry.field(resolver=_webhook_url)
    health: str = strawberry.field(
        resolver=_health,
        description="`ok`, `failing` (see findings), `unknown` before the first self-test, or the status.",
    )
    findings: list[Finding] = strawberry.field(resolver=_findings)
    checked_at: datetime | None
    coverage: list[Coverage] = strawberry.field(resolver=_coverage)
    last_heard_at: datetime | None
    last_polled_at: datetime | None
    created_at: datetime
    removed_at: datetime | None
    version: int

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Channel)
