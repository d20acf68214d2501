"""The link beneath a mail that ends mails of its kinds with one click (RFC 8058): signed, so that it needs no key."""

from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

from shared.errors import NotFound
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.enums import NotificationKind
from shared.vault import Vault

PATH = "/v1/notifications/unsubscribe"


def link(vault: Vault, api_url: str, user_id: UUID, kinds: Sequence[NotificationKind]) -> str:
    """Where a click turns off mails of these kinds for this user."""
    told = ",".join(sorted({kind.value for kind in kinds}))
    user = typeid(Prefix.USER, user_id)
    query = urlencode({"user": user, "kinds": told, "signature": vault.sign(_message(user, told))}, safe=",")
    return f"{api_url.rstrip('/')}{PATH}?{query}"


def opened(vault: Vault, user: str, kinds: str, signature: str) -> tuple[UUID, list[NotificationKind]]:
    """Whom a link is for, and of which kinds. Raises NotFound where it is not one of ours."""
    if not signature.isascii() or not vault.is_signed(_message(user, kinds), signature):
        raise NotFound("this link is not one of ours: it may have been cut off")
    return parse_typeid(Prefix.USER, user), [NotificationKind(kind) for kind in kinds.split(",")]


def _message(user: str, kinds: str) -> bytes:
    return b"\x00".join([b"unsubscribe", user.encode("utf-8", "replace"), kinds.encode("utf-8", "replace")])
