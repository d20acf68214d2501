"""What CONTRACT's Query shows, and to whom."""

from datetime import timedelta

from shared.contract import Author, Counted, Deleted, MediaDraft
from shared.db import Database
from shared.ids import Prefix, new_uuid, typeid
from shared.models.enums import AuthorKind, MentionKind, Visibility
from tests.conftest import House, HouseBrand, HouseChannel
from tests.domain.listening import words
from tests.services.api.graphql.asking import Api, at, brand_id, hear, said

MENTIONS = """query ($brand: ID!, $first: Int, $after: String, $where: MentionFilter, $order: MentionOrder) {
  brand(id: $brand) { mentions(first: $first, after: $after, where: $where, order: $order) {
    nodes { externalId } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { id } } } } }"""


async def listed(api: Api, brand: HouseBrand, **variables: object) -> list[str]:
    data = await api.data(MENTIONS, brand.api_key, brand=brand_id(brand), **variables)
    return [node["externalId"] for node in data["brand"]["mentions"]["nodes"]]


async def test_without_a_valid_key_it_is_401(api: Api, brand: HouseBrand) -> None:
    for key in (None, "pv_wrong"):
        response = await api.post("{ viewer { scopes } }", key)
        assert response.status_code == 401
        assert response.headers["content-type"].startswith("application/problem+json")
    assert (await api.post("{ viewer { scopes } }", brand.api_key)).status_code == 200


async def test_the_viewer_is_the_keys_user(api: Api, brand: HouseBrand) -> None:
    query = "{ viewer { user { id name } organization { id name } scopes brands { nodes { id name } } } }"
    assert await api.data(query, brand.api_key) == {
        "viewer": {
            "user": {"id": typeid(Prefix.USER, brand.user_id), "name": "Noor"},
            "organization": {"id": typeid(Prefix.ORGANIZATION, brand.organization_id), "name": "Dunes NV"},
            "scopes": ["*"],
            "brands": {"nodes": [{"id": brand_id(brand), "name": "Dunes"}]},
        }
    }


async def test_a_mention_shows_every_field(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    media = (MediaDraft("https://example.com/a.jpg", "image", "a dog"),)
    await hear(
        worker_db,
        channel,
        said("m", "Traag", language="nl", rating=2.0, url="https://example.com/m", media=media,
             kind=MentionKind.REVIEW, visibility=Visibility.PRIVATE, author_kind=AuthorKind.CONSUMER),
        Counted("m", at(5), likes=3, views=70),
        said("r", "Sorry", minutes=1, parent_external_id="m", kind=MentionKind.REPLY),
    )  # fmt: skip
    query = """query ($b: ID!) { brand(id: $b) { mentions(order: OLDEST) { nodes {
        network kind visibility externalId url text language media { url kind alt } rating publishedAt observedAt
        editedAt deletedAt hiddenAt author { network externalId handle name url } authorKind
        channel { id name network externalId status } parent { externalId } thread { lastAt }
        engagement { likes replies shares views } reach history { text editedAt observedAt } } } } }"""
    review, reply = (await api.data(query, brand.api_key, b=brand_id(brand)))["brand"]["mentions"]["nodes"]
    assert review == {
        "network": "GENERIC", "kind": "REVIEW", "visibility": "PRIVATE", "externalId": "m",
        "url": "https://example.com/m", "text": "Traag", "language": "nl",
        "media": [{"url": "https://example.com/a.jpg", "kind": "image", "alt": "a dog"}], "rating": 2.0,
        "publishedAt": "2025-11-20T09:00:00Z", "observedAt": "2025-11-20T09:00:00Z",
        "editedAt": None, "deletedAt": None, "hiddenAt": None,
        "author": {"network": "GENERIC", "externalId": "u-m", "handle": "hm", "name": "Name m", "url": None},
        "authorKind": "CONSUMER",
        "channel": {
            "id": typeid(Prefix.CHANNEL, channel.id), "name": "Letters", "network": "GENERIC",
            "externalId": channel.channel.external_id, "status": "ACTIVE",
        },
        "parent": None, "thread": {"lastAt": "2025-11-20T09:01:00Z"},
        "engagement": {"likes": 3, "replies": None, "shares": None, "views": 70}, "reach": 70,
        "history": [{"text": "Traag", "editedAt": None, "observedAt": "2025-11-20T09:00:00Z"}],
    }  # fmt: skip
    assert reply["parent"] == {"externalId": "m"}


async def test_newest_first_and_oldest_on_request(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, *(said(str(n), minutes=n) for n in range(3)))
    assert await listed(api, brand) == ["2", "1", "0"]
    assert await listed(api, brand, order="OLDEST") == ["0", "1", "2"]


async def test_pages_follow_one_another_without_gap_or_overlap(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, *(said(str(n), minutes=n // 3) for n in range(10)))
    for order in ("NEWEST", "OLDEST"):
        seen, after, pages = [], None, 0
        while True:
            data = await api.data(MENTIONS, brand.api_key, brand=brand_id(brand), first=4, after=after, order=order)
            page = data["brand"]["mentions"]
            seen += [node["externalId"] for node in page["nodes"]]
            assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
            assert [page["edges"][0]["cursor"], page["edges"][-1]["cursor"]] == [
                page["pageInfo"]["startCursor"],
                page["pageInfo"]["endCursor"],
            ]
            pages += 1
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        assert sorted(seen, key=int) == [str(n) for n in range(10)]
        assert pages == 3


async def test_a_cursor_holds_for_its_brand_and_filter_only(
    api: Api, house: House, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1"), said("2", minutes=1))
    other = await house.brand("Other")
    data = await api.data(MENTIONS, brand.api_key, brand=brand_id(brand), first=1)
    cursor = data["brand"]["mentions"]["pageInfo"]["endCursor"]
    mine = {"brand": brand_id(brand), "after": cursor}
    assert await api.code(MENTIONS, brand.api_key, **mine, where={"kinds": ["COMMENT"]}) == "BAD_CURSOR"
    assert await api.code(MENTIONS, brand.api_key, **mine, order="OLDEST") == "BAD_CURSOR"
    assert await api.code(MENTIONS, other.api_key, brand=brand_id(other), after=cursor) == "BAD_CURSOR"
    assert await api.code(MENTIONS, brand.api_key, brand=brand_id(brand), after="nonsense") == "BAD_CURSOR"
    assert await listed(api, brand, after=cursor) == ["1"]


async def test_each_filter_lets_through_what_it_says(
    api: Api, brand: HouseBrand, house: House, channel: HouseChannel, worker_db: Database
) -> None:
    second = await house.channel(brand)
    await hear(
        worker_db,
        channel,
        said("nl", "De levering was traag", language="nl", rating=4.0, author_kind=AuthorKind.CONSUMER),
        said("fr", "Les livraisons sont lentes", minutes=1, language="fr", rating=2.0, kind=MentionKind.REVIEW),
        said("gone", minutes=2),
        Deleted("gone", at(3)),
    )
    await hear(worker_db, second, said("other", minutes=4, visibility=Visibility.PRIVATE))
    whole = await api.data(
        "query ($b: ID!) { brand(id: $b) { mentions { nodes { externalId author { id } thread { id } } } } }",
        brand.api_key,
        b=brand_id(brand),
    )
    ids = {node["externalId"]: node for node in whole["brand"]["mentions"]["nodes"]}
    cases: list[tuple[dict[str, object], list[str]]] = [
        ({}, ["other", "fr", "nl"]),
        ({"deleted": True}, ["gone"]),
        ({"deleted": None}, ["other", "gone", "fr", "nl"]),
        ({"networks": ["FACEBOOK"]}, []),
        ({"networks": []}, []),
        ({"channelIds": [typeid(Prefix.CHANNEL, second.id)]}, ["other"]),
        ({"channelIds": ["chan_nonsense"]}, []),
        ({"kinds": ["REVIEW"]}, ["fr"]),
        ({"visibility": "PRIVATE"}, ["other"]),
        ({"languages": ["nl", "de"]}, ["nl"]),
        ({"authorId": ids["fr"]["author"]["id"]}, ["fr"]),
        ({"authorKinds": ["CONSUMER"]}, ["nl"]),
        ({"threadId": ids["nl"]["thread"]["id"]}, ["nl"]),
        ({"minRating": 3}, ["nl"]),
        ({"search": "livraison"}, ["fr"]),
        ({"search": "traag levering"}, ["nl"]),
        ({"search": "livraison", "kinds": ["COMMENT"]}, []),
        ({"since": at(1).isoformat(), "until": at(4).isoformat()}, ["fr"]),
    ]
    for where, expected in cases:
        assert await listed(api, brand, where=where) == expected, where
        assert await listed(api, brand, where=where, order="OLDEST") == expected[::-1], where


async def test_a_search_fills_its_pages_although_a_filter_drops_most_of_what_it_finds(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    heard = [
        said(str(n), "lente", minutes=n, kind=MentionKind.REVIEW if n % 10 == 0 else MentionKind.COMMENT)
        for n in range(60)
    ]
    await hear(worker_db, channel, *heard)
    where = {"search": "lente", "kinds": ["REVIEW"]}
    data = await api.data(MENTIONS, brand.api_key, brand=brand_id(brand), first=4, where=where)
    page = data["brand"]["mentions"]
    assert [node["externalId"] for node in page["nodes"]] == ["50", "40", "30", "20"]
    assert page["pageInfo"]["hasNextPage"] is True
    assert await listed(api, brand, first=4, where=where, after=page["pageInfo"]["endCursor"]) == ["10", "0"]


async def test_a_tombstone_whose_mention_never_came_is_not_listed_nor_found(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, Deleted("never", at(0)))
    assert await listed(api, brand, where={"deleted": None}) == []


async def test_a_deleted_mention_has_no_text_and_its_history_neither(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1", "a"), said("1", "b", edited_at=at(1), stamp=at(1)), Deleted("1", at(2)))
    query = """query ($b: ID!) { brand(id: $b) { mentions(where: {deleted: true}) {
        nodes { text deletedAt history { text } } } } }"""
    (node,) = (await api.data(query, brand.api_key, b=brand_id(brand)))["brand"]["mentions"]["nodes"]
    assert node["text"] is None
    assert node["deletedAt"] == "2025-11-20T09:02:00Z"
    assert {version["text"] for version in node["history"]} <= {None}


async def test_history_holds_every_version_in_order(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1", "third", edited_at=at(9), stamp=at(10)), said("1", "first"))
    await hear(worker_db, channel, said("1", "second", edited_at=at(5), stamp=at(11)))
    query = "query ($b: ID!) { brand(id: $b) { mentions { nodes { text history { text editedAt } } } } }"
    (node,) = (await api.data(query, brand.api_key, b=brand_id(brand)))["brand"]["mentions"]["nodes"]
    assert node["text"] == "third"
    assert [(v["text"], v["editedAt"]) for v in node["history"]] == [
        ("first", None),
        ("second", "2025-11-20T09:05:00Z"),
        ("third", "2025-11-20T09:09:00Z"),
    ]


async def test_threads_have_their_root_and_their_mentions(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(
        worker_db,
        channel,
        said("root"),
        said("child", minutes=2, parent_external_id="root"),
        said("orphan", minutes=5, parent_external_id="unknown"),
    )
    query = """query ($b: ID!) { brand(id: $b) { threads { nodes {
        lastAt root { externalId } mentions(order: OLDEST) { nodes { externalId } } } } } }"""
    nodes = (await api.data(query, brand.api_key, b=brand_id(brand)))["brand"]["threads"]["nodes"]
    assert nodes == [
        {
            "lastAt": "2025-11-20T09:05:00Z",
            "root": None,
            "mentions": {"nodes": [{"externalId": "orphan"}]},
        },
        {
            "lastAt": "2025-11-20T09:02:00Z",
            "root": {"externalId": "root"},
            "mentions": {"nodes": [{"externalId": "root"}, {"externalId": "child"}]},
        },
    ]


async def test_identities_are_found_by_handle_and_name_and_show_followers(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(
        worker_db,
        channel,
        said("1", author=Author("a", handle="Ann_B", name="Ann Baert", followers=12)),
        said("2", author=Author("b", handle="bob", name="Bob 100%")),
    )
    query = """query ($b: ID!, $w: IdentityFilter) { brand(id: $b) { identities(where: $w) { nodes { handle } } } }"""
    for where, expected in (
        (None, {"Ann_B", "bob"}),
        ({"handle": "ann_b"}, {"Ann_B"}),
        ({"handle": "ann"}, set()),
        ({"name": "BAER"}, {"Ann_B"}),
        ({"name": "0%"}, {"bob"}),
        ({"name": "%"}, {"bob"}),
        ({"networks": ["SANDBOX"]}, set()),
    ):
        data = await api.data(query, brand.api_key, b=brand_id(brand), w=where)
        assert {node["handle"] for node in data["brand"]["identities"]["nodes"]} == expected, where
    query = "query ($b: ID!) { brand(id: $b) { identities { nodes { handle followers } } } }"
    nodes = (await api.data(query, brand.api_key, b=brand_id(brand)))["brand"]["identities"]["nodes"]
    assert {node["handle"]: node["followers"] for node in nodes} == {"Ann_B": 12, "bob": None}


async def test_node_finds_each_kind_and_nothing_of_anybody_elses(
    api: Api, house: House, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1"))
    other = await house.brand("Other")
    query = """query ($b: ID!) { brand(id: $b) { id channels { id }
        mentions { nodes { id author { id } thread { id } } } } }"""
    data = (await api.data(query, brand.api_key, b=brand_id(brand)))["brand"]
    (mention,) = data["mentions"]["nodes"]
    found = {
        "Brand": data["id"],
        "Channel": data["channels"][0]["id"],
        "Mention": mention["id"],
        "Identity": mention["author"]["id"],
        "Thread": mention["thread"]["id"],
    }
    ask = "query ($id: ID!) { node(id: $id) { __typename id } }"
    for name, id_ in found.items():
        assert await api.data(ask, brand.api_key, id=id_) == {"node": {"__typename": name, "id": id_}}
        assert await api.data(ask, other.api_key, id=id_) == {"node": None}
    for id_ in ("", "men_", "nonsense", "org_x", typeid(Prefix.MENTION, new_uuid()), found["Mention"].upper()):
        assert await api.data(ask, brand.api_key, id=id_) == {"node": None}


async def test_a_foreign_or_malformed_brand_is_null(api: Api, house: House, brand: HouseBrand) -> None:
    other = await house.brand("Other")
    query = "query ($b: ID!) { brand(id: $b) { name } }"
    for id_ in (brand_id(other), "brand_x", "", "org_01h2xcejqtf2nbrexx3vqjhp41"):
        assert await api.data(query, brand.api_key, b=id_) == {"brand": None}


async def test_channels_show_health_and_coverage_and_never_a_secret(
    api: Api, brand: HouseBrand, channel: HouseChannel
) -> None:
    query = """query ($b: ID!) { brand(id: $b) { channels { name network externalId status statusReason webhookUrl
        health findings { ok message } coverage { kind via from to } createdAt lastHeardAt } } }"""
    response = await api.post(query, brand.api_key, b=brand_id(brand))
    (found,) = response.json()["data"]["brand"]["channels"]
    assert found["webhookUrl"].endswith(typeid(Prefix.HOOK, channel.channel.hook_id))
    assert found["status"] == "ACTIVE"
    assert [(c["kind"], c["to"]) for c in found["coverage"]] == [("OBSERVED", None)]
    assert channel.secret not in response.text


async def test_every_answer_carries_its_cost(api: Api, brand: HouseBrand) -> None:
    assert (await api.ask("{ viewer { scopes } }", brand.api_key))["extensions"]["cost"] == 1
    assert (await api.ask("{ nonsense }", brand.api_key))["extensions"]["cost"] == 0
    assert (await api.ask("{", brand.api_key))["extensions"]["cost"] == 0
    query = '{ brand(id: "x") { mentions(first: 7) { nodes { author { name } } } } }'
    assert (await api.ask(query, brand.api_key))["extensions"]["cost"] == 1 + 1 + 7 * 2


async def test_metrics_of_a_day(api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database) -> None:
    await hear(
        worker_db,
        channel,
        said("1"),
        said("2", minutes=60),
        said("own", kind=MentionKind.POST, author_kind=AuthorKind.BRAND),
    )
    query = """query ($b: ID!, $from: DateTime!, $to: DateTime!) { brand(id: $b) { metrics(
        keys: [MENTIONS, POSTS], from: $from, to: $to, interval: DAY, groupBy: [NETWORK]) {
        key unit dimensions { name value } points { start end value } definition freshAt } } }"""
    start = at(0).replace(hour=23) - timedelta(days=1)
    data = await api.data(
        query,
        brand.api_key,
        b=brand_id(brand),
        **{"from": start.isoformat(), "to": (start + timedelta(days=1)).isoformat()},
    )
    mentions, posts = data["brand"]["metrics"]
    assert (mentions["key"], mentions["dimensions"]) == ("MENTIONS", [{"name": "NETWORK", "value": "generic"}])
    assert mentions["points"] == [{"start": "2025-11-19T23:00:00Z", "end": "2025-11-20T23:00:00Z", "value": 2.0}]
    assert posts["points"][0]["value"] == 1.0


async def test_the_most_of_a_day(api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database) -> None:
    await hear(worker_db, channel, said("1", "good"), said("2", "good"))
    query = """query ($b: ID!, $from: DateTime!, $to: DateTime!) { brand(id: $b) {
      authors: top(what: AUTHORS, from: $from, to: $to, first: 1) { what mentions sampled items { id value mentions } }
      topics: top(what: TOPICS, from: $from, to: $to) { items { id value share netSentiment low high score } } } }"""
    when = {"from": at(-600).isoformat(), "to": at(600).isoformat()}
    found = (await api.data(query, brand.api_key, b=brand_id(brand), **when))["brand"]
    (author,) = found["authors"]["items"]
    assert (found["authors"]["what"], found["authors"]["mentions"], author["mentions"]) == ("AUTHORS", 2, 1)
    assert author["id"].startswith("idn_")
    (topic,) = found["topics"]["items"]
    assert (topic["id"], topic["value"], topic["share"], topic["netSentiment"]) == (None, "good", 1.0, 1.0)
    assert topic["score"] is None


async def test_a_mood_names_the_models_that_have_read_it(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1", "good"))
    query = """query ($b: ID!, $from: DateTime!, $to: DateTime!) { brand(id: $b) { metrics(
      keys: [NET_SENTIMENT, POSTS], from: $from, to: $to, interval: DAY) {
        key models { version mentions corrected } } } }"""
    when = {"from": at(-600).isoformat(), "to": at(600).isoformat()}
    mood, posts = (await api.data(query, brand.api_key, b=brand_id(brand), **when))["brand"]["metrics"]
    assert mood["models"] == [{"version": words.VERSION, "mentions": 1, "corrected": 0}]
    assert posts["models"] == []
