"""What is listened on and how it is reached are two things."""

from collections.abc import AsyncIterator

import httpx
import pytest

from shared import http
from shared.http import check_address, own_places
from shared.settings import Settings
from tests.connectors.loopback import Receiver, Reply, receiver

EVERYWHERE = "0.0.0.0"  # noqa: S104  # said, not listened on


@pytest.fixture
async def far() -> AsyncIterator[Receiver]:
    async with receiver() as found:
        yield found


def listening(host: str, **more: object) -> Settings:
    return Settings.model_validate({"host": host, "ingest_port": 8001, "sandbox_port": 8002, **more})


@pytest.mark.parametrize(
    ("host", "reached", "door"),
    [
        ("127.0.0.1", "127.0.0.1", "http://127.0.0.1:8001"),
        (EVERYWHERE, "127.0.0.1", "http://127.0.0.1:8001"),
        ("::", "::1", "http://[::1]:8001"),
        ("::1", "::1", "http://[::1]:8001"),
        ("192.168.1.7", "192.168.1.7", "http://192.168.1.7:8001"),
        ("fd00::7", "fd00::7", "http://[fd00::7]:8001"),
        ("localhost", "localhost", "http://localhost:8001"),
    ],
)
def test_the_door_is_reached_where_it_listens(host: str, reached: str, door: str) -> None:
    made = listening(host)

    assert made.hook_base_url == door
    assert own_places(made) == {(reached, 8002)}
    assert httpx.URL(made.hook_base_url).host == reached


def test_a_public_url_comes_before_the_address_on_this_machine() -> None:
    assert listening(EVERYWHERE, public_url="https://hooks.example/").hook_base_url == "https://hooks.example"


@pytest.mark.parametrize("host", [EVERYWHERE, "::"])
async def test_the_practice_network_may_be_named_where_it_is_reached(host: str) -> None:
    made = listening(host)

    await check_address(made.address(8002), made.private_networks, places=own_places(made))


async def test_the_practice_network_is_called_where_it_is_reached(far: Receiver) -> None:
    far.otherwise = Reply(200)
    port = httpx.URL(far.url).port or 0
    made = Settings.model_validate({"host": EVERYWHERE, "sandbox_port": port})
    async with http.client(made) as client:
        assert (await client.get(made.address(port))).status_code == 200
