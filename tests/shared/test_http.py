"""The guarded client: where it goes, where it never goes, and what it does not carry along."""

import datetime as dt
import ssl
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared import http
from shared.errors import Invalid
from shared.http import Address, AddressRefused, ResponseTooLarge
from tests.connectors.loopback import LOOPBACK, Receiver, Reply, receiver, serving, settings

PUBLIC = "93.184.216.34"


class Names:
    """A resolver that a test fills; it keeps what it was asked."""

    def __init__(self, **names: Sequence[str]) -> None:
        self.names = {name.replace("_", "."): found for name, found in names.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[Address]:
        self.asked.append(host)
        if host not in self.names:
            raise OSError("no such name")
        return [ip_address(found) for found in self.names[host]]


def port_of(far: Receiver) -> int:
    return httpx.URL(far.url).port or 0


# ---------------------------------------------------------------- which addresses


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *(
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
        ),
        *(
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "3fff::1",
        ),
        *(
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "::ffff:0:7f00:1",
            "2606:2800:220:1::5efe:7f00:1",
            "2606:2800:220:1:0:5efe:10.0.0.1",
            "2606:2800:220:1:200:5efe:169.254.169.254",
            "fe80::1%eth0",
            "100::1",
        ),
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused, match="not a public address"):
        http.permit("https", "name.example", 443, [ip_address(address)], [])


@pytest.mark.parametrize(
    "address",
    [PUBLIC, "2606:2800:220:1::1", f"::ffff:{PUBLIC}", "64:ff9b::5db8:d822", f"2606:2800:220:1::5efe:{PUBLIC}"],
)
def test_a_public_address_is_allowed_by_https_on_its_port_only(address: str) -> None:
    http.permit("https", "name.example", 443, [ip_address(address)], [])
    with pytest.raises(AddressRefused, match="https"):
        http.permit("http", "name.example", 443, [ip_address(address)], [])
    with pytest.raises(AddressRefused, match="port 443"):
        http.permit("https", "name.example", 8443, [ip_address(address)], [])


@pytest.mark.parametrize("address", ["127.0.0.9", "::ffff:127.0.0.9", "64:ff9b::7f00:9"])
def test_a_private_range_that_is_named_may_be_called_by_http_and_on_any_port(address: str) -> None:
    http.permit("http", "name.example", 8002, [ip_address(address)], LOOPBACK)


def test_one_bad_address_among_good_ones_is_enough_to_refuse() -> None:
    with pytest.raises(AddressRefused):
        http.permit("https", "name.example", 443, [ip_address(PUBLIC), ip_address("10.0.0.1")], LOOPBACK)


# ---------------------------------------------------------------- connecting a channel


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://inside.example/", "inside.example is not a public address"),
        ("https://mixed.example/", "not a public address"),
        ("http://outside.example/", "use https"),
        ("https://outside.example:8443/", "port 443"),
        ("https://nowhere.example/", "can't be found"),
        ("ftp://outside.example/", "must start with https"),
        ("outside.example", "must start with https"),
        ("", "must start with https"),
        ("https://", "must start with https"),
        ("https://me:secret@outside.example/", "user name and password"),
        ("https://outside.example:port/", "not an address"),
        ("https://" + "x" * 300 + ".example/", "can't be found"),
    ],
)
async def test_an_address_that_may_not_be_called_is_refused_in_words(url: str, words: str) -> None:
    names = Names(inside_example=["10.0.0.1"], mixed_example=[PUBLIC, "127.0.0.1"], outside_example=[PUBLIC])
    with pytest.raises(Invalid, match=words):
        await http.check_address(url, [], resolve=names)


async def test_what_a_name_stands_for_is_told_to_the_log_only(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Invalid) as refused:
        await http.check_address("https://inside.example/", [], resolve=Names(inside_example=["10.0.0.1"]))
    assert "10.0.0.1" not in str([(problem.message, problem.path) for problem in refused.value.problems])
    assert "10.0.0.1" in caplog.text


async def test_good_addresses_pass() -> None:
    names = Names(outside_example=[PUBLIC], inside_example=["10.0.0.1"])
    await http.check_address("https://outside.example/path?q=1", [], resolve=names)
    await http.check_address("http://inside.example:8080", [ip_network("10.0.0.0/8")], resolve=names)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "0x7f.1", "2130706433", "127.1", "[::1]", "localhost", "[::ffff:127.0.0.1]"]
)
async def test_every_way_to_write_loopback_is_seen_through(host: str) -> None:
    with pytest.raises(Invalid):
        await http.check_address(f"https://{host}/", [])


# ---------------------------------------------------------------- the client


async def test_the_client_connects_to_the_validated_address_and_keeps_the_name() -> None:
    names = Names(cafe_example=["127.0.0.1"])
    async with receiver() as far, http.client(settings(), resolve=names) as client:
        far.otherwise = Reply(200, b"hello")
        answer = await client.get(f"http://cafe.example:{port_of(far)}/x")
    assert answer.content == b"hello"
    assert far.got[0].headers["host"] == f"cafe.example:{port_of(far)}"
    assert names.asked == ["cafe.example"]


async def test_a_name_that_moves_inside_after_the_check_is_refused_when_it_is_called() -> None:
    names = Names(rebind_example=[PUBLIC])
    await http.check_address("https://rebind.example/", [], resolve=names)
    names.names["rebind.example"] = ["127.0.0.1"]
    async with receiver() as far, http.client(settings(private_networks=()), resolve=names) as client:
        with pytest.raises(AddressRefused):
            await client.get(f"https://rebind.example:{port_of(far)}/")
    assert far.got == []


async def test_a_name_that_means_another_address_at_each_look_is_held_to_the_look_that_connects() -> None:
    class Turning(Names):
        async def __call__(self, host: str, port: int) -> list[Address]:
            await super().__call__(host, port)
            return [ip_address(PUBLIC if len(self.asked) % 2 else "127.0.0.1")]

    names = Turning(turning_example=[PUBLIC])
    async with receiver() as far, http.client(settings(private_networks=()), resolve=names) as client:
        for _ in range(2):
            await http.check_address("https://turning.example/", [], resolve=names)
            with pytest.raises(AddressRefused):
                await client.get(f"https://turning.example:{port_of(far)}/")
    assert names.asked == ["turning.example"] * 4
    assert far.got == []


async def test_without_private_networks_loopback_is_never_called() -> None:
    async with receiver() as far, http.client(settings(private_networks=())) as client:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            with pytest.raises(AddressRefused):
                await client.get(f"http://{host}:{port_of(far)}/")
    assert far.got == []


async def test_a_second_address_is_tried_where_the_first_is_dead() -> None:
    names = Names(two_example=["127.0.0.99", "127.0.0.1"])
    async with receiver() as far, http.client(settings(), resolve=names) as client:
        far.otherwise = Reply(200)
        assert (await client.get(f"http://two.example:{port_of(far)}/")).status_code == 200


async def test_a_redirect_is_given_back_and_not_followed() -> None:
    async with receiver() as far, http.client(settings()) as client:
        far.otherwise = Reply(302, headers={"location": f"{far.url}/inner"})
        assert (await client.get(far.url)).status_code == 302
    assert [got.path for got in far.got] == ["/"]


async def test_no_cookie_of_one_call_goes_along_with_the_next() -> None:
    async with receiver() as far, http.client(settings()) as client:
        far.otherwise = Reply(200, headers={"set-cookie": "tenant=1; Path=/"})
        await client.get(far.url)
        await client.get(far.url)
    assert "cookie" not in far.got[1].headers


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as far, receiver() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        async with http.client(settings()) as client:
            await client.get(far.url)
    assert (len(far.got), len(proxy.got)) == (1, 0)


async def test_an_answer_is_read_up_to_the_limit_and_no_further() -> None:
    async with receiver() as far, http.client(settings(), max_bytes=1000) as client:
        far.otherwise = Reply(200, b"x" * 1000)
        assert len((await client.get(far.url)).content) == 1000
        far.otherwise = Reply(200, b"x" * 1001)
        with pytest.raises(ResponseTooLarge):
            await client.get(far.url)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "file:///etc/passwd"])
async def test_other_schemes_are_refused(url: str) -> None:
    async with http.client(settings()) as client:
        with pytest.raises((httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
            await client.get(url)


async def test_a_name_that_is_not_found_is_a_connection_that_failed() -> None:
    async with http.client(settings(), resolve=Names()) as client:
        with pytest.raises(httpx.ConnectError, match="can't be found"):
            await client.get("https://nowhere.example/")


async def test_an_answer_that_does_not_come_is_a_timeout() -> None:
    async with receiver() as far, http.client(settings(send_timeout_seconds=0.2)) as client:
        far.otherwise = Reply(200, after_seconds=2)
        with pytest.raises(httpx.ReadTimeout):
            await client.get(far.url)


# ---------------------------------------------------------------- TLS


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate of our own for one name, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


async def test_tls_checks_the_name_and_not_the_address_that_it_was_pinned_to(tmp_path: Path) -> None:
    cert_file, key_file = certificate(tmp_path, "cafe.example")
    trusting = ssl.create_default_context(cafile=str(cert_file))
    names = Names(cafe_example=["127.0.0.1"], other_example=["127.0.0.1"])
    far: Any = Receiver(otherwise=Reply(200, b"safe"))
    async with (
        serving(far, ssl_certfile=str(cert_file), ssl_keyfile=str(key_file)) as port,
        http.client(settings(), resolve=names, tls=trusting) as client,
    ):
        assert (await client.get(f"https://cafe.example:{port}/")).content == b"safe"
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await client.get(f"https://other.example:{port}/")
