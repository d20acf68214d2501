"""What can be sent: tasks, the queues that they lie in, and how they are written."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, TypeVar
from uuid import UUID

INGEST = "parvis:ingest"
SCHEDULER = "parvis:scheduler"


@dataclass(frozen=True, slots=True)
class Task:
    """A letter: ids only, and its version in its name on the wire, so that two releases can share a queue."""

    name: ClassVar[str]
    queue: ClassVar[str]


@dataclass(frozen=True, slots=True)
class SettleArrivals(Task):
    """Arrivals wait. From the door to the ingest worker."""

    name: ClassVar[str] = "SettleArrivals.v1"
    queue: ClassVar[str] = INGEST


@dataclass(frozen=True, slots=True)
class PollChannel(Task):
    """A channel is due to be polled. From the scheduler to the ingest worker."""

    channel_id: UUID
    brand_id: UUID
    name: ClassVar[str] = "PollChannel.v1"
    queue: ClassVar[str] = INGEST


@dataclass(frozen=True, slots=True)
class SendOutgoing(Task):
    """Something is due to be sent. From the api to the scheduler."""

    name: ClassVar[str] = "SendOutgoing.v1"
    queue: ClassVar[str] = SCHEDULER


@dataclass(frozen=True, slots=True)
class DeliverWebhooks(Task):
    """Outgoing webhooks wait. To the scheduler."""

    name: ClassVar[str] = "DeliverWebhooks.v1"
    queue: ClassVar[str] = SCHEDULER


T = TypeVar("T", bound=Task)
Handler = Callable[[Any], Awaitable[None]]


def to_wire(task: Task) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(task).items()}


def from_wire(kind: type[T], letter: Mapping[str, str]) -> T:
    return kind(**{field.name: UUID(letter[field.name]) for field in fields(kind)})
