"""What can be seen of what was said: posts as they stand, threads, the change log. Nothing here writes."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from services.sandbox.store import Refusal, Store, wall
from services.sandbox.things import Author, Change, Counters, Media, Post, show

_SELECT = """
SELECT p.*, a.handle AS page_handle, EXISTS (SELECT 1 FROM hidden h WHERE h.post_id = p.id) AS hidden,
    coalesce((SELECT audience FROM circle f WHERE f.post_id = p.id), 'everyone') AS audience,
    (SELECT count(*) FROM reaction r WHERE r.post_id = p.id) AS likes,
    (SELECT count(*) FROM post c WHERE c.parent_id = p.id AND c.deleted_at IS NULL) AS replies
FROM post p JOIN account a ON a.id = p.account_id
"""


def get(store: Store, post_id: str, *, account_id: str | None = None) -> Post:
    """One post with live counters. Raises Refusal (404) where there is none to be seen on this account."""
    row = visible(store, post_id)
    if account_id is not None and row["account_id"] != account_id:
        raise _unknown(post_id)
    return _show(store, row)


def newest(
    store: Store, *, account: str | None = None, by: str | None = None, limit: int, before: str | None = None
) -> list[Post]:
    """What was said, newest first, optionally on one page, by one author, or before one post."""
    where, arguments = "p.hidden_until <= ?", [cast("object", wall())]
    author = "p.author_id = (SELECT id FROM account WHERE handle = ?)"
    for condition, value in (("a.handle = ?", account), (author, by)):
        if value is not None:
            where, arguments = f"{where} AND {condition}", [*arguments, value]
    if before is not None:
        where, arguments = f"{where} AND p.seq < ?", [*arguments, visible(store, before)["seq"]]
    rows = store.db.execute(f"{_SELECT} WHERE {where} ORDER BY p.seq DESC LIMIT ?", (*arguments, limit))
    return _show_all(store, rows.fetchall())


def count(store: Store, *, account: str | None) -> int:
    """How many posts there are to be seen, deleted ones included."""
    row = store.db.execute(
        "SELECT count(*) FROM post p JOIN account a ON a.id = p.account_id"
        " WHERE p.hidden_until <= ? AND (? IS NULL OR a.handle = ?)",
        (wall(), account, account),
    ).fetchone()
    return int(row[0])


def own(store: Store, account_id: str, *, client_id: str | None, since: datetime | None) -> list[Post]:
    """What the page itself posted, by its own mark, oldest first; at most 1,000."""
    rows = store.db.execute(
        f"{_SELECT} WHERE p.author_id = ? AND p.account_id = p.author_id AND p.hidden_until <= ?"
        " AND (? IS NULL OR p.client_id = ?) AND (? IS NULL OR p.published_at >= ?) ORDER BY p.seq LIMIT 1000",
        (account_id, wall(), client_id, client_id, since and show(since), since and show(since)),
    )
    return _show_all(store, rows.fetchall())


def thread(store: Store, post_id: str) -> list[Post]:
    """A post and all that was said below it, oldest first. Raises Refusal for an unknown one."""
    visible(store, post_id)
    rows = store.db.execute(
        f"{_SELECT} WHERE p.hidden_until <= ? AND p.id IN (WITH RECURSIVE tree (id) AS"  # noqa: S608 - constants
        " (SELECT ? UNION SELECT c.id FROM post c JOIN tree ON c.parent_id = tree.id) SELECT id FROM tree)"
        " ORDER BY p.seq LIMIT 2000",
        (wall(), post_id),
    )
    return _show_all(store, rows.fetchall())


def changes(
    store: Store, account_id: str, *, after: int, limit: int, follow: Sequence[str] = ()
) -> tuple[list[Change], bool]:
    """The change log after a number, oldest first, and whether more waits. It stops before what is shown late.

    `follow`: with what was said on other pages in which one of these words stands.
    """
    rows = store.db.execute(
        "SELECT number, body, hidden_until FROM change WHERE number > ? AND (account_id = ? OR EXISTS ("
        "   SELECT 1 FROM json_each(?) w WHERE instr(lower(json_extract(body, '$.post.text')), lower(w.value))))"
        " ORDER BY number LIMIT ?",
        (after, account_id, json.dumps(list(follow)), limit + 1),
    ).fetchall()
    now = wall()
    shown: list[Change] = []
    for row in rows:
        if row["hidden_until"] > now:
            return shown[:limit], False
        shown.append(Change.model_validate_json(row["body"]).model_copy(update={"number": row["number"]}))
    return shown[:limit], len(shown) > limit


def these(store: Store, account_id: str, post_ids: Sequence[str]) -> list[Post]:
    """Those of these posts that are to be seen on this account, deleted ones too, oldest first."""
    rows = store.db.execute(
        f"{_SELECT} WHERE p.account_id = ? AND p.hidden_until <= ? AND p.id IN (SELECT value FROM json_each(?))"  # noqa: S608
        " ORDER BY p.seq",
        (account_id, wall(), json.dumps(list(post_ids))),
    )
    return _show_all(store, rows.fetchall())


def history(
    store: Store, account_id: str, *, since: datetime, before: int, limit: int
) -> tuple[list[Post], int | None]:  # fmt: skip
    """What is there of an account since a moment, newest first, and the place after which the next page begins."""
    rows = store.db.execute(
        f"{_SELECT} WHERE p.account_id = ? AND p.hidden_until <= ? AND p.published_at >= ? AND p.seq < ?"
        " ORDER BY p.seq DESC LIMIT ?",
        (account_id, wall(), show(since), before, limit + 1),
    ).fetchall()
    shown = rows[:limit]
    return _show_all(store, shown), shown[-1]["seq"] if len(rows) > limit else None


def holding(
    store: Store, words: Sequence[str], *, since: datetime, before: int, limit: int
) -> tuple[list[Post], int | None]:
    """What everybody may read in which all of these stand, in any case and with or without accents, as `history`."""
    rows = store.db.execute(
        f"{_SELECT} WHERE p.hidden_until <= ? AND p.published_at >= ? AND p.seq < ? AND p.kind <> 'message'"  # noqa: S608
        " AND p.deleted_at IS NULL AND p.id NOT IN (SELECT post_id FROM hidden)"
        " AND p.id NOT IN (SELECT post_id FROM circle)"
        " AND NOT EXISTS (SELECT 1 FROM json_each(?) w WHERE instr(folded(p.text), folded(w.value)) = 0)"
        " ORDER BY p.seq DESC LIMIT ?",
        (wall(), show(since), before, json.dumps(list(words)), limit + 1),
    ).fetchall()
    shown = rows[:limit]
    return _show_all(store, shown), shown[-1]["seq"] if len(rows) > limit else None


def last_words(store: Store, post_ids: Sequence[str]) -> dict[str, str]:
    """The texts that deleted posts had: only the network's own page shows them, struck through."""
    rows = store.db.execute(
        "SELECT id, text FROM post WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(post_ids)),)
    )
    return {cast("str", row["id"]): cast("str", row["text"]) for row in rows}


# ---------------------------------------------------------------- rows to posts


def _unknown(post_id: str) -> Refusal:
    return Refusal(404, "not_found", f"there is no post with the id {post_id[:60]!r}")


def visible(store: Store, post_id: str) -> sqlite3.Row:
    """The post's row. Raises Refusal (404) where there is none to be seen now."""
    row: sqlite3.Row | None = store.db.execute(
        f"{_SELECT} WHERE p.id = ? AND p.hidden_until <= ?", (post_id, wall())
    ).fetchone()
    if row is None:
        raise _unknown(post_id)
    return row


def living(store: Store, post_id: str) -> sqlite3.Row:
    """The row of a post that can still be changed. Raises Refusal for one that is unknown (404) or deleted (409)."""
    row = visible(store, post_id)
    if row["deleted_at"] is not None:
        raise Refusal(409, "deleted", "the post is deleted")
    return row


def read(store: Store, post_id: str) -> Post:
    """A post that certainly exists, even one that is not shown yet."""
    return _show(store, store.db.execute(f"{_SELECT} WHERE p.id = ?", (post_id,)).fetchone())


def _show_all(store: Store, rows: Sequence[sqlite3.Row]) -> list[Post]:
    authors = {author_id: store.author(author_id) for author_id in {row["author_id"] for row in rows}}
    return [_show(store, row, authors[row["author_id"]]) for row in rows]


def _show(store: Store, row: sqlite3.Row, author: Author | None = None) -> Post:
    deleted = row["deleted_at"] is not None
    return Post(
        id=row["id"],
        url=f"{store.base_url}/posts/{row['id']}",
        account=row["page_handle"],
        author=author or store.author(row["author_id"]),
        kind=row["kind"],
        text=None if deleted else row["text"],
        parent_id=row["parent_id"],
        rating=row["rating"],
        media=[] if deleted else [Media(**item) for item in json.loads(row["media"])],
        visibility="private" if row["kind"] == "message" else "public",
        client_id=row["client_id"],
        published_at=row["published_at"],
        edited_at=row["edited_at"],
        deleted=deleted,
        deleted_at=row["deleted_at"],
        counters=Counters(likes=row["likes"], replies=row["replies"]),
        hidden=bool(row["hidden"]),
        audience=row["audience"],
    )
