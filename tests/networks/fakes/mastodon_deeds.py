"""What accounts do on a Mastodon instance: publish, upload, delete, favourite, block; refused as by the real ones."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape

from starlette.responses import JSONResponse, Response

from tests.networks.fakes.mastodon_apps import Apps, Failure
from tests.networks.fakes.mastodon_people import HOST, Json

KEY_KEPT = timedelta(hours=1)
_MENTION = re.compile(r"(?<![\w/])@(\w+(?:@[\w.-]*\w)?)")
_ADDRESS = re.compile(r"https?://[^\s<]+")
_TAG = re.compile(r"(?<![\w/&])#(\w+)")
_TYPES = ("image/", "video/", "audio/")

Form = dict[str, list[str]]


@dataclass
class Upload:
    """A medium that was uploaded. `looks`: how often it is still asked for before it is ready."""

    owner: str
    type: str
    size: int
    description: str | None
    looks: int = 0
    status: str | None = None


@dataclass
class Deeds(Apps):
    """`slow_media`: how often an upload is asked for before it is ready. `broken_media`: it will never be.

    `keys` are the Idempotency-Keys that were given and the status that each made, until when; `sources` the texts that
    were written, as they were.
    """

    uploads: dict[str, Upload] = field(default_factory=dict)
    keys: dict[tuple[str, str], tuple[str, datetime]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    favourites: set[tuple[str, str]] = field(default_factory=set)
    slow_media: int = 0
    broken_media: bool = False
    most_media: int = 4
    characters: int = 500

    # ------------------------------------------------------------ statuses

    def publish(self, account: str, form: Form, key: str | None) -> Json:
        """The status that this makes, or made when the same key was given before."""
        known = self.keys.get((account, key or ""))
        if known is not None and known[1] > datetime.now(UTC) and known[0] in self.statuses:
            return self.seen(self.statuses[known[0]], account)
        text, parent = _one(form, "status") or "", _one(form, "in_reply_to_id")
        if parent is not None and (parent not in self.statuses or not self.shows(self.statuses[parent], account)):
            raise Failure(404, "The post you are trying to reply to does not appear to exist.")
        media = self._attached(account, form.get("media_ids[]", []))
        if not text and not media:
            raise Failure(422, "Validation failed: Text can't be blank")
        if len(text) > self.characters:
            raise Failure(422, f"Validation failed: Text character limit of {self.characters} exceeded")
        self.now = max(self.now, datetime.now(UTC) - timedelta(seconds=1))
        named = [one for name in _MENTION.findall(text) if (one := self._known(name)) is not None]
        external_id = self.say(
            account, text, to=named, reply_to=parent, visibility=_one(form, "visibility") or "public",
            content=self._linked(text), media_attachments=[self.attachment(one) for one in media],
            language=_one(form, "language"),
        )  # fmt: skip
        self.sources[external_id] = text
        for one in media:
            self.uploads[one].status = external_id
        if key is not None:
            self.keys[account, key] = external_id, datetime.now(UTC) + KEY_KEPT
        return self.seen(self.statuses[external_id], account)

    def _attached(self, account: str, ids: list[str]) -> list[str]:
        if len(ids) > self.most_media:
            raise Failure(422, f"Cannot attach more than {self.most_media} files")
        free = {one for one, upload in self.uploads.items() if upload.owner == account and upload.status is None}
        lost = [one for one in ids if one not in free]
        if lost:
            raise Failure(422, f"Media {', '.join(lost)} not found or already attached to another post")
        if any(self.uploads[one].looks for one in ids):
            raise Failure(422, "Cannot attach files that have not finished processing. Try again in a moment!")
        if len(ids) > 1 and any(not self.uploads[one].type.startswith("image/") for one in ids):
            raise Failure(422, "Cannot attach a video to a post that already contains images")
        return ids

    def _known(self, handle: str) -> str | None:
        named = handle.removesuffix(f"@{HOST}").casefold()
        return next((one for one, who in self.accounts.items() if who["acct"].casefold() == named), None)

    def _linked(self, text: str) -> str:
        """The text as instances mark it up: addresses cut for the eye, mentions without their host, hashtags."""
        marked = _ADDRESS.sub(lambda found: _anchor(found[0]), escape(text, quote=False))
        marked = _TAG.sub(
            rf'<a href="https://{HOST}/tags/\1" class="mention hashtag" rel="tag">#<span>\1</span></a>', marked
        )
        return "".join(f"<p>{part}</p>".replace("\n", "<br />") for part in self._named(marked).split("\n\n"))

    def _named(self, text: str) -> str:
        def anchor(found: re.Match[str]) -> str:
            known = self._known(found[1])
            if known is None:
                return found[0]
            who = self.accounts[known]
            name = f"@<span>{who['username']}</span>"
            return f'<span class="h-card"><a href="{who["url"]}" class="u-url mention">{name}</a></span>'

        return _MENTION.sub(anchor, text)

    def seen(self, status: Json, reader: str) -> Json:
        """A status as an account sees it."""
        return {**status, "favourited": (reader, status["id"]) in self.favourites}

    def take_back(self, account: str, external_id: str) -> Json:
        """Delete; somebody else's is as if it were not there."""
        status = self.statuses.get(external_id)
        if status is None or status["account"]["id"] != account:
            raise Failure(404, "Record not found")
        self.delete(external_id)
        return {**status, "text": "…"}

    def favour(self, account: str, external_id: str, on: bool) -> Json:
        status = self.statuses.get(external_id)
        if status is None or not self.shows(status, account):
            raise Failure(404, "Record not found")
        had = (account, external_id) in self.favourites
        if on and not had:
            self.favourites.add((account, external_id))
            self.favourite(account, external_id)
        elif not on and had:
            self.favourites.remove((account, external_id))
            status["favourites_count"] -= 1
        return self.seen(status, account)

    def block(self, account: str, other: str, on: bool) -> Json:
        if other not in self.accounts:
            raise Failure(404, "Record not found")
        if on:
            self.blocks.add((account, other))
        else:
            self.blocks.discard((account, other))
        return self.relationship(account, other)

    def relationship(self, account: str, other: str) -> Json:
        return {"id": other, "following": False, "blocking": (account, other) in self.blocks, "muting": False}

    # ------------------------------------------------------------ media

    def upload(self, account: str, raw: bytes, type_: str, description: str | None) -> Response:
        """A medium, ready at once (200) or after a while (202)."""
        if not type_.startswith(_TYPES):
            raise Failure(422, "Validation failed: File content type is invalid, File is invalid")
        if description is not None and len(description) > 1_500:
            raise Failure(422, "Validation failed: Description is too long (maximum is 1500 characters)")
        external_id = self.new_id(self.passes())
        self.uploads[external_id] = Upload(account, type_, len(raw), description, self.slow_media)
        return JSONResponse(self.attachment(external_id), 202 if self.slow_media else 200)

    def medium(self, account: str, external_id: str) -> Response:
        found = self.uploads.get(external_id)
        if found is None or found.owner != account or found.status is not None:
            raise Failure(404, "Record not found")
        if self.broken_media:
            raise Failure(422, "Error processing thumbnail for uploaded media")
        found.looks = max(0, found.looks - 1)
        return JSONResponse(self.attachment(external_id), 206 if found.looks else 200)

    def attachment(self, external_id: str) -> Json:
        found = self.uploads[external_id]
        url = None if found.looks else f"https://{HOST}/media/{external_id}"
        return {"id": external_id, "type": found.type.partition("/")[0], "url": url,
                "description": found.description}  # fmt: skip


def _one(form: Form, name: str) -> str | None:
    return form.get(name, [None])[0]


def _anchor(address: str) -> str:
    scheme, _, rest = address.partition("://")
    shown, cut = rest[:30], rest[30:]
    ellipsis = ' class="ellipsis"' if cut else ""
    return (
        f'<a href="{address}" target="_blank" rel="nofollow noopener"><span class="invisible">{scheme}://</span>'
        f'<span{ellipsis}>{shown}</span><span class="invisible">{cut}</span></a>'
    )


def multipart(body: bytes, content_type: str) -> dict[str, tuple[str, bytes]]:
    """The parts of a form with files: each one's type and bytes, by its name."""
    boundary = b"--" + content_type.partition("boundary=")[2].encode()
    found: dict[str, tuple[str, bytes]] = {}
    for piece in body.split(boundary)[1:-1]:
        head, _, raw = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        told = head.decode()
        name = re.search(r'name="([^"]*)"', told)
        kind = re.search(r"content-type: (\S+)", told, re.IGNORECASE)
        assert name is not None
        found[name[1]] = (kind[1] if kind else "text/plain", raw.removesuffix(b"\r\n"))
    return found
