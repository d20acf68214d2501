"""What of a post would go out, and the digest by which one version of it is known again."""

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from shared.domain.publishing.fitting import link_of, media_of, text_of
from shared.models.enums import VariantStatus
from shared.models.post import Post, Variant


def content(post: Post, variant: Variant) -> dict[str, Any]:
    """All that goes out on one channel, as it will be there; when it goes out is no part of it."""
    return {
        "channel": str(variant.channel_id),
        "text": text_of(post, variant),
        "media": media_of(post, variant),
        "link": link_of(post, variant),
        "tagging": post.tagging,
        "first_comment": variant.first_comment,
        "parts": variant.parts,
        "audience": variant.audience,
    }


def digest(post: Post, variants: Sequence[Variant]) -> bytes:
    """The same content, the same digest: whoever changes a post and changes it back has the version of before."""
    wanted = sorted(
        (content(post, one) for one in variants if one.status is not VariantStatus.CANCELLED),
        key=lambda one: one["channel"],
    )
    # A post without channels is its text.
    said = wanted or [{"text": post.text, "media": post.media, "link": post.link, "tagging": post.tagging}]
    return hashlib.sha256(b"parvis content" + orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()[:16]
