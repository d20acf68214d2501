"""Single mentions: urgent, far-reaching, or the same from many."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from shared.domain.insight.watching import single
from shared.domain.insight.watching.findings import DriverKind, Finding
from shared.domain.insight.watching.sensitivity import CARES
from shared.domain.insight.watching.single import Said
from shared.models.enums import AlertSensitivity

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
START = NOW - timedelta(hours=6)
CARE = CARES[AlertSensitivity.MEDIUM]


def said(text: str = "", *, author: int = 1, minutes: int = 5, **more: object) -> Said:
    at = NOW - timedelta(minutes=minutes)
    return Said(uuid4(), at, at, UUID(int=author), text, **more)  # type: ignore[arg-type]


def keys(found: Finding | None, what: DriverKind) -> list[str]:
    return [one.key for one in found.drivers if one.what is what] if found is not None else []


def test_the_most_urgent_mention_comes_first() -> None:
    calm, bad, worst = said(urgency=0.2), said(urgency=0.85), said(urgency=0.95)
    found = single.urgent([calm, bad, worst], CARE, now=NOW)
    assert keys(found, DriverKind.MENTION) == [str(worst.id), str(bad.id)]


def test_what_is_not_analysed_is_not_urgent() -> None:
    assert single.urgent([said(), said(urgency=0.2)], CARE, now=NOW) is None


def test_an_author_whom_many_read_is_far_reaching() -> None:
    loud = said(author=7, reach=50_000)
    found = single.far_reaching([said(reach=200), loud, said()], 10_000, now=NOW)
    assert keys(found, DriverKind.AUTHOR) == [str(UUID(int=7))]
    assert keys(found, DriverKind.MENTION) == [str(loud.id)]


def test_the_same_from_many_is_a_campaign_however_it_is_dressed() -> None:
    cluster = UUID(int=1)
    copies = [
        said(f"BOYCOTTEZ cette marque !!! Partagez https://t.example/{n} @ami{n}", author=n, cluster=cluster)
        for n in range(12)
    ]
    other = said("Boycottez cette autre marque", author=99, cluster=UUID(int=2))
    found = single.copies([*copies, other], CARE, start=START, end=NOW)
    assert found is not None
    assert found.seen == 12
    assert keys(found, DriverKind.COPIES) == [str(cluster)]


def test_one_who_repeats_oneself_is_no_campaign() -> None:
    copy = said("Boycottez cette marque, partagez !", cluster=UUID(int=1))
    assert single.copies([copy] * 30, CARE, start=START, end=NOW) is None


def test_short_texts_are_no_copies_of_each_other() -> None:
    thanks = [said("Merci ! https://t.example/merci", author=n, cluster=UUID(int=1)) for n in range(50)]
    assert single.copies(thanks, CARE, start=START, end=NOW) is None
