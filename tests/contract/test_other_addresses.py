"""Section 6, "Other addresses of the api": pages without internet, schemas, and health that tells the truth."""

import re

import httpx
import pytest

from tests.contract.conftest import Up
from tests.contract.house import Tenant, mention

PAGES = ["/", "/docs", "/graphql"]
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def api(up: Up) -> str:
    return str(up.local["api"])


_LOADED = (
    r"<(?:script|img|iframe|source)\b[^>]*?\bsrc\s*=\s*[\"']?([^\"'\s>]+)",
    r"<link\b[^>]*?\bhref\s*=\s*[\"']?([^\"'\s>]+)",
    r"@import\s+[\"']([^\"']+)",
    r"url\(\s*[\"']?(?!data:)([^)\"']+)",
)


def loaded(html: str) -> list[str]:
    """The addresses that a browser fetches for this page."""
    return [str(found) for pattern in _LOADED for found in re.findall(pattern, html, re.IGNORECASE)]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_answers_a_browser_with_html(web: httpx.Client, api: str, path: str) -> None:
    answer = web.get(api + path, headers=BROWSER)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "<html" in answer.text.lower()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_from_elsewhere(web: httpx.Client, api: str, path: str) -> None:
    html = web.get(api + path, headers=BROWSER).text
    addresses = loaded(html)

    assert [it for it in addresses if re.match(r"(https?:)?//", it)] == []
    for address in addresses:
        answer = web.get(httpx.URL(api + path).join(address))
        assert answer.status_code == 200, address
        cdns = re.findall(r"(?:unpkg|jsdelivr|cdnjs|googleapis|gstatic)\.\w+", answer.text)
        assert cdns == [], address


def test_the_start_page_says_what_runs_and_where_the_docs_are(web: httpx.Client, api: str) -> None:
    html = web.get(api + "/", headers=BROWSER).text

    assert "/docs" in html
    assert "/graphql" in html


def test_without_the_example_the_start_page_shows_no_mentions(web: httpx.Client, api: str, first: Tenant) -> None:
    first.hear(mention("contract start page", "canary of the start page"))

    html = web.get(api + "/", headers=BROWSER).text
    assert "canary" not in html
    for address in loaded(html):
        assert "canary" not in web.get(httpx.URL(api).join(address)).text


def test_no_page_shows_a_secret(web: httpx.Client, api: str, up: Up) -> None:
    local = up.local
    secrets = [local["api_key"], *(it["secret"] for it in local["channels"])]
    secrets += [local[name].split(":")[2].split("@")[0] for name in local if name.endswith("database_url")]

    for path in [*PAGES, "/openapi.json", "/graphql/schema.graphql", "/healthz", "/readyz", "/metrics"]:
        text = web.get(api + path, headers=BROWSER).text
        assert [it for it in secrets if it in text] == [], path


def test_openapi_is_3_1_and_names_every_list(web: httpx.Client, api: str) -> None:
    answer = web.get(f"{api}/openapi.json")
    found = answer.json()

    assert answer.headers["content-type"].startswith("application/json")
    assert found["openapi"].startswith("3.1")
    nouns = {"mentions", "threads", "identities", "arrivals", "channels", "metrics", "posts"}
    assert {f"/v1/brands/{{brand_id}}/{noun}" for noun in nouns} <= set(found["paths"])


def test_every_operation_documents_problems_under_their_one_media_type(web: httpx.Client, api: str) -> None:
    found = web.get(f"{api}/openapi.json").json()
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            if method not in {"get", "post", "put", "patch", "delete"}:
                continue
            assert operation["operationId"]
            for status, given in operation["responses"].items():
                shared = found["components"]["responses"].get(given.get("$ref", "").rpartition("/")[2], given)
                if status.startswith(("4", "5")):
                    assert list(shared["content"]) == ["application/problem+json"], (method, path, status)


def test_the_graphql_schema_is_text(web: httpx.Client, api: str) -> None:
    answer = web.get(f"{api}/graphql/schema.graphql")

    assert answer.status_code == 200
    assert "type Query" in answer.text
    assert "html" not in answer.headers["content-type"]


@pytest.mark.parametrize("service", ["api", "ingest"])
def test_healthz_and_readyz_tell_that_all_is_well(web: httpx.Client, up: Up, service: str) -> None:
    base = up.local[service]

    assert web.get(f"{base}/healthz").status_code == 200
    ready = web.get(f"{base}/readyz")
    assert ready.status_code == 200
    assert ready.json()["redis"] == "up"
    assert ready.json()["postgres"] == "up"


@pytest.mark.parametrize("service", ["api", "ingest"])
def test_metrics_are_prometheus_text_without_brands(web: httpx.Client, up: Up, first: Tenant, service: str) -> None:
    first.get("/mentions")
    answer = web.get(f"{up.local[service]}/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert re.search(r"^# TYPE \w+ \w+$", answer.text, re.MULTILINE)
    assert first.brand_id not in answer.text
    assert "brand=" not in answer.text


@pytest.mark.parametrize("path", [*PAGES, "/openapi.json", "/healthz", "/readyz"])
def test_head_is_answered_like_get_or_refused_plainly(web: httpx.Client, api: str, path: str) -> None:
    assert web.head(api + path).status_code in {200, 405}
