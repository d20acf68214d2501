"""What a card declares is done against the network's fake; what it does not declare is refused, and nothing is sent."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.contract import (
    Capability,
    Counted,
    Deleted,
    Heard,
    HookAddress,
    Login,
    Page,
    Pointer,
    RawArrival,
    RawPart,
    Said,
)
from shared.errors import NetworkError, Refused
from tests.connectors.conformance.specimen import Specimen, World, effect, laid_ready
from tests.connectors.conformance.test_specimens import HEARING
from tests.connectors.loopback import guarded
from tests.connectors.specimens import SPECIMENS, each

Exercise = Callable[[Specimen, World], Awaitable[None]]

NOTHING = Login("x", None, {})
LONG_AGO = timedelta(minutes=50)  # what networks show late, they show by then


def heard(specimen: Specimen, world: World, arrivals: Iterable[RawArrival]) -> list[Heard]:
    """The facts in these arrivals, which have no problems."""
    found: list[Heard] = []
    for one in arrivals:
        parsed = specimen.connector.parse(RawPart(world.login.channel_external_id, one.body, one.stamp, one.headers))
        assert parsed.problems == ()
        found += parsed.heard
    return found


def texts(facts: Iterable[Heard]) -> dict[str, str]:
    return {fact.external_id: fact.text or "" for fact in facts if isinstance(fact, Said)}


async def pages(ask: Callable[[str | None], Awaitable[Page]], cursor: str | None = None) -> list[Page]:
    """Page after page while there is more, as the house asks."""
    found: list[Page] = []
    for _ in range(60):
        found.append(await ask(cursor))
        cursor = found[-1].cursor
        if not found[-1].more:
            return found
    raise AssertionError("it never ends")


async def everything(specimen: Specimen, world: World, cursor: str | None = None) -> tuple[list[Heard], str | None]:
    """All that polling brings now, and the cursor after it."""
    found = await pages(lambda at: specimen.connector.poll(world.http, world.login, at), cursor)
    return heard(specimen, world, [one for page in found for one in page.arrivals]), found[-1].cursor


async def said(world: World, *words: str) -> list[str]:
    assert world.say is not None
    return [await world.say(word) for word in words]


# ---------------------------------------------------------------- what is declared


async def polls(specimen: Specimen, world: World) -> None:
    first, second = await said(world, "een koffie", "een thee")
    found, cursor = await everything(specimen, world)
    assert {first, second} <= texts(found).keys()
    assert "koffie" in texts(found)[first]
    [third] = await said(world, "een pils")
    found, cursor = await everything(specimen, world, specimen.later(cursor))
    assert third in texts(found)
    again, _ = await everything(specimen, world, specimen.later(cursor))
    assert texts(again).keys() <= {first, second, third}


async def fetches(specimen: Specimen, world: World) -> None:
    assert specimen.pointer is not None
    [external_id] = await said(world, "een koffie")
    arrival = await specimen.connector.fetch(world.http, world.login, specimen.pointer(external_id))
    assert "koffie" in texts(heard(specimen, world, [arrival]))[external_id]


async def rechecks(specimen: Specimen, world: World) -> None:
    assert world.delete is not None
    kept, gone = await said(world, "een koffie", "een thee")
    if world.edit is not None:
        await world.edit(kept, "een koude koffie")
    await world.delete(gone)
    found = heard(specimen, world, await specimen.connector.recheck(world.http, world.login, [kept, gone]))
    assert kept in texts(found)
    assert world.edit is None or "koude" in texts(found)[kept]
    assert {fact.external_id for fact in found if isinstance(fact, Deleted)} == {gone}


async def fills_back(specimen: Specimen, world: World) -> None:
    told = await said(world, *(f"nummer {number}" for number in range(7)))
    since = datetime.now(UTC) - timedelta(days=2)
    found = await pages(lambda at: specimen.connector.backfill(world.http, world.login, since, at))
    assert set(told) <= texts(heard(specimen, world, [one for page in found for one in page.arrivals])).keys()
    reached = [page.reached for page in found if page.reached is not None]
    assert reached == sorted(reached, reverse=True)


async def searches(specimen: Specimen, world: World) -> None:
    told = await said(world, *(f"een koffie nummer {number}" for number in range(7)), "een thee")
    since = datetime.now(UTC) - timedelta(days=2)
    found = await pages(lambda at: specimen.connector.search(world.http, world.login, ["koffie"], at, since))
    brought = texts(heard(specimen, world, [one for page in found for one in page.arrivals]))
    assert set(told[:7]) <= brought.keys()
    assert told[7] not in brought
    reached = [page.reached for page in found if page.reached is not None]
    assert reached == sorted(reached, reverse=True)
    assert found[-1].reached == since
    none = await specimen.connector.search(world.http, world.login, ["koffie", "nergens"], None, since)
    assert heard(specimen, world, none.arrivals) == []


async def measures(specimen: Specimen, world: World) -> None:
    [external_id] = await said(world, "een koffie")
    found = await specimen.connector.measure(world.http, world.login, [external_id])
    assert [one.external_id for one in found] == [external_id]
    assert all(isinstance(one, Counted) for one in found)


async def publishes(specimen: Specimen, world: World) -> None:
    assert world.published is not None
    sent = await specimen.connector.send(world.http, world.login, await laid_ready(specimen, world, effect()))
    assert await world.published() == [sent.external_id]


async def finds(specimen: Specimen, world: World) -> None:
    ready = await laid_ready(specimen, world, effect())
    sent = await specimen.connector.send(world.http, world.login, ready)
    assert await specimen.connector.find(world.http, world.login, ready) == sent
    assert (
        await specimen.connector.find(world.http, world.login, effect("out_2", attempted=LONG_AGO, text="Bonsoir"))
        is None
    )


async def renews(specimen: Specimen, world: World) -> None:
    world.login = await specimen.connector.renew(world.http, world.login)
    [external_id] = await said(world, "een koffie")
    found, _ = await everything(specimen, world)
    assert external_id in texts(found)


async def subscribes(specimen: Specimen, world: World) -> None:
    assert world.subscribed is not None
    assert world.hook is not None
    assert not await world.subscribed()
    found = await specimen.connector.subscribe(world.http, world.login, world.hook)
    assert found is not None
    assert found.hook_url == world.hook.url
    assert await world.subscribed()


async def checks(specimen: Specimen, world: World) -> None:
    if world.subscribed is not None and world.hook is not None:
        await specimen.connector.subscribe(world.http, world.login, world.hook)
    found = await specimen.connector.check(world.http, world.login)
    assert [one.message for one in found if not one.ok] == []
    assert found
    if world.revoke is None:
        return
    world.revoke()
    dead = [one for one in await specimen.connector.check(world.http, world.login) if not one.ok]
    assert dead
    assert all(one.mend for one in dead)


async def identifies(specimen: Specimen, world: World) -> None:
    choice = await specimen.connector.identify(world.http, world.given)
    assert choice.external_id == world.login.channel_external_id
    assert choice.name


EXERCISES: Mapping[Capability, Exercise] = {
    Capability.POLL: polls,
    Capability.FETCH: fetches,
    Capability.RECHECK: rechecks,
    Capability.BACKFILL: fills_back,
    Capability.SEARCH: searches,
    Capability.MEASURE: measures,
    Capability.PUBLISH: publishes,
    Capability.FIND: finds,
    Capability.RENEW: renews,
    Capability.SUBSCRIBE: subscribes,
    Capability.CHECK: checks,
    Capability.IDENTIFY: identifies,
}


def refusals(specimen: Specimen, http: Any) -> Mapping[Capability, Callable[[], Awaitable[object]]]:
    """The call that stands behind each capability."""
    it = specimen.connector
    return {
        Capability.POLL: lambda: it.poll(http, NOTHING, None),
        Capability.FETCH: lambda: it.fetch(http, NOTHING, Pointer("1", "post")),
        Capability.RECHECK: lambda: it.recheck(http, NOTHING, ["1"]),
        Capability.BACKFILL: lambda: it.backfill(http, NOTHING, datetime.now(UTC), None),
        Capability.SEARCH: lambda: it.search(http, NOTHING, ["koffie"], None, datetime.now(UTC)),
        Capability.MEASURE: lambda: it.measure(http, NOTHING, ["1"]),
        Capability.PUBLISH: lambda: it.send(http, NOTHING, effect()),
        Capability.FIND: lambda: it.find(http, NOTHING, effect()),
        Capability.RENEW: lambda: it.renew(http, NOTHING),
        Capability.SUBSCRIBE: lambda: it.subscribe(http, NOTHING, HookAddress("http://127.0.0.1:1/", "s")),
        Capability.CHECK: lambda: it.check(http, NOTHING),
        Capability.IDENTIFY: lambda: it.identify(http, NOTHING),
    }


def _cases(declared: bool) -> list[Any]:
    return [
        pytest.param(specimen, capability, id=f"{network.value}-{capability.value}")
        for network, specimen in SPECIMENS.items()
        for capability in EXERCISES
        if specimen.connector.card.can(capability) == declared and (specimen.world is not None or not declared)
    ]


def test_there_is_an_exercise_and_a_refusal_for_every_capability() -> None:
    assert EXERCISES.keys() | HEARING == set(Capability)
    assert refusals(SPECIMENS[next(iter(SPECIMENS))], None).keys() == EXERCISES.keys()


@pytest.mark.parametrize(("specimen", "capability"), _cases(declared=True))
async def test_what_is_on_the_card_is_done(specimen: Specimen, capability: Capability) -> None:
    assert specimen.world is not None
    async with specimen.world() as world:
        await EXERCISES[capability](specimen, world)
        assert world.line.got


@pytest.mark.parametrize(("specimen", "capability"), _cases(declared=False))
async def test_what_is_not_on_the_card_is_refused_and_nothing_is_sent(
    specimen: Specimen, capability: Capability
) -> None:
    """There is no client to send with: a call that tried to would fail otherwise."""
    with pytest.raises(Refused, match="does not offer"):
        await refusals(specimen, None)[capability]()


# ---------------------------------------------------------------- what is odd, and must do no harm


@pytest.fixture
async def world(specimen: Specimen) -> AsyncIterator[World]:
    assert specimen.world is not None
    async with specimen.world() as found:
        yield found


POLLED = each(one for one in SPECIMENS.values() if one.connector.card.can(Capability.POLL))


@pytest.mark.parametrize("specimen", POLLED)
async def test_polling_again_from_one_place_tells_the_same(specimen: Specimen, world: World) -> None:
    await said(world, "een koffie", "een thee")
    one, other = [texts((await everything(specimen, world))[0]) for _ in range(2)]
    assert one == other


@pytest.mark.parametrize("cursor", ["", "x", "-1", "{}", "[]", "null", '{"a": 1}', "9" * 400, "\x00", "é", "../me"])
@pytest.mark.parametrize("specimen", POLLED)
async def test_a_cursor_that_is_no_cursor_is_refused_or_begun_anew(
    specimen: Specimen, world: World, cursor: str
) -> None:
    await said(world, "een koffie")
    try:
        page = await specimen.connector.poll(world.http, world.login, cursor)
    except NetworkError:
        return
    heard(specimen, world, page.arrivals)


@pytest.mark.parametrize("specimen", POLLED)
async def test_an_address_where_nobody_answers_is_unavailable_and_one_that_is_none_is_refused(
    specimen: Specimen,
) -> None:
    assert specimen.world is not None
    async with specimen.world() as world:
        login = world.login
    async with guarded(send_timeout_seconds=1) as http:
        with pytest.raises(NetworkError) as away:
            await specimen.connector.poll(http, login, None)
        assert away.value.code == "unavailable"
        assert away.value.unsent
        nowhere = replace(
            login, base_url="not an address", credentials={**login.credentials, "service": "not an address"}
        )
        with pytest.raises(NetworkError):
            await specimen.connector.poll(http, nowhere, None)


def test_every_call_of_the_contract_is_a_coroutine() -> None:
    for specimen in SPECIMENS.values():
        for name in (
            "poll", "fetch", "recheck", "backfill", "search", "measure", "send", "find", "renew", "subscribe", "check",
        ):  # fmt: skip
            assert inspect.iscoroutinefunction(getattr(specimen.connector, name))
