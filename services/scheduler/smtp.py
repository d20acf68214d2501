"""One mail handed to the mail server, and what that came to."""

import asyncio
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import aiosmtplib

from shared.domain.notifying.mails import Outcome
from shared.log import logger

_log = logger("scheduler.mail")
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True, repr=False)
class Server:
    """The mail server of PARVIS_SMTP_URL. Its password is never shown."""

    host: str
    port: int
    is_tls: bool
    user: str | None
    password: str | None
    seconds: float = 30
    tls: ssl.SSLContext | None = None

    @classmethod
    def of(cls, url: str, *, seconds: float = 30) -> "Server":
        parts = urlsplit(url)
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        port = parts.port or _PORTS[parts.scheme]
        return cls(parts.hostname or "", port, parts.scheme == "smtps", user, password, seconds)

    @property
    def is_here(self) -> bool:
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


async def hand_over(server: Server, message: EmailMessage, *, sender: str, to: str) -> tuple[Outcome, str]:
    """Hand one mail to the server; what became of it, and in which words. Never raises for the server.

    As long as its text has not left us, nothing has happened. From then on only the server's word counts: a connection
    that ends without it leaves unknown whether the mail is on its way (RFC 5321, 4.5.3.2.6).
    """
    client = aiosmtplib.SMTP(
        hostname=server.host, port=server.port, use_tls=server.is_tls, timeout=server.seconds, tls_context=server.tls
    )
    has_left = False
    try:
        async with asyncio.timeout(server.seconds * 2):
            refusal = await _open(client, server, sender, to)
            if refusal is not None:
                return refusal
            has_left = True
            answer = await client.data(message.as_bytes())
            return Outcome.SENT, f"{answer.code} {answer.message}"
    except aiosmtplib.SMTPResponseException as error:
        return _meant(error, is_final=has_left)
    except (aiosmtplib.SMTPException, OSError) as error:
        return (Outcome.UNKNOWN if has_left else Outcome.LATER), f"{type(error).__name__}: the connection broke off"
    finally:
        client.close()


async def _open(
    client: aiosmtplib.SMTP, server: Server, sender: str, to: str
) -> tuple[Outcome, str] | None:  # fmt: skip
    """Connect, sign in, and name both ends; the refusal, where the server refuses this one mail."""
    await client.connect()
    if server.user is not None:
        if client.get_transport_info("sslcontext") is None and not server.is_here:
            _log.error("mail.no_tls", host=server.host)
            return Outcome.LATER, "the server has no TLS, and a password is not sent in the clear"
        await client.login(server.user, server.password or "")
    await client.mail(sender)
    try:
        await client.rcpt(to)
    except aiosmtplib.SMTPRecipientRefused as error:
        return _meant(error, is_final=True)
    except UnicodeEncodeError:
        return Outcome.REFUSED, "the address has letters that the server does not take"
    return None


def _meant(error: aiosmtplib.SMTPResponseException, *, is_final: bool) -> tuple[Outcome, str]:
    """A 5xx about this mail is final; one about our sign-in or sender is the operator's to mend, and is tried again."""
    is_refused = is_final and 500 <= error.code < 600
    if not is_final:
        _log.warning("mail.server_refuses", code=error.code, error=type(error).__name__)
    return (Outcome.REFUSED if is_refused else Outcome.LATER), f"{error.code} {error.message}"
