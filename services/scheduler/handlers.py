"""One call to a network, and what it came to."""

import asyncio
from typing import assert_never

import httpx

from services.logins import Logins, Whose
from shared.contract import Connector, Files, Login
from shared.domain.publishing.sending.attempts import Step
from shared.domain.publishing.sending.outcomes import (
    Denied,
    Live,
    LoginDied,
    NotReady,
    NotSent,
    NotThere,
    Outcome,
    Ready,
    SlowDown,
    Unknown,
)
from shared.domain.publishing.sending.outgoing import Try
from shared.errors import LoginDead, NetworkError, RateLimited, Refused, Unprepared
from shared.log import logger

_log = logger("scheduler.send")


async def call(
    connector: Connector, http: httpx.AsyncClient, made: Try, logins: Logins, files: Files, *, deadline: float
) -> Outcome:
    """Make an attempt, outside of any transaction, until the loop's time `deadline`. Never raises for the network.

    Where the login has run out, nothing was done: it is renewed, and the attempt is made with the new one.

    Whatever goes wrong without saying that nothing happened is unknown: also a mistake of ours.
    """
    if asyncio.get_running_loop().time() >= deadline:
        # The process stood still since the attempt began: its lease may be over, and nothing has left us yet.
        return Unknown("not looked up") if made.step is Step.FIND else NotSent("the attempt was not made in its time")
    try:
        async with asyncio.timeout_at(deadline):
            whose = Whose(made.network, made.claim.brand_id, made.channel_id)
            return await logins.caller(whose, made.login).ask(lambda login: _ask(connector, http, made, login, files))
    except NetworkError as error:
        return _meaning(error)
    except TimeoutError:
        return Unknown("the network gave no answer in time")
    except Exception as error:
        _log.exception("send.broke", network=made.network.value, step=made.step.value)
        return Unknown(f"the attempt broke off: {type(error).__name__}")


async def _ask(connector: Connector, http: httpx.AsyncClient, made: Try, login: Login, files: Files) -> Outcome:
    match made.step:
        case Step.PREPARE:
            return Ready(await connector.prepare(http, login, made.effect, files))
        case Step.SEND:
            return Live(await connector.send(http, login, made.effect))
        case Step.FIND:
            sent = await connector.find(http, login, made.effect)
            return NotThere() if sent is None else Live(sent)
        case Step.PERSON:
            raise TypeError("a person's word is not asked of a network")
        case _:
            assert_never(made.step)


def _meaning(error: NetworkError) -> Outcome:
    if isinstance(error, RateLimited):
        return SlowDown(error.message, error.after, error.whole_app)
    if isinstance(error, LoginDead):
        return LoginDied(error.message)
    if isinstance(error, Unprepared):
        return NotReady(error.message)
    if isinstance(error, Refused):
        return Denied(error.message)
    return NotSent(error.message) if error.unsent else Unknown(error.message)
