"""Section 6, "Metric series": its shape, buckets in the brand's zone, and null that is not zero."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.conftest import problem
from tests.contract.house import Channel, Json, Tenant, eventually, mention, rfc3339


def series(tenant: Tenant, key: str = "mentions", **params: Any) -> list[Json]:
    found: list[Json] = tenant.get("/metrics", keys=key, **params)["data"]
    return found


def one(tenant: Tenant, since: str, until: str, interval: str = "day", **params: Any) -> Json:
    [found] = series(tenant, **{"from": since, "to": until}, interval=interval, **params)
    return found


def values(found: Json) -> list[float | None]:
    return [it["value"] for it in found["points"]]


@pytest.fixture(scope="module")
def told(tenant: Tenant) -> Tenant:
    """Mentions on both sides of midnight in Brussels (UTC+1), and of a day of winter time's beginning."""
    assert tenant.get()["timezone"] == "Europe/Brussels"
    tenant.hear(
        mention("before midnight", published_at="2026-11-10T22:59:59Z", author={"id": "a"}, language="fr"),
        mention("after midnight", published_at="2026-11-10T23:00:00Z", author={"id": "a"}, language="nl"),
        mention("the same day", published_at="2026-11-11T22:59:59Z", author={"id": "b"}, kind="review", language="nl"),
        mention("edited later", "one", published_at="2026-11-14T12:00:00Z", author={"id": "b"}),
        mention("deleted later", published_at="2026-11-11T12:00:00Z", author={"id": "c"}),
        mention("the long day", published_at="2026-10-25T22:30:00Z", author={"id": "d"}),
    )
    tenant.hear(mention("edited later", "two", published_at="2026-11-14T12:00:00Z", edited_at="2026-11-15T12:00:00Z"))
    tenant.hear(deleted=["deleted later"])
    return tenant


def test_a_series_has_the_contracts_members(told: Tenant) -> None:
    found = one(told, "2026-11-09T23:00:00Z", "2026-11-12T23:00:00Z")

    assert set(found) == {"key", "unit", "dimensions", "points", "definition", "fresh_at"}
    assert (found["key"], found["dimensions"]) == ("mentions", [])
    assert found["unit"]
    assert len(found["definition"]) > 20
    assert all(set(it) == {"start", "end", "value", "complete"} for it in found["points"])


def test_buckets_are_days_of_the_brands_zone(told: Tenant) -> None:
    found = one(told, "2026-11-09T23:00:00Z", "2026-11-12T23:00:00Z")

    assert [(it["start"], it["end"]) for it in found["points"]] == [
        ("2026-11-09T23:00:00Z", "2026-11-10T23:00:00Z"),
        ("2026-11-10T23:00:00Z", "2026-11-11T23:00:00Z"),
        ("2026-11-11T23:00:00Z", "2026-11-12T23:00:00Z"),
    ]
    assert values(found)[:2] == [1, 2]


def test_the_day_of_the_change_has_25_hours(told: Tenant) -> None:
    found = one(told, "2026-10-24T22:00:00Z", "2026-10-26T23:00:00Z")

    assert [(it["start"], it["end"]) for it in found["points"]] == [
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        ("2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z"),
    ]
    assert values(found) == [1, None]


def test_from_is_inclusive_and_to_is_exclusive(told: Tenant) -> None:
    assert values(one(told, "2026-11-10T23:00:00Z", "2026-11-11T00:00:00Z", "hour")) == [1]
    assert values(one(told, "2026-11-10T22:00:00Z", "2026-11-10T23:00:00Z", "hour")) == [1]


@pytest.mark.parametrize(
    ("interval", "since", "until", "expected"),
    [
        ("week", "2026-11-08T23:00:00Z", "2026-11-15T23:00:00Z", [4]),
        ("month", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z", [4]),
        ("month", "2026-09-30T22:00:00Z", "2026-11-30T23:00:00Z", [1, 4]),
    ],
)
def test_weeks_and_months_are_the_brands_too(
    told: Tenant, interval: str, since: str, until: str, expected: list[int]
) -> None:
    found = one(told, since, until, interval)

    assert values(found) == expected
    assert (found["points"][0]["start"], found["points"][-1]["end"]) == (since, until)


def test_what_was_neither_observed_nor_counted_is_null(told: Tenant) -> None:
    found = one(told, "2026-08-31T22:00:00Z", "2026-09-02T22:00:00Z")

    assert [(it["value"], it["complete"]) for it in found["points"]] == [(None, False)] * 2


def test_what_is_backfilled_into_unobserved_time_has_a_value_and_is_not_complete(told: Tenant) -> None:
    found = one(told, "2026-11-10T23:00:00Z", "2026-11-11T23:00:00Z")

    assert [(it["value"], it["complete"]) for it in found["points"]] == [(2, False)]


def test_deleted_mentions_do_not_count_and_versions_count_once(told: Tenant) -> None:
    assert values(one(told, "2026-11-10T23:00:00Z", "2026-11-11T23:00:00Z")) == [2]
    assert values(one(told, "2026-11-13T23:00:00Z", "2026-11-14T23:00:00Z")) == [1]


def test_observed_time_without_a_mention_is_zero(told: Tenant) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    found = one(told, rfc3339(hour), rfc3339(hour + timedelta(hours=1)), "hour", channel_id=told.channel().id)

    assert values(found) == [0]


def test_authors_are_counted_once(told: Tenant) -> None:
    found = one(told, "2026-11-10T23:00:00Z", "2026-11-11T23:00:00Z", key="authors")

    assert found["key"] == "authors"
    assert values(found) == [2]


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [("network", {"generic": 4}), ("kind", {"comment": 3, "review": 1}), ("language", {"nl": 2, "fr": 1})],
)
def test_series_are_grouped_by_a_dimension(told: Tenant, dimension: str, expected: dict[str, int]) -> None:
    found = series(
        told, **{"from": "2026-10-31T23:00:00Z", "to": "2026-11-30T23:00:00Z"}, interval="month", group_by=dimension
    )
    sums = {}
    for it in found:
        [named] = it["dimensions"]
        assert named["name"] == dimension
        counted = sum(point["value"] or 0 for point in it["points"])
        if counted and named["value"] is not None:
            sums[named["value"]] = counted

    assert expected.items() <= sums.items()


def test_grouped_by_channel_the_value_is_the_channels_id(told: Tenant) -> None:
    found = series(
        told, **{"from": "2026-10-31T23:00:00Z", "to": "2026-11-30T23:00:00Z"}, interval="month", group_by="channel"
    )

    assert told.channel().id in {it["dimensions"][0]["value"] for it in found}


@pytest.mark.parametrize(
    ("params", "expected"),
    [({"kind": "review"}, 1), ({"network": "facebook"}, 0), ({"network": "generic"}, 4), ({"language": "nl"}, 2)],
)
def test_a_filter_narrows_the_count(told: Tenant, params: dict[str, str], expected: int) -> None:
    found = one(told, "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z", "month", **params)

    assert sum(it or 0 for it in values(found)) == expected


def test_freshness_is_told(told: Tenant) -> None:
    found = one(told, "2026-11-09T23:00:00Z", "2026-11-12T23:00:00Z")

    assert abs(datetime.fromisoformat(found["fresh_at"]) - datetime.now(UTC)) < timedelta(minutes=10)


def test_a_count_follows_what_is_heard(tenant: Tenant) -> None:
    channel: Channel = tenant.connect(name="followed")
    window = ("2026-06-30T22:00:00Z", "2026-07-01T22:00:00Z")
    tenant.hear(mention("followed", published_at="2026-07-01T10:00:00Z"), channel=channel)
    eventually(lambda: values(one(tenant, *window, channel_id=channel.id)) == [1], "counting")
    tenant.hear(deleted=["followed"], channel=channel)

    eventually(lambda: values(one(tenant, *window, channel_id=channel.id)) in ([0], [None]), "counting the deletion")


@pytest.mark.parametrize(
    "params",
    [
        {"keys": "happiness"},
        {"interval": "minute"},
        {"from": "yesterday"},
        {"from": "2026-11-12T00:00:00Z", "to": "2026-11-11T00:00:00Z"},
        {"group_by": "colour"},
        {"colour": "red"},
        {"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T00:00:00Z", "interval": "hour"},
    ],
)
def test_a_question_that_cannot_be_meant_is_422(tenant: Tenant, params: dict[str, str]) -> None:
    asked = {"keys": "mentions", "from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z", "interval": "day"}

    problem(tenant.rest("GET", "/metrics", params=asked | params), 422)


@pytest.mark.parametrize("name", ["keys", "from", "to", "interval"])
def test_what_is_missing_is_422(tenant: Tenant, name: str) -> None:
    asked = {"keys": "mentions", "from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z", "interval": "day"}

    problem(tenant.rest("GET", "/metrics", params={k: v for k, v in asked.items() if k != name}), 422)
