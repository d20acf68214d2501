"""Credentials, keys and what people wrote are in no log of a house that hears, polls, sends and fails, at any level."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.contract.conftest import Up
from tests.contract.house import Channel, Tenant, eventually, mention
from tests.contract.receiver import SECRET, Receiver, handler

SERVICES = ("api", "ingest", "ingest_worker", "scheduler", "sandbox")


def canary(what: str) -> str:
    """A word that stands nowhere else."""
    return f"canary{what}{uuid.uuid4().hex}"


@dataclass(frozen=True)
class Told:
    """What the house was told, and all that it wrote into its logs."""

    secrets: dict[str, str]
    logs: dict[str, str]


@dataclass(frozen=True)
class Day:
    """A house's day, in which words that must not be logged are said everywhere."""

    tenant: Tenant
    receiver: Receiver
    said: dict[str, str]

    def word(self, what: str) -> str:
        return self.said.setdefault(what, canary(what))

    def hear(self) -> None:
        """Deliveries that are right, forged, nonsense, half wrong, and of every kind."""
        generic, facebook = self.tenant.channel("generic"), self.tenant.channel("facebook")
        self.tenant.hear(
            mention("1", self.word("comment"), author={"id": "a", "name": self.word("author")}),
            mention("2", self.word("message"), kind="message", visibility="private"),
            mention("3", self.word("wrong"), kind=self.word("kind")),
            mention("4", f"\x00{self.word('nul')}", published_at="2026-11-20T10:00:00Z"),
        )
        self.tenant.hear(mention("1", self.word("edit"), edited_at="2026-11-21T10:00:00Z"), deleted=["2"])
        raw = self.word("nonsense").encode()
        self.tenant.arrival(generic.post(raw).json()["arrival_id"])
        forged = generic.headers(raw) | {"webhook-signature": f"v1,{self.word('signature')}"}
        self.tenant.web.post(generic.address, content=raw, headers=forged)
        self.tenant.web.get(facebook.address, params={"hub.mode": "subscribe", "hub.verify_token": self.word("token")})
        sent = {"sender": {"id": "7"}, "recipient": {"id": facebook.external_id}, "timestamp": 1,
                "message": {"mid": "m", "text": self.word("facebook")}}  # fmt: skip
        entry = {"id": facebook.external_id, "time": 1, "messaging": [sent]}
        self.tenant.arrival(facebook.post({"object": "page", "entry": [entry]}).json()["arrival_id"])

    def ask(self) -> None:
        """Requests that are right and wrong, with words in every place that a request has."""
        tenant = self.tenant
        tenant.get("/mentions", q=self.word("search"))
        tenant.call("GET", "/v1/viewer", headers={"authorization": f"Bearer pv_{self.word('wrongkey')}"})
        tenant.rest("POST", "/posts", json={"text": self.word("refused"), "status": self.word("status")})
        tenant.rest("POST", "/posts", content=self.word("nojson"), headers={"content-type": "application/json"})
        tenant.rest("GET", "/mentions", params={self.word("parameter"): "x"})
        tenant.graphql("{ " + self.word("document") + " }")
        tenant.graphql("query ($x: Int!) { __typename @skip(if: $x) }", x=self.word("variable"))
        found = "query ($b: ID!, $q: String) { brand(id: $b) { mentions(where: {search: $q}) { nodes { text } } } }"
        tenant.graphql(found, b=tenant.brand_id, q=self.word("graphqlsearch"))

    def send(self) -> None:
        """Posts that go out, are refused, and find nobody; each channel has credentials of its own."""
        for what, url in (("taken", self.receiver.url), ("nobody", "http://127.0.0.1:1/")):
            key = f"whsec_{SECRET[:-4]}{uuid.uuid4().hex[:4]}"
            self.said[f"credential of {what}"] = key
            partner = self.tenant.connect(name=what, credentials={"url": url, "secret": key})
            self.said[f"secret of {what}"] = str(partner.given["secret"])
            self.publish(partner, what)
        self.receiver.refuse = 1
        refusing = self.tenant.connect(name="refusing", credentials={"url": self.receiver.url, "secret": key})
        self.publish(refusing, "turneddown")
        self.tenant.rest("POST", "/channels", json={"network": "generic", "credentials": {"secret": self.word("bad")}})

    def publish(self, channel: Channel, what: str) -> None:
        body = {"text": self.word(f"post{what}"), "channel_ids": [channel.id]}
        post = self.tenant.rest("POST", "/posts", json=body).json()
        assert self.tenant.rest("POST", f"/posts/{post['id']}/publish").status_code == 200
        ends = {"published", "failed", "uncertain", "held"}
        eventually(lambda: self.tenant.get(f"/posts/{post['id']}")["status"] in ends, f"the end of the post {what}")

    def poll(self) -> None:
        """The practice network says something, is polled, and takes the login no more."""
        channel, web = self.tenant.channel("sandbox"), self.tenant.web
        sandbox = self.tenant.local["sandbox"]
        self.said["access token"] = str(channel.given["access_token"])

        def say(what: str) -> None:
            body = {"account": channel.external_id, "as": "lea", "text": self.word(what)}
            assert web.post(f"{sandbox}/api/say", json=body).status_code == 201

        say("polled")
        eventually(lambda: self.tenant.mentions(q=self.word("polled")), "the polled mention")
        mine = {"path": "/api/v1/posts", "account": channel.external_id}
        fault = {"match": mine, "effect": {"type": "expired_token"}, "count": 1}
        assert web.post(f"{sandbox}/api/faults", json=fault).status_code == 201
        say("afterwards")
        eventually(lambda: self.tenant.get(f"/channels/{channel.id}")["status"] == "login_dead", "the login's end", 30)


@pytest.fixture(scope="module")
def receiving() -> Iterator[Receiver]:
    found = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(found))
    found.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, web: httpx.Client, receiving: Receiver) -> Told:
    """A whole house at its most talkative, its day, and its end."""
    house = Up(tmp_path_factory.mktemp("canary") / "data")
    house.environment |= {"PARVIS_LOG_LEVEL": "DEBUG", "PARVIS_POLL_SECONDS": "1"}
    house.start()
    try:
        local = house.local
        tenant = Tenant(local, house.organization("Canary NV", "Canary"), web)
        day = Day(tenant, receiving, _keys_of(house, local, tenant))
        for part in (day.hear, day.ask, day.send, day.poll):
            part()
    finally:
        house.stop()
    files = [house.folder.with_suffix(".log"), *sorted((house.folder / "logs").iterdir())]
    return Told(day.said, {one.stem: one.read_text("utf-8", "replace") for one in files})


def _keys_of(house: Up, local: dict[str, Any], tenant: Tenant) -> dict[str, str]:
    found = {"api key": str(tenant.given["api_key"]), "first api key": str(local["api_key"])}
    found |= {f"hook secret {n}": str(one["secret"]) for n, one in enumerate(tenant.given["channels"])}
    kept = json.loads((house.folder / "servers.json").read_text())
    found |= {f"password of {role}": password for role, password in kept["passwords"].items()}
    return found | {"secret key": (Path(house.folder) / "secret_keys").read_text().strip()}


def test_no_secret_and_no_word_of_anybody_is_in_any_log(told: Told) -> None:
    leaks = [
        f"{what} in {name}: {line[:300]}"
        for name, log in told.logs.items()
        for line in log.splitlines()
        for what, secret in told.secrets.items()
        if secret in line
    ]
    assert leaks == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_had_something_to_say(told: Told, name: str) -> None:
    assert len([line for line in told.logs[name].splitlines() if line.startswith("{")]) > 0


@pytest.mark.parametrize("fact", ["request.done", "channel.polled", "login_dead", "outgoing", "arrival"])
def test_what_the_day_was_about_is_in_the_logs(told: Told, fact: str) -> None:
    assert any(fact in log for log in told.logs.values())
