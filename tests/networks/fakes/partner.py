"""A partner's endpoint for `generic`: it verifies by the reference library and does what each webhook-id asks once."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass
class Partner:
    """The app. `posts` are what it published, by the id that it was given to know a repeat by, and `done` what it did.

    `said` is what people say there, by its id.
    """

    secret: str
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        body = (await receive()).get("body", b"")
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        status, answer = self._answer(scope["method"], scope["path"], headers, body)
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]}
        )
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        try:
            Webhook(self.secret).verify(body, headers, json_parse=False)
        except WebhookVerificationError as error:
            return 401, {"error": str(error)}
        message_id = headers["webhook-id"]
        if method == "POST" and message_id not in {**self.posts, **self.done}:
            problem = self._do(message_id, json.loads(body))
            if problem is not None:
                return 422, {"error": problem}
        found = {**self.posts, **self.done}.get(message_id if method == "POST" else path.rpartition("/")[2])
        return (201 if method == "POST" else 200, found) if found is not None else (404, {"error": "no such thing"})

    def say(self, text: str) -> str:
        """Somebody says something to the partner's page."""
        external_id = f"c{len(self.said)}"
        self.said[external_id] = {"id": external_id, "said": text, "beneath": None, "media": []}
        return external_id

    def thing(self, external_id: str) -> dict[str, Any] | None:
        """What is there under an id, and is not deleted."""
        everything = {**self.said, **{post["id"]: post for post in self.posts.values()}}
        found = everything.get(external_id)
        return None if found is None or found.get("deleted") else found

    def _do(self, message_id: str, asked: Mapping[str, Any]) -> str | None:
        """Do it; else why not."""
        noun, _, verb = asked["type"].partition(".")
        if noun == "identity":
            (self.blocked.add if verb == "block" else self.blocked.discard)(asked[noun]["id"])
            self.done[message_id] = {"id": asked[noun]["id"]}
            return None
        if noun == "mention":
            thing = self.thing(asked[noun]["id"])
            if thing is None:
                return "no such mention"
            thing[{"delete": "deleted"}.get(verb, verb.removeprefix("un"))] = not verb.startswith("un")
            self.done[message_id] = {"id": thing["id"]}
            return None
        post = asked["post"]
        if post["parent_id"] is not None and self.thing(post["parent_id"]) is None:
            return "no such parent"
        self.posts[message_id] = {
            "id": f"p{len(self.posts)}",
            "url": "https://partner.example/1",
            "said": post["text"],
            "beneath": post["parent_id"],
            "media": post["media"],
        }
        return None
