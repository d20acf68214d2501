"""How much of Graph's limits is used, by its own headers: `X-App-Usage` is the whole app's, the other one a Page's.

They tell percents of a sliding hour or day, and of what number they do not tell.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import orjson

from shared.connectors import outcome
from shared.contract import Room

_APP, _BUSINESS = "x-app-usage", "x-business-use-case-usage"
_THROTTLED = timedelta(minutes=5)  # without a word from the network, look again after this
_LONGEST = timedelta(hours=24)
_HOUR = timedelta(hours=1)
# How much of a limit may be used before we slow down, in percent, and how long we then leave the network alone.
_FULL = 95
_SLOWER = ((_FULL, timedelta(minutes=30)), (80, timedelta(minutes=10)))
_NEAR = 80


@dataclass(frozen=True, slots=True)
class _Limit:
    percent: float
    minutes: float  # until access is regained
    whole_app: bool


def regain(response: httpx.Response) -> timedelta:
    """How long to wait after being told that it was too fast."""
    minutes = max((one.minutes for one in _limits(response)), default=0.0)
    if minutes > 0:
        return min(timedelta(minutes=minutes), _LONGEST)
    if "retry-after" in response.headers:
        return outcome.wait_asked(response, datetime.now(UTC))
    return _THROTTLED


def wait(response: httpx.Response) -> timedelta | None:
    """How long the network's own figures of use ask us to leave it alone; None: they don't."""
    limits = list(_limits(response))
    minutes = max((one.minutes for one in limits), default=0.0)
    if minutes > 0:
        return min(timedelta(minutes=minutes), _LONGEST)
    used = max((one.percent for one in limits), default=0.0)
    return next((wait for limit, wait in _SLOWER if used >= limit), None)


def room(response: httpx.Response) -> Room | None:
    """What the tightest limit leaves; None while there is plenty.

    No call of ours is more than a percent of any limit, so that as many calls as percents are left are safe.
    """
    tightest = max(_limits(response), key=lambda one: (one.minutes, one.percent), default=None)
    if tightest is None or (tightest.minutes <= 0 and tightest.percent < _NEAR):
        return None
    if tightest.minutes > 0:
        return Room(0, min(timedelta(minutes=tightest.minutes), _LONGEST), tightest.whole_app)
    if tightest.percent >= _FULL:
        return Room(0, _SLOWER[0][1], tightest.whole_app)
    return Room(int(_FULL - tightest.percent), _HOUR, tightest.whole_app)


def app_is_full(response: httpx.Response) -> bool:
    """Whether it is the app's own limit, over all that it acts for, that is used up."""
    return any(one.whole_app and one.percent >= 100 for one in _limits(response))


def _limits(response: httpx.Response) -> Iterator[_Limit]:
    app, business = _header(response, _APP), _header(response, _BUSINESS)
    if app:
        yield _limit(app, whole_app=True)
    for many in business.values():
        for one in many if isinstance(many, list) else ():
            if isinstance(one, Mapping):
                yield _limit(one, whole_app=False)


def _limit(usage: Mapping[str, object], *, whole_app: bool) -> _Limit:
    percents = [usage.get(name) for name in ("call_count", "total_time", "total_cputime")]
    minutes = usage.get("estimated_time_to_regain_access")
    return _Limit(
        max((float(p) for p in percents if isinstance(p, int | float)), default=0.0),
        float(minutes) if isinstance(minutes, int | float) else 0.0,
        whole_app,
    )


def _header(response: httpx.Response, name: str) -> Mapping[str, object]:
    try:
        value = orjson.loads(response.headers.get(name, "{}"))
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
