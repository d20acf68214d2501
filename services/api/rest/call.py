"""One REST request is one transaction: opened, authenticated and committed here, around the endpoint."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from services.api import idempotency
from services.api.auth import authenticate
from services.api.context import Services, Tries
from services.api.errors import BadQuery, UnsupportedMedia
from services.api.idempotency import Asked
from services.api.rest.etags import tagged, unless_known
from services.api.rest.ids import BrandId
from shared.contract import read_json
from shared.db import Session
from shared.domain import scope as scopes
from shared.domain.scope import Principal, Scope
from shared.errors import BadPayload, Invalid, NotFound, Problem
from shared.ids import Prefix, parse_typeid, typeid
from shared.log import bind_contextvars
from shared.queues import Task

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_KEPT_HEADERS = ("location", "etag", "content-type")


@dataclass(slots=True)
class Call:
    """What an endpoint may use: its transaction, who acts, and the bells to ring once it is committed."""

    services: Services
    session: Session
    principal: Principal
    asked: Asked | None = None
    bells: list[Task] = field(default_factory=list)

    def ring(self, task: Task) -> None:
        """Ring after the commit; losing the ring is survivable."""
        self.bells.append(task)


@dataclass(slots=True)
class Steps:
    """For what must call a network: transactions of its own, with the calls between them."""

    services: Services
    authorization: str | None
    asked: Asked | None = None

    @asynccontextmanager
    async def transaction(self, brand_id: UUID) -> AsyncIterator[tuple[Session, Scope]]:
        """One committed step, authorised again."""
        async with self.services.db.session() as session:
            principal = await authenticate(session, self.authorization)
            yield session, await scopes.open_brand(session, principal, brand_id)

    @asynccontextmanager
    async def reading(self, brand_id: UUID) -> AsyncIterator[tuple[Session, Scope]]:
        """One step that only reads, authorised again."""
        async with self.services.db.reading() as session:
            principal = await authenticate(session, self.authorization)
            yield session, await scopes.open_brand(session, principal, brand_id)

    async def amend(self, session: Session, response: Response) -> None:
        """Let a repeat be given this fuller answer, made after the network was called."""
        if self.asked is not None:
            principal = await authenticate(session, self.authorization)
            await idempotency.amend(session, self.services.vault, principal, self.asked, _kept(tagged(response)))

    @asynccontextmanager
    async def own_effect(self) -> AsyncIterator["Effect"]:
        """The step that must happen once for an idempotency key. Raises Replayed where it has happened."""
        async with self.services.db.session() as session:
            principal = await authenticate(session, self.authorization)
            effect = Effect(Call(self.services, session, principal, self.asked))
            before = await _recalled(effect.call)
            if before is not None:
                raise Replayed(before)
            yield effect

    @asynccontextmanager
    async def effect(self, brand_id: UUID) -> AsyncIterator[tuple[Session, Scope, "Effect"]]:
        """`own_effect` on one brand."""
        async with self.own_effect() as effect:
            session = effect.call.session
            yield session, await scopes.open_brand(session, effect.call.principal, brand_id), effect


@dataclass(slots=True)
class Effect:
    """A transaction whose answer is kept with it."""

    call: Call

    async def keep(self, response: Response) -> None:
        """Keep the answer to be given to a repeat: before the commit, so without what comes after it."""
        if self.call.asked is not None:
            await keep(self.call, self.call.asked, tagged(response))


class Replayed(Exception):
    """The effect has happened before; this was its answer."""

    def __init__(self, response: Response) -> None:
        self.response = response


def _call(request: Request) -> Call:
    call: Call = request.state.call
    return call


def _steps(request: Request) -> Steps:
    steps: Steps = request.state.steps
    return steps


async def _brand_scope(brand_id: BrandId, call: Annotated[Call, Depends(_call)]) -> Scope:
    bind_contextvars(brand=typeid(Prefix.BRAND, brand_id))
    return await scopes.open_brand(call.session, call.principal, brand_id)


Calling = Annotated[Call, Depends(_call)]
Stepping = Annotated[Steps, Depends(_steps)]
InBrand = Annotated[Scope, Depends(_brand_scope)]


class CheckedRoute(APIRoute, ABC):
    """Reads the body and refuses what nobody declared, before a transaction is opened."""

    reads_body = True

    def get_route_handler(self) -> Handler:
        inner = super().get_route_handler()
        known = {param.alias for param in get_flat_params(self.dependant) if _is_query(param)}

        async def checked(request: Request) -> Response:
            body = await request.body() if self.reads_body else b""
            return await self.act(request, body, lambda: self._parsed(request, body, known), inner)

        return checked

    @abstractmethod
    async def act(self, request: Request, body: bytes, check: Callable[[], None], inner: Handler) -> Response:
        """The answer: `check` raises what the request did wrong, `inner` calls the operation."""

    def _parsed(self, request: Request, body: bytes, known: set[str]) -> None:
        """Raises BadQuery for an unknown parameter, UnsupportedMedia or Invalid for a body that is no JSON."""
        unknown = [name for name in request.query_params if name not in known]
        if unknown:
            names = ", ".join(sorted(known)) or "none"
            raise BadQuery(
                [Problem("unknown", f"there is no such parameter here; known: {names}", (name,)) for name in unknown],
                code="unknown_parameter",
            )
        bad = [name for name, value in request.query_params.multi_items() if "\x00" in value]
        if bad:
            raise BadQuery([Problem("invalid", "a parameter can't hold U+0000", (name,)) for name in bad])
        if not body or self.body_field is None:
            return
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            raise UnsupportedMedia("send the body as application/json")
        try:
            request._json = read_json(body)
        except BadPayload as error:
            raise Invalid([Problem("bad_json", error.message)], code="bad_json") from None

    @staticmethod
    async def entered(request: Request) -> Principal:
        """Who asks. Raises NotAuthenticated."""
        services: Services = request.app.state.services
        async with services.db.reading() as session:
            principal = await authenticate(session, request.headers.get("authorization"))
        request.app.state.key_use.note(principal.key_id)
        return principal

    @staticmethod
    def brand(request: Request) -> UUID:
        """The brand of the address. Raises NotFound for a malformed one."""
        return parse_typeid(Prefix.BRAND, request.path_params["brand_id"])

    @staticmethod
    def asked(request: Request, principal: Principal, body: bytes) -> Asked | None:
        """What was asked, by whom in which role: whoever loses the brand or the role loses the kept answer too."""
        if request.method != "POST":
            return None
        where = f"{request.method} {request.url.path}?{request.url.query}"
        role = _role(principal, request.path_params.get("brand_id"))
        return idempotency.asked(request.headers.get("idempotency-key"), where.encode(), role.encode(), body)


def _role(principal: Principal, brand_id: str | None) -> str:
    """The principal's role on the brand of the address. Raises NotFound for a foreign one."""
    if brand_id is None:
        return ""
    role = principal.brands.get(parse_typeid(Prefix.BRAND, brand_id))
    if role is None:
        raise NotFound(f"there is no brand with the id {brand_id[:60]!r}")
    return role.value


def _is_query(param: Any) -> bool:
    in_ = getattr(param.field_info, "in_", None)
    return in_ is not None and in_.value == "query"


class TransactedRoute(CheckedRoute):
    """The endpoint runs in one transaction, committed before its answer leaves."""

    async def act(self, request: Request, body: bytes, check: Callable[[], None], inner: Handler) -> Response:
        services: Services = request.app.state.services
        tries = Tries.begin(services.settings)
        for attempt in count(1):
            state = _Attempt()
            try:
                return await self._once(services, request, body, check, inner, state)
            except Exception as error:
                # Two transactions met, or the server restarted below the pool: nothing was committed, so it is safe.
                if state.committing or not tries.go_on(attempt, error):
                    raise
        raise AssertionError

    async def _once(
        self,
        services: Services,
        request: Request,
        body: bytes,
        check: Callable[[], None],
        inner: Handler,
        state: "_Attempt",
    ) -> Response:
        is_reading = request.method in {"GET", "HEAD"}
        opened = services.db.reading() if is_reading else services.db.session()
        async with opened as session:
            principal = await authenticate(session, request.headers.get("authorization"))
            check()
            call = Call(services, session, principal, self.asked(request, principal, body))
            request.state.call = call
            before = await _recalled(call)
            response = before or tagged(await inner(request))
            if before is None and call.asked is not None:
                await keep(call, call.asked, response)
            state.committing = True
        request.app.state.key_use.note(principal.key_id)
        for task in call.bells:
            services.queues.ring(task)
        return unless_known(request, response) if is_reading else response


@dataclass(slots=True)
class _Attempt:
    committing: bool = False


class SteppedRoute(CheckedRoute):
    """The endpoint calls a network, so it takes its transactions itself, through Steps."""

    async def act(self, request: Request, body: bytes, check: Callable[[], None], inner: Handler) -> Response:
        services: Services = request.app.state.services
        header = request.headers.get("authorization")
        principal = await self.entered(request)
        check()
        request.state.steps = Steps(services, header, self.asked(request, principal, body))
        try:
            return tagged(await inner(request))
        except Replayed as before:
            return before.response


async def _recalled(call: Call) -> Response | None:
    if call.asked is None:
        return None
    answer = await idempotency.recall(call.session, call.services.vault, call.principal, call.asked)
    return replayed(answer) if answer is not None else None


def replayed(answer: dict[str, Any]) -> Response:
    """The answer of the first time, marked as such."""
    headers = {**answer["headers"], "idempotency-replayed": "true"}
    return Response(answer["body"].encode(), answer["status"], headers)


async def keep(call: Call, what: Asked, response: Response) -> None:
    """Keep a successful answer with its effect."""
    services = call.services
    await idempotency.remember(
        call.session, services.vault, call.principal, what, _kept(response), now=services.clock()
    )


def _kept(response: Response) -> dict[str, Any]:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return {"status": response.status_code, "headers": headers, "body": bytes(response.body).decode()}
