"""Telling pages' webhooks what changed: from the outbox, signed, again and again until taken; at least once."""

import asyncio
import hashlib
import hmac
import sqlite3
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import httpx
import orjson

from services.sandbox import habits
from services.sandbox.store import Refusal, Store, wall
from services.sandbox.things import Change
from shared.log import logger

_LOG = logger("sandbox.deliveries")
_AT_ONCE: Final = 16
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0
_ANSWER_SECONDS: Final = 10.0
_GLANCE_SECONDS: Final = 0.5


def subscribe(store: Store, account_id: str, *, url: str, secret: str) -> float | None:
    """Push this page's changes to `url` from now on; what still waits goes there too, under the new secret.

    After how many seconds that ends; None where it lasts.
    """
    try:
        httpx.URL(url)
        callable_host = bool(urlsplit(url).hostname) and urlsplit(url).port != 0
    except (httpx.InvalidURL, ValueError):
        callable_host = False
    if not callable_host:
        raise Refusal(422, "invalid", "url: there is no host that could be called in it")
    with store.write() as db:
        db.execute(
            "UPDATE account SET webhook_url = ?, webhook_secret = ?, given_up = 0 WHERE id = ?",
            (url, secret, account_id),
        )
        ends_in = habits.of(store, account_id).hook_seconds
        db.execute("DELETE FROM hook_end WHERE account_id = ?", (account_id,))
        if ends_in is not None:
            db.execute("INSERT INTO hook_end VALUES (?, ?)", (account_id, wall() + ends_in))
    return ends_in


def unsubscribe(store: Store, account_id: str) -> None:
    """Push nothing more, not even what waits."""
    with store.write() as db:
        db.execute("UPDATE account SET webhook_url = NULL, webhook_secret = NULL WHERE id = ?", (account_id,))
        db.execute("DELETE FROM outbox WHERE account_id = ?", (account_id,))


def waiting(store: Store, account_id: str) -> int:
    """How many deliveries of this page still wait to be taken."""
    row = store.db.execute("SELECT count(*) FROM outbox WHERE account_id = ?", (account_id,)).fetchone()
    return int(row[0])


def signature(secret: str, body: bytes) -> str:
    """The value of X-Sandbox-Signature: HMAC-SHA256 over the raw body, keyed with the secret as UTF-8 text."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def wait_after(tries: int) -> float:
    """Seconds until the next try after this many: 1, 2, 4, … 60."""
    return min(_FIRST_WAIT * 2.0 ** min(tries - 1, 10), _LONGEST_WAIT)


class Courier:
    """The one background task that empties the outbox."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run(self) -> None:
        """Deliver until cancelled. A failure of its own is logged and tried again, never the end of it."""
        # The environment's proxies are for the world outside; webhooks go where they were told to.
        async with httpx.AsyncClient(timeout=_ANSWER_SECONDS, trust_env=False) as http, asyncio.TaskGroup() as group:
            busy: set[str] = set()
            while True:
                self._store.changed.clear()
                try:
                    due = self._due(busy)
                except sqlite3.Error:
                    _LOG.exception("outbox_unreadable")
                    due = []
                for row in due:
                    busy.add(row["id"])
                    task = group.create_task(self._deliver(http, row))
                    task.add_done_callback(partial(self._done, busy, row["id"]))
                await self._rest()

    def _due(self, busy: set[str]) -> list[sqlite3.Row]:
        if len(busy) >= _AT_ONCE:
            return []
        rows = self._store.db.execute(
            "SELECT o.id, o.number, o.tries, o.until, c.body, a.id AS account_id, a.handle, a.webhook_url,"
            " a.webhook_secret FROM outbox o JOIN change c USING (number) JOIN account a ON a.id = o.account_id"
            " WHERE o.next_at <= ? AND a.webhook_url IS NOT NULL ORDER BY o.next_at, o.number LIMIT ?",
            (wall(), _AT_ONCE + len(busy)),
        ).fetchall()
        return [row for row in rows if row["id"] not in busy][: _AT_ONCE - len(busy)]

    def _done(self, busy: set[str], delivery: str, _task: asyncio.Task[None]) -> None:
        busy.discard(delivery)
        self._store.changed.set()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_GLANCE_SECONDS):
                await self._store.changed.wait()
        except TimeoutError:
            return

    async def _deliver(self, http: httpx.AsyncClient, row: sqlite3.Row) -> None:
        change = Change.model_validate_json(row["body"]).model_copy(update={"number": row["number"]})
        told = change.named() if habits.of(self._store, row["account_id"]).names_only else change.shown()
        body = orjson.dumps({"object": "sandbox", "account": row["handle"], "changes": [told]})
        try:
            answer = await http.post(
                row["webhook_url"],
                content=body,
                headers={
                    "Content-Type": "application/json",
                    "User-Agent": "sandbox/1",
                    "X-Sandbox-Delivery": row["id"],
                    "X-Sandbox-Signature": signature(row["webhook_secret"], body),
                },
            )
            problem = None if answer.is_success else f"status {answer.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
            problem = type(error).__name__
        try:
            self._settle(row, problem)
        except sqlite3.Error:
            # The row stands as it was, so the delivery is made again: at least once.
            _LOG.exception("delivery_unsettled", delivery=row["id"])

    def _settle(self, row: sqlite3.Row, problem: str | None) -> None:
        tries = row["tries"] + 1
        with self._store.write() as db:
            if problem is None:
                db.execute("DELETE FROM outbox WHERE id = ?", (row["id"],))
            elif wall() >= row["until"]:
                db.execute("DELETE FROM outbox WHERE id = ?", (row["id"],))
                db.execute("UPDATE account SET given_up = given_up + 1 WHERE id = ?", (row["account_id"],))
            else:
                db.execute(
                    "UPDATE outbox SET tries = ?, next_at = ? WHERE id = ?",
                    (tries, wall() + wait_after(tries), row["id"]),
                )
        if problem is not None:
            _LOG.info("delivery_not_taken", delivery=row["id"], tries=tries, problem=problem)
