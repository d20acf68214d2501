"""Letters and bells over Redis, behind which nothing is kept: PostgreSQL is the truth, this is the doorbell.

Tasks go through arq, events through pub/sub. Losing any of it costs at most a sweep's wait (a second), so nothing here
raises because Redis is away: a sender counts and goes on, a receiver comes back by itself. No other package of ours
knows arq.
"""

from shared.queues.receiving import run_worker
from shared.queues.sending import SENDING_SECONDS, SILENCE_SECONDS, Queues
from shared.queues.tasks import (
    INGEST,
    SCHEDULER,
    DeliverWebhooks,
    Handler,
    PollChannel,
    SendOutgoing,
    SettleArrivals,
    Task,
)

__all__ = [
    "INGEST",
    "SCHEDULER",
    "SENDING_SECONDS",
    "SILENCE_SECONDS",
    "DeliverWebhooks",
    "Handler",
    "PollChannel",
    "Queues",
    "SendOutgoing",
    "SettleArrivals",
    "Task",
    "run_worker",
]
