"""What this network remembers of apps, of codes on their way, and of who granted what to whom."""

import hashlib
import hmac
import json
import secrets
import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from services.sandbox.store import Store, wall

SCOPES = ("read", "publish", "webhook")
CODE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Given:
    """What a person agreed to on the consent page."""

    client_id: str
    redirect_uri: str
    challenge: str
    person: str
    pages: Sequence[str]
    scopes: Sequence[str]


def register(
    store: Store,
    name: str,
    redirect_uris: Sequence[str],
    deauthorize_url: str | None = None,
    deletion_url: str | None = None,
) -> tuple[str, str]:
    """A new app's client id and secret."""
    client_id, secret = f"app_{secrets.token_hex(8)}", secrets.token_urlsafe(32)
    with store.write() as db:
        db.execute(
            "INSERT INTO client VALUES (?, ?, ?, ?, ?, ?)",
            (client_id, secret, name, json.dumps(list(redirect_uris)), deauthorize_url, deletion_url),
        )
    return client_id, secret


def client(store: Store, client_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = store.db.execute("SELECT * FROM client WHERE id = ?", (client_id,)).fetchone()
    return row


def may_return(row: sqlite3.Row, redirect_uri: str) -> bool:
    """Whether the app named this address when it was registered, letter for letter."""
    return redirect_uri in json.loads(row["redirect_uris"])


def give(store: Store, given: Given) -> str:
    """A code for what a person agreed to; the person is made on first use."""
    code = secrets.token_urlsafe(32)
    with store.write() as db:
        person = store.ensure_account(given.person)
        db.execute(
            "INSERT INTO code (digest, client_id, person_id, redirect_uri, challenge, scopes, pages, until)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                _digest(code), given.client_id, person["id"], given.redirect_uri, given.challenge,
                " ".join(given.scopes), json.dumps(list(given.pages)), wall() + CODE_SECONDS,
            ),
        )  # fmt: skip
    return code


def redeem(store: Store, code: str, *, client_id: str, redirect_uri: str, verifier: str) -> tuple[str, str] | None:
    """The person's token and its scopes for a code; None where the code is not good for this, any more or at all."""
    digest = _digest(code)
    with store.write() as db:
        row = db.execute("SELECT * FROM code WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            return None
        if row["used"]:
            # RFC 6749 4.1.2: somebody has stolen it, so nobody keeps what it gave.
            db.execute("DELETE FROM granted WHERE code = ?", (digest,))
            return None
        fits = (row["client_id"], row["redirect_uri"], row["challenge"]) == (
            client_id,
            redirect_uri,
            challenge_of(verifier),
        )
        if not fits or row["until"] < wall():
            return None
        db.execute("UPDATE code SET used = 1 WHERE digest = ?", (digest,))
        token = _token(db, row, None)
        for handle in json.loads(row["pages"]):
            page = store.account(handle)
            if page is not None and page["page"]:
                _token(db, row, page["id"])
    return token, str(row["scopes"])


def _token(db: sqlite3.Connection, code: sqlite3.Row, account_id: str | None) -> str:
    token = f"{'sbu' if account_id is None else 'sbp'}_{secrets.token_urlsafe(24)}"
    db.execute(
        "INSERT INTO granted (token, client_id, person_id, code, account_id, scopes) VALUES (?, ?, ?, ?, ?, ?)",
        (token, code["client_id"], code["person_id"], code["digest"], account_id, code["scopes"]),
    )
    return token


def person_of(store: Store, token: str) -> sqlite3.Row | None:
    """The grant behind a person's token, with the person's handle."""
    row: sqlite3.Row | None = store.db.execute(
        "SELECT g.*, a.handle FROM granted g JOIN account a ON a.id = g.person_id"
        " WHERE g.token = ? AND g.account_id IS NULL",
        (token,),
    ).fetchone()
    return row


def pages_of(store: Store, grant: sqlite3.Row) -> list[sqlite3.Row]:
    """The pages that came with a person's token, each with a token of its own."""
    return store.db.execute(
        "SELECT a.handle, a.name, g.token, g.scopes FROM granted g JOIN account a ON a.id = g.account_id"
        " WHERE g.code = ? ORDER BY a.handle",
        (grant["code"],),
    ).fetchall()


def withdraw(store: Store, person_id: str, client_id: str) -> int:
    """Take back everything that a person granted an app; how many tokens that ended."""
    with store.write() as db:
        done = db.execute("DELETE FROM granted WHERE person_id = ? AND client_id = ?", (person_id, client_id))
    return done.rowcount


def signed_request(secret: str, person_id: str) -> str:
    """What an app is told of a person who takes their consent back: signed by what only the two of us know."""
    told = {"algorithm": "HMAC-SHA256", "issued_at": int(wall()), "nonce": secrets.token_hex(8), "user_id": person_id}
    payload = _letters(json.dumps(told).encode())
    return f"{_letters(hmac.digest(secret.encode(), payload.encode(), 'sha256'))}.{payload}"


def _letters(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def challenge_of(verifier: str) -> str:
    """RFC 7636 4.2, S256."""
    return _letters(hashlib.sha256(verifier.encode()).digest())


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
