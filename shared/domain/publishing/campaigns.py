"""Campaigns: posts that belong together, and what their links are tagged with."""

import re
import unicodedata
from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from sqlalchemy import func, update
from sqlmodel import col, select

from shared.contract import storable
from shared.db import Session
from shared.domain.brands import audit
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.publishing.tagging import NAMES, NETWORK
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, NotFound, Problem, Stale
from shared.ids import Prefix, typeid
from shared.models.base import JsonObject
from shared.models.campaign import Campaign
from shared.models.enums import GrantRole, KeyScope, PostStatus
from shared.models.post import Post

_KIND = "campaigns"
# Posts whose links are not fixed yet: what is scheduled already goes out as it was agreed.
_WRITTEN = (PostStatus.DRAFT, PostStatus.IN_REVIEW, PostStatus.APPROVED, PostStatus.FAILED)
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+\Z")

Text = Annotated[str, BeforeValidator(lambda value: storable(value) if isinstance(value, str) else value)]
Tag = Annotated[str, Field(min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    @field_validator("tags", check_fields=False)
    @classmethod
    def _known(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        unknown = sorted(set(value or ()) - NAMES.keys())
        if unknown:
            raise ValueError(f"unknown tags: {', '.join(unknown)}; known: {', '.join(NAMES)}")
        return value

    @field_validator("domains", check_fields=False)
    @classmethod
    def _hosts(cls, value: list[str] | None) -> list[str] | None:
        if value is None:
            return None
        found = [one.strip().lower().removeprefix("www.") for one in value]
        for one in found:
            if not _HOST.match(one):
                raise ValueError(f"{one[:60]!r} is no domain; write one such as example.org")
        return found


class CampaignDraft(_Strict):
    """A new campaign. Without `tags` links get source, medium and the name; with an empty object none."""

    name: Text = Field(min_length=1, max_length=200)
    starts_on: date | None = None
    ends_on: date | None = None
    tags: dict[str, Tag] | None = None
    domains: list[str] = Field(default_factory=list, max_length=50)


class CampaignChanges(_Strict):
    """What may change; what is not set stays."""

    name: Text | None = Field(default=None, min_length=1, max_length=200)
    starts_on: date | None = None
    ends_on: date | None = None
    tags: dict[str, Tag] | None = None
    domains: list[str] | None = Field(default=None, max_length=50)


async def create(session: Session, scope: Scope, *, draft: CampaignDraft, now: datetime) -> Campaign:
    """Begin a campaign. Raises Invalid where it ends before it starts."""
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    _refuse_backwards(draft.starts_on, draft.ends_on)
    tags = draft.tags if draft.tags is not None else usual(draft.name)
    made = Campaign(
        brand_id=scope.brand_id, name=draft.name, starts_on=draft.starts_on, ends_on=draft.ends_on, tags=dict(tags),
        domains=draft.domains, created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(made)
    await session.flush()
    await audit.add(session, scope, "campaign.create", typeid(Prefix.CAMPAIGN, made.id))
    return made


def usual(name: str) -> dict[str, str]:
    """What links are tagged with where nobody says otherwise."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return {"source": NETWORK, "medium": "social", "campaign": slug or "campaign"}


async def get(session: Session, scope: Scope, campaign_id: UUID) -> Campaign:
    """One campaign. Raises NotFound."""
    found = (await by_ids(session, scope, [campaign_id])).get(campaign_id)
    if found is None:
        raise NotFound(f"there is no campaign with the id {typeid(Prefix.CAMPAIGN, campaign_id)!r}")
    return found


async def by_ids(session: Session, scope: Scope, ids: Collection[UUID]) -> dict[UUID, Campaign]:
    wanted = select(Campaign).where(col(Campaign.brand_id) == scope.brand_id, col(Campaign.id).in_(ids))
    return {one.id: one for one in (await session.execute(wanted)).scalars()}


async def search(session: Session, scope: Scope, *, page: PageRequest, cursors: Cursors) -> Page[Campaign]:
    """The brand's campaigns, the newest made first."""
    wanted = select(Campaign).where(col(Campaign.brand_id) == scope.brand_id)
    if page.cursor is not None:
        wanted = wanted.where(col(Campaign.id) < UUID(cursors.decode(scope.brand_id, _KIND, "", page.cursor)[0]))
    wanted = wanted.order_by(col(Campaign.id).desc()).limit(page.limit + 1)
    found = (await session.execute(wanted)).scalars().all()
    return Page.cut(found, page.limit, lambda one: cursors.encode(scope.brand_id, _KIND, "", [str(one.id)]))


async def change(
    session: Session,
    scope: Scope,
    campaign_id: UUID,
    *,
    changes: CampaignChanges,
    now: datetime,
    if_version: int | None,
) -> Campaign:
    """Change a campaign; links of its posts that are not scheduled yet get its new tags. Raises NotFound, Stale,
    Invalid."""
    campaign = await _held(session, scope, campaign_id, if_version)
    for name in changes.model_fields_set:
        value = getattr(changes, name)
        if value is None and name in {"name", "tags", "domains"}:
            raise Invalid([Problem("required", f"{name} can be empty, not null", (name,))])
        setattr(campaign, name, value)
    _refuse_backwards(campaign.starts_on, campaign.ends_on)
    campaign.updated_at, campaign.version = now, campaign.version + 1
    await session.flush()
    await session.execute(
        update(Post)
        .where(
            col(Post.brand_id) == scope.brand_id,
            col(Post.campaign_id) == campaign_id,
            col(Post.status).in_(_WRITTEN),
        )
        .values(tagging=kept(campaign))
        .execution_options(synchronize_session="fetch")
    )
    await audit.add(session, scope, "campaign.update", typeid(Prefix.CAMPAIGN, campaign_id))
    return campaign


async def delete(session: Session, scope: Scope, campaign_id: UUID, *, if_version: int | None = None) -> Campaign:
    """Let go of a campaign without posts. Raises NotFound, Stale, and Conflict while posts belong to it."""
    campaign = await _held(session, scope, campaign_id, if_version)
    wanted = select(func.count()).where(col(Post.brand_id) == scope.brand_id, col(Post.campaign_id) == campaign_id)
    count = (await session.execute(wanted)).scalar_one()
    if count:
        raise Conflict(f"{count} posts belong to it: move them to another, or to none", code="in_use")
    await session.delete(campaign)
    await session.flush()
    await audit.add(session, scope, "campaign.delete", typeid(Prefix.CAMPAIGN, campaign_id))
    return campaign


async def join(session: Session, scope: Scope, post: Post, campaign_id: UUID | None) -> None:
    """Let a post belong to a campaign, or to none. Raises Invalid for an unknown one."""
    if campaign_id is None:
        post.campaign_id, post.tagging = None, None
        return
    post.campaign_id, post.tagging = campaign_id, kept(await _named(session, scope, campaign_id))


async def require(session: Session, scope: Scope, campaign_id: UUID | None) -> None:
    """Raise Invalid where this is none of the brand's campaigns."""
    if campaign_id is not None:
        await _named(session, scope, campaign_id)


async def _named(session: Session, scope: Scope, campaign_id: UUID) -> Campaign:
    campaign = (await by_ids(session, scope, [campaign_id])).get(campaign_id)
    if campaign is None:
        raise Invalid([Problem("unknown_campaign", "this brand has no such campaign", ("campaign_id",))])
    return campaign


def kept(campaign: Campaign) -> JsonObject:
    """What a post keeps of its campaign."""
    found: dict[str, Any] = {"tags": campaign.tags, "domains": campaign.domains}
    return found


async def _held(session: Session, scope: Scope, campaign_id: UUID, if_version: int | None) -> Campaign:
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    wanted = (
        select(Campaign)
        .where(col(Campaign.brand_id) == scope.brand_id, col(Campaign.id) == campaign_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    campaign = (await session.execute(wanted)).scalar_one_or_none()
    if campaign is None:
        raise NotFound(f"there is no campaign with the id {typeid(Prefix.CAMPAIGN, campaign_id)!r}")
    if if_version is not None and campaign.version != if_version:
        raise Stale(f"the campaign is at version {campaign.version}, not {if_version}: read it again")
    return campaign


def _refuse_backwards(starts_on: date | None, ends_on: date | None) -> None:
    if starts_on is not None and ends_on is not None and ends_on < starts_on:
        raise Invalid([Problem("invalid_range", "it ends before it starts", ("ends_on",))])
