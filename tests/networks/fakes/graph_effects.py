"""What is brought about through the Graph API of a test: with its rights, its limits, and its ways to say no."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.networks.fakes.graph_errors import GraphError
from tests.networks.fakes.graph_world import Thing, World

_DAY = timedelta(hours=24)
_RIGHTS = {
    ("page", "feed"): "pages_manage_posts",
    ("page", "photos"): "pages_manage_posts",
    ("page", "videos"): "pages_manage_posts",
    ("post", ""): "pages_manage_posts",
    ("post", "comments"): "pages_manage_engagement",
    ("post", "likes"): "pages_manage_engagement",
    ("comment", "comments"): "pages_manage_engagement",
    ("comment", "likes"): "pages_manage_engagement",
    ("comment", ""): "pages_manage_engagement",
    ("page", "blocked"): "pages_manage_engagement",
    ("page", "messages"): "pages_messaging",
    ("account", "media"): "instagram_business_content_publish",
    ("account", "media_publish"): "instagram_business_content_publish",
    ("account", "messages"): "instagram_business_manage_messages",
    ("medium", "comments"): "instagram_business_manage_comments",
    ("remark", "replies"): "instagram_business_manage_comments",
    ("remark", ""): "instagram_business_manage_comments",
}
WRITING = frozenset(_RIGHTS.values())
_FILES = ("jpg", "jpeg", "mp4", "mov")


def _wrong(code: int, subcode: int, message: str) -> GraphError:
    return GraphError(code, message, subcode=subcode)


@dataclass
class Effects:
    """What the network is set to do. `late`: in how many lists a new thing is not shown yet; `states`: what the next
    looks at a container find, before it is finished; `published`: of the account, against `quota`, in 24 hours.
    `speaks_as`: who writes the answers to private messages, where a Page's token stands for an account on Instagram.
    """

    late: int = 0
    states: list[tuple[str, str]] = field(default_factory=list)
    published: int = 0
    quota: int = 50
    speaks_as: tuple[str, str] | None = None

    def bring_about(self, world: World, scopes: set[str], method: str, steps: list[str], query: dict[str, str]) -> Any:
        thing, edge = world.things[steps[0]], "".join(steps[1:])
        right = _RIGHTS.get((thing.kind, edge))
        if right is None:
            raise GraphError(100, f"Unsupported {method.lower()} request", kind="GraphMethodException", subcode=33)
        if right not in scopes:
            raise GraphError(200, f"(#200) If posting to a page, requires {right} permission", status=403)
        if not edge:
            return self._delete(world, thing) if method == "DELETE" else self._change(thing, query)
        deeds: dict[tuple[str, str], Callable[[World, Thing, dict[str, str]], Any]] = {
            ("page", "feed"): self._post,
            ("page", "photos"): self._photo,
            ("page", "videos"): self._video,
            ("page", "messages"): self._message,
            ("account", "messages"): self._message,
            ("account", "media"): self._container,
            ("account", "media_publish"): self._publish,
            ("medium", "comments"): self._remark,
            ("remark", "replies"): self._remark,
            ("post", "comments"): self._comment,
            ("comment", "comments"): self._comment,
        }
        if edge == "likes":
            thing.values["liked"] = method == "POST"
            return {"success": True}
        if edge == "blocked":
            return self._block(world, thing, method, query)
        return deeds[thing.kind, edge](world, thing, query)

    # ------------------------------------------------------------ a Page

    def _post(self, world: World, page: Thing, query: dict[str, str]) -> Any:
        name, text = page.values["id"], query.get("message")
        pictures = [json.loads(query[key])["media_fbid"] for key in sorted(query) if key.startswith("attached_media")]
        if text is None and not pictures and "link" not in query:
            raise GraphError(100, "(#100) The post is empty")
        if any(one not in world.things for one in pictures):
            raise GraphError(100, "(#100) Invalid parameter: media_fbid")
        newest = next(iter(world.named(name, "published_posts")), None)
        if not pictures and newest is not None and world.things[newest].values.get("message") == text:
            raise GraphError(506, "(#506) Duplicate status message", subcode=1455006)
        link = [{"type": "share", "url": query["link"]}] if "link" in query else []
        parts: list[dict[str, Any]] = [{"type": "photo", "target": {"id": one}} for one in pictures]
        album = [{"type": "album", "subattachments": {"data": parts}}] if len(parts) > 1 else parts
        made = world.post(name, text, at=datetime.now(UTC), attachments={"data": [*link, *album]})
        world.things[made].late = self.late
        return {"id": made}

    def _photo(self, world: World, page: Thing, query: dict[str, str]) -> Any:
        self._load(query["url"])
        made = world.put("photo", str(next(world.numbers)), alt_text_custom=query.get("alt_text_custom"))
        if query.get("published") != "false":
            post = world.post(page.values["id"], query.get("caption"), at=datetime.now(UTC))
            return {"id": made, "post_id": post}
        return {"id": made}

    def _video(self, world: World, page: Thing, query: dict[str, str]) -> Any:
        self._load(query["file_url"])
        name, text = page.values["id"], query.get("description")
        post = world.post(name, text, at=datetime.now(UTC))
        made = world.put(
            "video", str(next(world.numbers)), description=text, created_time=world.things[post].values["created_time"],
            post_id=post.partition("_")[2], permalink_url=f"/{name}/videos/{post}/",
        )  # fmt: skip
        page.edges.setdefault("videos", []).insert(0, made)
        world.things[made].late = self.late
        return {"id": made}

    def _comment(self, world: World, above: Thing, query: dict[str, str]) -> Any:
        """Beneath a comment the new one is an answer to it; beneath an answer, to what that one answers."""
        post, parent = above.values["id"], None
        if above.kind == "comment":
            post = next(name for name, one in world.things.items() if post in one.edges.get("comments", []))
            parent = above.values.get("parent", {"id": above.values["id"]})["id"]
        if "fields" in query:
            self._comment(world, above, {name: value for name, value in query.items() if name != "fields"})
            raise _wrong(20, 1772107, "This API call does not support the requested response format")
        page = post.partition("_")[0]
        name = str(world.things[page].values["name"])
        made = world.comment(post, query.get("message"), (page, name), parent=parent, at=datetime.now(UTC))
        world.things[made].values["permalink_url"] = f"https://www.facebook.com/{post}?comment_id={made}"
        world.things[made].late = self.late
        if "attachment_url" in query:
            world.things[made].values["attachment"] = {"type": "photo", "url": query["attachment_url"]}
        return {"id": made}

    def _block(self, world: World, page: Thing, method: str, query: dict[str, str]) -> Any:
        person = query["user" if method == "POST" else "uid"]
        blocked = page.edges.setdefault("blocked", [])
        if person not in world.things:
            world.put("person", person)
        if person in blocked:
            blocked.remove(person)
        if method == "POST":
            blocked.insert(0, person)
        return {person: True} if method == "POST" else {"success": True}

    # ------------------------------------------------------------ messages

    def _message(self, world: World, owner: Thing, query: dict[str, str]) -> Any:
        person, content = json.loads(query["recipient"])["id"], json.loads(query["message"])
        for name in owner.edges.get("conversations", []):
            told = [one for one in world.shown(name, "messages") if one.values["from"]["id"] == person]
            if not told:
                continue
            if max(one.at for one in told) < datetime.now(UTC) - _DAY:
                raise _wrong(10, 2018278, "(#10) This message is sent outside of allowed window.")
            file = content.get("attachment")
            more: dict[str, Any] = {"attachments": {"data": [{"mime_type": "image/jpeg"}]}} if file else {}
            by = self.speaks_as or (owner.values["id"], str(owner.values["name"]))
            mid = world.message(
                owner.values["id"], content.get("text"), conversation=name, by=by, at=datetime.now(UTC), **more
            )
            return {"recipient_id": person, "message_id": mid}
        raise _wrong(100, 2018001, "(#100) No matching user found")

    # ------------------------------------------------------------ an account

    def limit(self, scopes: set[str]) -> Any:
        if "instagram_business_content_publish" not in scopes:
            raise GraphError(10, "(#10) Application does not have permission for this action", status=403)
        return {
            "data": [{"config": {"quota_total": self.quota, "quota_duration": 86400}, "quota_usage": self.published}]
        }

    def _container(self, world: World, account: Thing, query: dict[str, str]) -> Any:
        children = [one for one in query.get("children", "").split(",") if one]
        if len(query.get("caption", "")) > 2200:
            raise _wrong(36004, 2207010, "The caption was too long")
        if query.get("media_type") == "CAROUSEL":
            if not 2 <= len(children) <= 10 or any(one not in world.things for one in children):
                raise _wrong(100, 0, "(#100) Invalid parameter: children")
        else:
            self._load(query.get("video_url") or query["image_url"], instagram=True)
        made = world.put("container", str(next(world.numbers)), asked=dict(query), children=children)
        return {"id": made}

    def status_of(self, container: Thing) -> str:
        if "ended" in container.values:
            return str(container.values["ended"])
        code, words = self.states.pop(0) if self.states else ("FINISHED", "Finished")
        container.values["status"] = words
        if code != "IN_PROGRESS":
            container.values["ended"] = code
        return code

    def _publish(self, world: World, account: Thing, query: dict[str, str]) -> Any:
        """Whoever publishes a container twice gets two posts."""
        container = world.things.get(query["creation_id"])
        if container is None or container.values.get("ended") == "EXPIRED":
            raise _wrong(24, 2207006, "The requested resource does not exist")
        if container.values.get("ended") not in ("FINISHED", "PUBLISHED"):
            raise _wrong(9007, 2207027, "The media is not ready for publishing, please wait for a moment")
        if self.published >= self.quota:
            raise _wrong(9, 2207042, "You reached maximum number of posts that is allowed to be published")
        asked = container.values["asked"]
        alts = [world.things[one].values["asked"].get("alt_text") for one in container.values["children"]]
        made = world.medium(account.values["id"], asked.get("caption"), at=datetime.now(UTC))
        world.things[made].late = self.late
        world.things[made].values["alts"] = alts or [asked.get("alt_text")]
        self.published += 1
        container.values["ended"] = "PUBLISHED"
        return {"id": made}

    def _remark(self, world: World, above: Thing, query: dict[str, str]) -> Any:
        """An answer to an answer goes beneath the comment above it."""
        by = ("5550001", next(str(one.values["username"]) for one in world.things.values() if one.kind == "account"))
        if above.kind == "medium":
            made = world.remark(above.values["id"], query["message"], by, own=True, at=datetime.now(UTC))
        else:
            comment = str(above.values.get("parent_id") or above.values["id"])
            media = above.values["media"]["id"]
            made = world.remark(media, query["message"], by, reply_to=comment, own=True, at=datetime.now(UTC))
        world.things[made].late = self.late
        return {"id": made}

    # ------------------------------------------------------------ what is there

    def _delete(self, world: World, thing: Thing) -> Any:
        world.delete(thing.values["id"])
        return {"success": True}

    def _change(self, thing: Thing, query: dict[str, str]) -> Any:
        for name, field_ in (("is_hidden", "is_hidden"), ("hide", "hidden")):
            if name in query:
                thing.values[field_] = query[name] == "true"
        return {"success": True}

    def _load(self, url: str, *, instagram: bool = False) -> None:
        """Meta fetches media by itself; what is not there, or of the wrong sort, it says."""
        if "gone" in url:
            raise _wrong(9004, 2207052, "Only photo or video can be accepted as media type.")
        if instagram and url.rpartition(".")[2] not in _FILES:
            raise _wrong(36001, 2207005, "The image format is not supported.")
