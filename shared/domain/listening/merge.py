"""How facts about one mention become its state, the same in whatever order and however often they come.

Everything here is pure. Content (text, media, rating) stands by the greatest version, a version being the triple
(edited_at, none before any; stamp of the delivery; digest of the content). Each other fact stands by the greatest
(stamp, value) that named it, so what one delivery leaves out another's answer is kept. Deletion is final.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.contract import Deleted, Hidden, Said
from shared.models.enums import AuthorKind, MentionKind, Network, Sentiment, Visibility

NEVER = datetime.min.replace(tzinfo=UTC)


def thing_key(network: Network, space: str, external_id: str) -> UUID:
    """The fixed-size key of a network's id: ids may be a thousand characters long, and an index takes fewer.

    `space` is empty where ids mean the same on every channel of the network, else the channel's id.
    """
    named = f"{network}\x1f{space}\x1f{external_id}".encode("utf-8", "replace")
    return UUID(bytes=hashlib.blake2b(named, digest_size=16).digest())


def content_digest(said: Said) -> bytes:
    """The digest of what a person would call the content: text, media, rating.

    A picture whose address was signed anew is the same picture, so media go by their keys where they have any.
    """
    media = "\x1e".join(f"{m.key or m.url}\x1f{m.kind}\x1f{m.alt or ''}" for m in said.media)
    content = f"{said.text if said.text is not None else chr(0)}\x1d{media}\x1d{said.rating}"
    return hashlib.blake2b(content.encode("utf-8", "replace"), digest_size=16).digest()


Version = tuple[datetime, datetime, bytes]


@dataclass(slots=True)
class MentionState:
    """A mention's row, as far as deliveries decide it. `new` and `dirty` say what must be written."""

    id: UUID
    key: UUID
    network: Network
    external_id: str
    channel_id: UUID
    published_at: datetime
    observed_at: datetime
    heard: bool = False
    kind: MentionKind = MentionKind.POST
    visibility: Visibility = Visibility.PUBLIC
    url: str | None = None
    text: str | None = None
    said_language: str | None = None
    language: str | None = None
    media: list[dict[str, Any]] = field(default_factory=list)
    rating: float | None = None
    author_id: UUID | None = None
    author_kind: AuthorKind = AuthorKind.UNKNOWN
    followers: int | None = None
    variant_id: UUID | None = None
    published_at_known: bool = False
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    hidden_at: datetime | None = None
    hidden_said_at: datetime | None = None
    version_stamp: datetime | None = None
    version_digest: bytes | None = None
    facts_at: dict[str, str] = field(default_factory=dict)
    version: int = 0
    parent_external_id: str | None = None
    parent_key: UUID | None = None
    parent_id: UUID | None = None
    thread_id: UUID | None = None
    likes: int | None = None
    replies: int | None = None
    shares: int | None = None
    views: int | None = None
    counted: dict[str, Any] = field(default_factory=dict)
    counted_at: datetime | None = None
    reactions: int | None = None
    sentiment: Sentiment | None = None
    sentiment_score: float | None = None
    deep_by: str | None = None
    fast_sentiment: Sentiment | None = None
    fast_score: float | None = None
    intents: list[str] | None = None
    urgency: float | None = None
    offence: float | None = None
    topics: list[str] | None = None
    read_by: str | None = None
    corrected: list[str] = field(default_factory=list)
    wording: UUID | None = None
    cluster: UUID | None = None
    is_copy: bool = False
    dirty: bool = False
    noted: bool = False  # something was kept that nobody sees: no other version, and nothing to tell
    new: bool = False

    @property
    def listed(self) -> bool:
        """Whether it counts and is shown by default."""
        return self.heard and self.deleted_at is None

    @property
    def own(self) -> bool:
        """The brand's own post, which counts under posts and not under mentions."""
        return self.kind is MentionKind.POST and self.author_kind is AuthorKind.BRAND

    @property
    def reach(self) -> int | None:
        """How many it reaches, as far as anybody told: its views, else its author's followers."""
        return self.followers if self.views is None else self.views

    @property
    def standing(self) -> Version | None:
        if self.version_stamp is None or self.version_digest is None:
            return None
        return (self.edited_at or NEVER, self.version_stamp, self.version_digest)


@dataclass(frozen=True, slots=True)
class EditDraft:
    """A version for the history."""

    mention_key: UUID
    text: str | None
    edited_at: datetime | None
    stamp: datetime
    digest: bytes
    observed_at: datetime


def apply_said(
    state: MentionState,
    said: Said,
    *,
    author_id: UUID | None,
    author_keys: Mapping[UUID, UUID],
    parent_key: UUID | None,
    channel_id: UUID,
    now: datetime,
) -> list[EditDraft]:
    """Fold one version into the state; the versions that its history must hold, where it has several.

    `author_keys` are the keys of the identities named here and before: ids are drawn, and have no order of their own.
    """
    digest = content_digest(said)
    if not state.heard:
        _take_first(state, said, author_id, parent_key, channel_id)
        _take_content(state, said, digest)
        return []
    mine: Version = (said.edited_at or NEVER, said.stamp, digest)
    standing = state.standing
    edits: list[EditDraft] = []
    if standing is not None and (standing[0], standing[2]) != (mine[0], mine[2]):
        edits = [_edit(state.key, state.text, standing, state.observed_at)]
        edits.append(_edit(state.key, None if state.deleted_at else said.text, mine, now))
    _fold_facts(state, said, author_id, author_keys, parent_key)
    first = min(state.channel_id, channel_id)
    if first != state.channel_id:
        state.channel_id, state.dirty = first, True
    if not said.published_at and not state.published_at_known and said.stamp < state.published_at:
        state.published_at, state.dirty = said.stamp, True
    if standing is None or mine > standing:
        _keep_fact_stamps(state, said.stamp)
        _take_content(state, said, digest)
    if standing != state.standing:
        state.dirty = True
    return edits


def _take_first(
    state: MentionState, said: Said, author_id: UUID | None, parent_key: UUID | None, channel_id: UUID
) -> None:
    """What is heard first stands as it is: each fact is as new as the version, so none keeps a stamp of its own."""
    state.kind, state.visibility, state.url, state.said_language = said.kind, said.visibility, said.url, said.language
    state.published_at, state.published_at_known = said.published_at or said.stamp, said.published_at is not None
    if parent_key is not None:
        state.parent_external_id, state.parent_key = said.parent_external_id, parent_key
    state.author_id, state.author_kind, state.channel_id = author_id, said.author_kind, channel_id
    state.followers = said.author.followers if said.author is not None else None
    state.heard = state.dirty = True


def _take_content(state: MentionState, said: Said, digest: bytes) -> None:
    state.edited_at, state.version_stamp, state.version_digest = said.edited_at, said.stamp, digest
    state.rating = said.rating
    if state.deleted_at is None:
        state.text = said.text
        state.media = [{"url": m.url, "kind": m.kind, "alt": m.alt} for m in said.media]


def _edit(key: UUID, text: str | None, version: Version, observed_at: datetime) -> EditDraft:
    return EditDraft(key, text, None if version[0] == NEVER else version[0], version[1], version[2], observed_at)


_FACTS = ("kind", "visibility", "url", "language", "published_at", "parent", "author_id", "author_kind", "followers")


def _itself(value: Any) -> Any:
    return value


def _fact_stamp(state: MentionState, name: str) -> datetime:
    kept = state.facts_at.get(name)
    return datetime.fromisoformat(kept) if kept else state.version_stamp or NEVER


def _keep_fact_stamps(state: MentionState, standing: datetime) -> None:
    """Before `version_stamp` moves to `standing`, write down the stamps of the facts that stay behind."""
    old = state.version_stamp
    for name in _FACTS:
        if not _is_known(state, name):
            continue
        kept = state.facts_at.get(name) or (old.isoformat() if old else None)
        if kept is None or kept == standing.isoformat():
            state.facts_at.pop(name, None)
        else:
            state.facts_at[name] = kept


def _is_known(state: MentionState, name: str) -> bool:
    match name:
        case "published_at":
            return state.published_at_known
        case "parent":
            return state.parent_key is not None
        case "author_kind":
            return state.author_kind is not AuthorKind.UNKNOWN
        case "language":
            return state.said_language is not None
        case _:
            return getattr(state, name) is not None


def _fold_facts(
    state: MentionState,
    said: Said,
    author_id: UUID | None,
    author_keys: Mapping[UUID, UUID],
    parent_key: UUID | None,
) -> None:
    def newer(name: str, value: object, current: object, order: Callable[[Any], Any] = str) -> bool:
        if value is None:
            return False
        if current is None:
            return True
        return bool((said.stamp, order(value)) > (_fact_stamp(state, name), order(current)))

    def take(name: str) -> None:
        state.dirty = True
        state.facts_at[name] = said.stamp.isoformat()

    if newer("kind", said.kind, state.kind):
        state.kind = said.kind
        take("kind")
    if newer("visibility", said.visibility, state.visibility):
        state.visibility = said.visibility
        take("visibility")
    if newer("url", said.url, state.url):
        state.url = said.url
        take("url")
    if newer("language", said.language, state.said_language):
        state.said_language = said.language
        take("language")
    known = state.published_at if state.published_at_known else None
    if newer("published_at", said.published_at, known, _itself) and said.published_at is not None:
        state.published_at, state.published_at_known = said.published_at, True
        take("published_at")
    if newer("parent", parent_key, state.parent_key):
        state.parent_external_id, state.parent_key = said.parent_external_id, parent_key
        take("parent")
    if newer("author_id", author_id, state.author_id, author_keys.__getitem__):
        state.author_id = author_id
        take("author_id")
    followers = said.author.followers if said.author is not None else None
    if newer("followers", followers, state.followers, _itself):
        state.followers = followers
        take("followers")
    kind = None if said.author_kind is AuthorKind.UNKNOWN else said.author_kind
    standing_kind = None if state.author_kind is AuthorKind.UNKNOWN else state.author_kind
    if state.variant_id is None and newer("author_kind", kind, standing_kind):
        state.author_kind = said.author_kind
        take("author_kind")


def apply_deleted(state: MentionState, deleted: Deleted) -> None:
    """Final: the text goes, and no later version brings it back."""
    if state.deleted_at is not None and state.deleted_at <= deleted.stamp:
        return
    state.deleted_at = deleted.stamp
    state.text, state.media = None, []
    state.dirty = True


def apply_hidden(state: MentionState, hidden: Hidden) -> None:
    """The last word counts; at the same moment, hidden wins."""
    said = (state.hidden_said_at or NEVER, state.hidden_at is not None)
    if (hidden.stamp, hidden.hidden) <= said:
        return
    state.hidden_said_at = hidden.stamp
    state.hidden_at = hidden.stamp if hidden.hidden else None
    state.dirty = True
