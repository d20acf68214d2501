"""The network's memory: one SQLite file, its accounts and its clock."""

import asyncio
import secrets
import sqlite3
import time
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from services.sandbox.things import Author

_SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    id TEXT PRIMARY KEY, handle TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    page INTEGER NOT NULL DEFAULT 0, token TEXT UNIQUE,
    webhook_url TEXT, webhook_secret TEXT, given_up INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS post (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES account, author_id TEXT NOT NULL REFERENCES account,
    kind TEXT NOT NULL, text TEXT NOT NULL, parent_id TEXT REFERENCES post (id), rating REAL,
    media TEXT NOT NULL, client_id TEXT, published_at TEXT NOT NULL, edited_at TEXT, deleted_at TEXT,
    hidden_until REAL NOT NULL);
CREATE INDEX IF NOT EXISTS post_by_account ON post (account_id, seq);
CREATE INDEX IF NOT EXISTS post_by_parent ON post (parent_id);
CREATE INDEX IF NOT EXISTS post_by_client ON post (author_id, client_id);
CREATE TABLE IF NOT EXISTS reaction (
    post_id TEXT NOT NULL REFERENCES post (id), account_id TEXT NOT NULL REFERENCES account,
    reaction TEXT NOT NULL, PRIMARY KEY (post_id, account_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS change (
    number INTEGER PRIMARY KEY AUTOINCREMENT, account_id TEXT NOT NULL REFERENCES account,
    body TEXT NOT NULL, hidden_until REAL NOT NULL);
CREATE INDEX IF NOT EXISTS change_by_account ON change (account_id, number);
CREATE TABLE IF NOT EXISTS outbox (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL REFERENCES change, account_id TEXT NOT NULL REFERENCES account,
    tries INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL, until REAL NOT NULL);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (next_at);
CREATE INDEX IF NOT EXISTS outbox_by_account ON outbox (account_id);
CREATE TABLE IF NOT EXISTS fault (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, match TEXT NOT NULL, effect TEXT NOT NULL,
    remaining INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS client (
    id TEXT PRIMARY KEY, secret TEXT NOT NULL, name TEXT NOT NULL, redirect_uris TEXT NOT NULL,
    deauthorize_url TEXT, deletion_url TEXT);
CREATE TABLE IF NOT EXISTS code (
    digest BLOB PRIMARY KEY, client_id TEXT NOT NULL REFERENCES client, person_id TEXT NOT NULL REFERENCES account,
    redirect_uri TEXT NOT NULL, challenge TEXT NOT NULL, scopes TEXT NOT NULL, pages TEXT NOT NULL,
    until REAL NOT NULL, used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS granted (
    token TEXT PRIMARY KEY, client_id TEXT NOT NULL REFERENCES client, person_id TEXT NOT NULL REFERENCES account,
    code BLOB NOT NULL REFERENCES code, account_id TEXT REFERENCES account, scopes TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS granted_by_person ON granted (person_id, client_id);
CREATE TABLE IF NOT EXISTS token (
    token TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES account, refresh TEXT UNIQUE,
    expires_at TEXT NOT NULL, seconds REAL NOT NULL);
CREATE TABLE IF NOT EXISTS habit (account_id TEXT PRIMARY KEY REFERENCES account, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS followed (account_id TEXT PRIMARY KEY REFERENCES account, by INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hook_end (account_id TEXT PRIMARY KEY REFERENCES account, ends_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS hidden (post_id TEXT PRIMARY KEY REFERENCES post (id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS circle (post_id TEXT PRIMARY KEY REFERENCES post (id), audience TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocked (
    account_id TEXT NOT NULL REFERENCES account, person_id TEXT NOT NULL REFERENCES account,
    PRIMARY KEY (account_id, person_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS budget (account_id TEXT PRIMARY KEY REFERENCES account, ends_at REAL NOT NULL,
    used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), offset_seconds REAL NOT NULL);
"""


class Refusal(Exception):
    """What this network answers instead of doing it: a status, a code to match on and a sentence to read."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, dict(headers or {})


class Store:
    """One connection to the file. Every call is short and synchronous: the event loop is the only writer.

    `changed` is set after every commit, for whoever waits for something new.
    """

    def __init__(self, file: Path, base_url: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.base_url = base_url.rstrip("/")
        self.changed = asyncio.Event()
        self.db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        # In WAL mode a commit survives the death of the process; only a power cut may take the last ones.
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "busy_timeout = 5000"):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.executescript(_SCHEMA)
        self.db.create_function("folded", 1, _folded, deterministic=True)

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is kept, or, when the block raises, none."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")
        self.changed.set()

    # ------------------------------------------------------------ clock

    def now(self) -> datetime:
        """The network's own idea of now, which may have been moved. It ticks."""
        return datetime.now(UTC) + timedelta(seconds=self.clock_offset())

    def clock_offset(self) -> float:
        row = self.db.execute("SELECT offset_seconds FROM clock").fetchone()
        return float(row[0]) if row else 0.0

    def move_clock(self, at: datetime | None) -> None:
        """Let now be `at`, and tick on from there; None is the real time again."""
        with self.write() as db:
            db.execute("DELETE FROM clock")
            if at is not None:
                db.execute("INSERT INTO clock VALUES (1, ?)", ((at - datetime.now(UTC)).total_seconds(),))

    # ------------------------------------------------------------ accounts

    def account(self, handle: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.db.execute("SELECT * FROM account WHERE handle = ?", (handle,)).fetchone()
        return row

    def account_of_token(self, token: str) -> sqlite3.Row | None:
        """The page that a token speaks for, and what it `may`: its own token everything, a granted one its scopes."""
        row: sqlite3.Row | None = self.db.execute(
            "SELECT *, 'read publish webhook' AS may FROM account WHERE token = :token"
            " UNION ALL SELECT a.*, g.scopes FROM granted g JOIN account a ON a.id = g.account_id"
            " WHERE g.token = :token",
            {"token": token},
        ).fetchone()
        return row

    def pages(self) -> list[sqlite3.Row]:
        return self.db.execute("SELECT * FROM account WHERE page ORDER BY handle").fetchall()

    def ensure_account(self, handle: str, *, name: str | None = None, page: bool = False) -> sqlite3.Row:
        """The account with this handle, made on first use. A person whose page is written on becomes a page."""
        found = self.account(handle)
        if found is None:
            new_id = f"a_{secrets.token_hex(8)}"
            self.db.execute(
                "INSERT INTO account (id, handle, name, page) VALUES (?, ?, ?, ?)",
                (new_id, handle, name or handle, page),
            )
        elif (page and not found["page"]) or (name is not None and name != found["name"]):
            self.db.execute(
                "UPDATE account SET page = max(page, ?), name = coalesce(?, name) WHERE id = ?",
                (page, name, found["id"]),
            )
        else:
            return found
        made = self.account(handle)
        assert made is not None
        return made

    def follow(self, account_id: str, followers: int) -> None:
        """How many follow an account from now on."""
        self.db.execute("INSERT OR REPLACE INTO followed VALUES (?, ?)", (account_id, followers))

    def ensure_token(self, account: sqlite3.Row, wanted: str | None = None) -> str:
        """The page's token: the same one every time; `wanted` is taken where it has none yet."""
        if account["token"] is not None:
            return str(account["token"])
        token = wanted or f"sbx_{secrets.token_urlsafe(24)}"
        self.db.execute("UPDATE account SET token = ? WHERE id = ?", (token, account["id"]))
        return token

    def page_url(self, row: sqlite3.Row) -> str:
        place = "pages" if row["page"] else "people"
        return f"{self.base_url}/{place}/{quote(row['handle'], safe='')}"

    def author(self, account_id: str) -> Author:
        row = self.db.execute(
            "SELECT a.*, f.by AS followers FROM account a LEFT JOIN followed f ON f.account_id = a.id WHERE a.id = ?",
            (account_id,),
        ).fetchone()
        return Author(
            id=row["id"],
            handle=row["handle"],
            name=row["name"],
            kind="page" if row["page"] else "person",
            url=self.page_url(row),
            followers=row["followers"],
        )


def _folded(text: str) -> str:
    """A text as a search compares it: without case, accents, and what parts its words."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()
    return " ".join("".join(c if c.isalnum() or c == "_" else " " for c in bare).split())


def wall() -> float:
    """Real seconds, for what must not follow the moved clock: waiting, retrying, hiding."""
    return time.time()
