"""What a page does with what others say on it, and with the people who say it."""

from services.sandbox import lookups
from services.sandbox.posts import NO_WHIM, Whim, record
from services.sandbox.store import Refusal, Store
from services.sandbox.things import Author, Post, Verb


def hide(store: Store, post_id: str, *, on: bool, whim: Whim = NO_WHIM) -> Post:
    """Hide what somebody said from all but its author, or show it again. What is so already is no change.

    Raises Refusal for what is unknown, deleted, or the page's own.
    """
    with store.write() as db:
        row = lookups.living(store, post_id)
        if row["author_id"] == row["account_id"]:
            raise Refusal(422, "wrong_kind", "a page does not hide its own words; it may delete them")
        if bool(row["hidden"]) == on:
            return lookups.read(store, post_id)
        statement = "INSERT INTO hidden VALUES (?)" if on else "DELETE FROM hidden WHERE post_id = ?"
        db.execute(statement, (post_id,))
        post = lookups.read(store, post_id)
        verb: Verb = "hidden" if on else "unhidden"
        record(store, row["account_id"], verb, store.now(), post=post, whim=whim)
    return post


def block(store: Store, account_id: str, person_id: str, *, on: bool) -> Author:
    """Let somebody say nothing more on a page, or speak again. Raises Refusal for an unknown person, or the page."""
    with store.write() as db:
        if db.execute("SELECT 1 FROM account WHERE id = ?", (person_id,)).fetchone() is None:
            raise Refusal(404, "not_found", "there is nobody with this id")
        if person_id == account_id:
            raise Refusal(422, "wrong_kind", "a page can't block itself")
        if on:
            db.execute("INSERT OR IGNORE INTO blocked VALUES (?, ?)", (account_id, person_id))
        else:
            db.execute("DELETE FROM blocked WHERE account_id = ? AND person_id = ?", (account_id, person_id))
    return store.author(person_id)


def blocked(store: Store, account_id: str) -> list[Author]:
    """Who may not speak on a page, by name."""
    rows = store.db.execute("SELECT person_id FROM blocked WHERE account_id = ?", (account_id,)).fetchall()
    return sorted((store.author(row["person_id"]) for row in rows), key=lambda person: person.handle)


def blocked_on(store: Store, person_id: str) -> list[Author]:
    """On which pages somebody may not speak."""
    rows = store.db.execute("SELECT account_id FROM blocked WHERE person_id = ?", (person_id,)).fetchall()
    return sorted((store.author(row["account_id"]) for row in rows), key=lambda page: page.handle)
