"""A feed's bytes as text: what it is really encoded in, whatever its header and its declaration say."""

import codecs
import re

# What declares itself as the label on the left is read as the codec on the right, as browsers do (WHATWG Encoding).
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
}
_SEVEN_BITS = ("iso2022", "hz")  # look like ASCII, so that only the label tells
# Codecs that are no encoding of documents, or take quadratic time.
_NEVER = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf-7", "undefined", "mbcs", "oem", "palmos")

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = (
    (re.compile(rb"\s?<\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0<"), "utf-32-be"),
    (re.compile(rb"<\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0<\0[^\0]"), "utf-16-be"),
)
_HEAD = 2048
_DECLARED = re.compile(rb"""<\?xml\s[^>]{0,200}?encoding\s{0,9}=\s{0,9}["']\s{0,9}([\w.:-]{1,40})""")
_CHARSET = re.compile(r"""charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{1,40})""", re.IGNORECASE)


def text(body: bytes, content_type: str = "") -> str:
    """The body as text; never fails. First that fits: byte order mark, UTF-8, the header's charset, the declaration's.

    UTF-8 comes before what is declared: text in another encoding is hardly ever valid UTF-8, and feeds that are UTF-8
    are often labelled otherwise, by a server's default. The order of the rest is RFC 7303's.
    """
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(codec, "replace")
    for pattern, codec in _UNMARKED:
        if pattern.match(body):
            return body.decode(codec, "replace")
    told = [known for label in _labels(body, content_type) if (known := _codec(label)) is not None]
    if not any(codec.startswith(_SEVEN_BITS) for codec in told):
        told.insert(0, "utf-8")
    for codec in told:
        try:
            return body.decode(codec)
        except UnicodeDecodeError:
            continue
    return body.decode(_least_bad(body, told), "replace")


def _least_bad(body: bytes, told: list[str]) -> str:
    """For bytes that fit nothing that they are labelled as: UTF-8 where more of it is whole than broken."""
    for codec in told:
        if codec != "utf-8":
            return codec
    broken = body.decode("utf-8", "replace").count("\ufffd")
    whole = sum(1 for letter in body.decode("utf-8", "ignore") if letter > "\x7f")
    return "utf-8" if whole > broken else "cp1252"


def _labels(body: bytes, content_type: str) -> list[str]:
    header = _CHARSET.search(content_type[:500])
    declared = _DECLARED.search(body[:_HEAD])
    return [label for label in (header and header[1], declared and declared[1].decode("latin-1")) if label]


def _codec(label: str) -> str | None:
    """Python's name for what a label stands for; None for a label that is unknown or can't be true of these bytes."""
    try:
        found = codecs.lookup(label.strip().lower()).name
        b"".decode(found)
    except LookupError:
        return None
    # Not marked and without the zero bytes of its “<”, it is neither UTF-16 nor UTF-32.
    if found in _NEVER or found.startswith(("utf-16", "utf-32")):
        return None
    return _SUPERSETS.get(found, found)
