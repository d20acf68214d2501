"""The loop that mails: what is due becomes mails, a few of which are on their way at once."""

import asyncio
import contextlib
from email.utils import parseaddr

from prometheus_client import Counter

from services.scheduler import mail_text, smtp
from services.scheduler.house import House, persist
from shared.db import Session
from shared.domain.notifying import mails, unsubscribing
from shared.domain.notifying.mails import Outcome, Posting
from shared.log import logger
from shared.models.enums import MailState

_log = logger("scheduler.mail")

AT_ONCE = 4
GATHER = 100
LOOK_SECONDS = 1.0

MAILED = Counter("parvis_mails_total", "Tries at sending a mail, by what they came to.", ["outcome"])


class Mailing:
    """The mails that this process has in hand. Without a mail server it does nothing."""

    def __init__(self, house: House) -> None:
        self._house = house
        url = house.settings.smtp_url
        seconds = min(house.settings.send_timeout_seconds, house.settings.lease_seconds * 0.3)
        self._server = smtp.Server.of(url.get_secret_value(), seconds=seconds) if url is not None else None
        self._tasks: set[asyncio.Task[None]] = set()
        self.wake = asyncio.Event()

    async def round(self) -> float:
        """Gather what is due, begin what there is room for; seconds until the next look."""
        if self._server is None:
            return LOOK_SECONDS
        gathered = 0
        while gathered < GATHER and await self._gather():
            gathered += 1
        free = AT_ONCE - len(self._tasks)
        if free <= 0:
            return LOOK_SECONDS
        async with self._house.db.session() as session:
            lease, now = self._house.settings.lease, self._house.clock()
            claimed = await mails.claim(session, limit=free, lease=lease, now=now)
        for posting in claimed:
            task = asyncio.create_task(self._send(self._server, posting))
            self._tasks.add(task)
            task.add_done_callback(self._done)
        return 0.0 if gathered == GATHER else LOOK_SECONDS

    async def finish(self, seconds: float) -> None:
        """Wait for the mails in hand; what takes longer is broken off, and nobody knows of it."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self.wake.set()

    async def _gather(self) -> bool:
        async with self._house.db.session() as session:
            return await mails.gather(session, now=self._house.clock())

    async def _send(self, server: smtp.Server, posting: Posting) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            try:
                outcome, answer = await self._try(server, posting)
                await self._settle(posting, outcome, answer)
            except Exception:
                # The mail is still said to be on its way: once its lease is over, somebody else sees to it.
                _log.exception("mail.broke", mail=str(posting.id))

    async def _try(self, server: smtp.Server, posting: Posting) -> tuple[Outcome, str]:
        if posting.is_hopeless:
            return Outcome.UNKNOWN, "twice nobody heard what became of it"
        async with self._house.db.reading() as session:
            letter = await mails.letter(session, posting)
        if letter is None:
            return Outcome.REFUSED, "there is nothing in it any more that its reader may see or wants"
        settings = self._house.settings
        link = unsubscribing.link(self._house.vault, settings.api_base_url, letter.user_id, letter.kinds)
        try:
            message = mail_text.compose(
                letter, sender=settings.mail_from, unsubscribe=link, frontend_url=settings.frontend_url,
                now=self._house.clock(),
            )  # fmt: skip
        except ValueError:
            return Outcome.REFUSED, "the address can't be written to"
        return await smtp.hand_over(server, message, sender=parseaddr(settings.mail_from)[1], to=letter.to)

    async def _settle(self, posting: Posting, outcome: Outcome, answer: str) -> None:
        async def work(session: Session) -> MailState:
            waits, now = self._house.settings.mail_waits, self._house.clock()
            return await mails.settle(session, posting, outcome, answer, waits=waits, now=now)

        until = asyncio.get_running_loop().time() + self._house.settings.lease_seconds
        state = await persist(self._house.db, work, until=until)
        MAILED.labels(outcome.value).inc()
        _log.info("mail.tried", mail=str(posting.id), outcome=outcome.value, state=state.value, tries=posting.tries)
