"""A pool of connections that says how full it is. Counting costs nothing where a connection is free."""

import time
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import AsyncAdaptedQueuePool

_size = Gauge("parvis_pool_size", "Connections to PostgreSQL that a pool may hold.", ["pool"])
_used = Gauge("parvis_pool_used", "Connections of a pool that are in use.", ["pool"])
_waiting = Gauge("parvis_pool_waiting", "Transactions that wait for a connection of a pool.", ["pool"])
_waits = Histogram(
    "parvis_pool_wait_seconds",
    "How long transactions waited that found every connection of their pool in use.",
    ["pool"],
    buckets=(0.001, 0.01, 0.1, 1, 10),
)
_exhausted = Counter("parvis_pool_exhausted_total", "Transactions that waited for a connection in vain.", ["pool"])
_METRICS = (_size, _used, _waiting, _waits, _exhausted)


class WatchedPool(AsyncAdaptedQueuePool):
    """SQLAlchemy's own pool, which also notes who had to wait."""

    waiting = 0
    watched: str | None = None

    def _do_get(self) -> Any:
        if self.watched is None or self.checkedout() < self.size():
            return super()._do_get()
        began = time.monotonic()
        self.waiting += 1
        try:
            return super()._do_get()
        except PoolTimeout:
            _exhausted.labels(self.watched).inc()
            raise
        finally:
            self.waiting -= 1
            _waits.labels(self.watched).observe(time.monotonic() - began)


def watch(pool: object, name: str) -> None:
    """Show `pool` under `name` in this process's metrics, until it is let go."""
    if not isinstance(pool, WatchedPool):
        return
    pool.watched = name
    _size.labels(name).set(pool.size())
    _used.labels(name).set_function(pool.checkedout)
    _waiting.labels(name).set_function(lambda: pool.waiting)
    _waits.labels(name)
    _exhausted.labels(name)


def let_go(pool: object) -> None:
    """Show `pool` no longer."""
    if isinstance(pool, WatchedPool) and pool.watched is not None:
        for metric in _METRICS:
            metric.remove(pool.watched)
        pool.watched = None
