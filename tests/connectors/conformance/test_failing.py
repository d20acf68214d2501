"""What a network answers wrongly is said as what it means, bounded, and without a word of the login."""

import logging
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import NetworkError, RateLimited, Uncertain
from tests.connectors.conformance.specimen import Call, Failure, Specimen, World, effect, laid_ready
from tests.connectors.specimens import SPECIMENS, each

CASES, SENDING = (
    [
        pytest.param(specimen, failure, id=f"{network.value}-{failure.call.value}-{failure.name}")
        for network, specimen in SPECIMENS.items()
        for failure in specimen.failures
        if failure.call in calls
    ]
    for calls in (set(Call), {Call.SEND})
)
CALLING = each(one for one in SPECIMENS.values() if one.failures)


Doing = Callable[[], Awaitable[object]]


async def _ready(specimen: Specimen, world: World, call: Call) -> Doing:
    """The call, with all that comes before it done while the network is well."""
    it = specimen.connector
    match call:
        case Call.POLL:
            return lambda: it.poll(world.http, world.login, None)
        case Call.SEND:
            post = await laid_ready(specimen, world, effect())
            return lambda: it.send(world.http, world.login, post)


def _tells_nothing(world: World, error: BaseException | None, log: pytest.LogCaptureFixture) -> None:
    told = [log.text, repr(world.login), str(world.login), repr(world.given)]
    if error is not None:
        told += [str(error), repr(error), *traceback.format_exception(error)]
    for secret in world.secrets:
        assert len(secret) > 3
        assert not any(secret in one for one in told)


@pytest.mark.parametrize(("specimen", "failure"), CASES)
async def test_an_answer_means_what_the_table_says(
    specimen: Specimen, failure: Failure, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "httpx")  # as the house's own log does: addresses may hold a token
    assert specimen.world is not None
    async with specimen.world() as world:
        call = await _ready(specimen, world, failure.call)
        world.line.reply = failure.reply
        error: NetworkError | None = None
        try:
            await call()
        except NetworkError as raised:
            error = raised
        world.line.reply = None
        _tells_nothing(world, error, caplog)
    if failure.error is None:
        assert error is None
        return
    assert isinstance(error, failure.error)
    assert error.network == specimen.connector.network.value
    assert error.message
    assert error.unsent or isinstance(error, Uncertain)
    assert len(error.message) < 1000
    if failure.after is not None:
        assert isinstance(error, RateLimited)
        assert abs(error.after - failure.after) <= timedelta(seconds=1)


@pytest.mark.parametrize("specimen", CALLING)
async def test_a_network_that_repeats_the_login_in_its_error_tells_nobody(
    specimen: Specimen, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert specimen.world is not None
    assert specimen.echo is not None
    async with specimen.world() as world:
        for call in {failure.call for failure in specimen.failures}:
            doing = await _ready(specimen, world, call)
            world.line.echo = specimen.echo
            with pytest.raises(NetworkError) as raised:
                await doing()
            world.line.echo = None
            _tells_nothing(world, raised.value, caplog)


@pytest.mark.parametrize(("specimen", "failure"), SENDING)
async def test_after_any_answer_the_post_is_live_once_at_most_and_a_repeat_makes_no_second(
    specimen: Specimen, failure: Failure
) -> None:
    assert specimen.world is not None
    async with specimen.world() as world:
        assert world.published is not None
        post = await laid_ready(specimen, world, effect())
        world.line.reply = failure.reply
        error: Any = None
        try:
            await specimen.connector.send(world.http, world.login, post)
        except NetworkError as raised:
            error = raised
        world.line.reply = None
        if isinstance(error, Uncertain):
            again = replace(post, first_attempt_at=datetime.now(UTC) - timedelta(hours=1))
            found = await specimen.connector.find(world.http, world.login, again)
            assert (found is not None) == failure.reply.done
            await specimen.connector.send(world.http, world.login, again)
            assert len(await world.published()) == 1
        else:
            assert await world.published() == []
