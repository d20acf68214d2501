"""What a link opens, for frontends that show it in a page of their own."""

from typing import Any

from shared.domain.publishing.agreeing.showing import Form, Shown, View
from shared.ids import Prefix, typeid
from shared.models.approval import Approval


def shown(view: View) -> dict[str, Any]:
    """All of it, as JSON."""
    return {
        "name": view.link.name,
        "language": view.link.language,
        "expires_at": view.link.expires_at.isoformat(),
        "brand": view.brand.name,
        "timezone": view.brand.timezone,
        "posts": [_post(one) for one in view.posts],
    }


def _post(one: Shown) -> dict[str, Any]:
    post = one.post
    return {
        "id": typeid(Prefix.POST, post.id),
        "stage": one.stage.value,
        "content": one.content.hex() if one.forms else None,
        "scheduled_at": post.scheduled_at.isoformat() if post.scheduled_at is not None else None,
        "variants": [_variant(form) for form in one.forms],
        "said": [_word(said) for said in one.said],
    }


def _variant(form: Form) -> dict[str, Any]:
    return {
        "channel": form.channel,
        "network": form.network.value,
        "text": form.text,
        "media": form.media,
        "link": form.link,
        "first_comment": form.first_comment,
        "parts": form.parts,
        "url": form.url,
    }


def _word(said: Approval) -> dict[str, Any]:
    return {
        "kind": said.kind.value,
        "name": said.name,
        "text": said.text,
        "created_at": said.created_at.isoformat(),
    }
