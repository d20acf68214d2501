"""Links by which a client without a user approves: an address that can't be guessed, for some posts and some time."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from sqlalchemy import update
from sqlmodel import col, select

from shared.contract import storable
from shared.db import Session, driver
from shared.domain import scope as scopes
from shared.domain.brands import audit
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.publishing.drafts import Moment
from shared.domain.scope import Scope
from shared.errors import Invalid, NotFound, Over, Problem
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.approval import ApprovalLink
from shared.models.enums import GrantRole, KeyScope, PostStatus
from shared.models.post import Post
from shared.vault import hash_key

LONGEST = timedelta(days=90)
MOST_POSTS = 200
_KIND = "approval_links"
_LONGEST_TOKEN = 200
_OVER = (PostStatus.CANCELLED, PostStatus.FAILED)

Language = Literal["en", "fr", "nl", "de"]


def _post_id(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_typeid(Prefix.POST, value)
    except NotFound:
        raise ValueError(f"{value[:60]!r} is not the id of a post") from None


PostId = Annotated[UUID, BeforeValidator(_post_id), WithJsonSchema({"type": "string", "maxLength": 60})]


class LinkDraft(BaseModel):
    """Whom a link is for, until when, and for which posts: named ones, or those that are planned from `since` to
    `until` when the link is made. `language` is of the page."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, BeforeValidator(lambda v: storable(v) if isinstance(v, str) else v)] = Field(
        min_length=1, max_length=200
    )
    expires_at: Moment
    language: Language = "en"
    post_ids: list[PostId] = Field(default_factory=list, max_length=MOST_POSTS)
    since: Moment | None = None
    until: Moment | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A new link and its token, which is shown this once."""

    link: ApprovalLink
    token: str = field(repr=False)


async def create(session: Session, scope: Scope, *, draft: LinkDraft, now: datetime) -> Made:
    """Make a link. Raises Invalid: a time that is over or more than 90 days off, no post, or one of another brand."""
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    if not now < draft.expires_at <= now + LONGEST:
        message = f"a link ends within {LONGEST.days} days, and not before it begins"
        raise Invalid([Problem("invalid", message, ("expires_at",))])
    post_ids = await _posts(session, scope, draft)
    token = secrets.token_urlsafe(32)
    link = ApprovalLink(
        brand_id=scope.brand_id,
        hash=hash_key(token),
        name=draft.name.strip() or draft.name,
        language=draft.language,
        post_ids=post_ids,
        created_by=scope.principal.user_id if scope.principal is not None else None,
        created_at=now,
        expires_at=draft.expires_at,
    )
    session.add(link)
    await session.flush()
    await audit.add(
        session, scope, "approval_link.create", typeid(Prefix.APPROVAL_LINK, link.id), {"posts": len(post_ids)}
    )
    return Made(link, token)


async def _posts(session: Session, scope: Scope, draft: LinkDraft) -> list[UUID]:
    by_range = draft.since is not None and draft.until is not None
    if bool(draft.post_ids) == by_range or (draft.since is None) != (draft.until is None):
        raise Invalid([Problem("required", "say which posts: post_ids, or since and until", ("post_ids",))])
    wanted = select(Post.id).where(col(Post.brand_id) == scope.brand_id)
    if by_range:
        wanted = wanted.where(
            col(Post.scheduled_at) >= draft.since,
            col(Post.scheduled_at) < draft.until,
            col(Post.status).not_in(_OVER),
        )
        ordered = wanted.order_by(col(Post.scheduled_at), col(Post.id)).limit(MOST_POSTS + 1)
        found = list((await session.execute(ordered)).scalars())
        if not 0 < len(found) <= MOST_POSTS:
            message = f"a link is for 1 to {MOST_POSTS} posts; between these two times there are {len(found)} or more"
            raise Invalid([Problem("invalid", message, ("since",))])
        return found
    asked = list(dict.fromkeys(draft.post_ids))
    known = set((await session.execute(wanted.where(col(Post.id).in_(asked)))).scalars())
    unknown = [place for place, one in enumerate(draft.post_ids) if one not in known]
    if unknown:
        raise Invalid([Problem("unknown_post", "this brand has no such post", ("post_ids", n)) for n in unknown])
    return asked


async def get(session: Session, scope: Scope, link_id: UUID) -> ApprovalLink:
    """One link; its address is not shown again. Raises NotFound."""
    wanted = select(ApprovalLink).where(col(ApprovalLink.brand_id) == scope.brand_id, col(ApprovalLink.id) == link_id)
    link: ApprovalLink | None = (await session.execute(wanted)).scalar_one_or_none()
    if link is None:
        raise NotFound(f"there is no link with the id {typeid(Prefix.APPROVAL_LINK, link_id)!r}")
    return link


async def search(session: Session, scope: Scope, *, page: PageRequest, cursors: Cursors) -> Page[ApprovalLink]:
    """The brand's links, the newest first, those that have ended too."""
    wanted = select(ApprovalLink).where(col(ApprovalLink.brand_id) == scope.brand_id)
    if page.cursor is not None:
        wanted = wanted.where(col(ApprovalLink.id) < UUID(cursors.decode(scope.brand_id, _KIND, "", page.cursor)[0]))
    wanted = wanted.order_by(col(ApprovalLink.id).desc()).limit(page.limit + 1)
    rows = list((await session.execute(wanted)).scalars())
    return Page.cut(rows, page.limit, lambda link: cursors.encode(scope.brand_id, _KIND, "", [str(link.id)]))


async def revoke(session: Session, scope: Scope, link_id: UUID, *, now: datetime) -> ApprovalLink:
    """End a link for good. Ending it twice keeps the first time. Raises NotFound."""
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    link = await get(session, scope, link_id)
    if link.revoked_at is None:
        await _note(session, scope, link, revoked_at=now)
        await audit.add(session, scope, "approval_link.revoke", typeid(Prefix.APPROVAL_LINK, link.id))
    return link


async def enter(session: Session, token: str, *, now: datetime) -> tuple[Scope, ApprovalLink]:
    """Whoever comes with this token: the link, and its brand seen by this transaction.

    Raises NotFound for a token that nobody gave out, and Over where the link has ended.
    """
    row = None
    if 0 < len(token) <= _LONGEST_TOKEN and token.isascii() and "\x00" not in token:
        row = await (await driver(session)).fetchrow("SELECT * FROM parvis.enter_by_link($1)", hash_key(token))
    if row is None:
        raise NotFound("there is no such link")
    scope = await scopes.house_at(session, row["brand_id"])
    link = await get(session, scope, row["link_id"])
    if link.revoked_at is not None or link.expires_at <= now:
        raise Over("this link has ended", language=link.language)
    return scope, link


async def seen(session: Session, scope: Scope, link: ApprovalLink, *, now: datetime) -> None:
    """Note that the client has looked."""
    await _note(session, scope, link, last_seen_at=now)


async def posts_of(session: Session, scope: Scope, link: ApprovalLink) -> Sequence[Post]:
    """The posts of a link that are still there, in the order in which they go out."""
    wanted = select(Post).where(col(Post.brand_id) == scope.brand_id, col(Post.id).in_(link.post_ids))
    return list(
        (await session.execute(wanted.order_by(col(Post.scheduled_at).asc().nulls_last(), col(Post.id)))).scalars()
    )


async def _note(session: Session, scope: Scope, link: ApprovalLink, **noted: datetime) -> None:
    """Only these columns: the api's role may change no other."""
    changed = update(ApprovalLink).where(col(ApprovalLink.brand_id) == scope.brand_id, col(ApprovalLink.id) == link.id)
    await session.execute(changed.values(**noted).execution_options(synchronize_session="evaluate"))
