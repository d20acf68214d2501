"""What a Page does on the Graph API of a test, as the house would have it done."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from shared.connectors.facebook import Facebook
from shared.contract import OutgoingEffect, OutgoingMedia, Prepared, Sent
from tests.connectors.conformance.specimen import PICTURES
from tests.connectors.graph_rig import PAGE, Rig, rig

facebook = Facebook()
PICTURE = OutgoingMedia("https://media.example/plein.jpg", "image", "Een plein")
TERRACE = OutgoingMedia("https://media.example/terras.jpg", "image", "Een terras")
FILM = OutgoingMedia("https://media.example/plein.mp4", "video")


@asynccontextmanager
async def page_now() -> AsyncIterator[Rig]:
    """The rig, on which whatever is said from here on is said now."""
    async with rig() as found:
        found.graph.world.catch_up()
        yield found


async def prepare(here: Rig, wanted: OutgoingEffect) -> Prepared:
    return await facebook.prepare(here.http, here.page, wanted, PICTURES)


async def ready(here: Rig, wanted: OutgoingEffect) -> OutgoingEffect:
    return replace(wanted, marks=(await prepare(here, wanted)).marks)


async def send(here: Rig, wanted: OutgoingEffect) -> Sent:
    return await facebook.send(here.http, here.page, wanted)


async def find(here: Rig, wanted: OutgoingEffect) -> Sent | None:
    return await facebook.find(here.http, here.page, wanted)


def live(here: Rig) -> list[str]:
    """The Page's own posts, newest first."""
    return here.graph.world.named(PAGE, "published_posts")


def told(here: Rig, external_id: str) -> dict[str, Any]:
    return here.graph.world.things[external_id].values
