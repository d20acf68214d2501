"""Every recorded Facebook delivery, signed, through the running door: seen in GraphQL or knowingly ignored."""

import json
from pathlib import Path

import pytest

from tests.contract.house import Channel, Json, Tenant

FOLDER = Path(__file__).parents[3] / "shared" / "fixtures" / "facebook"
FILES = sorted(FOLDER.glob("wh_*")) if FOLDER.is_dir() else []
SEEN = """query ($id: ID!) { node(id: $id) { ... on Arrival { state ignored problems { message }
  mentions { kind text authorKind visibility deletedAt channel { id } } } } }"""


@pytest.fixture(scope="module")
def channels(tenant: Tenant) -> dict[str, Channel]:
    """A facebook channel for each page that the recordings name."""
    pages = {str(entry["id"]) for it in FILES for entry in json.loads(it.read_bytes())["entry"]}
    found = {}
    for page in sorted(pages):
        credentials = {"app_secret": f"the app's own secret, for {page}", "verify_token": "token"}
        answer = tenant.rest(
            "POST", "/channels", json={"network": "facebook", "external_id": page, "credentials": credentials}
        )
        assert answer.status_code == 201, answer.text
        given = answer.json()
        found[page] = Channel({**given, "secret": given["secret"] or credentials["app_secret"]}, tenant.web)
    return found


def page_of(path: Path) -> str:
    return str(json.loads(path.read_bytes())["entry"][0]["id"])


@pytest.mark.skipif(not FILES, reason=f"no recorded deliveries in {FOLDER}")
@pytest.mark.parametrize("path", FILES, ids=lambda it: it.stem.removeprefix("wh_"))
def test_a_recorded_delivery_is_seen_or_knowingly_ignored(
    tenant: Tenant, channels: dict[str, Channel], path: Path
) -> None:
    answer = channels[page_of(path)].post(path.read_bytes())
    assert answer.status_code == 200, answer.text
    arrival = tenant.arrival(answer.json()["arrival_id"])
    found: Json = tenant.asked(SEEN, id=arrival["id"])["node"]
    if not found["mentions"] and not found["ignored"]:
        # A reaction to something, or the end of it, is seen on the thing itself, which was never said here.
        said = channels[page_of(path)].post(what_is_spoken_of(path))
        tenant.arrival(said.json()["arrival_id"])
        found = tenant.asked(SEEN, id=arrival["id"])["node"]
    print(row(path, found))

    assert found["state"] in {"SETTLED", "IGNORED"}, found
    assert found["problems"] == []
    assert found["mentions"] or found["ignored"], found
    assert found["state"] != "IGNORED" or found["ignored"], "what is ignored says why"
    for it in found["mentions"]:
        assert it["channel"]["id"] in {channel.id for channel in channels.values()}


def what_is_spoken_of(path: Path) -> Json:
    """A delivery, of our own making, in which the thing is said that the recording is about."""
    entry = json.loads(path.read_bytes())["entry"][0]
    if "messaging" in entry:
        (one,) = entry["messaging"]
        message = {"mid": one["message"]["mid"], "text": "said before"}
        sent = {"sender": one["sender"], "recipient": one["recipient"], "timestamp": 1, "message": message}
        return {"object": "page", "entry": [{"id": entry["id"], "time": 1, "messaging": [sent]}]}
    about = entry["changes"][0]["value"]
    value = {name: about[name] for name in ("post_id", "comment_id", "parent_id") if name in about}
    value |= {
        "item": "comment" if "comment_id" in about else "status", "verb": "add", "message": "said before",
        "created_time": 1, "from": {"id": "17", "name": "Somebody"},
    }  # fmt: skip
    change = {"field": "feed", "value": value}
    return {"object": "page", "entry": [{"id": entry["id"], "time": 1, "changes": [change]}]}


def row(path: Path, found: Json) -> str:
    """One line of the table: file, state, what is seen, why not."""
    seen = "; ".join(f"{it['kind'].lower()} {it['text']!r:.40}" for it in found["mentions"])
    return (
        f"{path.stem.removeprefix('wh_'):45} {found['state'].lower():10} {seen or '-':60} {', '.join(found['ignored'])}"
    )
