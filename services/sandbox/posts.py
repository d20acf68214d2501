"""What people and pages do here: say, edit, delete, react. Each deed is one transaction with its change."""

import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.sandbox import lookups
from services.sandbox.store import Refusal, Store, wall
from services.sandbox.things import (
    TEXT_LIMIT,
    Audience,
    Change,
    Counters,
    Kind,
    Media,
    Post,
    Reaction,
    Verb,
    show,
)

RETRY_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Whim:
    """How this network treats one request behind its asker's back: shown late, told twice."""

    late_seconds: float = 0
    copies: int = 1


NO_WHIM = Whim()


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing to be said, already checked for its shape."""

    text: str
    media: Sequence[Media] = ()
    kind: Kind | None = None
    parent_id: str | None = None
    rating: float | None = None
    client_id: str | None = None
    audience: Audience = "everyone"
    followers: int | None = None  # the speaker's from now on


def say(store: Store, *, page: str, by: str, name: str | None = None, saying: Saying, whim: Whim = NO_WHIM) -> Post:
    """Say something on a page; page and speaker are made on first use. Raises Refusal, and then made nothing."""
    with store.write() as db:
        account = store.ensure_account(page, page=True)
        author = store.ensure_account(by, name=name)
        if saying.followers is not None:
            store.follow(author["id"], saying.followers)
        refuse_blocked(store, account["id"], author["id"])
        parent = _parent(store, saying.parent_id, account["id"])
        kind = _kind(saying, parent)
        _check(saying, kind)
        post_id = f"p_{secrets.token_hex(8)}"
        db.execute(
            "INSERT INTO post (id, account_id, author_id, kind, text, parent_id, rating, media, client_id,"
            " published_at, hidden_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                post_id,
                account["id"],
                author["id"],
                kind,
                saying.text,
                saying.parent_id,
                saying.rating,
                json.dumps([media.model_dump() for media in saying.media]),
                saying.client_id,
                show(store.now()),
                wall() + whim.late_seconds,
            ),
        )
        if saying.audience != "everyone":
            db.execute("INSERT INTO circle VALUES (?, ?)", (post_id, saying.audience))
        post = lookups.read(store, post_id)
        record(store, account["id"], "created", post.published_at, post=post, whim=whim)
    return post


def edit(store: Store, post_id: str, *, text: str | None, rating: float | None, whim: Whim = NO_WHIM) -> Post:
    """Another version of a post. Raises Refusal for one that is unknown or deleted."""
    with store.write() as db:
        row = lookups.living(store, post_id)
        saying = Saying(
            text=row["text"] if text is None else text,
            media=[Media(**item) for item in json.loads(row["media"])],
            rating=row["rating"] if rating is None else rating,
        )
        _check(saying, row["kind"])
        now = store.now()
        db.execute(
            "UPDATE post SET text = ?, rating = ?, edited_at = ? WHERE id = ?",
            (saying.text, saying.rating, show(now), post_id),
        )
        post = lookups.read(store, post_id)
        record(store, row["account_id"], "edited", now, post=post, whim=whim)
    return post


def delete(store: Store, post_id: str, *, whim: Whim = NO_WHIM) -> None:
    """Delete a post; its answers stay. Doing it again changes nothing. Raises Refusal for an unknown one."""
    with store.write() as db:
        row = lookups.visible(store, post_id)
        if row["deleted_at"] is not None:
            return
        now = store.now()
        db.execute("UPDATE post SET deleted_at = ? WHERE id = ?", (show(now), post_id))
        record(store, row["account_id"], "deleted", now, post=lookups.read(store, post_id), whim=whim)


def react(store: Store, post_id: str, *, by: str, reaction: str, on: bool, whim: Whim = NO_WHIM) -> Counters:
    """Give a reaction, one a person and post, or take it back. What was so already is no change."""
    with store.write() as db:
        row = lookups.living(store, post_id)
        person = store.ensure_account(by)
        refuse_blocked(store, row["account_id"], person["id"])
        key = (post_id, person["id"])
        held = db.execute("SELECT reaction FROM reaction WHERE post_id = ? AND account_id = ?", key).fetchone()
        if on and (held is None or held[0] != reaction):
            db.execute("INSERT OR REPLACE INTO reaction VALUES (?, ?, ?)", (*key, reaction))
        elif not on and held is not None:
            db.execute("DELETE FROM reaction WHERE post_id = ? AND account_id = ?", key)
        else:
            return lookups.read(store, post_id).counters
        post = lookups.read(store, post_id)
        fact = Reaction(
            post_id=post_id,
            account=post.account,
            by=store.author(person["id"]),
            reaction=reaction if on else held[0],
            counters=post.counters,
        )
        verb: Verb = "reacted" if on else "unreacted"
        record(store, row["account_id"], verb, store.now(), reaction=fact, whim=whim)
    return post.counters


def refuse_blocked(store: Store, account_id: str, person_id: str) -> None:
    """Raise Refusal (403) for who may not speak on a page."""
    key = (account_id, person_id)
    if store.db.execute("SELECT 1 FROM blocked WHERE account_id = ? AND person_id = ?", key).fetchone():
        raise Refusal(403, "blocked", "this page does not want to hear from you")


# ---------------------------------------------------------------- within


def _parent(store: Store, parent_id: str | None, account_id: str) -> sqlite3.Row | None:
    if parent_id is None:
        return None
    row: sqlite3.Row | None = store.db.execute("SELECT * FROM post WHERE id = ?", (parent_id,)).fetchone()
    if row is None or row["account_id"] != account_id:
        raise Refusal(422, "unknown_parent", "parent_id names nothing that was said on this page")
    if row["deleted_at"] is not None:
        raise Refusal(422, "parent_deleted", "what parent_id names is deleted")
    return row


def _kind(saying: Saying, parent: sqlite3.Row | None) -> Kind:
    private = parent is not None and parent["kind"] == "message"
    if saying.kind is None:
        return _natural_kind(saying, parent)
    if private and saying.kind != "message":
        raise Refusal(422, "wrong_kind", "an answer to a private message is a private message")
    if parent is not None and not private and saying.kind == "message":
        raise Refusal(422, "wrong_kind", "a private message answers private messages only")
    return saying.kind


def _natural_kind(saying: Saying, parent: sqlite3.Row | None) -> Kind:
    if parent is None:
        return "post" if saying.rating is None else "review"
    if parent["kind"] == "message":
        return "message"
    return "reply" if parent["kind"] in {"comment", "reply"} else "comment"


def _check(saying: Saying, kind: str) -> None:
    if len(saying.text) > TEXT_LIMIT:
        raise Refusal(422, "too_long", f"the text has {len(saying.text)} characters; {TEXT_LIMIT} is the most")
    if saying.rating is not None and kind != "review":
        raise Refusal(422, "wrong_kind", f"a {kind} has no rating; only a review has")
    if not saying.text.strip() and not saying.media and saying.rating is None:
        raise Refusal(422, "empty", "say something: a text, media or, for a review, a rating")


def record(
    store: Store,
    account_id: str,
    verb: Verb,
    at: datetime,
    *,
    post: Post | None = None,
    reaction: Reaction | None = None,
    whim: Whim,
) -> None:
    """Write the change and, where somebody listens, its deliveries; both stand or fall with the deed itself."""
    body = Change(number=0, verb=verb, at=at, post=post, reaction=reaction).model_dump_json()
    shown_at = wall() + whim.late_seconds
    number = store.db.execute(
        "INSERT INTO change (account_id, body, hidden_until) VALUES (?, ?, ?)", (account_id, body, shown_at)
    ).lastrowid
    for _ in range(whim.copies):
        store.db.execute(
            "INSERT INTO outbox (id, number, account_id, next_at, until)"
            " SELECT ?, ?, id, ?, ? FROM account WHERE id = ? AND webhook_url IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM hook_end e WHERE e.account_id = account.id AND e.ends_at <= ?)",
            (f"d_{secrets.token_hex(8)}", number, shown_at, shown_at + RETRY_SECONDS, account_id, wall()),
        )
