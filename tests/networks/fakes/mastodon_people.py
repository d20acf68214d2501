"""Who is on a Mastodon instance and what they said: entities in the shapes of the interface, ids made from times."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import count
from typing import Any

Json = dict[str, Any]
HOST = "fake.example"


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class People:
    """The instance's database. `now` is its clock: everything that happens moves it on by a second."""

    now: datetime = datetime(2026, 11, 22, 9, tzinfo=UTC)
    accounts: dict[str, Json] = field(default_factory=dict)
    statuses: dict[str, Json] = field(default_factory=dict)
    notifications: dict[str, list[Json]] = field(default_factory=dict)
    blocks: set[tuple[str, str]] = field(default_factory=set)
    _numbers: Any = field(default_factory=lambda: count(1))

    def passes(self, seconds: float = 1) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    def new_id(self, moment: datetime) -> str:
        """Milliseconds since 1970, shifted by 16 bits, and a number below: so ids sort by time."""
        return str((int(moment.timestamp() * 1000) << 16) + next(self._numbers) % 65536)

    def join(self, name: str, host: str | None = None, **more: Any) -> str:
        """A new account's id; with a host, somebody on another instance."""
        external_id = self.new_id(self.passes())
        place = host or HOST
        self.accounts[external_id] = {
            "id": external_id,
            "username": name,
            "acct": f"{name}@{host}" if host else name,
            "display_name": name.title(),
            "locked": False,
            "bot": False,
            "url": f"https://{place}/@{name}",
            "uri": f"https://{place}/users/{name}",
            **more,
        }
        self.notifications[external_id] = []
        return external_id

    def say(
        self,
        author: str,
        text: str,
        *,
        to: Sequence[str] = (),
        reply_to: str | None = None,
        visibility: str = "public",
        tags: Sequence[str] = (),
        late_by: float = 0,
        **more: Any,
    ) -> str:
        """A new status's id. One that is `late_by` seconds is filed under the time at which it was written."""
        written = self.passes() - timedelta(seconds=late_by)
        external_id = self.new_id(written)
        url = f"{self.accounts[author]['url']}/{external_id}"
        self.statuses[external_id] = {
            "id": external_id,
            "created_at": iso(written),
            "edited_at": None,
            "in_reply_to_id": reply_to,
            "in_reply_to_account_id": self.statuses[reply_to]["account"]["id"] if reply_to else None,
            "visibility": visibility,
            "spoiler_text": "",
            "language": "nl",
            "uri": url,
            "url": url,
            "content": self._html(text, to, tags),
            "account": self.accounts[author],
            "mentions": [{key: self.accounts[one][key] for key in ("id", "username", "acct", "url")} for one in to],
            "tags": [{"name": tag.lower(), "url": f"https://{HOST}/tags/{tag}"} for tag in tags],
            "media_attachments": [],
            "reblog": None,
            "replies_count": 0,
            "reblogs_count": 0,
            "favourites_count": 0,
            **more,
        }
        if reply_to is not None:
            self.statuses[reply_to]["replies_count"] += 1
        for one in to:
            self.notify(one, "mention", author, external_id, filtered=visibility == "direct")
        return external_id

    def _html(self, text: str, to: Sequence[str], tags: Sequence[str]) -> str:
        told = "</p><p>".join(escape(part).replace("\n", "<br>") for part in text.split("\n\n"))
        greeted = "".join(
            f'<span class="h-card"><a href="{who["url"]}" class="u-url mention">@<span>{who["username"]}</span></a>'
            "</span> "
            for who in (self.accounts[one] for one in to)
        )
        tagged = "".join(
            f' <a href="https://{HOST}/tags/{tag}" class="mention hashtag" rel="tag">#<span>{tag}</span></a>'
            for tag in tags
        )
        return f"<p>{greeted}{told}{tagged}</p>"

    def notify(self, whom: str, which: str, by: str, status: str | None = None, **more: Any) -> None:
        """A notification; its number comes from a sequence of its own, not from a time.

        One that the account's policy filters, as it does private mentions by strangers, is listed only on request.
        """
        told = {
            "id": str(next(self._numbers)),
            "type": which,
            "created_at": iso(self.now),
            "account": self.accounts[by],
        }
        self.notifications[whom].append({**told, "status": self.statuses.get(status or ""), **more})

    def edit(self, external_id: str, text: str) -> None:
        status = self.statuses[external_id]
        status["content"], status["edited_at"] = self._html(text, (), ()), iso(self.passes())

    def delete(self, external_id: str) -> None:
        """It is gone, and so are the notifications about it."""
        self.passes()
        del self.statuses[external_id]
        for whom, told in self.notifications.items():
            self.notifications[whom] = [one for one in told if (one["status"] or {}).get("id") != external_id]

    def favourite(self, by: str, external_id: str) -> None:
        status = self.statuses[external_id]
        status["favourites_count"] += 1
        self.passes()
        self.notify(status["account"]["id"], "favourite", by, external_id)

    def reblog(self, by: str, external_id: str) -> None:
        status = self.statuses[external_id]
        status["reblogs_count"] += 1
        self.passes()
        self.notify(status["account"]["id"], "reblog", by, external_id)

    def shows(self, status: Json, reader: str) -> bool:
        """Whether an account may see a status: what is direct or for followers, only those whom it is for."""
        author = status["account"]["id"]
        if (author, reader) in self.blocks:
            return False
        if reader == author or status["visibility"] in {"public", "unlisted"}:
            return True
        return reader in {mention["id"] for mention in status["mentions"]}
