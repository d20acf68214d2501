"""The api: REST under /v1, GraphQL, and a few pages, over one set of open servers."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy import text
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from services.api import (
    approval_json,
    approval_routes,
    approving,
    errors,
    oauth,
    openapi,
    pages,
    receiving,
    showing,
    unsubscribing,
)
from services.api.auth import KeyUse
from services.api.context import Services
from services.api.graphql import Ahead, Engine, graphql_routes
from services.api.limits import Allowance, RateLimit, RateLimits
from services.api.requests import Cors, Guard, RequestIds
from services.api.rest import (
    acts,
    alert_rules,
    alerts,
    approval_links,
    approvals,
    arrivals,
    audit,
    best_times,
    blackouts,
    brands,
    calendar,
    calibration,
    campaigns,
    channels,
    charts,
    connecting,
    consents,
    copies,
    corrections,
    explanations,
    hold,
    identities,
    many_posts,
    media,
    mention_tables,
    mentions,
    metrics,
    notifications,
    operations,
    outgoing,
    posts,
    preferences,
    queries,
    recurrences,
    shares,
    slots,
    threads,
    tops,
    viewer,
    views,
    webhook_deliveries,
    webhook_endpoints,
)
from services.charting.drawing import Drawer
from services.media.checking import Checker
from services.serving import Check, probe_routes
from shared import http
from shared.db import Database
from shared.domain.listening.ears import Ears
from shared.domain.listening.explanations import Explainer
from shared.domain.page import Cursors
from shared.domain.publishing.library.media_addresses import Addresses
from shared.errors import ParvisError
from shared.queues import Queues
from shared.settings import Settings
from shared.store import open_store
from shared.vault import Vault

_LEFT_BEHIND = 24 * 3600  # seconds; nobody takes that long to bring a file
EXPOSED_HEADERS = (
    "Content-Range",
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Request-Id",
    "Retry-After",
)
_ALLOWED_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Parvis-Brand",
    "Parvis-File-Name",
    "Range",
    "Request-Id",
)
ROUTERS = (
    viewer.router,
    brands.router,
    channels.reading,
    channels.connecting,
    connecting.router,
    consents.asking,
    consents.reading,
    operations.starting,
    operations.router,
    mention_tables.router,
    mentions.router,
    copies.router,
    corrections.router,
    explanations.router,
    calibration.router,
    threads.router,
    identities.router,
    alert_rules.router,
    alerts.router,
    arrivals.router,
    best_times.router,
    metrics.router,
    charts.specifications,
    charts.pictures,
    views.router,
    shares.router,
    tops.router,
    queries.router,
    queries.matching,
    campaigns.router,
    many_posts.router,
    posts.router,
    media.uploading,
    media.router,
    media.content,
    slots.router,
    slots.queueing,
    blackouts.router,
    recurrences.router,
    calendar.router,
    approvals.router,
    approvals.waiting,
    approval_links.router,
    hold.router,
    outgoing.router,
    acts.router,
    acts.blocking,
    preferences.router,
    notifications.router,
    webhook_endpoints.reading,
    webhook_endpoints.changing,
    webhook_deliveries.listing,
    webhook_deliveries.router,
    audit.router,
)


def now() -> datetime:
    """The wall clock, read at the edge only."""
    return datetime.now(UTC)


@asynccontextmanager
async def open_services(settings: Settings, clock: Callable[[], datetime] = now) -> AsyncIterator[Services]:
    """Everything an api process holds open; its pools are opened before the first request."""
    assert settings.database_url is not None
    assert settings.redis_url is not None
    async with AsyncExitStack() as stack:
        db = Database(settings.database_url, name="api", size=settings.pool_size, patience=settings.statement_timeout)
        stack.push_async_callback(db.close)
        await db.open(warm=min(4, settings.pool_size))
        queues = Queues(settings.redis_url)
        stack.push_async_callback(queues.close)
        client = await stack.enter_async_context(http.client(settings))
        drawer = Drawer()
        stack.push_async_callback(drawer.close)
        vault = Vault([key.get_secret_value() for key in settings.secret_keys])
        made = Services(
            db=db,
            vault=vault,
            queues=queues,
            settings=settings,
            cursors=Cursors(vault),
            http=client,
            clock=clock,
            store=open_store(settings),
            checker=Checker(),
            drawer=drawer,
            addresses=Addresses(vault, settings.api_base_url),
            explainer=Explainer(),
            ears=Ears(),
        )
        await asyncio.to_thread(receiving.clear, made.incoming, time.time() - _LEFT_BEHIND)
        yield made


def create_app(settings: Settings, *, clock: Callable[[], datetime] = now) -> FastAPI:
    """The whole api as an ASGI app; its lifespan opens and closes the servers."""

    limits = RateLimits(settings.redis_url, at_once=settings.rate_limit // 100)
    allowance = Allowance(settings.rate_limit, limits)
    # Counted one by one: a link has few requests, and none too many passes.
    link_limits = RateLimits(settings.redis_url)
    by_link = Allowance(approving.A_MINUTE, link_limits)
    engine = Engine()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(limits.close)
            stack.push_async_callback(link_limits.close)
            services = await stack.enter_async_context(open_services(settings, clock))
            app.state.services = services
            app.state.allowance = allowance
            app.state.by_link = by_link
            app.state.key_use = KeyUse(services.db)
            stack.push_async_callback(app.state.key_use.close)
            yield

    app = FastAPI(
        title="Parvis",
        version=openapi.VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        middleware=_middleware(settings, allowance, engine),
        exception_handlers={
            ParvisError: errors.on_parvis_error,
            RequestValidationError: errors.on_validation_error,
            HTTPException: errors.on_http_error,
        },
    )
    app.include_router(unsubscribing.router)  # before the addresses of single notifications
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(oauth.router)
    app.include_router(showing.router)
    app.include_router(calendar.address)
    app.include_router(approval_json.router)
    app.include_router(approval_routes.router)
    app.include_router(pages.router)
    app.router.routes.extend(graphql_routes(engine))
    app.router.routes.extend(probe_routes(_checks(app)))
    app.state.methods_of = _methods_of
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]
    return app


def _middleware(settings: Settings, allowance: Allowance, engine: Engine) -> list[Middleware]:
    """From the outside in. Each is plain ASGI, so that answers stream and context variables reach the endpoint."""
    return [
        Middleware(RequestIds),
        Middleware(
            Cors,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=_ALLOWED_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            max_age=600,
        ),
        Middleware(Guard, max_upload_bytes=settings.media_max_bytes + receiving.FORM_BYTES),
        Middleware(RateLimit, allowance=allowance),
        Middleware(Ahead, engine=engine),
    ]


def _methods_of(path: str) -> set[str]:
    """The methods of an address under /v1."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return {method for route in routes if route.path_regex.match(path) for method in route.methods or ()}


def _checks(app: FastAPI) -> dict[str, Check]:
    async def postgres() -> bool:
        async with app.state.services.db.reading() as session:
            return bool((await session.execute(text("SELECT true"))).scalar_one())

    async def redis() -> bool:
        return bool(await app.state.services.queues.is_up())

    return {"postgres": postgres, "redis": redis}


def _operation_id(route: APIRoute) -> str:
    return route.name
