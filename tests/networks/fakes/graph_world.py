"""What stands behind the Graph API of a test: pages, accounts, and what people say there."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

# The fields that a kind of thing has; asking for another one is an error, as it is on the real one.
FIELDS = {
    "user": {"id", "name"},
    "page": {"id", "name", "category", "access_token", "tasks", "instagram_business_account"},
    "post": {
        *("id", "message", "from", "created_time", "updated_time", "permalink_url", "is_hidden", "is_published"),
        *("shares", "attachments", "reactions", "full_picture", "status_type", "likes"),
    },
    "comment": {
        *("id", "message", "from", "parent", "created_time", "permalink_url", "is_hidden", "attachment", "like_count"),
        *("comment_count", "can_hide", "likes"),
    },
    "photo": {"id", "alt_text_custom"},
    "video": {"id", "description", "created_time", "post_id", "permalink_url"},
    "person": {"id"},
    "container": {"id", "status_code", "status"},
    "rating": {"open_graph_story", "created_time", "recommendation_type", "review_text", "rating", "reviewer"},
    "conversation": {"id", "updated_time"},
    "message": {"id", "created_time", "from", "to", "message", "sticker", "attachments", "shares", "story"},
    "account": {"id", "user_id", "username", "name", "account_type"},
    "medium": {
        *("id", "caption", "media_type", "media_product_type", "media_url", "thumbnail_url", "permalink", "timestamp"),
        *("username", "like_count", "comments_count", "children", "owner"),  # the owner: of its own media only
    },
    "remark": {
        *("id", "text", "timestamp", "username", "from", "user", "like_count", "hidden", "parent_id", "media"),
    },
}
EDGES = {
    "user": {"accounts", "permissions"},
    "page": {
        *("feed", "tagged", "ratings", "conversations", "subscribed_apps", "published_posts", "videos", "blocked"),
    },
    "post": {"comments"},
    "comment": {"comments"},
    "conversation": {"messages"},
    "account": {"media", "tags", "conversations", "subscribed_apps"},
    "medium": {"comments"},
    "remark": {"replies"},
}
TIMES = {"post": "created_time", "comment": "created_time", "rating": "created_time", "message": "created_time"}


@dataclass
class Thing:
    """A node of the graph: its fields, and its edges as lists of ids, newest first."""

    kind: str
    values: dict[str, Any]
    edges: dict[str, list[str]] = field(default_factory=dict)
    foreign: bool = False  # somebody else's: seen where it names the page or account, and not by its id
    late: int = 0  # in how many lists it is not shown yet

    @property
    def at(self) -> datetime:
        told = self.values.get("created_time") or self.values.get("timestamp") or self.values.get("updated_time")
        return datetime.fromisoformat(told) if told else datetime.min.replace(tzinfo=UTC)


@dataclass
class World:
    """All things by id. Each is said 20 seconds after the one before, beginning two hours ago, unless it says when."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(hours=2))
    things: dict[str, Thing] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=lambda: count(10_001))

    def put(self, kind: str, external_id: str, **values: Any) -> str:
        self.things[external_id] = Thing(kind, {"id": external_id, **values})
        return external_id

    def page(self, page: str, name: str, **values: Any) -> str:
        return self.put("page", page, name=name, category="Museum", **values)

    def account(self, external_id: str, username: str, **values: Any) -> str:
        return self.put(
            "account", external_id, user_id=external_id, username=username, account_type="BUSINESS", **values
        )

    def post(
        self, page: str, text: str | None, by: tuple[str, str] | None = None, *, edge: str = "feed", **values: Any
    ) -> str:
        author = by or (page, str(self.things[page].values["name"]))
        external_id = f"{author[0] if edge == 'tagged' else page}_{next(self.numbers)}"
        at = self._time(values)
        self.put(
            "post", external_id, **_text("message", text), **_person(author), created_time=at, updated_time=at,
            permalink_url=f"https://www.facebook.com/{external_id.replace('_', '/posts/')}", is_hidden=False,
            is_published=True, **values,
        )  # fmt: skip
        return self._say(page, edge, external_id)

    def comment(
        self, post: str, text: str | None, by: tuple[str, str] | None = ("771", "Léa"), *, parent: str | None = None,
        **values: Any,
    ) -> str:  # fmt: skip
        external_id = f"{post.partition('_')[2]}_{next(self.numbers)}"
        above = {"parent": {"id": parent}} if parent else {}
        self.put(
            "comment", external_id, message=text or "", **above, **(_person(by) if by else {}), is_hidden=False,
            created_time=self._time(values), like_count=0, comment_count=0, **values,
        )  # fmt: skip
        return self._say(post, "comments", external_id)

    def rating(self, page: str, text: str, *, positive: bool, by: tuple[str, str] = ("771", "Léa")) -> str:
        story = str(next(self.numbers))
        self.put(
            "rating", f"rating_{story}", open_graph_story={"id": story}, created_time=self._time({}), review_text=text,
            recommendation_type="positive" if positive else "negative", reviewer={"id": by[0], "name": by[1]},
        )  # fmt: skip
        self._say(page, "ratings", f"rating_{story}")
        return story

    def message(
        self,
        owner: str,
        text: str | None,
        *,
        conversation: str,
        by: tuple[str, str],
        external_id: str = "",
        **more: Any,
    ) -> str:
        at = self._time(more)
        if conversation not in self.things:
            self.put("conversation", conversation)
        talks = self.things[owner].edges.setdefault("conversations", [])
        if conversation in talks:
            talks.remove(conversation)
        talks.insert(0, conversation)
        self.things[conversation].values["updated_time"] = at
        external_id = external_id or f"m_{next(self.numbers)}"
        self.put("message", external_id, message=text or "", **_person(by), created_time=at, **more)
        return self._say(conversation, "messages", external_id)

    def medium(self, account: str, caption: str | None, *, edge: str = "media", username: str = "", **more: Any) -> str:
        external_id = str(17_900_000_000 + next(self.numbers))
        name = username or str(self.things[account].values["username"])
        self.put(
            "medium", external_id, **_text("caption", caption), username=name, timestamp=self._time(more),
            media_type="IMAGE", media_product_type="FEED", permalink=f"https://www.instagram.com/p/{external_id}/",
            media_url=f"https://scontent.cdninstagram.com/v/{external_id}_n.jpg?oh=1", like_count=0,
            **({} if username else {"owner": {"id": "5550001"}}), **more,
        )  # fmt: skip
        return self._say(account, edge, external_id)

    def remark(
        self, under: str, text: str, by: tuple[str, str] = ("771", "lea.dekust"), *, reply_to: str = "",
        own: bool = False, **more: Any,
    ) -> str:  # fmt: skip
        """A comment; the account's `own` one has ids that differ from the account's, as on the real network."""
        external_id = str(17_800_000_000 + next(self.numbers))
        above = {"parent_id": reply_to} if reply_to else {}
        self.put(
            "remark", external_id, text=text, timestamp=self._time(more), username=by[1], like_count=0, hidden=False,
            **{"from": {"id": by[0], "username": by[1]}}, media={"id": under}, **above,
            **({"user": {"id": "5550001"}} if own else {}), **more,
        )  # fmt: skip
        if reply_to:
            self.things[reply_to].edges.setdefault("replies", []).append(external_id)  # oldest first
            return external_id
        return self._say(under, "comments", external_id)

    def catch_up(self) -> None:
        """What is said from here on is said now."""
        self.now = datetime.now(UTC)

    def delete(self, external_id: str) -> None:
        del self.things[external_id]
        for thing in self.things.values():
            for listed in thing.edges.values():
                if external_id in listed:
                    listed.remove(external_id)

    def shown(self, external_id: str, edge: str) -> list[Thing]:
        listed = [self.things[one] for one in self.named(external_id, edge)]
        shown = [one for one in listed if not one.late]
        for one in listed:
            one.late = max(one.late - 1, 0)
        return shown

    def named(self, external_id: str, edge: str) -> list[str]:
        thing = self.things[external_id]
        if edge == "published_posts":
            return [one for one in thing.edges.get("feed", []) if one.startswith(f"{external_id}_")]
        if thing.kind == "comment" and edge == "comments":
            post = next(one for one in self.things.values() if external_id in one.edges.get("comments", []))
            beneath = {"id": external_id}
            return [one for one in post.edges["comments"] if self.things[one].values.get("parent") == beneath]
        return thing.edges.get(edge, [])

    def speaks(self, conversation: Thing, person: str) -> bool:
        """Whether it is the conversation with that person."""
        return any(self.things[one].values["from"]["id"] == person for one in conversation.edges.get("messages", []))

    def below(self, medium: str) -> int:
        """Comments on a medium with the replies to them, as its own counter has it."""
        return sum(1 + len(one.edges.get("replies", [])) for one in self.shown(medium, "comments"))

    def _say(self, under: str, edge: str, external_id: str) -> str:
        self.things[external_id].foreign = edge in ("tagged", "tags") or self.things[under].foreign
        self.things[under].edges.setdefault(edge, []).insert(0, external_id)
        return external_id

    def _time(self, values: dict[str, Any]) -> str:
        self.now += timedelta(seconds=20)
        at = values.pop("at", self.now)
        return str(at.strftime("%Y-%m-%dT%H:%M:%S+0000"))


def _text(field_: str, text: str | None) -> dict[str, str]:
    return {} if text is None else {field_: text}


def _person(by: Iterable[str]) -> dict[str, Any]:
    external_id, name = by
    return {"from": {"id": external_id, "name": name}}
