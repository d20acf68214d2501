"""The Graph API's own ways: its errors under any status, its figures of use, its pages, and things asked for by id."""

from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from shared.connectors import graph, graph_errors, graph_usage
from shared.connectors.graph import Graph
from shared.connectors.graph_errors import Forbidden, Missing, TooMuch
from shared.contract import Login
from shared.errors import LoginDead, NetworkError, RateLimited, Refused, Unavailable
from tests.connectors.graph_rig import PAGE, PAGE_TOKEN, rig
from tests.networks.fakes.graph import Fault


def answered(status: int = 400, body: Any = None, headers: dict[str, str] | None = None) -> httpx.Response:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return httpx.Response(status, content=content, headers=headers)


def error(code: int, subcode: int = 0, **more: Any) -> dict[str, Any]:
    told = {"message": "words", "type": "OAuthException", "code": code, "error_subcode": subcode}
    return {"error": {**told, **more}}


def meant(response: httpx.Response) -> NetworkError | None:
    return graph_errors.failure("facebook", response)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("status", [200, 400, 403, 500])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        *((error(code), RateLimited) for code in (4, 17, 32, 341, 613, 80001, 80002, 80004, 80006, 80008)),
        (error(100, 1390008), RateLimited),
        *((error(190, subcode), LoginDead) for subcode in (0, 458, 459, 460, 463, 464, 467)),
        (error(102), LoginDead),
        (error(100, 33), Missing),
        (error(803), Missing),
        (error(1), Unavailable),
        (error(2), Unavailable),
        (error(9007, is_transient=True), Unavailable),
        (error(9004, 2207052), Unavailable),
    ],
)
def test_the_codes_decide_whatever_status_they_come_under(status: int, body: Any, expected: type[Exception]) -> None:
    assert type(meant(answered(status, body))) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        *((error(code), Forbidden) for code in (3, 10, 200, 230, 299)),
        *((error(code), Refused) for code in (100, 368, 506, 1609005, 2500)),
        *((error(9004, subcode), Refused) for subcode in (2207009, 2207010, 2207051)),
        ({"error_type": "OAuthException", "code": 400, "error_message": "Matching code was not found"}, Refused),
        ({"error": {}}, Refused),
    ],
)
def test_what_the_network_declines_for_good_is_refused(body: Any, expected: type[Exception]) -> None:
    assert type(meant(answered(400, body))) is expected


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (answered(200, b"<html>busy</html>"), Unavailable),
        (answered(502, b"<html>bad gateway</html>"), Unavailable),
        (answered(404, b"<html>not here</html>"), Unavailable),
        (answered(200, b'{"data": [{"id": "1", "mess'), Unavailable),
        (answered(200, b""), Unavailable),
        (answered(200, [1, 2]), Unavailable),
        (answered(302, b"", {"location": "https://elsewhere.example"}), Refused),
        (answered(401, b""), LoginDead),
        (answered(429, b"", {"retry-after": "7"}), RateLimited),
        (answered(500, {}), Unavailable),
        (answered(503, error(100)), Unavailable),
        (answered(401, error(100)), LoginDead),
    ],
)
def test_an_answer_without_the_networks_own_error_goes_by_its_status(
    response: httpx.Response, expected: type[Exception]
) -> None:
    assert type(meant(response)) is expected


def test_an_answer_without_an_error_is_none_and_an_empty_list_is_an_empty_object() -> None:
    assert meant(answered(200, {"data": []})) is None
    assert meant(answered(200, [])) is None
    assert graph_errors.answer(b"[]") == {}


def test_the_networks_sentence_is_told_without_the_token_that_it_repeats() -> None:
    body = {"error": {"message": "Malformed thing EAAB123 here", "type": "OAuthException", "code": 100}}
    found = graph_errors.failure("facebook", answered(400, body), ("EAAB123", ""))
    assert found is not None
    assert "EAAB123" not in found.message
    assert "Malformed thing" in found.message


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({}, timedelta(minutes=5)),
        ({"retry-after": "90"}, timedelta(seconds=90)),
        ({"x-app-usage": "nonsense"}, timedelta(minutes=5)),
        (
            {"x-business-use-case-usage": '{"1":[{"type":"pages","estimated_time_to_regain_access":42}]}'},
            timedelta(minutes=42),
        ),
        (
            {"x-business-use-case-usage": '{"1":[{"estimated_time_to_regain_access":99999}]}', "retry-after": "1"},
            timedelta(hours=24),
        ),
    ],
)
def test_too_fast_waits_as_long_as_the_network_says(headers: dict[str, str], after: timedelta) -> None:
    found = meant(answered(400, error(4), headers))
    assert isinstance(found, RateLimited)
    assert found.after == after


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"x-app-usage": '{"call_count":79,"total_time":1,"total_cputime":1}'}, None),
        ({"x-app-usage": '{"call_count":2,"total_time":80,"total_cputime":1}'}, timedelta(minutes=10)),
        ({"x-app-usage": '{"call_count":2,"total_time":1,"total_cputime":96}'}, timedelta(minutes=30)),
        ({"x-business-use-case-usage": '{"7":[{"call_count":85}],"8":[{"call_count":1}]}'}, timedelta(minutes=10)),
        ({"x-business-use-case-usage": '{"7":[{"estimated_time_to_regain_access":3}]}'}, timedelta(minutes=3)),
        ({"x-business-use-case-usage": '{"7":"?","8":[7],"9":[{"call_count":"many"}]}'}, None),
    ],
)  # fmt: skip
def test_high_figures_of_use_ask_for_a_rest_before_the_limit_is_reached(
    headers: dict[str, str], wait: timedelta | None
) -> None:
    assert graph_usage.wait(answered(200, {}, headers)) == wait


# ---------------------------------------------------------------- pages


def test_the_next_page_is_asked_for_by_its_place_and_never_by_the_address_that_an_answer_names() -> None:
    by_cursor = {"paging": {"cursors": {"after": "QVF"}, "next": "https://evil.example/?access_token=t&after=QVF"}}
    by_time = {"paging": {"next": "https://evil.example/x?access_token=t&until=162&__paging_token=p&limit=5"}}
    assert graph.next_page(by_cursor) == "after=QVF"
    assert graph.next_page(by_time) == "until=162&__paging_token=p"


@pytest.mark.parametrize(
    "value", [{}, {"paging": 7}, {"paging": {"cursors": {"after": "x"}}}, {"paging": {"next": "http://[bad"}}, None]
)
def test_a_last_page_has_no_next_one(value: object) -> None:
    assert graph.next_page(value) is None


def test_the_version_stands_in_one_place_and_a_channels_own_address_goes_before() -> None:
    login = Login(PAGE, None, {"access_token": "t"})
    nobody: Any = None
    assert graph.of(nobody, "facebook", login, graph.FACEBOOK).base.endswith(f"/{graph.VERSION}")
    other = Login(PAGE, "https://graph.facebook.com/v25.0/", {"access_token": "t"})
    assert graph.of(nobody, "facebook", other, graph.FACEBOOK).base == "https://graph.facebook.com/v25.0"
    with pytest.raises(Refused, match="access_token"):
        graph.of(nobody, "facebook", Login(PAGE, None, {}), graph.FACEBOOK)


def test_a_login_is_not_in_the_words_that_describe_it() -> None:
    nobody: Any = None
    login = Login(PAGE, None, {"access_token": "EAAB-t", "app_secret": "s3cret"})
    told = repr(graph.of(nobody, "facebook", login, graph.FACEBOOK))
    assert "EAAB-t" not in told
    assert "s3cret" not in told


# ---------------------------------------------------------------- several things at once


async def test_of_many_things_the_missing_ones_are_told_apart_in_a_few_calls() -> None:
    async with rig() as here:
        posts = [here.graph.world.post(PAGE, str(number)) for number in range(25)]
        for gone in posts[3:5]:
            here.graph.world.delete(gone)
        looked = await facebook_way(here).look(posts, "id,message", together=25)
        asked = len(here.graph.got)
    assert sorted(looked.missing) == sorted(posts[3:5])
    assert set(looked.found) == set(posts) - set(posts[3:5])
    assert asked < 15


async def test_things_that_are_too_much_for_one_answer_are_asked_for_in_halves() -> None:
    async with rig() as here:
        posts = [here.graph.world.post(PAGE, str(number)) for number in range(8)]
        body = orjson.dumps(error(1, message="Please reduce the amount of data you're asking for"))
        here.graph.faults.append(Fault("/v26.0/", 500, body, count=3))
        looked = await facebook_way(here).look(posts, "id,message", together=25)
        here.graph.faults.append(Fault(f"/{posts[0]}", 500, body))
        with pytest.raises(TooMuch):
            await facebook_way(here).look(posts[:1], "id", together=25)
    assert set(looked.found) == set(posts)
    assert looked.missing == []


async def test_a_right_that_is_missing_is_no_proof_that_anything_is_gone() -> None:
    async with rig() as here:
        posts = [here.graph.world.post(PAGE, str(number)) for number in range(4)]
        here.graph.tokens[PAGE_TOKEN].scopes.clear()
        with pytest.raises(Forbidden):
            await facebook_way(here).look(posts, "id,comments{id}", together=25)
        assert len(here.graph.got) < 8


async def test_what_an_answer_leaves_out_is_asked_for_by_itself_and_not_taken_for_gone() -> None:
    async with rig() as here:
        posts = [here.graph.world.post(PAGE, str(number)) for number in range(4)]
        here.graph.world.delete(posts[2])
        here.graph.faults += [Fault("/v26.0/", 200, b"{}"), Fault(f"/{posts[1]}", 200, b"[]")]
        looked = await facebook_way(here).look(posts, "id,message", together=25)
    assert set(looked.found) == {posts[0], posts[3]}
    assert looked.missing == [posts[2]]


async def test_what_we_may_not_see_is_neither_there_nor_gone() -> None:
    async with rig() as here:
        posts = [here.graph.world.post(PAGE, str(number)) for number in range(4)]
        body = orjson.dumps(error(10))
        here.graph.faults += [Fault(path, 403, body) for path in ("/v26.0/", f"/{posts[3]}")]
        here.graph.faults.append(Fault("/v26.0/", 403, body))
        looked = await facebook_way(here).look(posts, "id,message", together=25)
    assert set(looked.found) == set(posts[:3])
    assert looked.missing == []


async def test_an_answer_that_breaks_off_is_unavailable_and_nothing_in_it_is_believed() -> None:
    async with rig(send_timeout_seconds=0.5) as here:
        here.graph.faults += [
            Fault("/feed", 200, b'{"data": [', {"content-length": "10"}),
            Fault("/feed", 200, b"{}", after_seconds=2),
        ]
        for _ in range(2):
            with pytest.raises(Unavailable):
                await facebook_way(here).get(f"{PAGE}/feed", fields="id")


def facebook_way(here: Any) -> Graph:
    return graph.of(here.http, "facebook", here.page, graph.FACEBOOK)
