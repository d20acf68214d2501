"""Lies on demand: answers that say less than the truth, or nothing, for requests that match."""

import json
import secrets
import sqlite3
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

from pydantic import Field, field_validator, model_validator
from starlette.datastructures import Headers
from starlette.types import Scope

from services.sandbox.posts import Whim
from services.sandbox.store import Store, wall
from services.sandbox.things import Handle, Request, Text

WHIM = "sandbox.whim"
_UNTIL = "until"

Seconds = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]
Status = Annotated[int, Field(ge=400, le=599)]

_WORDS: dict[str, dict[str, object]] = {
    "rate_limited": {"type": "status", "status": 429, "retry_after": 1},
    "accept_then_timeout": {"type": "timeout"},
    "created_then_400": {"type": "created_then", "status": 400},
    "created_then_500": {"type": "created_then", "status": 500},
}


class Effect(Request):
    """What happens instead of an honest answer. `done`: whether the request is carried out nevertheless."""

    type: Literal["status", "expired_token", "timeout", "created_then", "reset", "show_late", "twice", "away"]
    status: Status | None = None
    retry_after: Annotated[int, Field(ge=0, le=86400)] | None = None
    seconds: Seconds | None = None
    done: bool = True
    show_late: Seconds = 0
    how: Literal["status", "reset", "refused"] = "status"

    @model_validator(mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {"type": "status", "status": int(value)} if value.isdecimal() else {"type": value}
        if isinstance(value, dict) and isinstance(value.get("type"), str):
            meant = _WORDS.get(value["type"], {})
            return {**meant, **value, "type": meant.get("type", value["type"])}
        return value

    @model_validator(mode="after")
    def _complete(self) -> "Effect":
        if self.type in {"status", "created_then"} and self.status is None:
            raise ValueError(f"the effect {self.type} needs a status from 400 to 599")
        return self

    @property
    def away_seconds(self) -> float | None:
        """For how long from being told the network is away; None for what strikes by count."""
        return (5 if self.seconds is None else self.seconds) if self.type == "away" else None

    @property
    def whim(self) -> Whim:
        """How the deed itself is bent, where it is done at all."""
        late = self.show_late
        if self.type == "show_late":
            late = 5 if self.seconds is None else self.seconds
        return Whim(late_seconds=late, copies=2 if self.type == "twice" else 1)


class Match(Request):
    """Which requests are lied to; what is left out matches any."""

    method: Annotated[Text, Field(max_length=20)] | None = None
    path: Annotated[Text, Field(max_length=500)] | None = None
    account: Handle | None = None
    body: Annotated[Text, Field(max_length=1000)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        method, _, path = value.strip().rpartition(" ")
        return {"method": method.strip() or None, "path": path or None}

    def fits(self, request: "Asked") -> bool:
        return (
            (self.method is None or self.method.upper() == request.method)
            and (self.path is None or _path_fits(self.path, request.path))
            and (self.account is None or self.account == request.account)
            and (self.body is None or self.body.encode() in request.body)
        )


class Fault(Request):
    match: Match = Match()
    effect: Effect
    count: Annotated[int, Field(ge=1, le=1_000_000)] = 1

    @field_validator("match", mode="before")
    @classmethod
    def _any(cls, value: Any) -> Any:
        return {} if value is None else value


class Asked:
    """A request as faults see it: read whole, not yet answered."""

    def __init__(self, scope: Scope, body: bytes, store: Store) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.body = body
        self.account = self._account(scope, store)

    def _account(self, scope: Scope, store: Store) -> str | None:
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            row = store.account_of_token(token.strip())
            return None if row is None else str(row["handle"])
        asked: list[str] = parse_qs(scope["query_string"].decode("latin-1")).get("account", [])
        if asked:
            return asked[0]
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return str(body["account"]) if isinstance(body, dict) and "account" in body else None


def _path_fits(pattern: str, path: str) -> bool:
    return fnmatchcase(path, pattern) if set(pattern) & set("*?[") else path.startswith(pattern)


# ---------------------------------------------------------------- the list of faults, kept over restarts


def add(store: Store, fault: Fault) -> str:
    """Let the next `count` requests that match be lied to; the fault's id."""
    new_id = f"f_{secrets.token_hex(8)}"
    kept: dict[str, object] = fault.effect.model_dump(mode="json")
    if fault.effect.away_seconds is not None:
        kept[_UNTIL] = wall() + fault.effect.away_seconds
    with store.write() as db:
        db.execute(
            "INSERT INTO fault (id, match, effect, remaining) VALUES (?, ?, ?, ?)",
            (new_id, fault.match.model_dump_json(), json.dumps(kept), fault.count),
        )
    return new_id


def listing(store: Store) -> list[dict[str, object]]:
    """The faults that still wait, oldest first."""
    waiting = []
    for row in store.db.execute("SELECT * FROM fault ORDER BY seq"):
        effect, until = _kept(row)
        if until is None or until > wall():
            shown = effect.model_dump(mode="json")
            match = json.loads(row["match"])
            waiting.append({"id": row["id"], "match": match, "effect": shown, "count": row["remaining"]})
    return waiting


def clear(store: Store) -> None:
    """Be honest again."""
    with store.write() as db:
        db.execute("DELETE FROM fault")


def take(store: Store, request: Asked) -> Effect | None:
    """The effect of the oldest fault that matches, used up by one; None for an honest answer."""
    for row in store.db.execute("SELECT * FROM fault ORDER BY seq").fetchall():
        effect, until = _kept(row)
        fits = Match.model_validate_json(row["match"]).fits(request)
        if until is not None and until <= wall():
            with store.write() as db:
                db.execute("DELETE FROM fault WHERE seq = ?", (row["seq"],))
        elif fits and until is None:
            with store.write() as db:
                db.execute("UPDATE fault SET remaining = remaining - 1 WHERE seq = ?", (row["seq"],))
                db.execute("DELETE FROM fault WHERE remaining <= 0")
            return effect
        elif fits:
            return effect
    return None


def _kept(row: sqlite3.Row) -> tuple[Effect, float | None]:
    """An effect, and the real second at which it ends by itself, if it does."""
    value = json.loads(row["effect"])
    until = value.pop(_UNTIL, None)
    return Effect.model_validate(value), until
