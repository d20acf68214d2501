"""Posts that name media, by REST and in both doors' words."""

from typing import Any

import httpx

from shared.ids import Prefix, typeid
from tests.conftest import House, HouseBrand
from tests.services.api.rest.conftest import Caller, problem
from tests.services.media import making

RECEIVER = {"url": "http://127.0.0.1:9/posts", "secret": "whsec_c2VjcmV0"}


async def bring(caller: Caller, file: bytes, **fields: str) -> str:
    answer = await caller.ask("POST", "/media", files={"file": ("a.jpg", file)}, data=fields)
    assert answer.status_code == 201, answer.text
    id_: str = answer.json()["id"]
    return id_


async def ask(client: httpx.AsyncClient, brand: HouseBrand, query: str, **variables: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {brand.api_key}"}
    answer = await client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    found: dict[str, Any] = answer.json()
    assert "errors" not in found, found
    data: dict[str, Any] = found["data"]
    return data


async def test_a_post_shows_its_media_with_addresses_and_texts(
    caller: Caller, client: httpx.AsyncClient, brand: HouseBrand, house: House
) -> None:
    channel = typeid(Prefix.CHANNEL, (await house.channel(brand, credentials=RECEIVER)).id)
    first, second = await bring(caller, making.jpeg(), alt_nl="De lantaarns"), await bring(caller, making.png())
    variants = [{"channel_id": channel, "media": [{"media_id": second, "alt": "Un phare"}]}]
    made = (await caller.post("/posts", {"text": "Bonjour", "media_ids": [first], "variants": variants})).json()
    assert made["media_ids"] == [first]
    assert [(one["kind"], one["alt"]) for one in made["media"]] == [("image", "De lantaarns")]
    assert made["variants"][0]["media_ids"] == [second]
    assert made["variants"][0]["media"][0]["alt"] == "Un phare"
    address = made["media"][0]["url"].removeprefix("http://127.0.0.1:8000")
    assert (await client.get(address)).headers["content-type"] == "image/jpeg"
    query = """query P($id: ID!) { node(id: $id) { ... on Post {
        mediaIds media { url kind alt } variants { mediaIds media { url alt } } } } }"""
    assert (await ask(client, brand, query, id=made["id"]))["node"] == {
        "mediaIds": [first],
        "media": made["media"],
        "variants": [
            {"mediaIds": [second], "media": [{k: made["variants"][0]["media"][0][k] for k in ("url", "alt")}]}
        ],
    }


async def test_an_alt_text_of_the_media_is_no_reason_for_a_warning(
    caller: Caller, brand: HouseBrand, house: House
) -> None:
    channel = typeid(Prefix.CHANNEL, (await house.channel(brand, credentials=RECEIVER)).id)
    said, unsaid = await bring(caller, making.jpeg(), alt_fr="Les lanternes"), await bring(caller, making.png())
    body = {"text": "Bonjour", "media_ids": [said, unsaid], "channel_ids": [channel]}
    made = (await caller.post("/posts", body)).json()
    assert [(one["code"], one["path"]) for one in made["warnings"]] == [("missing_alt", ["media", 1])]


async def test_media_that_a_post_needs_can_t_be_deleted_and_is_listed_as_used(
    caller: Caller, client: httpx.AsyncClient, brand: HouseBrand
) -> None:
    id_, free = await bring(caller, making.jpeg()), await bring(caller, making.png())
    post = (await caller.post("/posts", {"text": "Bonjour", "media_ids": [id_]})).json()
    found = problem(await caller.delete(f"/media/{id_}"), 409)
    assert found["code"] == "media_in_use"
    assert post["id"] in found["detail"]
    used = (await caller.get("/media", params={"unused": "false"})).json()["data"]
    assert [one["id"] for one in used] == [id_]
    query = """query M($b: ID!) { brand(id: $b) { media(where: {unused: true, kinds: [IMAGE]}) {
        nodes { id name kind type size width height seconds fingerprint alts { language text } version } } } }"""
    (node,) = (await ask(client, brand, query, b=caller.brand_id))["brand"]["media"]["nodes"]
    assert (node["id"], node["kind"], node["width"]) == (free, "IMAGE", 60)


async def test_graphql_names_and_lets_go_of_media(caller: Caller, client: httpx.AsyncClient, brand: HouseBrand) -> None:
    id_ = await bring(caller, making.jpeg(), alt_fr="Les lanternes", alt_nl="De lantaarns")
    update = """mutation U($i: UpdateMediaInput!) { updateMedia(input: $i) {
        mediaFile { name alts { language text } version } errors { code path } } }"""
    alts = [{"language": "nl", "text": None}, {"language": "de", "text": "Die Laternen"}]
    changed = await ask(client, brand, update, i={"id": id_, "name": "phare.jpg", "alts": alts, "ifVersion": 1})
    assert changed["updateMedia"]["mediaFile"] == {
        "name": "phare.jpg",
        "alts": [{"language": "de", "text": "Die Laternen"}, {"language": "fr", "text": "Les lanternes"}],
        "version": 2,
    }
    stale = await ask(client, brand, update, i={"id": id_, "name": "x", "ifVersion": 1})
    assert stale["updateMedia"] == {"mediaFile": None, "errors": [{"code": "STALE", "path": []}]}
    create = (
        """mutation C($i: CreatePostInput!) { createPost(input: $i) { post { id mediaIds } errors { code path } } }"""
    )
    post = await ask(client, brand, create, i={"brandId": caller.brand_id, "text": "x", "media": [{"mediaId": id_}]})
    assert post["createPost"]["post"]["mediaIds"] == [id_]
    delete = """mutation D($i: DeleteMediaInput!) { deleteMedia(input: $i) { deletedId errors { code } } }"""
    kept = await ask(client, brand, delete, i={"id": id_})
    assert kept["deleteMedia"] == {"deletedId": None, "errors": [{"code": "MEDIA_IN_USE"}]}
    await caller.delete(f"/posts/{post['createPost']['post']['id']}")
    gone = await ask(client, brand, delete, i={"id": id_})
    assert gone["deleteMedia"] == {"deletedId": id_, "errors": []}
