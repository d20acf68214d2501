"""What Graph's answers to a deed mean: what certainly did nothing, what may have, and how much room is left."""

from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from shared.connectors import graph_errors, graph_usage
from shared.connectors.graph_effects import same_words, with_link
from shared.connectors.graph_errors import Forbidden, Missing
from shared.contract import Room
from shared.errors import LoginDead, NetworkError, RateLimited, Refused, Uncertain, Unprepared
from tests.connectors.conformance.specimen import effect

MINUTES = timedelta(minutes=1)


def answered(status: int, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return httpx.Response(status, content=content, headers=headers)


def acted(status: int, code: int, subcode: int = 0, **more: Any) -> NetworkError | None:
    told = {"message": "words", "type": "OAuthException", "code": code, "error_subcode": subcode, **more}
    return graph_errors.acted("facebook", answered(status, {"error": told}))


@pytest.mark.parametrize(
    ("code", "subcode", "expected"),
    [
        *((code, 0, RateLimited) for code in (4, 17, 32, 341, 613, 80_001, 80_008)),
        (368, 1390008, RateLimited),
        (9, 2207042, RateLimited),
        *((code, 0, LoginDead) for code in (102, 190)),
        *((code, 0, Forbidden) for code in (3, 10, 200, 230, 299)),
        *((code, 0, Refused) for code in (100, 104, 368, 551, 2500, 1_609_005)),
        *((code, subcode, Refused) for code, subcode in ((4, 2207051), (25, 2207050), (10, 2018278), (10, 2534022))),
        (100, 33, Missing),
        *((code, subcode, Unprepared) for code, subcode in ((9007, 2207027), (24, 2207006), (-2, 2207020))),
        *(
            (code, subcode, Uncertain)
            for code, subcode in ((1, 0), (2, 0), (-1, 2207001), (506, 1455006), (20, 1772107))
        ),
        (24, 2207008, Uncertain),
        (987_654, 0, Uncertain),
    ],
)
def test_a_code_decides_whether_anything_was_done(code: int, subcode: int, expected: type[NetworkError]) -> None:
    assert type(acted(400, code, subcode)) is expected


@pytest.mark.parametrize("code", [10, 100, 200, 368])
def test_an_answer_that_calls_itself_passing_or_broken_proves_nothing(code: int) -> None:
    assert type(acted(400, code, is_transient=True)) is Uncertain
    assert type(acted(500, code)) is Uncertain


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"", Uncertain),
        (200, b"<html>", Uncertain),
        (403, b"<html>", Uncertain),
        (404, {}, Uncertain),
        (503, b"", Uncertain),
        (401, b"", LoginDead),
        (429, b"", RateLimited),
        (302, b"", Refused),
    ],
    ids=str,
)
def test_an_answer_without_a_code_is_uncertain_unless_nothing_got_through(
    status: int, body: Any, expected: type[NetworkError]
) -> None:
    assert type(graph_errors.acted("facebook", answered(status, body))) is expected


def test_what_was_done_is_no_error() -> None:
    assert graph_errors.acted("facebook", answered(200, {"id": "1_2"})) is None


# ---------------------------------------------------------------- room


def usage(app: int = 0, business: int = 0, minutes: int = 0) -> httpx.Response:
    told = {"1001": [{"type": "pages", "call_count": business, "estimated_time_to_regain_access": minutes}]}
    return answered(
        200,
        {},
        {
            "x-app-usage": orjson.dumps({"call_count": app, "total_time": 1}).decode(),
            "x-business-use-case-usage": orjson.dumps(told).decode(),
        },
    )


@pytest.mark.parametrize(
    ("response", "room"),
    [
        (answered(200, {}), None),
        (answered(200, {}, {"x-app-usage": "{broken"}), None),
        (usage(app=79, business=79), None),
        (usage(app=80), Room(15, 60 * MINUTES, whole_app=True)),
        (usage(app=80, business=90), Room(5, 60 * MINUTES)),
        (usage(app=97), Room(0, 30 * MINUTES, whole_app=True)),
        (usage(app=99, business=100, minutes=12), Room(0, 12 * MINUTES)),
        (usage(minutes=99_999), Room(0, timedelta(hours=24))),
    ],
    ids=[
        "nothing told",
        "nonsense",
        "plenty",
        "the app's",
        "the page's",
        "the app is full",
        "until then",
        "a day at most",
    ],
)
def test_the_tightest_limit_says_how_much_room_is_left_and_whose_it_is(
    response: httpx.Response, room: Room | None
) -> None:
    assert graph_usage.room(response) == room


def test_the_whole_app_waits_where_its_own_limit_is_used_up() -> None:
    for response, whole_app in ((usage(app=100), True), (usage(app=99, business=100), False)):
        error = graph_errors.acted(
            "facebook", answered(400, {"error": {"code": 17, "message": "x"}}, dict(response.headers))
        )
        assert isinstance(error, RateLimited)
        assert error.whole_app is whole_app


# ---------------------------------------------------------------- words


def test_white_space_and_the_form_of_an_accent_make_no_other_words() -> None:
    assert same_words("Cafe\u0301", "Caf\u00e9")
    assert same_words("Ouvert  dimanche \r\n\nà 9 h", "Ouvert dimanche\nà 9 h")
    assert not same_words("Ouvert dimanche", "Ouvert lundi")


def test_a_link_is_beneath_the_text_once() -> None:
    link = "https://cafe.example/carte"
    assert with_link(effect(text="Lisez", link=link)) == f"Lisez\n\n{link}"
    assert with_link(effect(text=f"Lisez {link} !", link=link)) == f"Lisez {link} !"
    assert with_link(effect(text="", link=link)) == link
