"""Links, hashtags and mentions in a text are where its bytes are, and nothing else is one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse

from shared.connectors import bluesky_facets
from shared.connectors.bluesky_posts import full_links
from shared.errors import RateLimited
from tests.connectors.bluesky_house import Place, bluesky, place
from tests.connectors.conformance.specimen import effect
from tests.networks.fakes.bluesky import Fault
from tests.networks.fakes.bluesky_people import POST

RESOLVE = "com.atproto.identity.resolveHandle"


def marked(text: str, facets: list[Any]) -> list[tuple[str, str]]:
    """The words of each facet and what they lead to."""
    raw = text.encode()
    found = []
    for facet in facets:
        [feature] = facet["features"]
        words = raw[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode()
        found.append((words, feature.get("uri") or feature.get("tag") or feature["did"]))
    return found


async def said(here: Place, text: str) -> list[tuple[str, str]]:
    await bluesky.send(here.http, here.login, effect(text=text))
    record = [one for one in here.network.records.values() if one.did == here.brand.did and one.collection == POST][-1]
    assert record.value["text"] == text
    return marked(text, record.value.get("facets", []))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Lees https://example.be/a?b=1&c#d.", [("https://example.be/a?b=1&c#d", "https://example.be/a?b=1&c#d")]),
        ("(zie https://example.be/a_(b))", [("https://example.be/a_(b)", "https://example.be/a_(b)")]),
        ("(zie http://example.be/a)", [("http://example.be/a", "http://example.be/a")]),
        ("👩‍👩‍👧 é https://example.be!", [("https://example.be", "https://example.be")]),
        ("#Plein, #été2026! ＃東京 #1 #2026 # ##x", [("#Plein", "Plein"), ("#été2026", "été2026"), ("＃東京", "東京")]),
        ("een#ander en &#39; en a/#b", []),
        ("https://example.be/#tag", [("https://example.be/#tag", "https://example.be/#tag")]),
        ("niets https:// en https://. en https://[", []),
        ("mail ons: info@fan.test", []),
        ("#" + "a" * 65, []),
    ],
)
async def test_what_is_marked_is_what_a_reader_would_take_for_it(text: str, wanted: list[tuple[str, str]]) -> None:
    async with place() as here:
        assert await said(here, text) == wanted


async def test_a_handle_leads_to_its_account_and_one_that_leads_to_nobody_stays_text() -> None:
    async with place() as here:
        found = await said(here, "é @Fan.test, @nobody.test en (@fan.test) en @fan")
        assert found == [("@Fan.test", here.fan.did), ("@fan.test", here.fan.did)]
        assert here.network.asked[RESOLVE] == 2


async def test_a_handle_whose_host_does_not_answer_keeps_no_post_back() -> None:
    async with place() as here:
        here.network.faults[RESOLVE] = Fault(JSONResponse({"error": "InternalServerError"}, 500))
        assert await said(here, "Dag @fan.test") == []


async def test_too_many_questions_for_handles_wait() -> None:
    async with place() as here:
        here.network.faults[RESOLVE] = Fault(JSONResponse({"error": "RateLimitExceeded"}, 429))
        with pytest.raises(RateLimited):
            await bluesky.send(here.http, here.login, effect(text="Dag @fan.test"))
        assert here.network.records == {}


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://www.example.be/", "example.be"),
        ("https://example.be/een/lang/adres/dat/niet/past", "example.be/een/lang/adres/d…"),
        ("http://example.be:8080/a?b=1", "example.be:8080/a?b=1"),
    ],
)
def test_a_link_beneath_a_text_is_cut_for_the_eye_and_leads_to_the_whole(address: str, shown: str) -> None:
    text, span = bluesky_facets.beneath("Kijk", address)
    assert text == f"Kijk\n\n{shown}"
    assert (text[span.start : span.end], span.feature["uri"]) == (shown, address)


@given(st.text(max_size=60))
def test_whatever_stands_around_a_link_it_is_heard_again_as_it_was_written(around: str) -> None:
    text = f"{around} https://example.be/nieuws {around}".encode("utf-8", "replace").decode()
    spans = bluesky_facets.links(text)
    facets = [bluesky_facets.facet(text, span) for span in spans]
    assert ("https://example.be/nieuws", "https://example.be/nieuws") in marked(text, facets)
    assert full_links(text, facets)[0] == text
