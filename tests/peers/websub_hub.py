"""A publisher and its hub, by Flask-WebSub. It runs in an environment of its own, and imports nothing of Parvis.

Beside the feeds and the hub it has what a publisher does behind its site: write an entry, and choose how to sign.
"""

import sys
from datetime import UTC, datetime

from celery import Celery
from feedgen.feed import FeedGenerator
from flask import Flask, Response, request, url_for
from flask_websub.hub import Hub, SQLite3HubStorage
from flask_websub.publisher import init_publisher, publisher

CLOSED = "closed"  # the hub has no subscribers for the feed of this name

Entries = dict[str, dict[str, str]]


def application(database: str) -> Flask:
    """Feeds at /feeds/{name}, each made by its first entry, and the hub at /hub. `database`: where it keeps leases."""
    app = Flask("peer")
    app.config["PUBLISH_SUPPORTED"] = True
    init_publisher(app)
    feeds: dict[str, Entries] = {}

    # Every task is done within the request that asks for it, and arguments are not looked at before: the hub's tasks
    # have one more than they are called with.
    tasks = Celery("peer", broker="memory://", strict_typing=False)
    tasks.conf.task_always_eager = True
    hub = Hub(SQLite3HubStorage(database), tasks, MAX_ATTEMPTS=1)
    hub.register_validator(lambda callback, topic, *rest: "no subscribers here" if topic.endswith(CLOSED) else None)
    app.register_blueprint(hub.build_blueprint(url_prefix="/hub"))

    def feed(name: str) -> Response:
        return Response(_atom(request.url, name, feeds[name]), content_type="application/atom+xml")

    def write(name: str) -> str:
        form = request.form
        feeds.setdefault(name, {})[form["id"]] = {"title": form["title"], "at": datetime.now(UTC).isoformat()}
        return str(url_for("feed", name=name, _external=True))

    def sign(method: str) -> str:
        hub.config["SIGNATURE_ALGORITHM"] = method
        return method

    def shown(name: str) -> Response:
        shows: Response = publisher()(feed)(name)  # made anew: it would keep the first feed's address for all of them
        return shows

    app.add_url_rule("/feeds/<name>", "feed", shown)
    app.add_url_rule("/feeds/<name>", "write", write, methods=["POST"])
    app.add_url_rule("/signatures/<method>", "sign", sign, methods=["POST"])
    return app


def _atom(address: str, name: str, entries: Entries) -> bytes:
    made = FeedGenerator()
    made.id(address)
    made.title(f"Het plein, {name}")
    made.updated(max(entry["at"] for entry in entries.values()))
    made.link(href=address, rel="self")
    for key, entry in entries.items():
        one = made.add_entry()
        one.id(key)
        one.title(entry["title"])
        one.link(href=f"https://example.be/{name}/{key.rpartition(':')[2]}")
        one.updated(entry["at"])
        one.content(entry["title"], type="text")
    atom: bytes = made.atom_str()
    return atom


if __name__ == "__main__":
    application(sys.argv[2]).run("127.0.0.1", int(sys.argv[1]), threaded=True)
