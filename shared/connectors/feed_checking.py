"""What a person wants to know of a feed, in words."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx

from shared.connectors import feed_fetching, feed_websub
from shared.connectors.feed_entries import ReadFeed
from shared.connectors.feed_fetching import Fetched
from shared.contract import Finding, Login, Said
from shared.errors import BadPayload, LoginDead, NetworkError

_KINDS = {
    "atom10": "Atom",
    "atom03": "Atom 0.3",
    "rss20": "RSS 2.0",
    "rss10": "RSS 1.0 (RDF)",
    "rss090": "RSS 0.90 (RDF)",
}


async def check(http: httpx.AsyncClient, login: Login) -> list[Finding]:
    """Fetch the feed and say what it is, how fresh, and what it lacks."""
    try:
        fetched = await feed_fetching.fetch(http, login, feed_fetching.address(login))
    except LoginDead as error:
        return [Finding(False, error.code, error.message, "give the channel a username and a password")]
    except NetworkError as error:
        return [Finding(False, error.code, error.message, "look at the feed's address; polling goes on trying")]
    except BadPayload as error:
        return [Finding(False, "no_feed", error.message, "give the address of the feed itself")]
    return list(_findings(fetched, datetime.now(UTC)))


def _findings(fetched: Fetched, now: datetime) -> Iterator[Finding]:
    feed, said = fetched.feed, [fact for fact in fetched.feed.parsed.heard if isinstance(fact, Said)]
    title = f"“{feed.title}”" if feed.title else "without a title"
    yield Finding(True, "feed", f"{kind(feed)} {title}: {_count(len(said), 'entry', 'entries')}")
    times = [fact.published_at for fact in said if fact.published_at is not None]
    if times:
        yield Finding(True, "newest", f"the newest entry is of {max(times):%Y-%m-%d %H:%M} UTC")
    if len(times) < len(said):
        timeless = _count(len(said) - len(times), "entry has", "entries have")
        yield Finding(True, "times_missing", f"{timeless} no time: dated by when they are first fetched")
    if any(time > now + timedelta(minutes=5) for time in times):
        yield Finding(
            False, "future", "entries are dated in the future", "ask who publishes the feed to mend its clock"
        )
    if fetched.reached.moved is not None:
        yield Finding(True, "moved", f"the feed has moved for good to {fetched.reached.moved}; polls take that over")
    for note in feed.parsed.ignored:
        if note != "a feed without entries":
            yield Finding(True, "passed_over", note)
    if feed.parsed.problems:
        first = feed.parsed.problems[0].message
        count = _count(len(feed.parsed.problems), "thing is", "things are")
        yield Finding(
            False, "problems", f"{count} wrong in its entries, such as: {first}", "ask who publishes the feed"
        )
    push = feed_websub.offered(fetched)
    if push is None:
        yield Finding(True, "no_hub", "the feed names no hub that would push: it is polled")
    else:
        yield Finding(True, "hub", f"the feed names the hub {push.hubs[0]}, which may push; it is polled as well")


def kind(feed: ReadFeed) -> str:
    """What the feed is written in, as people call it."""
    if feed.kind.startswith("json"):
        return f"JSON Feed {feed.kind.removeprefix('json')}"
    return _KINDS.get(feed.kind) or ("Atom" if feed.kind.startswith("atom") else "RSS")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else f"no {many}"
