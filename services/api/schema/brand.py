"""The tenant, and everything that belongs to it."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from services.api.schema import planning_fields, saved_query, view
from services.api.schema.alert import Alert, AlertRule, brand_alerts, brand_rules
from services.api.schema.approval import ApprovalLink, HoldStanding, Review, hold_standing, review
from services.api.schema.arrival import Arrival
from services.api.schema.best_times import BestTimes, suggested
from services.api.schema.calibration import Calibration, standing
from services.api.schema.campaign import Campaign
from services.api.schema.channel import Channel
from services.api.schema.chart import Chart, drawn
from services.api.schema.connection import FIRST, Connection, Info, Node, connection, given, requested
from services.api.schema.consent import Consent, consent
from services.api.schema.identity import Identity, IdentityFilter
from services.api.schema.media import MediaFile
from services.api.schema.media import listed as listed_media
from services.api.schema.mention import Mention, MentionFilter, listed, named_all
from services.api.schema.metric import MetricSeries
from services.api.schema.outgoing import Outgoing
from services.api.schema.planning import Blackout, Calendar, CalendarFeed, Occurrence, Recurrence, Slot
from services.api.schema.post import Post
from services.api.schema.saved_query import SavedQuery
from services.api.schema.share import Share, shares
from services.api.schema.thread import Thread
from services.api.schema.top import Top, most
from services.api.schema.view import View
from shared import models
from shared.domain.brands import channels
from shared.domain.insight import metrics
from shared.domain.listening import arrivals, identities, threads
from shared.domain.listening.filters import MentionFilter as DomainFilter
from shared.domain.publishing import campaigns, posts
from shared.domain.publishing.agreeing import holds, links, reviews
from shared.domain.publishing.sending import stories
from shared.ids import Prefix, typeid
from shared.models.enums import (
    ApprovalPolicy,
    ArrivalState,
    Dimension,
    Interval,
    MentionOrder,
    MetricKey,
    MissedPolicy,
    OutgoingKind,
    OutgoingState,
    PostStatus,
)

Root = strawberry.Parent[models.Brand]


@strawberry.input(description="Absent or empty: any. `since` and `until` speak of `scheduledAt`.")
class PostFilter:
    statuses: list[PostStatus] | None = UNSET
    channel_ids: list[strawberry.ID] | None = UNSET
    campaign_id: strawberry.ID | None = UNSET
    since: datetime | None = UNSET
    until: datetime | None = UNSET

    def read(self) -> posts.PostFilter:
        return posts.PostFilter(
            statuses=tuple(self.statuses) if self.statuses else (),
            channel_ids=named_all(Prefix.CHANNEL, self.channel_ids) or (),
            campaign_id=(named_all(Prefix.CAMPAIGN, [self.campaign_id]) or (None,))[0] if self.campaign_id else None,
            since=given(self.since),
            until=given(self.until),
        )


def _id(root: Root) -> strawberry.ID:
    return strawberry.ID(typeid(Prefix.BRAND, root.brand_id))


async def _mentions(
    root: Root,
    info: Info,
    first: int | None = FIRST,
    after: str | None = UNSET,
    where: MentionFilter | None = UNSET,
    order: MentionOrder | None = MentionOrder.NEWEST,
) -> Any:
    return await listed(info, root.brand_id, first, after, where.read() if where else DomainFilter(), order)


async def _threads(root: Root, info: Info, first: int | None = FIRST, after: str | None = UNSET) -> Any:
    page = requested(first, after)
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await threads.search(session, scope, page=page, cursors=info.context.services.cursors)
    return connection(found, page)


async def _identities(
    root: Root, info: Info, first: int | None = FIRST, after: str | None = UNSET, where: IdentityFilter | None = UNSET
) -> Any:
    page = requested(first, after)
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await identities.search(
            session, scope, where=where.read() if where else None, page=page, cursors=info.context.services.cursors
        )
    return connection(found, page)


async def _arrivals(
    root: Root, info: Info, first: int | None = FIRST, after: str | None = UNSET, state: ArrivalState | None = UNSET
) -> Any:
    page = requested(first, after)
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await arrivals.search(
            session, scope, state=state or None, page=page, cursors=info.context.services.cursors
        )
    return connection(found, page)


async def _posts(
    root: Root, info: Info, first: int | None = FIRST, after: str | None = UNSET, where: PostFilter | None = UNSET
) -> Any:
    page = requested(first, after)
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await posts.search(
            session, scope, where=where.read() if where else None, page=page, cursors=info.context.services.cursors
        )
    return connection(found, page)


async def _waiting(root: Root, info: Info, first: int | None = FIRST, after: str | None = UNSET) -> Any:
    page = requested(first, after)
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await reviews.waiting(session, scope, page=page, cursors=info.context.services.cursors)
    return connection(found, page)


async def _links(root: Root, info: Info, first: int | None = FIRST, after: str | None = UNSET) -> Any:
    page = requested(first, after)
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await links.search(session, scope, page=page, cursors=info.context.services.cursors)
    return connection(found, page)


async def _hold(root: Root, info: Info) -> Any:
    async with info.context.reading(root.brand_id) as (session, scope):
        return hold_standing(await holds.standing(session, scope, now=info.context.services.clock()))


def _review(root: strawberry.Parent[reviews.Waiting]) -> Review:
    return review(root.stands)


@strawberry.type(description="A post that waits for somebody, and since when this version of it does.")
class WaitingPost:
    post: Post
    since_at: datetime
    review: Review = strawberry.field(resolver=_review)


@strawberry.input(description="Absent or empty: any.")
class OutgoingFilter:
    states: list[OutgoingState] | None = UNSET
    kinds: list[OutgoingKind] | None = UNSET
    channel_ids: list[strawberry.ID] | None = UNSET
    mention_id: strawberry.ID | None = UNSET

    def read(self) -> stories.OutgoingFilter:
        return stories.OutgoingFilter(
            states=tuple(self.states or ()),
            kinds=tuple(self.kinds or ()),
            channel_ids=named_all(Prefix.CHANNEL, self.channel_ids) or (),
            mention_id=(named_all(Prefix.MENTION, [self.mention_id]) or (None,))[0] if self.mention_id else None,
        )


async def _outgoing(
    root: Root, info: Info, first: int | None = FIRST, after: str | None = UNSET, where: OutgoingFilter | None = UNSET
) -> Any:
    page = requested(first, after)
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await stories.search(
            session, scope, where=where.read() if where else None, page=page, cursors=info.context.services.cursors
        )
    return connection(found, page)


async def _campaigns(root: Root, info: Info, first: int | None = FIRST, after: str | None = UNSET) -> Any:
    page = requested(first, after)
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await campaigns.search(session, scope, page=page, cursors=info.context.services.cursors)
    return connection(found, page)


async def _channels(root: Root, info: Info) -> Any:
    async with info.context.reading(root.brand_id) as (session, scope):
        return await channels.list_(session, scope)


async def _consent(root: Root, info: Info, id: strawberry.ID) -> Any:
    return await consent(info, root.brand_id, id)


async def _metrics(
    root: Root,
    info: Info,
    keys: list[MetricKey],
    from_: Annotated[datetime, strawberry.argument(name="from")],
    to: datetime,
    interval: Interval,
    group_by: list[Dimension] | None = UNSET,
    where: MentionFilter | None = UNSET,
) -> Any:
    async with info.context.reading(root.brand_id) as (session, scope):
        return await metrics.series(
            session,
            scope,
            keys=keys,
            since=from_,
            until=to,
            interval=interval,
            group_by=group_by or (),
            where=where.read() if where else None,
            now=info.context.services.clock(),
        )


@strawberry.type(description="The marque, company or idea that a community stands around.")
class Brand(Node):
    id: strawberry.ID = strawberry.field(resolver=_id)
    name: str
    languages: list[str]
    timezone: str
    missed: MissedPolicy
    grace_seconds: int
    approval: ApprovalPolicy = strawberry.field(description="How many people besides the author must agree to a post.")
    client_approval: bool = strawberry.field(description="Whether the client must agree after them.")
    learns: bool = strawberry.field(description="Whether people's corrections move what is read later.")
    calibration: Calibration = strawberry.field(resolver=standing, description="What people's corrections have taught.")
    approval_reminder_hours: int
    approval_last_call_hours: int
    approvals_waiting: Connection[WaitingPost] = strawberry.field(resolver=_waiting)
    approval_links: Connection[ApprovalLink] = strawberry.field(resolver=_links)
    hold: HoldStanding = strawberry.field(resolver=_hold)
    version: int
    mentions: Connection[Mention] = strawberry.field(resolver=_mentions)
    posts: Connection[Post] = strawberry.field(resolver=_posts)
    media: Connection[MediaFile] = strawberry.field(resolver=listed_media)
    best_times: BestTimes = strawberry.field(
        resolver=suggested, description="When the brand's own posts did best, and how sure that is."
    )
    campaigns: Connection[Campaign] = strawberry.field(resolver=_campaigns)
    outgoing: Connection[Outgoing] = strawberry.field(resolver=_outgoing)
    slots: list[Slot] = strawberry.field(resolver=planning_fields.brand_slots)
    queue: Connection[Post] = strawberry.field(
        resolver=planning_fields.brand_queue, description="What waits in slots, the next first."
    )
    blackouts: list[Blackout] = strawberry.field(resolver=planning_fields.brand_blackouts)
    recurrences: Connection[Recurrence] = strawberry.field(resolver=planning_fields.brand_recurrences)
    recurrence_preview: list[Occurrence] = strawberry.field(
        resolver=planning_fields.brand_preview, description="The next moments that a rule would come to."
    )
    calendar: Calendar = strawberry.field(
        resolver=planning_fields.brand_calendar,
        description="What is planned, free, to come again and silent, by local day; 100 days at most.",
    )
    calendar_feeds: list[CalendarFeed] = strawberry.field(
        resolver=planning_fields.brand_feeds, description="Your own addresses of this calendar."
    )
    threads: Connection[Thread] = strawberry.field(resolver=_threads)
    identities: Connection[Identity] = strawberry.field(resolver=_identities)
    arrivals: Connection[Arrival] = strawberry.field(resolver=_arrivals)
    channels: list[Channel] = strawberry.field(resolver=_channels)
    consent: Consent | None = strawberry.field(
        resolver=_consent, description="What came of the asking user's own question; null for anybody else's."
    )
    views: Connection[View] = strawberry.field(resolver=view.listed)
    saved_queries: list[SavedQuery] = strawberry.field(resolver=saved_query.listed)
    metrics: list[MetricSeries] = strawberry.field(resolver=_metrics)
    chart: Chart = strawberry.field(
        resolver=drawn, description="Figures over time as a chart; `keys` are of the chart `SERIES`."
    )
    share_of_voice: list[Share] = strawberry.field(
        resolver=shares, description="What each query matched of all that any of the brand's queries did."
    )
    top: Top = strawberry.field(
        resolver=most, description="Who spoke most, where, of what, with what intent, and which phrases rise; 90 days."
    )
    alerts: Connection[Alert] = strawberry.field(resolver=brand_alerts)
    alert_rules: Connection[AlertRule] = strawberry.field(resolver=brand_rules)

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Brand)
