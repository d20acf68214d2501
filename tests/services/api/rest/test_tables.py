"""Mentions and figures as tables: CSV and NDJSON, in pages, harmless, and whole or recognisably not."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from services.api import tables
from services.api.rest import mention_tables
from shared.contract import Author, Deleted
from shared.db import Database
from shared.ids import Prefix, typeid
from shared.models.enums import Visibility
from tests.conftest import House, HouseBrand, HouseChannel
from tests.connectors.loopback import serving
from tests.services.api.graphql.asking import at, hear, said
from tests.services.api.rest.conftest import Caller, problem

FIGURES = {"key": ["mentions", "net_sentiment"], "from": "2025-11-19T23:00:00Z", "to": "2025-11-21T23:00:00Z"}
FIGURES |= {"interval": "day", "group_by": "network"}


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


def _rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline=""), strict=True))


def _lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_every_mention_is_in_the_table_once_however_many_pages_there_are(
    caller: Caller, channel: HouseChannel, worker_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mention_tables, "AT_ONCE", 3)
    await hear(worker_db, channel, *(said(str(n), f"text {n}", minutes=n // 2) for n in range(10)))
    listed = [one["id"] for one in (await caller.get("/mentions", params={"limit": 100})).json()["data"]]
    assert [row["id"] for row in _rows(await caller.get("/mentions.csv"))] == listed
    *told, last = _lines(await caller.get("/mentions.ndjson"))
    assert [one["id"] for one in told] == listed
    assert last == {"rows": 10}


@pytest.mark.parametrize("limit", [1, 3, 4, 99])
async def test_there_are_as_many_rows_as_were_asked_for(
    caller: Caller, channel: HouseChannel, worker_db: Database, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(mention_tables, "AT_ONCE", 3)
    await hear(worker_db, channel, *(said(str(n), minutes=n) for n in range(6)))
    assert len(_rows(await caller.get("/mentions.csv", params={"limit": limit}))) == min(limit, 6)
    assert _lines(await caller.get("/mentions.ndjson", params={"limit": limit}))[-1] == {"rows": min(limit, 6)}


async def test_a_line_of_ndjson_is_the_mention_as_the_list_has_it(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1", "good"))
    line, _ = _lines(await caller.get("/mentions.ndjson"))
    assert [line] == (await caller.get("/mentions")).json()["data"]


async def test_a_row_says_what_the_list_says(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    text = "the lanterns on the square are lit again tonight"
    await hear(worker_db, channel, said("1", text), said("2", text, author=Author("u-2", followers=700), minutes=1))
    listed = (await caller.get("/mentions")).json()["data"]
    for row, one in zip(_rows(await caller.get("/mentions.csv")), listed, strict=True):
        plain = {name: value for name, value in one.items() if not isinstance(value, dict | list | bool)}
        left_out = plain.keys() - row.keys()
        assert left_out <= {"parent_external_id", "highlights"}
        assert {name: row[name] for name in plain.keys() - left_out} == {
            name: "" if plain[name] is None else str(plain[name]) for name in plain.keys() - left_out
        }
    assert [bool(row["duplicate_of"]) for row in _rows(await caller.get("/mentions.csv"))] == [True, False]
    assert [row["reach"] for row in _rows(await caller.get("/mentions.csv"))] == ["700", ""]


async def test_the_filters_of_the_list_hold(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    await hear(
        worker_db, channel, said("1", "good bier"), said("2", "bad"), said("3", "gone"), Deleted("3", at(9)),
        said("4", "between us", visibility=Visibility.PRIVATE),
    )  # fmt: skip
    for where in ({}, {"sentiment": "positive"}, {"q": "bier"}, {"deleted": "true"}, {"visibility": "private"}):
        listed = (await caller.get("/mentions", params=where)).json()["data"]
        rows = _rows(await caller.get("/mentions.csv", params=where))
        assert [row["id"] for row in rows] == [one["id"] for one in listed]
    assert [row["text"] for row in _rows(await caller.get("/mentions.csv", params={"q": "bier"}))] == ["good bier"]


async def test_words_are_found_over_several_pages(
    caller: Caller, channel: HouseChannel, worker_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mention_tables, "AT_ONCE", 2)
    await hear(worker_db, channel, *(said(str(n), "bier" if n % 3 else "thee", minutes=n) for n in range(12)))
    assert len(_rows(await caller.get("/mentions.csv", params={"q": "bier"}))) == 8


async def test_what_a_spreadsheet_would_run_is_text(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    evil = '=HYPERLINK("http://x.test","a")'
    await hear(worker_db, channel, said("1", evil, author=Author("u", name="+1", handle="@x")))
    (row,) = _rows(await caller.get("/mentions.csv"))
    assert (row["text"], row["author_name"], row["author_handle"]) == (f"'{evil}", "'+1", "'@x")
    line, _ = _lines(await caller.get("/mentions.ndjson"))
    assert line["text"] == evil


@pytest.mark.parametrize("text_", ["=1", "+1", "-1", "@a", "\t=1", " =1", "\r1", "\n@", "＝1"])
def test_a_formula_gets_an_apostrophe(text_: str) -> None:
    assert tables.harmless(text_) == f"'{text_}"


@pytest.mark.parametrize("text_", ["", "1", "a=1", "’t is goed", "é@", "#tag", "🙂 =1"])
def test_a_plain_text_stays_as_it_is(text_: str) -> None:
    assert tables.harmless(text_) == text_


async def test_lines_quotes_and_commas_stay_in_their_cell(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    said_ = 'één, "twee"\r\ndrie;\nvier'
    await hear(worker_db, channel, said("1", said_), said("2", "x", minutes=1))
    answer = await caller.get("/mentions.csv")
    assert [row["text"] for row in _rows(answer)] == ["x", said_]
    assert answer.content.count(b"\r\n") == 3 + 1  # a head and two rows; one is within a cell


async def test_numbers_below_zero_stay_numbers(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    await hear(worker_db, channel, said("1", "bad"))
    rows = _rows(await caller.get("/metrics.csv", params=FIGURES))
    assert "-1.0" in {row["value"] for row in rows if row["key"] == "net_sentiment"}


async def test_figures_are_a_row_for_each_point(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    await hear(worker_db, channel, said("1", "good"), said("2", "x"), now=datetime(2025, 11, 20, 13, tzinfo=UTC))
    series = (await caller.get("/metrics", params=FIGURES)).json()["data"]
    wanted = [(one["key"], point["start"], point["value"]) for one in series for point in one["points"]]
    rows = _rows(await caller.get("/metrics.csv", params=FIGURES))
    assert list(rows[0]) == ["key", "unit", "network", "start", "end", "value", "low", "high", "complete"]
    told = [(row["key"], row["start"], float(row["value"]) if row["value"] else None) for row in rows]
    assert told == wanted
    assert {row["network"] for row in rows} == {"generic"}
    *lines, last = _lines(await caller.get("/metrics.ndjson", params=FIGURES))
    assert [(one["key"], one["start"], one["value"]) for one in lines] == wanted
    assert last == {"rows": len(wanted)}


@pytest.mark.parametrize("path", ["/mentions.csv", "/mentions.ndjson"])
async def test_an_empty_table_says_so(caller: Caller, channel: HouseChannel, path: str) -> None:
    answer = await caller.get(path)
    assert answer.text in {",".join(mention_tables.COLUMNS) + "\r\n", '{"rows":0}\n'}
    assert answer.headers["content-disposition"] == f'attachment; filename="{path[1:]}"'


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": "x"}, {"order": "best"}, {"network": "nowhere"}], ids=str)
async def test_what_is_wrong_is_a_problem_before_anything_is_sent(caller: Caller, params: dict[str, str]) -> None:
    problem(await caller.get("/mentions.csv", params=params), 422)


@pytest.mark.parametrize("path", ["/mentions.csv", "/mentions.ndjson", "/metrics.csv", "/metrics.ndjson"])
async def test_a_table_needs_a_key_of_the_brand(caller: Caller, house: House, path: str) -> None:
    other = await house.brand("Other")
    params = FIGURES if "metrics" in path else {}
    problem(await caller.as_("pv_nobody").get(path, params=params), 401)
    problem(await caller.as_(other.api_key).get(path, params=params), 404)


async def test_a_key_that_is_revoked_meanwhile_reads_no_further_and_the_break_is_seen(
    app: FastAPI, brand: HouseBrand, channel: HouseChannel, worker_db: Database, owner_db: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(mention_tables, "AT_ONCE", 1)
    await hear(worker_db, channel, *(said(str(n), "x" * 60_000, minutes=n) for n in range(60)))
    read = bytearray()

    async def read_on(address: str) -> None:
        headers = {"authorization": f"Bearer {brand.api_key}"}
        async with httpx.AsyncClient() as client, client.stream("GET", address, headers=headers) as answer:
            pieces = answer.aiter_bytes()
            read.extend(await anext(pieces))
            async with owner_db.session() as session:
                await session.execute(text("UPDATE api_key SET revoked_at = now()"))
            async for piece in pieces:
                read.extend(piece)

    async with serving(app) as port:
        address = f"http://127.0.0.1:{port}/v1/brands/{typeid(Prefix.BRAND, brand.brand_id)}/mentions.ndjson"
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            await read_on(address)
    assert read
    assert b'"rows"' not in read
