"""The GraphQL schema: one file a noun, put together here."""

import strawberry

from services.api.schema import enums
from services.api.schema.alert import Alert, AlertRule
from services.api.schema.arrival import Arrival
from services.api.schema.campaign import Campaign
from services.api.schema.channel import Channel
from services.api.schema.identity import Identity
from services.api.schema.mention import Mention
from services.api.schema.mutation import Mutation
from services.api.schema.notification import Notification
from services.api.schema.outgoing import Outgoing
from services.api.schema.post import Post
from services.api.schema.query import Query
from services.api.schema.saved_query import SavedQuery
from services.api.schema.scalars import CONFIG
from services.api.schema.subscription import Subscription
from services.api.schema.thread import Thread
from services.api.schema.view import View
from services.api.schema.webhook import WebhookEndpoint

__all__ = ["SCHEMA", "enums", "sdl"]

SCHEMA = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[
        Alert,
        AlertRule,
        Arrival,
        Campaign,
        Channel,
        Identity,
        Mention,
        Notification,
        Outgoing,
        Post,
        SavedQuery,
        Thread,
        View,
        WebhookEndpoint,
    ],
    config=CONFIG,
)


def sdl() -> str:
    """The schema as text, as it is committed and served."""
    return SCHEMA.as_str() + "\n"
