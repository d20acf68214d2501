"""What networks say to a tenant, each word of it under the tenant's name."""

from typing import Any


def deliveries(name: str) -> list[dict[str, Any]]:
    """What the network sends: a tree, a review, a private message; then an edit, and a deletion."""

    def said(id_: str, kind: str, **more: Any) -> dict[str, Any]:
        return {
            "id": f"{name}-{id_}", "kind": kind, "text": f"{name} said {kind} {id_}", "language": "nl",
            "published_at": "2026-11-20T08:00:00Z", "url": f"https://example.org/{name}/{id_}",
            "author": {"id": f"{name}-author-{id_}", "handle": f"{name}_{id_}", "name": f"{name} Person {id_}"}, **more,
        }  # fmt: skip

    tree = [
        said("root", "post", media=[{"url": f"https://example.org/{name}.jpg", "kind": "image", "alt": f"{name} alt"}]),
        said("child", "comment", parent_id=f"{name}-root"),
        said("grandchild", "reply", parent_id=f"{name}-child"),
        said("stars", "review", rating=2, text=f"{name} said it better"),  # as the child, once that is edited
        said("whisper", "message", visibility="private"),
        said("going", "comment", parent_id=f"{name}-root"),
    ]
    edited = said("child", "comment", parent_id=f"{name}-root", edited_at="2026-11-20T09:00:00Z")
    return [
        {"mentions": tree},
        {"mentions": [{**edited, "text": f"{name} said it better"}]},
        {"deleted": [f"{name}-going"]},
    ]
