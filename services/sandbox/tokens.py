"""Logins that run out: an access token for a while, and a refresh token that is good for one exchange."""

import secrets
import sqlite3
from datetime import datetime, timedelta

from services.sandbox.store import Refusal, Store
from services.sandbox.things import show

_ENDED = "invalid_grant"


def log_in(store: Store, handle: str, *, seconds: float) -> dict[str, str | float]:
    """A new login for a page, whose access tokens last that long. Raises Refusal (404) for an unknown one."""
    with store.write():
        row = store.account(handle)
        if row is None:
            raise Refusal(404, "not_found", "there is no such page")
        return _issue(store, row["id"], seconds)


def log_out(store: Store, handle: str) -> None:
    """End every login of a page, as who revokes an app's rights does."""
    with store.write() as db:
        db.execute("DELETE FROM token WHERE account_id = (SELECT id FROM account WHERE handle = ?)", (handle,))


def refresh(store: Store, refresh_token: str) -> dict[str, str | float]:
    """The next pair of a login; the refresh token is used up by it. Raises Refusal (400 `invalid_grant`)."""
    with store.write() as db:
        row = db.execute("SELECT * FROM token WHERE refresh = ?", (refresh_token,)).fetchone()
        if row is None:
            raise Refusal(400, _ENDED, "this refresh token is unknown, revoked or used up")
        db.execute("UPDATE token SET refresh = NULL WHERE refresh = ?", (refresh_token,))
        return _issue(store, row["account_id"], row["seconds"])


def account_of(store: Store, token: str) -> sqlite3.Row | None:
    """Whose access token this is; None for an unknown one. Raises Refusal (401 `expired_token`) once it has run out."""
    row = store.db.execute("SELECT * FROM token WHERE token = ?", (token,)).fetchone()
    if row is None:
        return None
    if datetime.fromisoformat(row["expires_at"]) <= store.now():
        raise Refusal(401, "expired_token", "the token has expired")
    found: sqlite3.Row | None = store.db.execute(
        "SELECT *, 'read publish webhook' AS may FROM account WHERE id = ?", (row["account_id"],)
    ).fetchone()
    return found


def _issue(store: Store, account_id: str, seconds: float) -> dict[str, str | float]:
    access, again = f"sbx_{secrets.token_urlsafe(24)}", f"sbr_{secrets.token_urlsafe(24)}"
    store.db.execute(
        "INSERT INTO token (token, account_id, refresh, expires_at, seconds) VALUES (?, ?, ?, ?, ?)",
        (access, account_id, again, show(store.now() + timedelta(seconds=seconds)), seconds),
    )
    return {"access_token": access, "refresh_token": again, "expires_in": seconds}
