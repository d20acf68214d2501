"""Mails come when they are wanted, say what happened, and are sent again only where that is right."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from services.local.plan import environment
from services.scheduler.house import House
from services.scheduler.mailing import Mailing
from shared import http
from shared.db import Database
from shared.domain.notifying import mails
from shared.domain.notifying.preferences import Quiet
from shared.ids import Prefix, new_uuid, typeid
from shared.models.enums import Digest, MailState, NotificationKind
from shared.queues import Queues
from tests.conftest import TestDatabase
from tests.domain.notifying.conftest import NOW, Desk, post
from tests.services.scheduler.conftest import until
from tests.services.scheduler.mailbox import DROP, Mailbox, mailbox

ADDRESS = "noor@dunes.example"


@asynccontextmanager
async def mailing(
    database: TestDatabase, worker: Database, desk: Desk, box: Mailbox, **changes: Any
) -> AsyncIterator["Office"]:
    """The mailing loop over a mail server, at a time that the test moves."""
    settings = database.settings.model_copy(
        update={"smtp_url": SecretStr(box.url), "frontend_url": "https://front.example", **changes}
    )
    assert settings.redis_url is not None
    queues = Queues(settings.redis_url)
    await desk.eye.execute('UPDATE "user" SET email = $2 WHERE id = $1', desk.brand.user_id, ADDRESS)
    async with http.client(settings) as client:
        yield Office(House(worker, queues, desk.house.vault, client, settings), desk)
    await queues.close()


class Office:
    """Turns the loop by hand."""

    def __init__(self, house: House, desk: Desk) -> None:
        self._house, self._desk = house, desk

    async def turn(self, *, at: datetime = NOW, times: int = 1) -> None:
        """Everything that is due by then is on its way, and what came of it is kept."""
        for _ in range(times):
            loop = Mailing(replace(self._house, clock=lambda: at))
            await loop.round()
            await loop.finish(20)

    async def states(self) -> list[MailState]:
        return await states(self._desk)


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    async with mailbox() as found:
        yield found


@pytest.fixture
async def office(database: TestDatabase, worker_db: Database, desk: Desk, box: Mailbox) -> AsyncIterator[Office]:
    async with mailing(database, worker_db, desk, box) as found:
        yield found


async def test_a_mail_says_in_text_and_html_what_happened_and_where_to_look(
    desk: Desk, office: Office, box: Mailbox
) -> None:
    id_ = new_uuid()
    await desk.happens(post("failed", id_))
    await desk.tell()
    await office.turn()

    (mail,) = box.taken
    assert mail["To"] == f"Noor <{ADDRESS}>"
    assert mail["Subject"] == "Dunes: Un billet n’est pas parti"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    url = f"https://front.example/brands/{typeid(Prefix.BRAND, desk.brand.brand_id)}/posts/{typeid(Prefix.POST, id_)}"
    for part in (text.get_content(), html.get_content()):
        assert url in part
        assert "n’a pas pu être publié" in part
    assert "<img" not in html.get_content()
    assert await office.states() == [MailState.SENT]


async def test_a_mail_can_be_told_from_others_and_ended_with_one_click(
    desk: Desk, office: Office, box: Mailbox
) -> None:
    await desk.happens(post("failed", new_uuid()))
    await desk.tell()
    await office.turn()
    (mail,) = box.taken
    mail_id = await desk.eye.fetchval("SELECT id FROM mail")
    assert mail["Message-ID"] == f"<{mail_id.hex}@localhost>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/v1/notifications/unsubscribe?user=user_" in mail["List-Unsubscribe"]
    assert mail["Auto-Submitted"] == "auto-generated"


async def test_the_address_that_ends_mails_stands_in_its_header_as_it_is(
    desk: Desk, office: Office, box: Mailbox
) -> None:
    await desk.happens(post("failed", new_uuid()))
    await desk.tell()
    await office.turn()
    header = next(line for line in box.raw[0].split(b"\r\n") if line.startswith(b"List-Unsubscribe:"))
    assert header.startswith(b"List-Unsubscribe: <http")
    assert header.endswith(b">")
    assert b"=?" not in header


async def test_names_that_are_html_are_shown_as_they_are(desk: Desk, office: Office, box: Mailbox) -> None:
    await desk.eye.execute("UPDATE brand SET name = '<b>Dunes</b> & Cie'")
    await desk.happens(post("failed", new_uuid()))
    await desk.tell()
    await office.turn()
    html = box.taken[0].get_body(("html",))
    assert html is not None
    assert "&lt;b&gt;Dunes&lt;/b&gt; &amp; Cie" in html.get_content()


async def test_what_happens_at_the_same_time_is_one_mail(desk: Desk, office: Office, box: Mailbox) -> None:
    await desk.happens(*(post("failed", new_uuid()) for _ in range(60)))
    await desk.tell()
    await office.turn(times=3)
    (mail,) = box.taken
    assert mail["Subject"] == "Dunes: 60 notifications"
    text = mail.get_body(("plain",))
    assert text is not None
    assert text.get_content().count("n’a pas pu être publié") == 50
    assert "Et 10 autres" in text.get_content()


async def test_what_quiet_hours_held_comes_in_one_mail_after_them(desk: Desk, office: Office, box: Mailbox) -> None:
    await desk.wish(desk.owner, quiet=(Quiet(tuple(range(1, 8)), "22:00", "07:00"),), timezone="Europe/Brussels")
    night = datetime(2026, 11, 26, 23, tzinfo=UTC)
    for hours in (0, 1, 4):
        await desk.happens(post("failed", new_uuid()))
        await desk.tell(now=night + timedelta(hours=hours))
        await office.turn(at=night + timedelta(hours=hours))
    assert box.taken == []
    await office.turn(at=datetime(2026, 11, 27, 6, tzinfo=UTC), times=3)
    assert [str(one["Subject"]) for one in box.taken] == ["Dunes: 3 notifications"]


async def test_a_daily_digest_over_two_brands_is_one_mail(desk: Desk, office: Office, box: Mailbox) -> None:
    other = await desk.house.brand("Zeehond")
    await desk.eye.execute(
        'INSERT INTO "grant" (id, organization_id, brand_id, role) VALUES ($1, $2, $3, $4)',
        new_uuid(), desk.brand.organization_id, other.brand_id, "editor",
    )  # fmt: skip
    await desk.wish(desk.owner, digest=Digest.DAILY, digest_time="08:00", timezone="Europe/Brussels")
    await desk.happens(post("failed", new_uuid()))
    await desk.happens(post("failed", new_uuid()), brand_id=other.brand_id)
    await desk.tell()
    await office.turn(times=2)
    assert box.taken == []
    await office.turn(at=NOW + timedelta(days=1), times=2)
    (mail,) = box.taken
    assert set(str(mail["Subject"]).partition(":")[0].split(", ")) == {"Dunes", "Zeehond"}


async def test_who_has_lost_the_brand_is_mailed_nothing_of_it(desk: Desk, office: Office, box: Mailbox) -> None:
    await desk.happens(post("failed", new_uuid()))
    await desk.tell()
    await desk.eye.execute('DELETE FROM "grant"')
    await office.turn(times=2)
    assert box.taken == []


async def test_who_has_ended_mails_gets_none_that_was_on_its_way_either(
    desk: Desk, office: Office, box: Mailbox
) -> None:
    await desk.happens(post("failed", new_uuid()))
    await desk.tell()
    async with desk.app.session() as session:
        await mails.unsubscribe(session, desk.brand.user_id, [NotificationKind.POST_FAILED])
    await office.turn(times=2)
    assert box.taken == []


async def test_what_the_server_refuses_for_now_is_sent_later_as_the_same_mail(
    desk: Desk, office: Office, box: Mailbox
) -> None:
    box.to_data = ["451 busy", "250 OK"]
    await desk.happens(post("failed", new_uuid()))
    await desk.tell()
    await office.turn(times=2)
    assert await office.states() == [MailState.RETRYING]
    await office.turn(at=NOW + timedelta(seconds=61), times=2)
    assert await office.states() == [MailState.SENT]
    assert len(box.taken) == 1


async def test_what_the_server_refuses_for_good_is_not_sent_again(desk: Desk, office: Office, box: Mailbox) -> None:
    box.to_rcpt = ["550 nobody here"]
    await desk.happens(post("failed", new_uuid()))
    await desk.tell()
    await office.turn(at=NOW)
    await office.turn(at=NOW + timedelta(days=3))
    assert await office.states() == [MailState.REFUSED]
    assert await desk.eye.fetchval("SELECT answer FROM mail") == "550 nobody here"


async def test_a_server_that_stays_away_is_given_up_in_the_end(desk: Desk, office: Office, box: Mailbox) -> None:
    box.to_data = ["421 away"] * 20
    await desk.happens(post("failed", new_uuid()))
    await desk.tell()
    for day in range(8):
        await office.turn(at=NOW + timedelta(days=day))
    assert await office.states() == [MailState.GIVEN_UP]
    assert await desk.eye.fetchval("SELECT tries FROM mail") == 7


async def test_what_may_have_been_taken_is_sent_once_more_as_the_same_mail_and_never_a_third_time(
    desk: Desk, office: Office, box: Mailbox
) -> None:
    box.to_data = [DROP] * 5
    await desk.happens(post("failed", new_uuid()))
    await desk.tell()
    for hour in range(5):
        await office.turn(at=NOW + timedelta(hours=hour))
    assert await office.states() == [MailState.UNKNOWN]
    assert len(box.ids) == 2
    assert len(set(box.ids)) == 1


async def test_two_processes_send_each_mail_once(desk: Desk, office: Office, box: Mailbox) -> None:
    await desk.happens(post("failed", new_uuid()))
    await desk.tell()
    await asyncio.gather(*(office.turn(times=2) for _ in range(3)))
    assert len(box.taken) == 1


async def test_a_mail_whose_sender_is_killed_before_it_noted_the_answer_is_sent_once_more_as_the_same_mail(
    desk: Desk, database: TestDatabase, box: Mailbox
) -> None:
    """Killed between mail and record: nobody knows whether it arrived."""
    await desk.eye.execute('UPDATE "user" SET email = $2 WHERE id = $1', desk.brand.user_id, ADDRESS)
    await desk.happens(post("failed", new_uuid()))
    await desk.tell(now=datetime.now(UTC))
    told = {"PARVIS_SMTP_URL": box.url, "PARVIS_LEASE_SECONDS": "4", "PARVIS_MAIL_RETRY_SECONDS": "0.1"}

    async def has_come() -> bool:
        return bool(box.taken)

    async def is_over() -> bool:
        return await desk.eye.fetchval("SELECT settled_at IS NOT NULL FROM mail") is True

    @asynccontextmanager
    async def scheduler() -> AsyncIterator[asyncio.subprocess.Process]:
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.scheduler", env={**environment(database.settings), **told},
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield started
        finally:
            if started.returncode is None:
                started.kill()
            await started.wait()

    box.wait = 30
    async with scheduler() as victim:
        await until(has_come)
        victim.send_signal(signal.SIGKILL)
        await victim.wait()
    box.wait = 0
    async with scheduler():
        await until(is_over)
    assert len(box.ids) == 2
    assert len(set(box.ids)) == 1
    assert await states(desk) == [MailState.SENT]


async def states(desk: Desk) -> list[MailState]:
    rows = await desk.eye.fetch("SELECT state FROM mail ORDER BY id")
    return [MailState(row["state"]) for row in rows]
