"""Queries and texts that hypothesis makes: of few words, so that they meet."""

from hypothesis import strategies as st

from shared.analysis.queries.subject import Subject

WORDS = (
    "bier", "Bière", "café", "dunes", "Müller", "Mueller", "muller", "straße", "strasse", "eau", "l'eau", "can",
    "can't", "porte", "monnaie", "porte-monnaie", "5G", "ijs", "ĳs", "🔥", "👍🏽", "ete\u0301", "été", "OEUVRE",
    "œuvre", "or",
)  # fmt: skip
WILD = ("bier*", "*dunes", "?dunes", "d?nes", "ca*", "*ll*", "m?ller", "po*ie", "#caf*", "str*")
TAGS = ("#dunes", "#CafeDunes", "#été", "#Müller", "#cafe_dunes")
HANDLES = ("@dunes", "@cafe_dunes", "@dunes@social.be", "@cafe.dunes")
FIELDS = (
    "lang:fr", "lang:nl,und", "network:mastodon", "author:dunes", "author:jan*", 'author:"Jan P"', "site:lesoir.be",
    "kind:review", "sentiment:negative", "intent:question,praise", "reach>1000", "reach<=5", "url:dunes", "url:be/a",
)  # fmt: skip
_SEPARATORS = (" ", "  ", ", ", ". ", "-", "_", "\n", "\u200b", "'", "’", "/", "", " . ", "\u00a0", "!")
_PLACES = ("https://dunes.be/a", "www.lesoir.be", "dunes.be", "info@dunes.be", "Bierzelt", "#", "@", "\u00ad", "™")

terms = st.sampled_from(WORDS + WILD + TAGS + HANDLES)
phrases = st.lists(terms, min_size=1, max_size=3).map(lambda words: '"' + " ".join(words) + '"')
operands = st.one_of(terms, phrases, st.lists(terms, min_size=1, max_size=3).map(lambda t: f"({' OR '.join(t)})"))
nears = st.tuples(operands, st.integers(1, 4), operands).map(lambda p: f"{p[0]} NEAR/{p[1]} {p[2]}")
_leaves = st.one_of(terms, phrases, st.sampled_from(FIELDS), nears)


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, st.sampled_from((" ", " AND ", " OR ")), inner).map("".join)
    return st.one_of(two.map(lambda q: f"({q})"), two, inner.map(lambda q: f"NOT ({q})"), inner.map(lambda q: f"({q})"))


# Some are refused, for nothing in them is positive.
queries = st.recursive(_leaves, _joined, max_leaves=8)

_pieces = st.sampled_from(WORDS + TAGS + HANDLES + _PLACES + ("bierzelt", "koffie", "cafedunes"))
texts = st.lists(st.tuples(_pieces, st.sampled_from(_SEPARATORS)).map("".join), max_size=12).map("".join)
subjects = st.builds(
    Subject,
    text=texts,
    language=st.sampled_from([None, "fr", "fr-BE", "nl", "und"]),
    network=st.sampled_from([None, "mastodon", "feed"]),
    author_handle=st.sampled_from([None, "dunes", "Dunes@social.be", "jan"]),
    author_name=st.sampled_from([None, "Jan  P", "Janneke"]),
    url=st.sampled_from([None, "https://www.lesoir.be/a", "https://dunes.be", "https://["]),
    kind=st.sampled_from([None, "review", "post"]),
    sentiment=st.sampled_from([None, "negative", "neutral"]),
    intents=st.sampled_from([None, (), ("question",), ("praise", "thanks")]),
    reach=st.sampled_from([None, 0, 5, 1000, 1001]),
)
