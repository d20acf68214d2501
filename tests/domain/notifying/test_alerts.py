"""What is told of alerts: the rule, the counts, since when, and the phrases and mentions that drive it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.analysis import reading
from shared.contract import Deleted
from shared.domain.insight.watching.unfolding import APART
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.record import record
from shared.domain.notifying import deliveries, quotes, words
from shared.ids import Prefix
from shared.models import AlertRule
from shared.models.enums import Network, NotificationKind, Visibility
from tests.conftest import NOW
from tests.domain.insight.alerting.conftest import Lookout, lookout, newcomer
from tests.domain.insight.alerting.test_single import read
from tests.domain.notifying.conftest import Desk, desk

__all__ = ["desk", "lookout", "newcomer"]


async def test_an_alert_that_opens_is_told_with_its_rule_its_counts_and_its_phrases(
    lookout: Lookout, desk: Desk
) -> None:
    rule = await lookout.rule(name="Storms at sea")
    await lookout.storm(NOW)
    await lookout.look(rule, NOW)
    await desk.happens()
    await desk.tell()
    (alert,) = await lookout.alerts()
    (row,) = await desk.list(desk.owner)
    said = words.say(row.kind, row.facts, "en")
    assert (row.kind, row.thing_prefix, row.thing_id) == (NotificationKind.ALERT_OPENED, Prefix.ALERT, alert.id)
    assert said.title == "More is said than usual"
    assert said.sentence.startswith(f"Storms at sea: {row.facts['seen']} mentions since 2026-11-20 ")
    assert "It is about: " in said.sentence
    assert "rappel" in said.sentence


async def hear_and_look(watch: Lookout, rule: AlertRule, at: datetime, words: str, **more: Any) -> None:
    await watch.hear(at, heard_at=at, words=words, read=read, **more)
    await watch.look(rule, at)


async def notices(desk: Desk) -> list[tuple[NotificationKind, str]]:
    """What the owner is told now, in English, the newest first."""
    await desk.happens()
    await desk.tell()
    return [(one.kind, words.say(one.kind, one.facts, "en").sentence) for one in await desk.list(desk.owner)]


async def urgent(watch: Lookout) -> AlertRule:
    return await watch.rule("urgent_mention", name="Fires", now=NOW - timedelta(days=1))


async def test_what_is_urgent_is_told_by_its_words_its_author_and_its_network(newcomer: Lookout, desk: Desk) -> None:
    await hear_and_look(newcomer, await urgent(newcomer), NOW, "fire in {the} shop, " + "help " * 60)
    ((kind, sentence),) = await notices(desk)
    assert kind is NotificationKind.ALERT_OPENED
    assert sentence.startswith(
        "Fires: since 2026-11-20 13:00. Number of mentions: 1. What was said: “fire in {the} shop, help"
    )
    assert sentence.endswith("help…” (a-1 on Generic).")
    assert len(sentence) < 260


async def test_the_real_reader_finds_urgent_what_is_and_somebody_is_told(newcomer: Lookout, desk: Desk) -> None:
    rule = await urgent(newcomer)
    said = "URGENT : ma fille s'est brûlée avec votre bouilloire, elle a explosé, nous sommes à l'hôpital !"
    await newcomer.hear(NOW - timedelta(hours=5), heard_at=NOW, words=said, read=reading.read)
    await newcomer.look(rule, NOW)
    ((kind, sentence),) = await notices(desk)
    assert kind is NotificationKind.ALERT_OPENED
    assert "brûlée" in sentence


async def test_a_follow_up_tells_of_what_is_new_only(newcomer: Lookout, desk: Desk) -> None:
    rule = await urgent(newcomer)
    await hear_and_look(newcomer, rule, NOW, "fire one")
    await hear_and_look(newcomer, rule, NOW + APART, "fire two")
    (kind, sentence), _ = await notices(desk)
    assert kind is NotificationKind.ALERT_FOLLOWED
    assert sentence.endswith("Number of mentions: 2. New: “fire two 2” (a-2 on Generic).")


async def test_a_notice_of_a_storm_names_three_and_counts_all(newcomer: Lookout, desk: Desk) -> None:
    rule = await urgent(newcomer)
    await newcomer.hear(*(NOW - timedelta(seconds=n) for n in range(70)), words="fire", read=read)
    await newcomer.look(rule, NOW)
    ((_, sentence),) = await notices(desk)
    assert sentence.count("“") == 3
    assert "Number of mentions: 70." in sentence


@pytest.mark.parametrize("language", words.LANGUAGES)
async def test_no_text_of_a_private_message_is_told(newcomer: Lookout, desk: Desk, language: str) -> None:
    await hear_and_look(newcomer, await urgent(newcomer), NOW, "fire at home", visibility=Visibility.PRIVATE)
    await desk.happens()
    await desk.tell()
    (row,) = await desk.list(desk.owner)
    assert "home" not in str(row.facts)
    sentence = words.say(row.kind, row.facts, language).sentence
    assert any(word in sentence for word in ("privé", "private"))
    assert "a-1" in sentence
    assert "{" not in sentence


async def test_a_text_that_is_deleted_goes_from_the_notices_that_told_of_it(newcomer: Lookout, desk: Desk) -> None:
    rule = await urgent(newcomer)
    await newcomer.hear(NOW, NOW - timedelta(seconds=1), words="fire", read=read)
    await newcomer.look(rule, NOW)
    await notices(desk)
    async with newcomer.at() as (session, scope):
        gone = HeardPart(newcomer.channel.id, Network.GENERIC, str(newcomer.channel.id), [Deleted("m-1", NOW)])
        await record(session, scope, [gone], now=NOW)
    for expected in (1, 0):
        async with newcomer.at() as (session, scope):
            assert await quotes.forget_deleted(session, scope, since=NOW - timedelta(days=2)) == expected
    ((_, sentence),) = await notices(desk)
    assert "fire 1" not in sentence
    assert "a mention (a-1 on Generic)" in sentence
    assert "“fire 2”" in sentence


async def test_one_that_was_deleted_before_it_was_told_is_told_without_its_text(newcomer: Lookout, desk: Desk) -> None:
    await hear_and_look(newcomer, await urgent(newcomer), NOW, "fire")
    async with newcomer.at() as (session, scope):
        gone = HeardPart(newcomer.channel.id, Network.GENERIC, str(newcomer.channel.id), [Deleted("m-1", NOW)])
        await record(session, scope, [gone], now=NOW)
    ((_, sentence),) = await notices(desk)
    assert sentence.endswith("What was said: a mention (a-1 on Generic).")


async def test_a_webhook_names_the_author_and_no_text(newcomer: Lookout, desk: Desk) -> None:
    await hear_and_look(newcomer, await urgent(newcomer), NOW, "fire")
    await notices(desk)
    (row,) = await desk.list(desk.owner)
    said = deliveries.payload(row, "en", None)["data"]["sentence"]
    assert said.endswith("What was said: a mention (a-1 on Generic).")
