"""Answers are hidden in threads of the account's own, beside whatever else stands in the thread's gate."""

from typing import Any

import pytest
from starlette.responses import JSONResponse

from shared.contract import OutgoingEffect, Target
from shared.errors import Refused, Unavailable, Uncertain
from shared.models.enums import MentionKind, OutgoingKind
from tests.connectors.bluesky_house import Place, bluesky, place
from tests.connectors.conformance.specimen import effect
from tests.networks.fakes.bluesky import BlueskyNetwork, Fault
from tests.networks.fakes.bluesky_people import GATE, Json, Record

PUT = "com.atproto.repo.putRecord"


def on(kind: OutgoingKind, what: Record) -> OutgoingEffect:
    return effect(kind=kind, text="", target=Target(what.uri, MentionKind.REPLY, what.did))


def thread(here: Place, *answers: str) -> tuple[Record, list[Record]]:
    """A post of the account's own and what the fan answers."""
    top = here.network.post(here.brand, "Wat vindt u ervan?")
    return top, [here.network.reply(here.fan, top, text) for text in answers]


def gates(here: Place) -> list[Record]:
    return [one for one in here.network.records.values() if one.collection == GATE]


async def test_the_first_that_is_hidden_makes_a_gate_in_which_everybody_may_answer() -> None:
    async with place() as here:
        top, [answer] = thread(here, "foei")
        sent = await bluesky.send(here.http, here.login, on(OutgoingKind.HIDE, answer))
        [gate] = gates(here)
    assert sent.external_id == answer.uri
    assert gate.uri == f"at://{here.brand.did}/{GATE}/{top.uri.rpartition('/')[2]}"
    assert (gate.value["post"], gate.value["hiddenReplies"]) == (top.uri, [answer.uri])
    assert "allow" not in gate.value


async def test_what_else_stands_in_the_gate_is_kept() -> None:
    async with place() as here:
        top, answers = thread(here, "foei", "bah")
        rules = {"allow": [{"$type": f"{GATE}#followingRule"}], "post": top.uri, "hiddenReplies": [answers[0].uri]}
        here.network.write(here.brand, GATE, rules, rkey=top.uri.rpartition("/")[2])
        await bluesky.send(here.http, here.login, on(OutgoingKind.HIDE, answers[1]))
        [gate] = gates(here)
        assert gate.value["allow"] == rules["allow"]
        assert gate.value["hiddenReplies"] == [one.uri for one in answers]
        await bluesky.send(here.http, here.login, on(OutgoingKind.UNHIDE, answers[0]))
        assert gate.value["hiddenReplies"] == [answers[1].uri]
        assert gate.value["allow"] == rules["allow"]


async def test_what_is_as_it_should_be_is_not_written_again() -> None:
    async with place() as here:
        _, answers = thread(here, "foei", "bah")
        for _ in range(2):
            await bluesky.send(here.http, here.login, on(OutgoingKind.HIDE, answers[0]))
        await bluesky.send(here.http, here.login, on(OutgoingKind.UNHIDE, answers[1]))
        assert here.network.asked[PUT] == 1


class Contested(BlueskyNetwork):
    """A network on which somebody else hides another answer just before each of the first writes."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.others: list[Record] = []

    def _putRecord(self, query: Any, bearer: str, body: Json) -> Json:
        if self.times:
            self.times -= 1
            mine = self._viewer(bearer)
            uri = f"at://{mine.did}/{GATE}/{body['rkey']}"
            if uri not in self.records:
                self.write(mine, GATE, {"post": "", "hiddenReplies": []}, rkey=body["rkey"])
            told = [*self.records[uri].value["hiddenReplies"], self.others.pop().uri]
            self.records[uri].value = {**self.records[uri].value, "hiddenReplies": told}
            self.records[uri].cid += "x"
        return super()._putRecord(query, bearer, body)


@pytest.mark.parametrize("times", [1, 3])
async def test_what_others_hide_meanwhile_stays_hidden(times: int) -> None:
    async with place(network=Contested(times)) as here:
        _, [answer, *others] = thread(here, "foei", "bah", "poe", "zwijg")
        assert isinstance(here.network, Contested)
        here.network.others = list(others)
        await bluesky.send(here.http, here.login, on(OutgoingKind.HIDE, answer))
        [gate] = gates(here)
        assert gate.value["hiddenReplies"] == [*(one.uri for one in reversed(others[-times:])), answer.uri]


async def test_a_gate_that_never_stands_still_is_left_for_later() -> None:
    async with place(network=Contested(99)) as here:
        _, [answer, *others] = thread(here, "foei", *"abcdefghij")
        assert isinstance(here.network, Contested)
        here.network.others = list(others)
        with pytest.raises(Unavailable, match="keep changing") as raised:
            await bluesky.send(here.http, here.login, on(OutgoingKind.HIDE, answer))
        assert raised.value.unsent
        assert not here.network.hidden(answer.uri)


async def test_only_answers_in_a_thread_of_the_accounts_own_are_hidden() -> None:
    async with place() as here:
        theirs = here.network.post(here.fan, "Dag", mentioning=here.brand)
        beneath = here.network.reply(here.fan, theirs, "foei")
        with pytest.raises(Refused, match="who began the thread"):
            await bluesky.send(here.http, here.login, on(OutgoingKind.HIDE, beneath))
        with pytest.raises(Refused, match="answers nothing"):
            await bluesky.send(here.http, here.login, on(OutgoingKind.HIDE, theirs))
        assert gates(here) == []


async def test_a_list_that_is_full_is_said() -> None:
    async with place() as here:
        top, [answer] = thread(here, "foei")
        full = [f"{answer.uri}{number}" for number in range(300)]
        here.network.write(here.brand, GATE, {"post": top.uri, "hiddenReplies": full}, rkey=top.uri.rpartition("/")[2])
        with pytest.raises(Refused, match="no more can be"):
            await bluesky.send(here.http, here.login, on(OutgoingKind.HIDE, answer))


@pytest.mark.parametrize("done", [True, False])
async def test_a_write_whose_answer_is_lost_is_looked_up_in_the_gate(done: bool) -> None:
    async with place() as here:
        _, [answer] = thread(here, "foei")
        here.network.faults[PUT] = Fault(JSONResponse({"error": "InternalServerError"}, 500), done=done)
        with pytest.raises(Uncertain):
            await bluesky.send(here.http, here.login, on(OutgoingKind.HIDE, answer))
        found = await bluesky.find(here.http, here.login, on(OutgoingKind.HIDE, answer))
        assert (found is not None) == done
