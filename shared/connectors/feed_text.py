"""What people wrote in a feed, as plain text: sanitised first, then with its paragraphs and lines kept."""

import html
import re
from collections import Counter

import nh3

MAX_TEXT = 100_000  # characters

_PARAGRAPHS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "dl", "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6"),
        *("header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "ul"),
    }
)
_LINES = frozenset({"br", "dd", "div", "dt", "figcaption", "li", "td", "th", "tr"})
_NO_PROSE = frozenset({"audio", "iframe", "math", "noscript", "object", "script", "style", "svg", "template", "video"})

_MAX_DEPTH = 100
# Elements that hold nothing, or that end where the next one begins.
_FLAT = frozenset(
    {
        *(
            "area",
            "br",
            "col",
            "dd",
            "dt",
            "embed",
            "hr",
            "img",
            "input",
            "li",
            "link",
            "meta",
            "option",
            "p",
            "source",
        ),
        *("tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr"),
    }
)

_TAG = re.compile(r"<(/?)([a-z0-9]+)[^<>]*>")
_END_OF_BREAK = re.compile(r"</br\s{0,9}>", re.IGNORECASE)  # XHTML's, which HTML takes for another break
_TELLING_TAG = re.compile(
    r"</?(?:a|abbr|b|br|code|div|em|font|h[1-6]|i|iframe|img|li|p|q|s|script|small|span|strong|style|sub|sup|svg|u|ul)"
    r"(?:\s[^<>]*|/)?>",
    re.IGNORECASE,
)
_ANY_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})[^<>]*>")
_SPACES = re.compile(r"\s+")
_AROUND_BREAKS = re.compile(r" ?(\n+) ?")
_MARKUP = re.compile(r"<[A-Za-z!/]|&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{1,40});")


def from_html(markup: str) -> str:
    """The words of some HTML; scripts, styles and what is embedded say nothing. Never fails, whatever the markup."""
    if _MARKUP.search(markup) is None:
        return tidy(markup)
    markup = _END_OF_BREAK.sub("", markup)
    if _depth(markup) > _MAX_DEPTH:
        return tidy(html.unescape(_ANY_TAG.sub(" ", markup)))
    whole = nh3.clean(
        markup, tags=set(_PARAGRAPHS | _LINES), clean_content_tags=set(_NO_PROSE), attributes={}, link_rel=None
    )
    return tidy(html.unescape(_TAG.sub(_break, _SPACES.sub(" ", whole))))


def from_either(text: str) -> str:
    """The words of what may be plain or HTML, since RSS does not say which: HTML where a usual tag stands in it."""
    return from_html(text) if _TELLING_TAG.search(text) is not None else tidy(text)


def _depth(markup: str) -> int:
    """How deeply the tags hold each other at the most. HTML's rules take time that grows with the square of it."""
    opened: Counter[str] = Counter()
    depth = most = 0
    for tag in _ANY_TAG.finditer(markup):
        name = tag[2].lower()
        if name in _FLAT or (tag[1] and not opened[name]):
            continue
        step = -1 if tag[1] else 1
        opened[name] += step
        depth += step
        most = max(most, depth)
    return most


def _break(tag: re.Match[str]) -> str:
    if tag[2] in _PARAGRAPHS:
        return "\n\n"
    if tag[2] == "li":
        return "" if tag[1] else "\n- "
    return "\n" if tag[2] in _LINES else ""


def tidy(text: str) -> str:
    """Lines without spaces at their ends, and never more than one empty line."""
    text = text.replace("\xa0", " ").replace("\r\n", "\n")
    text = _AROUND_BREAKS.sub(lambda found: "\n\n" if len(found[1]) > 1 else "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def joined(title: str, prose: str) -> tuple[str | None, bool]:
    """An article's text, and whether it had to be cut: its title, an empty line, and what it says beyond that."""
    title = _SPACES.sub(" ", title).strip()
    if prose.startswith(title):
        title = ""
    whole = "\n\n".join(part for part in (title, prose) if part)
    if len(whole) <= MAX_TEXT:
        return whole or None, False
    return whole[: MAX_TEXT - 1].rstrip() + "…", True
