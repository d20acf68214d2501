"""What reading anew takes and answers."""

from datetime import datetime

import strawberry
from strawberry import UNSET

from services.api.schema.operation import Operation
from services.api.schema.outgoing import Problem


@strawberry.input(description="From `since` on; without it all that was ever said on the channel.")
class RereadChannelInput:
    id: strawberry.ID
    since: datetime | None = UNSET


@strawberry.type
class RereadChannelPayload:
    operation: Operation | None
    errors: list[Problem]
