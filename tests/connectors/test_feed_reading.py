"""Reading feeds whatever is in them: never an error but BadPayload, never longer than its size allows, never fooled."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from shared.connectors import feed_bytes, feed_document, feed_text
from shared.connectors.feed import Feed
from shared.contract import Parsed, RawPart, Said
from shared.errors import BadPayload
from tests.connectors.pairs import NETWORKS

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
feed = Feed()


def parse(body: bytes | str, content_type: str = "") -> Parsed:
    written = body.encode() if isinstance(body, str) else body
    return feed.parse(RawPart("https://cafe.example/feed", written, NOW, {"content-type": content_type}))


def texts(body: bytes | str, content_type: str = "") -> list[str | None]:
    return [fact.text for fact in parse(body, content_type).heard if isinstance(fact, Said)]


def item(inner: str) -> str:
    return f"<rss version='2.0'><channel><title>T</title><item>{inner}</item></channel></rss>"


# ---------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    ("written", "declared", "header"),
    [
        ("utf-8", "utf-8", ""),
        ("utf-8", "us-ascii", "text/xml"),
        ("utf-8", "windows-1252", "text/xml; charset=iso-8859-1"),
        ("utf-8-sig", "iso-8859-1", ""),
        ("utf-16", "utf-8", "application/xml; charset=utf-8"),
        ("utf-16-le", "utf-16", ""),
        ("utf-16-be", "utf-16", ""),
        ("utf-32", "utf-32", ""),
        ("cp1252", "iso-8859-1", ""),
        ("cp1252", "utf-8", "text/xml; charset=windows-1252"),
        ("cp1252", "no-such-encoding", ""),
        ("cp1252", "", ""),
        ("iso-8859-15", "iso-8859-15", ""),
        ("cp1252", "iso-8859-1", "application/xml; charset=unicode_escape"),
    ],
)
def test_text_is_read_in_the_encoding_that_it_is_written_in(written: str, declared: str, header: str) -> None:
    head = f"<?xml version='1.0' encoding='{declared}'?>" if declared else ""
    assert texts((head + item("<title>één café à 3 €, brûlée</title>")).encode(written), header) == [
        "één café à 3 €, brûlée"
    ]


@pytest.mark.parametrize(
    ("codec", "label", "text"),
    [
        ("cp949", "euc-kr", "카페 소식 똠"),
        ("gb18030", "gb2312", "咖啡馆 镕"),
        ("cp932", "Shift_JIS", "喫茶店①"),
        ("iso2022_jp", "ISO-2022-JP", "喫茶店"),
        ("koi8-r", "koi8-r", "Кафе"),
        ("iso8859-7", "ISO-8859-7", "καφενείο"),
        ("cp1250", "windows-1250", "kavárna žluť"),
    ],
)
@pytest.mark.parametrize("where", ["header", "declaration"])
def test_what_is_labelled_once_is_read_as_labelled(codec: str, label: str, text: str, where: str) -> None:
    head = f'<?xml version="1.0" encoding="{label}"?>' if where == "declaration" else ""
    header = f"text/xml; charset={label}" if where == "header" else "text/xml"
    assert texts((head + item(f"<title>{text}</title>")).encode(codec), header) == [text]


def test_a_few_broken_bytes_don_t_take_the_rest_along() -> None:
    body = item("<title>één café à la crème</title>").encode().replace(b"la", b"l\xff")
    assert texts(body) == ["één café à l\ufffd crème"]


@given(st.binary(max_size=200), st.text(max_size=60))
def test_any_bytes_are_some_text(body: bytes, content_type: str) -> None:
    assert isinstance(feed_bytes.text(body, content_type), str)


# ---------------------------------------------------------------- hostile feeds

SIZE = 1_000_000


def filled(piece: str, size: int = SIZE) -> str:
    return piece * (size // len(piece))


HOSTILE = {
    "an endless author": item(f"<author>{filled('a')}</author>"),
    "an endless date": item(f"<pubDate>{filled('1 ')}</pubDate>"),
    "empty entries": f"<rss><channel>{filled('<item/>')}</channel></rss>",
    "entries within entries": f"<rss><channel>{filled('<item>')}",
    "elements within elements": f"<rss>{filled('<x>')}",
    "tags in a title": item(f"<title>{filled('<b>')}"),
    "many categories": item("".join(f"<category>{n}</category>" for n in range(SIZE // 30))),
    "many authors": item(filled("<author>x</author>")),
    "many contents": item(filled("<description>x</description>")),
    "many links": item(filled("<link rel='enclosure' href='x'/>")),
    "nested divisions": item(f"<description>{filled('&lt;div&gt;')}</description>"),
    "divisions behind strays": item(f"<description>{filled('&lt;/b&gt;&lt;div&gt;')}</description>"),
    "less-than signs": f"<rss>{filled('<')}",
    "unfinished tags": f"<rss>{filled('<a ')}",
    "unfinished attributes": f"<rss>{filled('<a b=')}",
    "ampersands": item(f"<title>{filled('&')}</title>"),
    "sections that are not closed": f"<rss>{filled('<![CDATA[')}",
    "comments that are not closed": filled("<!--"),
    "instructions that are not closed": filled("<?"),
    "a type that is not closed": f"<!DOCTYPE x [{filled('<!-- ')}",
    "quotes in a type": f"<!DOCTYPE x [{filled(chr(34) + chr(39))}",
    "an endless name": f"<{filled('r')}>",
    "an endless attribute": f"<rss {filled('a')}='1'/>",
    "the same attribute": f"<rss {filled('a=1 ')}/>",
    "an endless declaration": f"<?xml {filled('encoding=')}?><rss/>",
    "a page of links": f"<html>{filled('<link ')}",
    "ends of nothing": f"<rss>{filled('</b>')}",
    "nested brackets": '{"version":"https://jsonfeed.org/version/1","items":' + filled("["),
    "empty objects": '{"version":"https://jsonfeed.org/version/1","items":[' + filled("{},") + "{}]}",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_feed_takes_no_longer_than_its_size_allows(body: str) -> None:
    began = time.process_time()
    with suppress(BadPayload):
        parse(body)
    assert time.process_time() - began < 5


def test_a_bomb_of_entities_does_not_grow() -> None:
    nested = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 50}">' for n in range(1, 12))
    flat = f'<!ENTITY big "{"x" * 90}"><!ENTITY huge "{"y" * 100_000}">'
    body = f'<!DOCTYPE r [<!ENTITY e0 "lol">{nested}{flat}]>' + item(
        f"<title>&e11;</title><description>{'&big;' * 100_000}&huge;</description>"
    )
    [text] = texts(body)
    assert text is not None
    assert text.startswith("&e11;")
    assert len(text) <= feed_text.MAX_TEXT


@pytest.mark.parametrize(
    "entity",
    [
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
        '<!ENTITY x PUBLIC "-//X" "http://127.0.0.1:9/">',
        '<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;',
        '<!ENTITY x "&#38;#60;b>">',
    ],
)
def test_nothing_outside_of_the_feed_comes_into_it(entity: str) -> None:
    body = f'<?xml version="1.0"?><!DOCTYPE r SYSTEM "http://127.0.0.1:9/d" [{entity}]>' + item(
        "<title>a &x; z</title>"
    )
    [text] = texts(body)
    assert text is not None
    assert "root:" not in text


def test_a_files_name_is_no_feed(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(item("<title>of a file</title>"))
    for body in (str(path), f"file://{path}", "http://127.0.0.1:9/"):
        with pytest.raises(BadPayload):
            parse(body)


def test_a_document_type_within_the_feed_ends_the_reading() -> None:
    body = item("<title>a</title>").replace(
        "</item>", '</item><!DOCTYPE x [<!ENTITY e "bad">]><item><title>&e;</title></item>'
    )
    assert texts(body)[0] == "a"
    assert "bad" not in str(texts(body))


# ---------------------------------------------------------------- limits, each said


def test_entries_beyond_the_most_are_said_and_not_read() -> None:
    items = "".join(f"<item><guid>{n}</guid></item>" for n in range(feed_document.MAX_ENTRIES + 5))
    parsed = parse(f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>")
    assert len(parsed.heard) == feed_document.MAX_ENTRIES
    assert any("1,000 entries" in reason for reason in parsed.ignored)


def test_a_text_beyond_the_most_is_cut_with_a_problem() -> None:
    parsed = parse(item(f"<title>Long</title><description>{'word ' * 30_000}</description>"))
    [said] = parsed.heard
    assert isinstance(said, Said)
    assert said.text is not None
    assert (len(said.text) <= feed_text.MAX_TEXT, said.text[-1]) == (True, "…")
    assert [(problem.code, problem.path) for problem in parsed.problems] == [("too_long", (0, "text"))]


def test_an_element_that_is_cut_is_said() -> None:
    assert any("longer than we read" in reason for reason in parse(item(f"<title>{'x' * 30_000}</title>")).ignored)


def test_a_hundred_entries_are_read_in_a_fraction_of_a_second() -> None:
    entry = "<item><guid>{n}</guid><title>Titre {n}</title><description>&lt;p&gt;{words}&lt;/p&gt;</description></item>"
    items = "".join(entry.format(n=n, words="Les lanternes du parvis. " * 40) for n in range(100))
    began = time.process_time()
    parsed = parse(f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>")
    assert len(parsed.heard) == 100
    assert time.process_time() - began < 0.5


# ---------------------------------------------------------------- totality

PAYLOADS = [path.read_bytes() for path in sorted((NETWORKS / "feed").glob("*.payload.*"))]


@examples(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(PAYLOADS), st.data())
def test_a_payload_with_anything_changed_is_read_or_said_to_be_unreadable(body: bytes, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        width = data.draw(st.integers(0, 20))
        put = data.draw(
            st.one_of(st.binary(max_size=8), st.sampled_from([b"<", b">", b"&", b"]]>", b"<!--", b"'", b'"']))
        )
        body = body[:at] + put + body[at + width :]
    try:
        parsed = parse(body)
    except BadPayload:
        return
    for fact in parsed.heard:
        assert 0 < len(fact.external_id) <= 1000
        if isinstance(fact, Said):
            assert fact.url is None or fact.url.startswith(("http://", "https://", "HTTP"))


@given(st.text(max_size=400))
def test_any_markup_is_some_text(markup: str) -> None:
    text = feed_text.from_html(markup)
    assert "<script" not in text.lower() or "&lt;" in markup.lower() or "&#" in markup or "&amp" in markup.lower()
    assert text == text.strip()
