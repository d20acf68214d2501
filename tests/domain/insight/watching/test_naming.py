"""What a rule has named is remembered for as long as it could be found again, and never grows without end."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.domain.insight.watching.naming import HEARD, MOST, Named
from shared.domain.insight.watching.single import Said

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def said(number: int, heard: datetime) -> Said:
    return Said(UUID(int=number), heard, heard)


def test_what_can_be_found_no_longer_is_let_go() -> None:
    old, new = said(1, NOW - HEARD - SECOND), said(2, NOW - HEARD)
    assert set(Named().and_([old, new], NOW).heard) == {new.id}


def test_the_ones_that_were_heard_first_stand_together_where_there_are_too_many() -> None:
    named = Named().and_([said(n, NOW - n * SECOND) for n in range(MOST + 7)], NOW)
    assert named.until == NOW - MOST * SECOND
    assert set(named.heard) == {UUID(int=n) for n in range(MOST)}


def test_what_stands_together_goes_back_no_further_for_more() -> None:
    first = Named(until=NOW - SECOND)
    assert first.and_([said(n, NOW - 2 * n * SECOND) for n in range(MOST + 7)], NOW).until == NOW - SECOND


def test_the_newest_is_the_last() -> None:
    assert Named().last is None
    assert Named(until=NOW).last == NOW
    assert Named().and_([said(1, NOW), said(2, NOW - SECOND)], NOW).last == NOW


def test_it_is_read_as_it_was_written() -> None:
    for named in (Named(), Named(until=NOW), Named().and_([said(1, NOW)], NOW)):
        assert Named.read(named.shown()) == named
