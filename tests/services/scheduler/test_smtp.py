"""What a mail server answers, and what that means for the mail."""

import asyncio
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from services.scheduler.smtp import Server, hand_over
from shared.domain.notifying.mails import Outcome
from tests.services.scheduler.mailbox import DROP, Mailbox, certified, mailbox


def server_of(box: Mailbox, *, login: str = "") -> Server:
    return Server.of(f"smtp://{login}127.0.0.1:{box.port}", seconds=2)


async def hand(server: Server) -> tuple[Outcome, str]:
    message = EmailMessage()
    message["Subject"], message["Message-ID"] = "Bonjour", "<1@example.org>"
    message.set_content("Bonjour\n.\n")
    return await hand_over(server, message, sender="parvis@example.org", to="noor@example.org")


async def test_a_mail_that_is_taken_is_sent() -> None:
    async with mailbox() as box:
        outcome, answer = await hand(server_of(box))
        assert (outcome, answer) == (Outcome.SENT, "250 OK")
        assert box.taken[0].get_content().splitlines() == ["Bonjour", "."]


@pytest.mark.parametrize(
    ("rcpt", "data", "outcome"),
    [
        ("450 try later", "", Outcome.LATER),
        ("550 no such mailbox", "", Outcome.REFUSED),
        ("", "451 busy", Outcome.LATER),
        ("", "554 spam", Outcome.REFUSED),
    ],
    ids=["rcpt-4xx", "rcpt-5xx", "data-4xx", "data-5xx"],
)
async def test_a_refusal_for_now_is_tried_later_and_one_for_good_is_not(rcpt: str, data: str, outcome: Outcome) -> None:
    async with mailbox() as box:
        box.to_rcpt, box.to_data = [rcpt] if rcpt else [], [data] if data else []
        found, answer = await hand(server_of(box))
        assert (found, answer) == (outcome, rcpt or data)
        assert box.taken == []


async def test_a_connection_that_ends_after_the_text_leaves_unknown_whether_it_was_taken() -> None:
    async with mailbox() as box:
        box.to_data = [DROP]
        outcome, _ = await hand(server_of(box))
        assert outcome is Outcome.UNKNOWN
        assert len(box.taken) == 1


async def test_an_answer_that_does_not_come_in_time_leaves_it_unknown() -> None:
    async with mailbox() as box:
        box.wait = 5
        outcome, _ = await hand(replace(server_of(box), seconds=0.5))
        assert outcome is Outcome.UNKNOWN


async def test_a_server_that_is_away_is_tried_later() -> None:
    async with mailbox() as box:
        server = server_of(box)
    assert (await hand(server))[0] is Outcome.LATER


async def test_a_server_that_hangs_up_before_the_text_is_tried_later() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    listening = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        assert (await hand(Server.of(f"smtp://127.0.0.1:{port}", seconds=2)))[0] is Outcome.LATER
    finally:
        listening.close()
        await listening.wait_closed()


async def test_a_password_is_taken_and_a_wrong_one_is_the_operators_matter() -> None:
    async with mailbox(password="s3cret") as box:
        assert (await hand(server_of(box, login="parvis:s3cret@")))[0] is Outcome.SENT
        outcome, answer = await hand(server_of(box, login="parvis:wrong@"))
        assert outcome is Outcome.LATER
        assert "wrong" not in answer


async def test_a_server_that_offers_tls_is_spoken_to_by_tls(tmp_path: Path) -> None:
    server_tls, client_tls = certified(tmp_path)
    async with mailbox(tls=server_tls) as box:
        outcome, _ = await hand(replace(server_of(box), tls=client_tls))
        assert outcome is Outcome.SENT
        assert box.sessions[0].ssl is not None


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    server_tls, _ = certified(tmp_path)
    async with mailbox(tls=server_tls) as box:
        assert (await hand(server_of(box)))[0] is Outcome.LATER
        assert box.taken == []


def test_a_password_in_the_address_may_hold_any_letter_and_is_not_shown() -> None:
    server = Server.of("smtps://no%40or:p%2Fw%3A@mail.example")
    assert (server.host, server.port, server.is_tls) == ("mail.example", 465, True)
    assert (server.user, server.password) == ("no@or", "p/w:")
    assert "p/w" not in repr(server)
