"""Mails: what is due to a user becomes one, and it is sent, by tries that are committed before they are made.

A mail's row says that a try has begun; who finds it so, with nobody at it any more, knows that the server may have it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from shared.db import Session, driver
from shared.domain import scope as scopes
from shared.domain.notifying import words
from shared.domain.notifying.words import Said
from shared.ids import new_uuid
from shared.models.brand import Brand
from shared.models.enums import MailState, NotificationKind
from shared.models.notification import Notification

MOST = 50  # notifications that one mail spells out
_DOUBTS = 1  # how often a mail is sent again of which nobody knows whether it has arrived

_DUE = """
WITH one AS MATERIALIZED (SELECT user_id FROM due_mail WHERE due_at <= $1 ORDER BY due_at LIMIT 1
                          FOR UPDATE SKIP LOCKED),
 x AS MATERIALIZED (SELECT d.user_id, d.brand_id FROM due_mail d WHERE d.user_id = (SELECT user_id FROM one)
                      AND d.due_at <= $1 FOR UPDATE SKIP LOCKED)
DELETE FROM due_mail d USING x WHERE d.user_id = x.user_id AND d.brand_id = x.brand_id RETURNING d.user_id, d.brand_id
"""
_TAKE = """
UPDATE notification SET mail_id = $3
 WHERE brand_id = $1 AND user_id = $2 AND mail_id IS NULL AND mail_due_at <= $4 RETURNING id
"""
_LATER = """
SELECT min(mail_due_at) FROM notification
 WHERE brand_id = $1 AND user_id = $2 AND mail_id IS NULL AND mail_due_at IS NOT NULL
"""
_AGAIN = """
INSERT INTO due_mail (user_id, brand_id, due_at) VALUES ($1, $2, $3)
ON CONFLICT (user_id, brand_id) DO UPDATE SET due_at = least(due_mail.due_at, excluded.due_at)
"""
_PUT = """
INSERT INTO mail (id, user_id, brand_ids, state, due_at, fence, tries, doubts)
VALUES ($1, $2, $3, 'waiting', $4, 0, 0, 0)
"""
_CLAIM = """
WITH x AS MATERIALIZED (SELECT id FROM mail WHERE state IN ('waiting', 'sending', 'retrying') AND due_at <= $1
   AND (leased_until IS NULL OR leased_until < clock_timestamp()) ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
UPDATE mail m SET leased_until = clock_timestamp() + $3, fence = m.fence + 1, tries = m.tries + 1, state = 'sending',
       doubts = m.doubts + CASE WHEN m.state = 'sending' THEN 1 ELSE 0 END
  FROM x WHERE m.id = x.id RETURNING m.id, m.user_id, m.brand_ids, m.fence, m.tries, m.doubts
"""
_SETTLE = """
UPDATE mail SET state = $3, due_at = coalesce($4, due_at), leased_until = NULL, doubts = $5, answer = $6,
       settled_at = $7
 WHERE id = $1 AND fence = $2
"""
_FORGET = "DELETE FROM mail WHERE settled_at < $1"
_ADDRESSEE = "SELECT * FROM parvis.addressee($1)"


class Outcome(StrEnum):
    """What a try came to. `unknown`: the server had all of it, and did not say that it took it."""

    SENT = "sent"
    REFUSED = "refused"
    LATER = "later"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Posting:
    """A mail in this worker's hands, its try committed."""

    id: UUID
    user_id: UUID
    brand_ids: list[UUID]
    fence: int
    tries: int
    doubts: int

    @property
    def is_hopeless(self) -> bool:
        """It has been sent again already, and again nobody knows."""
        return self.doubts > _DOUBTS


@dataclass(frozen=True, slots=True)
class Line:
    """One notification as a mail shows it, with its time as its brand's clock shows it."""

    notification: Notification
    said: Said
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Letter:
    """All that a mail says. `more` counts what it does not spell out."""

    id: UUID
    user_id: UUID
    to: str
    name: str
    language: str
    brands: dict[str, list[Line]]
    kinds: list[NotificationKind]
    more: int = 0


async def gather(session: Session, *, now: datetime) -> bool:
    """Put one user's notifications that are due into a mail; False where nobody's are."""
    connection = await driver(session)
    rows = await connection.fetch(_DUE, now)
    if not rows:
        return False
    user_id, mail_id = rows[0]["user_id"], new_uuid()
    person = await connection.fetchrow(_ADDRESSEE, user_id)
    may = set(person["brands"]) if person is not None and person["email"] else set()
    held: list[UUID] = []
    for brand_id in sorted(row["brand_id"] for row in rows):
        if brand_id not in may:
            continue
        await scopes.see(session, [brand_id])
        if await connection.fetch(_TAKE, brand_id, user_id, mail_id, now):
            held.append(brand_id)
        later = await connection.fetchval(_LATER, brand_id, user_id)
        if later is not None:
            await connection.execute(_AGAIN, user_id, brand_id, later)
    if held:
        await connection.execute(_PUT, mail_id, user_id, held, now)
    return True


async def claim(session: Session, *, limit: int, lease: timedelta, now: datetime) -> list[Posting]:
    """Take mails that are due, and begin a try at each."""
    rows = await (await driver(session)).fetch(_CLAIM, now, limit, lease)
    return [Posting(*row.values()) for row in sorted(rows, key=lambda row: row["id"])]


async def letter(session: Session, posting: Posting) -> Letter | None:
    """What the mail says, of brands that its reader may still see and of kinds that they still want by mail.

    None where that is nothing any more.
    """
    person = await (await driver(session)).fetchrow(_ADDRESSEE, posting.user_id)
    if person is None or not person["email"]:
        return None
    brands: dict[str, list[Line]] = defaultdict(list)
    languages: list[str | None] = [person["language"]]
    found: list[Notification] = []
    for brand_id in sorted(set(posting.brand_ids) & set(person["brands"])):
        await scopes.see(session, [brand_id])
        brand = await session.get(Brand, brand_id)
        wanted = (
            select(Notification)
            .where(
                col(Notification.brand_id) == brand_id,
                col(Notification.mail_id) == posting.id,
                col(Notification.kind).not_in(person["muted"]),
            )
            .order_by(col(Notification.id))
        )
        rows = list((await session.execute(wanted)).scalars())
        if brand is None or not rows:
            continue
        languages += brand.languages
        language = words.language_of(person["language"], *brand.languages)
        shown = rows[: MOST - min(len(found), MOST)]
        if shown:
            brands[brand.name] += [Line(one, words.say(one.kind, one.facts, language), brand.zone) for one in shown]
        found += rows
    if not found:
        return None
    told = list(dict.fromkeys(one.kind for one in found))
    return Letter(
        posting.id, posting.user_id, person["email"], person["name"], words.language_of(*languages), dict(brands), told,
        more=max(len(found) - MOST, 0),
    )  # fmt: skip


async def settle(
    session: Session, posting: Posting, outcome: Outcome, answer: str, *, waits: Sequence[timedelta], now: datetime
) -> MailState:
    """Where the mail stands now. One that may have arrived is sent once more; nothing happens to another's claim."""
    doubts = posting.doubts
    match outcome:
        case Outcome.SENT:
            state = MailState.SENT
        case Outcome.REFUSED:
            state = MailState.REFUSED
        case Outcome.UNKNOWN:
            doubts += 1
            state = MailState.UNKNOWN if doubts > _DOUBTS else MailState.RETRYING
        case Outcome.LATER:
            state = MailState.RETRYING
        case _:
            assert_never(outcome)
    due = None
    if state is MailState.RETRYING:
        if posting.tries > len(waits):
            state = MailState.GIVEN_UP
        else:
            due = now + waits[posting.tries - 1]
    settled = None if state is MailState.RETRYING else now
    await (await driver(session)).execute(
        _SETTLE, posting.id, posting.fence, state.value, due, doubts, answer[:500].replace("\x00", ""), settled
    )
    return state


async def forget(session: Session, *, before: datetime) -> int:
    """Let go of mails that are over since `before`; how many those were."""
    return int((await (await driver(session)).execute(_FORGET, before)).rpartition(" ")[2])


async def unsubscribe(session: Session, user_id: UUID, kinds: Sequence[NotificationKind]) -> None:
    """A user gets no more mails of these kinds; by the api's role, for whoever has a signed link."""
    await (await driver(session)).execute(
        "SELECT parvis.unsubscribe($1, $2)", user_id, [kind.value for kind in kinds]
    )  # fmt: skip
