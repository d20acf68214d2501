"""Meta's Graph API, as far as Parvis uses it: fields that have to be asked for, pages, rights, limits, and its errors.

It stands for both hosts: a base of `…/graph.instagram.com/v26.0` or `…/graph.facebook.com/v26.0` names which. Its
pages' `next` hold the token and name a host that is not this one, as the real ones do.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tests.networks.fakes import graph_login
from tests.networks.fakes.graph_effects import WRITING, Effects
from tests.networks.fakes.graph_errors import GraphError, missing
from tests.networks.fakes.graph_fields import Asked, parse
from tests.networks.fakes.graph_world import EDGES, FIELDS, Thing, World

_RIGHTS = {
    ("page", "feed"): "pages_read_engagement",
    ("page", "tagged"): "pages_read_engagement",
    ("page", "published_posts"): "pages_read_engagement",
    ("page", "videos"): "pages_read_engagement",
    ("comment", "comments"): "pages_read_user_content",
    ("page", "ratings"): "pages_read_user_content",
    ("post", "comments"): "pages_read_user_content",
    ("page", "conversations"): "pages_messaging",
    ("account", "conversations"): "instagram_business_manage_messages",
    ("medium", "comments"): "instagram_business_manage_comments",
}


@dataclass
class Token:
    """Whom a token speaks for. `dead` is the subcode of the error that it now gets."""

    who: str
    scopes: set[str] = field(default_factory=lambda: {*_RIGHTS.values(), *WRITING})
    dead: int | None = None


@dataclass
class Fault:
    """What is answered instead, to the next `count` requests whose path ends so; `done`: after doing what is asked.

    `method`: only to requests of it.
    """

    path: str
    status: int = 500
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    count: int = 1
    after_seconds: float = 0
    done: bool = False
    method: str = ""


@dataclass
class FakeGraph:
    """The app. `got` is every request as (method, path, query); `apps` who is sent what of whom."""

    world: World = field(default_factory=World)
    tokens: dict[str, Token] = field(default_factory=dict)
    app_secret: str = ""
    usage: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    apps: dict[str, list[str]] = field(default_factory=dict)
    got: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    login: graph_login.People = field(default_factory=graph_login.People)
    effects: Effects = field(default_factory=Effects)
    url: str = ""

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode()))
        form = dict(parse_qsl(body.decode()))
        self.got.append((scope["method"], scope["path"], {**query, **form}))
        status, answer, more = await self._respond(scope["method"], scope["path"], headers, {**query, **form})
        raw = [(name.encode(), value.encode()) for name, value in {**self.usage, **more}.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": answer})

    async def _respond(
        self, method: str, path: str, headers: dict[str, str], query: dict[str, str]
    ) -> tuple[int, bytes, dict[str, str]]:
        for fault in self.faults:
            if fault.count and path.endswith(fault.path) and fault.method in ("", method):
                fault.count -= 1
                if fault.done:
                    self._answer(method, _steps(path), headers["authorization"].removeprefix("Bearer "), query)
                await asyncio.sleep(fault.after_seconds)
                return fault.status, fault.body, fault.headers
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        try:
            steps = _steps(path)
            if steps and steps[-1] in graph_login.PATHS:
                value = self.login.answer(self, steps, query)
            else:
                value = self._answer(method, steps, bearer or query.get("access_token", ""), query)
        except GraphError as error:
            return error.status, json.dumps(error.body).encode(), {}
        except graph_login.Declined as declined:
            return declined.status, json.dumps(declined.body).encode(), {}
        return 200, json.dumps(value, ensure_ascii=False).encode(), {}

    def _answer(self, method: str, steps: list[str], token: str, query: dict[str, str]) -> Any:
        who = self._who(token, query)
        if not steps:
            return self._several(query, token)
        if steps == ["debug_token"]:
            known = self.tokens.get(query["input_token"], Token("", set()))
            return {"data": {"type": "PAGE", "is_valid": known.dead is None, "scopes": sorted(known.scopes)}}
        external_id = who.who if steps[0] == "me" else steps[0]
        thing = self.world.things.get(external_id)
        if thing is None or thing.foreign:
            raise missing(external_id)
        if method != "GET" and steps[1:] != ["subscribed_apps"]:
            return self.effects.bring_about(self.world, who.scopes, method, [external_id, *steps[1:]], query)
        if len(steps) == 1:
            return self._node(thing, self._asked(query), token)
        alone = {
            "content_publishing_limit": lambda: self.effects.limit(who.scopes),
            "subscribed_apps": lambda: self._subscribed(method, external_id, query),
            "permissions": lambda: _permissions(who),
        }
        if steps[1] in alone:
            return alone[steps[1]]()
        return self._edge(thing, Asked(steps[1], query, self._asked(query)), token)

    def _subscribed(self, method: str, external_id: str, query: dict[str, str]) -> Any:
        if method == "POST":
            self.apps[external_id] = query["subscribed_fields"].split(",")
            return {"success": True}
        known = self.apps.get(external_id)
        return {"data": [{"id": "99", "subscribed_fields": known}] if known else []}

    def _who(self, token: str, query: dict[str, str]) -> Token:
        who = self.tokens.get(token)
        if who is None:
            raise GraphError(190, f"Malformed access token {token}")
        if who.dead is not None:
            raise GraphError(190, f"Error validating access token: {token}", subcode=who.dead, status=401)
        if self.app_secret:
            proof = hmac.new(self.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
            if query.get("appsecret_proof") != proof:
                raise GraphError(
                    100, "Invalid appsecret_proof provided in the API argument", kind="GraphMethodException"
                )
        return who

    def _asked(self, query: dict[str, str]) -> tuple[Asked, ...]:
        try:
            return parse(query.get("fields", "id"))
        except ValueError as error:
            raise GraphError(2500, f"Syntax error: {error}") from None

    def _several(self, query: dict[str, str], token: str) -> Any:
        ids = query.get("ids", "").split(",")
        absent = [one for one in ids if one not in self.world.things or self.world.things[one].foreign]
        if absent:
            raise GraphError(803, f"(#803) Some of the aliases you requested do not exist: {absent[0]}")
        return {one: self._node(self.world.things[one], self._asked(query), token) for one in ids}

    def _node(self, thing: Thing, asked: tuple[Asked, ...], token: str) -> dict[str, Any]:
        told = {"id": thing.values["id"]} if thing.kind != "rating" else {}
        for one in asked:
            if one.name in EDGES.get(thing.kind, ()):
                told[one.name] = self._edge(thing, one, token)
            elif thing.kind == "account" and one.name.startswith("mentioned_"):
                told[one.name] = self._mentioned(one, token)
            elif one.name not in FIELDS[thing.kind]:
                raise GraphError(100, f"(#100) Tried accessing nonexisting field ({one.name})")
            elif (value := self._value(thing, one.name)) is not None:
                told[one.name] = value
        return told

    def _mentioned(self, one: Asked, token: str) -> dict[str, Any]:
        external_id = next(iter(one.modifiers.values()))
        thing = self.world.things.get(external_id)
        wanted = "remark" if one.name == "mentioned_comment" else "medium"
        if (
            thing is None
            or thing.kind != wanted
            or "@" not in str(thing.values.get("text", thing.values.get("caption")))
        ):
            raise missing(external_id)
        return self._node(thing, one.below, token)

    def _value(self, thing: Thing, name: str) -> Any:
        if name == "comments_count":
            return self.world.below(thing.values["id"])
        if name == "status_code":
            return self.effects.status_of(thing)
        if name == "likes":
            return {"data": [], "summary": {"total_count": 0, "has_liked": thing.values.get("liked", False)}}
        if name == "reactions":
            return {"data": [], "summary": {"total_count": thing.values.get("reactions", 0)}}
        return thing.values.get(name)

    def _edge(self, thing: Thing, asked: Asked, token: str) -> dict[str, Any]:
        if asked.name not in EDGES.get(thing.kind, ()):
            raise GraphError(100, f"(#100) Tried accessing nonexisting field ({asked.name})")
        right = _RIGHTS.get((thing.kind, asked.name))
        if right is not None and right not in self.tokens[token].scopes:
            raise GraphError(10, f"(#10) This endpoint requires the '{right}' permission", status=403)
        listed = self._listed(thing, asked)
        start = _position(listed, asked.modifiers.get("after", ""))
        limit = int(asked.modifiers.get("limit", "25"))
        page = listed[start : start + limit]
        told: dict[str, Any] = {"data": [self._node(one, asked.below or (Asked("id"),), token) for one in page]}
        if page:
            after = _cursor(page[-1])
            told["paging"] = {"cursors": {"before": _cursor(page[0]), "after": after}}
            if start + limit < len(listed):
                proof = hmac.new(self.login.client_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
                following = urlencode({"access_token": token, "appsecret_proof": proof, "limit": limit, "after": after})
                told["paging"]["next"] = f"https://graph.example/{thing.values['id']}/{asked.name}?{following}"
        if "summary" in asked.modifiers:
            told["summary"] = {"total_count": len(listed)}
        return told

    def _listed(self, thing: Thing, asked: Asked) -> list[Thing]:
        listed = self.world.shown(thing.values["id"], asked.name)
        how = asked.modifiers
        if thing.kind == "post" and how.get("filter") != "stream":
            listed = [one for one in listed if "parent" not in one.values]
        if asked.name == "comments" and thing.kind != "medium" and how.get("order") != "reverse_chronological":
            listed = listed[::-1]
        if asked.name == "blocked" and "uid" in how:
            listed = [one for one in listed if one.values["id"] == how["uid"]]
        if asked.name == "conversations" and "user_id" in how:
            listed = [one for one in listed if self.world.speaks(one, how["user_id"])]
        if thing.kind in ("page", "post", "comment") and "since" in how:  # Instagram's edges know no times
            listed = [one for one in listed if one.at.timestamp() >= int(how["since"])]
        return listed


def _permissions(who: Token) -> Any:
    told = [{"permission": one, "status": "granted"} for one in sorted(who.scopes)]
    return {"data": [*told, {"permission": "email", "status": "declined"}]}


def _steps(path: str) -> list[str]:
    steps = [step for step in path.split("/") if step and not step.startswith("graph.")]
    return steps[1:] if steps and steps[0][:1] == "v" and steps[0][1:2].isdigit() else steps


def _cursor(thing: Thing) -> str:
    name = thing.values["id"]
    return base64.urlsafe_b64encode(str(name).encode()).decode()


def _position(listed: list[Thing], after: str) -> int:
    if not after:
        return 0
    found = [number for number, one in enumerate(listed) if _cursor(one) == after]
    if not found:
        raise GraphError(100, "(#100) Invalid cursor")
    return found[0] + 1
