"""What is worth a second look before a post goes out, and never refuses it: said before, too close, no alt text."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.db import Session, driver
from shared.domain.publishing.fitting import media_of
from shared.domain.publishing.library import naming
from shared.domain.publishing.library.naming import Known
from shared.domain.publishing.planning import blackouts
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.enums import PostStatus, VariantStatus
from shared.models.post import Post, Variant

CLOSE = timedelta(hours=1)
RECENT = timedelta(days=30)

_PICTURES = frozenset({"image", "gif"})
_SPACES = re.compile(r"\s+")
_OUT = (VariantStatus.SCHEDULED, VariantStatus.PUBLISHING, VariantStatus.PUBLISHED, VariantStatus.HELD)
_STILL = frozenset({
    PostStatus.DRAFT, PostStatus.IN_REVIEW, PostStatus.APPROVED, PostStatus.SCHEDULED, PostStatus.HELD,
    PostStatus.FAILED,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing to look at. `post_id` is the other post, where there is one."""

    code: str
    message: str
    path: tuple[str | int, ...]
    post_id: UUID | None = None


def digest(text: str) -> UUID | None:
    """Equal for texts that say the same but for case, accents' forms and spaces; None for an empty one."""
    plain = _SPACES.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
    return UUID(bytes=hashlib.sha256(plain.encode()).digest()[:16]) if plain else None


async def of_posts(
    session: Session, scope: Scope, posts: Sequence[tuple[Post, Sequence[Variant]]]
) -> dict[UUID, list[Caution]]:
    """What to look at in each post that has not begun to go out; empty for the others."""
    asked = [
        _Asked(post, n, variant) for post, variants in posts if post.status in _STILL for n, variant in _live(variants)
    ]
    found: dict[UUID, list[Caution]] = {post.id: [] for post, _ in posts}
    known = await naming.known(session, scope, [media_of(one.post, one.variant) for one in asked])
    for one in asked:
        found[one.post.id] += _without_alt(one, known)
    for one, other_id, at in await _same(session, scope, asked):
        message = f"the same is said on this channel by {typeid(Prefix.POST, other_id)}, at {at:%Y-%m-%d %H:%M} UTC"
        found[one.post.id].append(Caution("duplicate", message, one.path, other_id))
    for one, other_id, at in await _close(session, scope, asked):
        message = (
            f"another post goes out on this channel within the hour: {typeid(Prefix.POST, other_id)} at {at:%H:%M} UTC"
        )
        found[one.post.id].append(Caution("clash", message, one.path, other_id))
    still = [post for post, _ in posts if post.status in _STILL]
    for post_id, silent in (await blackouts.cautions(session, scope, still)).items():
        found[post_id] += [Caution(one.code, one.message, one.path) for one in silent]
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    post: Post
    number: int
    variant: Variant

    @property
    def path(self) -> tuple[str | int, ...]:
        return ("variants", self.number)

    @property
    def said(self) -> UUID | None:
        return digest(self.variant.text if self.variant.text is not None else self.post.text)


def _live(variants: Sequence[Variant]) -> Iterator[tuple[int, Variant]]:
    return ((n, one) for n, one in enumerate(variants) if one.status is not VariantStatus.CANCELLED)


def _without_alt(one: _Asked, known: Known) -> Iterator[Caution]:
    own = one.variant.media is not None
    for index, item in enumerate(media_of(one.post, one.variant)):
        if item.get("kind") in _PICTURES and not (known.alt(item) or "").strip():
            path = (*one.path, "media", index) if own else ("media", index)
            yield Caution("missing_alt", "say what is to be seen, for those who do not see it: alt text", path)


_SAME = """
SELECT w.place, v.post_id, coalesce(v.published_at, p.scheduled_at) AS at
  FROM unnest($2::int[], $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[])
         AS w (place, post_id, channel_id, said, at)
  JOIN variant v ON v.brand_id = $1 AND v.channel_id = w.channel_id AND v.said = w.said AND v.post_id <> w.post_id
  JOIN post p ON p.brand_id = $1 AND p.id = v.post_id
 WHERE v.status = ANY ($7)
   AND coalesce(v.published_at, p.scheduled_at) BETWEEN w.at - $8::interval AND w.at + $8::interval
 ORDER BY 1, 3
"""
_CLOSE = """
SELECT w.place, v.post_id, p.scheduled_at AS at
  FROM unnest($2::int[], $3::uuid[], $4::uuid[], $5::timestamptz[]) AS w (place, post_id, channel_id, at)
  JOIN post p ON p.brand_id = $1 AND p.id <> w.post_id
             AND p.scheduled_at > w.at - $7::interval AND p.scheduled_at < w.at + $7::interval
  JOIN variant v ON v.brand_id = $1 AND v.post_id = p.id AND v.channel_id = w.channel_id
 WHERE v.status = ANY ($6)
 ORDER BY 1, 3
"""


async def _same(session: Session, scope: Scope, asked: Sequence[_Asked]) -> list[tuple[_Asked, UUID, datetime]]:
    wanted = [(one, said) for one in asked if (said := one.said) is not None]
    if not wanted:
        return []
    rows = await (await driver(session)).fetch(
        _SAME,
        scope.brand_id,
        list(range(len(wanted))),
        [one.post.id for one, _ in wanted],
        [one.variant.channel_id for one, _ in wanted],
        [said for _, said in wanted],
        [one.post.scheduled_at or one.post.updated_at for one, _ in wanted],
        [status.value for status in _OUT],
        RECENT,
    )
    return [(wanted[row["place"]][0], row["post_id"], row["at"]) for row in rows]


async def _close(session: Session, scope: Scope, asked: Sequence[_Asked]) -> list[tuple[_Asked, UUID, datetime]]:
    wanted = [one for one in asked if one.post.scheduled_at is not None]
    if not wanted:
        return []
    rows = await (await driver(session)).fetch(
        _CLOSE,
        scope.brand_id,
        list(range(len(wanted))),
        [one.post.id for one in wanted],
        [one.variant.channel_id for one in wanted],
        [one.post.scheduled_at for one in wanted],
        [status.value for status in _OUT],
        CLOSE,
    )
    return [(wanted[row["place"]], row["post_id"], row["at"]) for row in rows]
