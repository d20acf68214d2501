"""What a person means by a time, and what a draft refuses."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from shared.domain.publishing import drafts
from shared.domain.publishing.drafts import PostDraft, Timing, When
from shared.errors import Invalid
from shared.ids import Prefix, new_uuid, typeid

BRUSSELS = "Europe/Brussels"


def meant(local_time: str, timezone: str | None = BRUSSELS) -> When:
    found = drafts.when(Timing(local_time=local_time, timezone=timezone), "Europe/Helsinki")
    assert found is not None
    return found


def test_wall_clock_time_is_kept_with_its_zone() -> None:
    found = meant("2026-12-01T10:00")
    assert (found.local_time, found.timezone) == ("2026-12-01T10:00", BRUSSELS)
    assert found.at == datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def test_summer_time_is_another_moment() -> None:
    assert meant("2026-07-01T10:00").at == datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def test_a_time_that_the_spring_change_skips_moves_forward_by_what_is_skipped() -> None:
    # 2026-03-29 02:30 does not exist in Brussels: it is 03:30 there.
    assert meant("2026-03-29T02:30").at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_time_that_comes_twice_in_autumn_is_the_first_of_the_two() -> None:
    assert meant("2026-10-25T02:30").at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_the_brands_zone_stands_in_where_none_is_named() -> None:
    found = meant("2026-12-01T10:00", None)
    assert found.timezone == "Europe/Helsinki"
    assert found.at == datetime(2026, 12, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timing", "code"),
    [
        (Timing(scheduled_at=datetime(2026, 12, 1, tzinfo=UTC), local_time="2026-12-01T10:00"), "exclusive"),
        (Timing(timezone=BRUSSELS), "required"),
        (Timing(local_time="2026-12-01T10:00", timezone="Mars/Base"), "unknown_timezone"),
        (Timing(local_time="2026-13-01T10:00"), "invalid_time"),
        (Timing(local_time="tomorrow"), "invalid_time"),
        (Timing(local_time="2026-12-01T10:00Z"), "invalid_time"),
        (Timing(local_time="9999-12-31T23:00", timezone="America/New_York"), "invalid_time"),
        (Timing(scheduled_at=datetime(9999, 12, 31, 23, 59, tzinfo=UTC)), "invalid_time"),
        (Timing(local_time="2200-01-02T10:00"), "invalid_time"),
        (Timing(local_time="2026-12-01T10:00", timezone="localtime"), "unknown_timezone"),
        (Timing(local_time="2026-12-01T10:00", timezone="Factory"), "unknown_timezone"),
    ],
)
def test_a_time_that_means_nothing_is_refused(timing: Timing, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        drafts.when(timing, BRUSSELS)
    assert refused.value.problems[0].code == code


def test_a_moment_a_little_late_is_now_and_an_old_one_is_refused() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    drafts.refuse_past(When(now - timedelta(seconds=30)), now)
    with pytest.raises(Invalid):
        drafts.refuse_past(When(now - timedelta(hours=1)), now)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": "x", "colour": "red"},
        {"text": "x", "status": "published"},
        {"text": "x", "scheduled_at": "2026-12-01T09:00:00"},
        {"text": "x", "scheduled_at": 1_900_000_000},
        {"text": "x", "channel_ids": ["chan_nonsense"]},
        {"text": "x" * 100_001},
        {"text": "x", "variants": [{"text": "no channel"}]},
    ],
)
def test_a_draft_refuses_what_it_does_not_know(body: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PostDraft.model_validate(body)


def test_channels_are_named_by_their_public_ids() -> None:
    channel = new_uuid()
    assert PostDraft.model_validate({"text": "", "channel_ids": [typeid(Prefix.CHANNEL, channel)]}).channel_ids == [
        channel
    ]


def test_a_text_is_made_storable() -> None:
    assert PostDraft.model_validate({"text": "a\x00b"}).text == "a\ufffdb"
