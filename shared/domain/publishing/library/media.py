"""What people do with media: keep them, find them, say what is seen on them, let them go."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import text, tuple_
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from shared.contract import storable
from shared.db import Session
from shared.domain.brands import audit
from shared.domain.page import Cursors, Page, PageRequest, digest
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, NotFound, Problem, Stale
from shared.ids import Prefix, typeid
from shared.models.enums import GrantRole, KeyScope, MediaKind, OutgoingState, PostStatus
from shared.models.media import Media, MediaUse
from shared.models.post import Outgoing, Post

_KIND = "media"
LONGEST_NAME = 255
LONGEST_ALT = 5000
MOST_LANGUAGES = 30
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}\Z")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Nothing more can be asked of these: a post that is neither may still have to go out.
FINISHED = frozenset({PostStatus.PUBLISHED, PostStatus.CANCELLED})
_ENDED = frozenset({OutgoingState.LIVE, OutgoingState.REFUSED, OutgoingState.DROPPED})
_SHOWN = 5

# One upload of the same bytes makes the row, the others find it; texts that it lacked are added to those that it has.
_ADD = text("""
INSERT INTO media (brand_id, id, name, kind, type, size, width, height, seconds, fingerprint, alts, key, created_by,
                   created_at, version)
VALUES (:brand, :id, :name, :kind, :type, :size, :width, :height, :seconds, :fingerprint, CAST(:alts AS jsonb), :key,
        :by, :now, 1)
ON CONFLICT (brand_id, fingerprint) WHERE removed_at IS NULL DO UPDATE
   SET alts = excluded.alts || media.alts, version = media.version + (excluded.alts || media.alts <> media.alts)::int
RETURNING id
""")


def file_name(given: str) -> str:
    """A name that can be kept and shown: without folders and what is not seen, at most 255 characters."""
    last = re.split(r"[/\\]", _UNSEEN.sub("", storable(given)))[-1].strip()
    if len(last) > LONGEST_NAME:
        stem, dot, ending = last.rpartition(".")
        last = f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}" if dot and len(ending) < 20 else last[:LONGEST_NAME]
    return last if last.strip(".") else "file"


def checked_alts(given: dict[str, str | None]) -> dict[str, str | None]:
    """Texts by language, or null to take one away. Raises Invalid, naming the language."""
    problems = []
    if len(given) > MOST_LANGUAGES:
        problems.append(Problem("too_many", f"at most {MOST_LANGUAGES} languages, not {len(given)}", ("alts",)))
    for language, said in given.items():
        place = ("alts", language[:60])
        if not _LANGUAGE.match(language):
            message = f"{language[:60]!r} is not a language; write its code, such as fr or nl"
            problems.append(Problem("unknown_language", message, place))
        elif said is not None and len(said) > LONGEST_ALT:
            message = f"this text has {len(said)} characters; at most {LONGEST_ALT} are kept"
            problems.append(Problem("too_long", message, place))
    if problems:
        raise Invalid(problems)
    return {language: (storable(said).strip() or None) if said else None for language, said in given.items()}


@dataclass(frozen=True, slots=True)
class NewMedia:
    """A checked file that stands in the store under `key` already."""

    id: UUID
    name: str
    kind: MediaKind
    type: str
    size: int
    width: int | None
    height: int | None
    seconds: float | None
    fingerprint: str
    key: str
    alts: dict[str, str]


class MediaChanges(BaseModel):
    """What may change of a file. Languages that are not named stay; null takes one away."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, BeforeValidator(lambda v: file_name(v) if isinstance(v, str) and v.strip() else v)] | None = (
        Field(default=None, min_length=1)
    )
    alts: dict[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class MediaFilter:
    """Which media; an empty one is all of them. `unused` True: those that no post names, False: those that one does."""

    kinds: tuple[MediaKind, ...] = ()
    unused: bool | None = None


async def add(session: Session, scope: Scope, new: NewMedia, *, now: datetime) -> tuple[Media, bool]:
    """Keep a file; the one that is there and False where the brand has the same bytes already."""
    require_bringing(scope)
    by = scope.principal.user_id if scope.principal is not None else None
    wanted = {
        "brand": scope.brand_id, "id": new.id, "name": new.name, "kind": new.kind.value, "type": new.type,
        "size": new.size, "width": new.width, "height": new.height, "seconds": new.seconds,
        "fingerprint": new.fingerprint, "alts": _json(new.alts), "key": new.key, "by": by, "now": now,
    }  # fmt: skip
    id_ = (await session.execute(_ADD, wanted)).scalar_one()
    if id_ == new.id:
        await audit.add(session, scope, "media.upload", typeid(Prefix.MEDIA, id_), {"type": new.type})
    return await get(session, scope, id_), id_ == new.id


def require_bringing(scope: Scope) -> None:
    """Raise NotAllowed unless media may be brought in this scope: for posts, or for answers."""
    if scope.principal is not None and scope.principal.may(KeyScope.RESPOND):
        scope.require(KeyScope.RESPOND, GrantRole.RESPONDER)
    else:
        require(scope)


def require(scope: Scope) -> None:
    """Raise NotAllowed unless media may be changed in this scope."""
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)


def _json(alts: dict[str, str]) -> str:
    return orjson.dumps(alts).decode()


async def get(session: Session, scope: Scope, media_id: UUID) -> Media:
    """One file that was not removed. Raises NotFound."""
    found = (await by_ids(session, scope, [media_id])).get(media_id)
    if found is None or found.removed_at is not None:
        raise unknown(media_id)
    return found


def unknown(media_id: UUID) -> NotFound:
    return NotFound(f"there is no media with the id {typeid(Prefix.MEDIA, media_id)!r}")


async def by_ids(session: Session, scope: Scope, ids: Collection[UUID]) -> dict[UUID, Media]:
    """The files of these ids, removed ones too: posts that went out still name them."""
    if not ids:
        return {}
    wanted = select(Media).where(col(Media.brand_id) == scope.brand_id, col(Media.id).in_(ids))
    found = (await session.execute(wanted.execution_options(populate_existing=True))).scalars()
    return {row.id: row for row in found}


async def search(
    session: Session, scope: Scope, *, where: MediaFilter | None = None, page: PageRequest, cursors: Cursors
) -> Page[Media]:
    """A page of the brand's media, the newest first."""
    where = where or MediaFilter()
    bound = digest(where)
    wanted = select(Media).where(col(Media.brand_id) == scope.brand_id, col(Media.removed_at).is_(None))
    if where.kinds:
        wanted = wanted.where(col(Media.kind).in_(where.kinds))
    if where.unused is not None:
        used = select(MediaUse.media_id).where(
            col(MediaUse.brand_id) == scope.brand_id, col(MediaUse.media_id) == col(Media.id)
        )
        wanted = wanted.where(~used.exists() if where.unused else used.exists())
    if page.cursor is not None:
        at, id_ = cursors.decode(scope.brand_id, _KIND, bound, page.cursor)
        place = tuple_(col(Media.created_at), col(Media.id))
        wanted = wanted.where(place < tuple_(datetime.fromisoformat(at), UUID(id_)))
    wanted = wanted.order_by(col(Media.created_at).desc(), col(Media.id).desc()).limit(page.limit + 1)
    found = (await session.execute(wanted)).scalars().all()
    return Page.cut(
        found,
        page.limit,
        lambda row: cursors.encode(scope.brand_id, _KIND, bound, [row.created_at.isoformat(), str(row.id)]),
    )


async def update(
    session: Session, scope: Scope, media_id: UUID, *, changes: MediaChanges, if_version: int | None = None
) -> Media:
    """Rename a file, or say in a language what is seen on it. Raises NotFound, Stale, Invalid."""
    found = await _held(session, scope, media_id, if_version)
    if changes.name is not None:
        found.name = changes.name
    if changes.alts is not None:
        alts = {**found.alts, **checked_alts(changes.alts)}
        found.alts = {language: said for language, said in alts.items() if said is not None}
    found.version += 1
    await session.flush()
    await audit.add(session, scope, "media.update", typeid(Prefix.MEDIA, media_id))
    return found


async def remove(
    session: Session, scope: Scope, media_id: UUID, *, now: datetime, if_version: int | None = None
) -> Media:
    """Let nobody find a file any more; its bytes stay for as long as a post that went out names it.

    Raises Conflict, naming them, where posts, answers or recurrences name it that may still go out.
    """
    found = await _held(session, scope, media_id, if_version)
    # Whoever lets a post name it holds its row until their commit, so this sees all of them.
    waiting = (
        select(Post.id)
        .join(MediaUse, (col(MediaUse.brand_id) == col(Post.brand_id)) & (col(MediaUse.post_id) == col(Post.id)))
        .where(
            col(Post.brand_id) == scope.brand_id,
            col(MediaUse.media_id) == media_id,
            col(Post.status).not_in(FINISHED),
        )
        .order_by(col(Post.id))
        .limit(_SHOWN + 1)
    )
    needing = [typeid(Prefix.POST, id_) for id_ in (await session.execute(waiting)).scalars()]
    needing += [
        typeid(Prefix.OUTGOING, id_) for id_ in (await session.execute(_on_their_way(scope, media_id))).scalars()
    ]
    needing += [typeid(Prefix.RECURRENCE, id_) for id_ in (await session.execute(_to_come(scope, media_id))).scalars()]
    if needing:
        named = ", ".join(needing[:_SHOWN]) + (" and others" if len(needing) > _SHOWN else "")
        raise Conflict(f"these still need it: {named}; take it out of them first", code="media_in_use")
    found.removed_at = now
    found.version += 1
    await session.flush()
    await audit.add(session, scope, "media.delete", typeid(Prefix.MEDIA, media_id))
    return found


def _to_come(scope: Scope, media_id: UUID) -> SelectOfScalar[UUID]:
    """The recurrences that name a file for posts that are still to come: they let go of it where they end."""
    return (
        select(MediaUse.thing_id)
        .where(
            col(MediaUse.brand_id) == scope.brand_id,
            col(MediaUse.media_id) == media_id,
            col(MediaUse.post_id).is_(None),
            col(MediaUse.outgoing_id).is_(None),
        )
        .order_by(col(MediaUse.thing_id))
        .limit(_SHOWN)
    )


def _on_their_way(scope: Scope, media_id: UUID) -> SelectOfScalar[UUID]:
    """The answers that name a file and may still go out."""
    return (
        select(Outgoing.id)
        .join(
            MediaUse,
            (col(MediaUse.brand_id) == col(Outgoing.brand_id)) & (col(MediaUse.outgoing_id) == col(Outgoing.id)),
        )
        .where(
            col(Outgoing.brand_id) == scope.brand_id,
            col(MediaUse.media_id) == media_id,
            col(Outgoing.state).not_in(_ENDED),
        )
        .order_by(col(Outgoing.id))
        .limit(_SHOWN)
    )


async def _held(session: Session, scope: Scope, media_id: UUID, if_version: int | None) -> Media:
    require(scope)
    wanted = (
        select(Media)
        .where(col(Media.brand_id) == scope.brand_id, col(Media.id) == media_id, col(Media.removed_at).is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = (await session.execute(wanted)).scalar_one_or_none()
    if found is None:
        raise unknown(media_id)
    if if_version is not None and found.version != if_version:
        raise Stale(f"this media is at version {found.version}, not {if_version}: read it again")
    return found
