"""Clients of Redis, the names of what lies there, and arq's keys put under ours."""

import arq.connections
import arq.constants
import arq.jobs
import arq.worker
import orjson
from arq.connections import ArqRedis
from redis.exceptions import RedisError

EVENTS = "parvis:events:"
WAITING = "parvis:waiting:"
BELL = "parvis:bell:"

LETTER_SECONDS = 600  # how long a letter that nobody fetches is kept

AWAY = (RedisError, OSError, TimeoutError)

# arq has no setting for its keys' names. They stand under ours, so that a shared Redis shows which keys are whose.
for _module in (arq.constants, arq.connections, arq.jobs, arq.worker):
    for _name in ("job_key_prefix", "in_progress_key_prefix", "result_key_prefix", "retry_key_prefix", "abort_jobs_ss"):
        if hasattr(_module, _name):
            setattr(_module, _name, "parvis:" + getattr(_module, _name))


def client(url: str, *, timeout: float) -> ArqRedis:
    """A client that gives up after `timeout` seconds and speaks JSON; it connects when it is first used."""
    redis: ArqRedis = ArqRedis.from_url(url, socket_timeout=timeout, socket_connect_timeout=min(timeout, 2.0))
    redis.job_serializer = orjson.dumps
    redis.job_deserializer = orjson.loads
    redis.expires_extra_ms = LETTER_SECONDS * 1000
    return redis
