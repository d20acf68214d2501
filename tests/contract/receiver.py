"""A partner's own endpoint for sending by `generic`, on loopback."""

import base64
import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.contract.house import Json

SECRET = base64.b64encode(b"the receiver knows this as well!").decode()


@dataclass
class Receiver:
    """A partner's own endpoint on loopback, which publishes what it is sent."""

    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    published: dict[str, Json] = field(default_factory=dict)
    keep_then_fail: int = 0
    refuse: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/parvis"

    def sent(self) -> list[tuple[dict[str, str], Json]]:
        return [(headers, json.loads(body)) for method, _, headers, body in list(self.requests) if method == "POST"]

    def take(self, headers: dict[str, str], body: bytes) -> tuple[int, Json]:
        key = headers["webhook-id"]
        if self.refuse:
            self.refuse -= 1
            return 400, {"error": "we do not want it"}
        self.published.setdefault(key, {"id": f"partner-{len(self.published)}", "url": "https://partner.example/1"})
        if self.keep_then_fail:
            self.keep_then_fail -= 1
            return 500, {"error": "published, but nobody is told"}
        return 200, self.published[key]


def handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _note(self) -> tuple[dict[str, str], bytes]:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append((self.command, self.path, headers, body))
            return headers, body

        def _answer(self, status: int, body: Json) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_POST(self) -> None:
            self._answer(*receiver.take(*self._note()))

        def do_GET(self) -> None:
            self._note()
            found = receiver.published.get(self.path.rpartition("/")[2])
            self._answer(200 if found else 404, found or {})

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
