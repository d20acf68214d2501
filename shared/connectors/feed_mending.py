"""Ill-formed XML made well-formed, as far as it can be meant: in one pass, in time that grows with the text only.

feedparser's own reader of ill-formed feeds takes quadratic time on some hostile ones, and runs inside the worker.
"""

import html
import re
from collections import Counter
from html.entities import html5
from xml.sax.saxutils import escape, quoteattr

from shared.errors import BadPayload

_MAX_DEPTH = 100
_MOST_EXPANDED = 200_000  # characters that a document's own entities may grow to, together
_MOST_ENTITIES = 500

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE = re.compile(r"&(?:#([0-9]{1,8}|[xX][0-9a-fA-F]{1,8});|([A-Za-z][\w.-]{0,60});)?")
_ENTITY = re.compile(r"""<!ENTITY\s+([A-Za-z][\w.-]{0,60})\s+(?:"([^"<>]{0,100})"|'([^'<>]{0,100})')\s*>""")
_DOCTYPE_PIECE = re.compile(r"""["'\[\]>]|<!--""")
_TAG = re.compile(r"""<(/?)([A-Za-z_][\w:.-]*)((?:[^<>"']|"[^"<]*"|'[^'<]*')*)>""")
_STRAYS = re.compile(r"(?:<(?![A-Za-z_/!?]))+")
_ATTRIBUTE = re.compile(r"""(?<![\w:.-])([A-Za-z_][\w:.-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))""")
_XML = frozenset({"lt", "gt", "amp", "quot", "apos"})
_VOID = frozenset({"area", "br", "col", "embed", "hr", "img", "input", "wbr"})
_ENTRIES = frozenset({"entry", "item"})
_LEAVES = frozenset({"author", "category", "comments", "guid", "id", "pubdate", "published", "title", "updated"})


def plain(text: str) -> str:
    """The document from its root element on, without its document type, and with every reference resolved.

    What is left can't declare an entity, so nothing in it can grow. Raises BadPayload where there is no element.
    """
    text = _ILLEGAL.sub("", text)
    start, entities = _prolog(text)
    return _resolved(text[start:], entities)


def _prolog(text: str) -> tuple[int, dict[str, str]]:
    """Where the root element begins, and the short texts that the document type declares entities for."""
    at, entities = 0, {}
    while True:
        at = text.find("<", at)
        if at < 0 or at + 1 == len(text):
            raise BadPayload("there is no feed in it, since there is no element in it")
        if text.startswith("<?", at):
            at = _after(text, "?>", at + 2)
        elif text.startswith("<!--", at):
            at = _after(text, "-->", at + 4)
        elif text[at : at + 9].upper() == "<!DOCTYPE":
            end = _doctype_end(text, at + 9)
            entities.update(_declared(text[at:end]))
            at = end
        elif text[at + 1].isalpha() or text[at + 1] == "_":
            return at, entities
        else:
            at += 1


def _after(text: str, closer: str, at: int) -> int:
    found = text.find(closer, at)
    if found < 0:
        raise BadPayload(f"there is no feed in it: what begins before its first element has no “{closer}”")
    return found + len(closer)


def _doctype_end(text: str, at: int) -> int:
    depth = 0
    while (piece := _DOCTYPE_PIECE.search(text, at)) is not None:
        at = piece.end()
        match piece[0]:
            case '"' | "'":
                at = _after(text, piece[0], at)
            case "<!--":
                at = _after(text, "-->", at)
            case "[":
                depth += 1
            case "]":
                depth = 0
            case _:
                if not depth:
                    return at
    raise BadPayload("its document type is not closed")


def _declared(doctype: str) -> dict[str, str]:
    """Entities that stand for short plain text. Any other is as if not declared: it could grow, or call out."""
    found: dict[str, str] = {}
    for name, double, single in _ENTITY.findall(doctype)[:_MOST_ENTITIES]:
        value = html.unescape(double or single)
        if "&" not in value.replace("&amp;", "") and "%" not in value:
            found.setdefault(name, value)
    return found


def _resolved(text: str, entities: dict[str, str]) -> str:
    """With every reference as XML itself knows it, but inside CDATA, where nothing is a reference."""
    if "&" not in text:
        return text
    left = _MOST_EXPANDED

    def one(found: re.Match[str]) -> str:
        nonlocal left
        number, name = found[1], found[2]
        if number:
            point = int(number[1:], 16) if number[0] in "xX" else int(number)
            legal = (
                point in {9, 10, 13} or 32 <= point < 0xD800 or 0xE000 <= point < 0xFFFE or 0x10000 <= point < 0x110000
            )
            return f"&#{point};" if legal else "\ufffd"
        if not name:
            return "&amp;"
        if name in _XML:
            return found[0]
        if name in entities and len(entities[name]) <= left:
            left -= len(entities[name])
            return escape(entities[name])
        known = html5.get(f"{name};")
        return escape(known) if known is not None else f"&amp;{name};"

    pieces, at = [], 0
    while True:
        begin = text.find("<![CDATA[", at)
        end = text.find("]]>", begin) if begin >= 0 else -1
        if end < 0:
            pieces.append(_REFERENCE.sub(one, text[at:]))
            return "".join(pieces)
        pieces += [_REFERENCE.sub(one, text[at:begin]), text[begin : end + 3]]
        at = end + 3


def _is_letter(point: int) -> bool:
    """Whether XML 1.0 takes this code point (its section 2.2)."""
    if point < 32:
        return point in {9, 10, 13}
    return point < 0xD800 or 0xE000 <= point < 0xFFFE or 0x10000 <= point < 0x110000


class _Open:
    """The elements that are open, by their names as written."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.count: Counter[str] = Counter()

    def open(self, name: str) -> None:
        self.names.append(name)
        self.count[name.lower()] += 1

    def close(self, name: str) -> list[str]:
        """The end tags that end the innermost element of that name and all within; none where none is open."""
        name = name.lower()
        ends = []
        while self.count[name]:
            last = self.names.pop()
            self.count[last.lower()] -= 1
            ends.append(f"</{last}>")
            if last.lower() == name:
                break
        return ends

    def before(self, name: str) -> list[str]:
        """The end tags that a start tag implies: entries don't hold each other, nor do the small elements in them."""
        name = name.lower()
        if name in _ENTRIES and self.count[name]:
            return self.close(name)
        if name in _LEAVES and self.names and self.names[-1].lower() in _LEAVES and self.names[-1].lower() != "author":
            return self.close(self.names[-1])
        return []


def mend(text: str) -> str:
    """What `plain` gave, with every element closed where it must end and every stray “<” written out."""
    opened, pieces, at = _Open(), [], 0
    while at < len(text):
        begin = text.find("<", at)
        if begin < 0:
            pieces.append(_characters(text[at:]))
            break
        pieces.append(_characters(text[at:begin]))
        at, mended = _markup(text, begin, opened)
        pieces += mended
    pieces += [f"</{name}>" for name in reversed(opened.names)]
    return "".join(pieces)


def _markup(text: str, at: int, opened: _Open) -> tuple[int, list[str]]:
    """What begins with the “<” at `at`, mended, and where it ends."""
    for begins, ends, is_text in (("<![CDATA[", "]]>", True), ("<!--", "-->", False), ("<?", "?>", False)):
        if text.startswith(begins, at):
            end = text.find(ends, at)
            end = len(text) if end < 0 else end
            return end + len(ends), [escape(text[at + len(begins) : end])] if is_text else []
    tag = _TAG.match(text, at)
    if tag is None:
        strays = _STRAYS.match(text, at)
        end = strays.end() if strays is not None else at + 1
        return end, ["&lt;" * (end - at)]
    name, rest = tag[2], tag[3]
    if tag[1]:
        return tag.end(), opened.close(name)
    pieces = opened.before(name)
    empty = rest.rstrip().endswith("/") or name.lower() in _VOID
    if len(opened.names) >= _MAX_DEPTH and not empty:
        return tag.end(), pieces
    pieces.append(f"<{name}{_attributes(rest)}{'/' if empty else ''}>")
    if not empty:
        opened.open(name)
    return tag.end(), pieces


def _attributes(rest: str) -> str:
    given: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(rest):
        given.setdefault(name, double or single or bare.rstrip("/"))
    return "".join(f" {name}={quoteattr(html.unescape(value))}" for name, value in given.items())


def _characters(text: str) -> str:
    """Character data. Its references were resolved before, so an ampersand in it begins one."""
    return text.replace("]]>", "]]&gt;")
