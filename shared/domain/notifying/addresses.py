"""Where a frontend shows the thing that a notification is about."""

from uuid import UUID

from shared.ids import Prefix, typeid

_FOLDERS = {
    Prefix.POST: "posts",
    Prefix.CHANNEL: "channels",
    Prefix.OUTGOING: "outgoing",
    Prefix.ALERT: "alerts",
    Prefix.WEBHOOK_ENDPOINT: "webhook-endpoints",
}


def of(frontend_url: str | None, brand_id: UUID, prefix: Prefix, thing_id: UUID) -> str | None:
    """`{frontend}/brands/{brand}/posts/{post}` and alike; None where nobody has said where the frontend is."""
    if frontend_url is None:
        return None
    brand = f"{frontend_url.rstrip('/')}/brands/{typeid(Prefix.BRAND, brand_id)}"
    folder = _FOLDERS.get(prefix)
    return f"{brand}/{folder}/{typeid(prefix, thing_id)}" if folder is not None else brand
