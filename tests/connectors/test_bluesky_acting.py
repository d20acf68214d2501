"""What an account does on Bluesky to what is there already: once, and taken back as it was done."""

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from shared.contract import Target
from shared.errors import Refused, Uncertain
from shared.models.enums import MentionKind, OutgoingKind
from tests.connectors.bluesky_house import bluesky, on, own, place
from tests.connectors.conformance.specimen import effect
from tests.networks.fakes.bluesky import Fault
from tests.networks.fakes.bluesky_people import BLOCK, LIKE

DELETE = "com.atproto.repo.deleteRecord"
LIES = {
    "400": Response(b"Bad Request", 400),
    "500": JSONResponse({"error": "InternalServerError", "message": "…"}, 500),
    "200 in HTML": HTMLResponse("<html>welcome</html>"),
    "503 in HTML": HTMLResponse("<html>busy</html>", 503),
}


async def test_what_is_liked_in_the_app_already_is_not_liked_twice_and_can_be_taken_back() -> None:
    async with place() as here:
        post = here.network.post(here.fan, "Dag", mentioning=here.brand)
        by_hand = here.network.like(here.brand, post)
        sent = await bluesky.send(here.http, here.login, on(OutgoingKind.LIKE, post))
        assert sent.external_id == by_hand.uri
        assert len(own(here, LIKE)) == 1
        await bluesky.send(here.http, here.login, on(OutgoingKind.UNLIKE, post))
        assert own(here, LIKE) == []
        assert (await bluesky.find(here.http, here.login, on(OutgoingKind.UNLIKE, post))) is not None


async def test_who_is_blocked_already_is_not_blocked_twice() -> None:
    async with place() as here:
        by_hand = here.network.write(here.brand, BLOCK, {"subject": here.fan.did})
        target = Target(here.fan.did)
        sent = await bluesky.send(here.http, here.login, effect(kind=OutgoingKind.BLOCK, text="", target=target))
        assert sent.external_id == by_hand.uri
        assert len(own(here, BLOCK)) == 1


async def test_only_what_the_account_said_itself_is_deleted() -> None:
    async with place() as here:
        theirs = here.network.post(here.fan, "foei", mentioning=here.brand)
        with pytest.raises(Refused, match="somebody else's"):
            await bluesky.send(here.http, here.login, on(OutgoingKind.DELETE, theirs))
        assert theirs.uri in here.network.records


@pytest.mark.parametrize("lie", LIES)
async def test_a_deletion_is_believed_when_it_is_seen(lie: str) -> None:
    async with place() as here:
        mine = here.network.post(here.brand, "Dag")
        here.network.faults[DELETE] = Fault(LIES[lie])
        with pytest.raises(Uncertain):
            await bluesky.send(here.http, here.login, on(OutgoingKind.DELETE, mine))
        assert await bluesky.find(here.http, here.login, on(OutgoingKind.DELETE, mine)) is None
        here.network.faults[DELETE] = Fault(LIES[lie], done=True)
        sent = await bluesky.send(here.http, here.login, on(OutgoingKind.DELETE, mine))
        assert await bluesky.find(here.http, here.login, on(OutgoingKind.DELETE, mine)) == sent
        assert mine.uri not in here.network.records


async def test_what_names_no_post_and_nobody_is_refused() -> None:
    async with place() as here:
        nothing = Target("at://did:plc:a/app.bsky.feed.generator/1", MentionKind.POST)
        kinds = set(OutgoingKind) - {OutgoingKind.PUBLISH, OutgoingKind.FIRST_COMMENT, OutgoingKind.THREAD_PART}
        for kind in sorted(kinds):
            with pytest.raises(Refused, match="named"):
                await bluesky.send(here.http, here.login, effect(kind=kind, target=nothing))
        assert own(here) == []
