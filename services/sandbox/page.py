"""The pages of this network: plain HTML and CSS, no JavaScript. Every outside word is escaped."""

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from pathlib import Path
from urllib.parse import quote

from services.sandbox.things import Author, Post

_CSS = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")

_EFFECTS = (
    ("429, 500, rate_limited", "Nothing is done; that status. As an object, with status and retry_after."),
    ("expired_token", "Nothing is done; 401."),
    ("timeout", "Done, then no answer for 60 s, or for seconds. With done: false, not done either."),
    ("created_then_400, created_then_500", "Done, and denied."),
    ("reset", "Done, then the connection is cut. With done: false, cut before anything."),
    ("show_late", "Done and answered, but looked up, logged and pushed only after 5 s, or after seconds."),
    ("away", "503 to everything that matches for 5 s, or for seconds; with how: reset or refused, not even that."),
    ("twice", "Done and answered; the webhook is delivered twice."),
)
_EXAMPLE = """curl -X POST {base}/api/faults -H 'content-type: application/json' \\
  -d '{{"match": {{"method": "POST", "path": "/api/v1/posts"}}, "effect": "created_then_500", "count": 1}}'"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every page shows around its middle: the pages there are, the clock, the faults that wait."""

    pages: Sequence[Author]
    now: datetime
    clock_moved: bool
    faults: int
    base_url: str


@dataclass(frozen=True, slots=True)
class Talk:
    """Posts to show as trees, newest root first, and the last words of those that are deleted."""

    posts: Sequence[Post]
    last_words: Mapping[str, str] = field(default_factory=dict)


def home(around: Surroundings, talk: Talk) -> str:
    """What was said lately, everywhere, and how to make this network lie."""
    middle = f"<h1>What is being said</h1>{_form(None)}{_trees(talk, show_page=True)}{_lies(around)}"
    return document("The practice network", middle, around, None)


def account(around: Surroundings, owner: Author, talk: Talk, blocked_on: Sequence[Author] = ()) -> str:
    """Everything on a page, or everything that a person said, and which pages blocked them."""
    form = _form(owner.handle) if owner.kind == "page" else ""
    title = f"<h1>{face(owner)}{escape(owner.name)}</h1>" if owner.kind == "page" else _person(owner, blocked_on)
    middle = f"{title}{form}{_trees(talk, show_page=owner.kind == 'person')}"
    return document(owner.name, middle, around, owner.handle)


def thread(around: Surroundings, talk: Talk) -> str:
    """One post with everything below it."""
    root = talk.posts[0]
    above = f'<p><a href="/posts/{escape(root.parent_id)}">↑ What this answers</a></p>' if root.parent_id else ""
    return document(f"{root.author.name} on {root.account}", above + _trees(talk, show_page=True), around, root.account)


def refusal(around: Surroundings, message: str) -> str:
    """A plain sentence about what went wrong, with the way back."""
    middle = f'<h1>That did not work</h1><p class="note">{escape(message)}</p><p><a href="/">To the start</a></p>'
    return document("That did not work", middle, around, None)


# ---------------------------------------------------------------- the frame


def document(title: str, middle: str, around: Surroundings, current: str | None) -> str:
    """A whole page around its middle; `current` is the page that its menu stands on."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_CSS}</style></head><body>"
        '<header><div><strong><a href="/">The practice network</a></strong>'
        "<span>A small social network to practise on. Nobody here is real.</span></div></header>"
        f'<div class="columns">{_nav(around, current)}<main>{_notes(around)}{middle}</main></div></body></html>'
    )


def _nav(around: Surroundings, current: str | None) -> str:
    items = "".join(
        f'<li><a href="/pages/{_path(page.handle)}"{_mark(page.handle == current)}>'
        f"{face(page)}<span>{escape(page.name)}</span></a></li>"
        for page in around.pages
    )
    clock = f"{around.now:%d %b %Y, %H:%M} UTC"
    return (
        f"<nav><h2>Pages</h2><ul>{items or '<li class=soft>None yet</li>'}</ul>"
        f'<h2>Clock</h2><p class="soft">{clock}{"<br>moved" if around.clock_moved else ""}</p></nav>'
    )


def _mark(current: bool) -> str:
    return ' aria-current="page"' if current else ""


def _notes(around: Surroundings) -> str:
    if not around.faults:
        return ""
    verb = "fault waits" if around.faults == 1 else "faults wait"
    return f'<p class="note">{around.faults} {verb} for matching requests: this network is about to lie.</p>'


def _person(owner: Author, blocked_on: Sequence[Author]) -> str:
    pages = ", ".join(escape(page.name) for page in blocked_on)
    note = f'<p class="note">Blocked by {pages}</p>' if pages else ""
    return f"<h1>{escape(owner.name)} <span class=soft>@{escape(owner.handle)}</span></h1>{note}"


def face(author: Author) -> str:
    """A coloured letter instead of a picture."""
    hue = zlib.crc32(author.handle.encode()) % 360
    shape = "page face" if author.kind == "page" else "face"
    letter = escape(author.name[:1].upper())
    return f'<span class="{shape}" style="background: hsl({hue} 45% 42%)" aria-hidden="true">{letter}</span>'


def _path(handle: str) -> str:
    return escape(quote(handle, safe=""))


# ---------------------------------------------------------------- what was said


def _trees(talk: Talk, *, show_page: bool) -> str:
    known = {post.id for post in talk.posts}
    below: dict[str, list[Post]] = defaultdict(list)
    roots: list[Post] = []
    for post in talk.posts:
        if post.parent_id in known:
            below[post.parent_id or ""].append(post)
        else:
            roots.append(post)
    if not roots:
        return '<p class="card soft">Nothing has been said here yet.</p>'
    return "".join(f'<article class="card">{_said(root, below, talk, show_page)}</article>' for root in roots)


def _said(root: Post, below: Mapping[str, Sequence[Post]], talk: Talk, show_page: bool) -> str:
    # Walked with a stack of its own: a thread may be deeper than Python's.
    pieces: list[str] = []
    stack: list[Post | str] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            pieces.append(item)
            continue
        answers = sorted(below.get(item.id, ()), key=lambda post: post.published_at, reverse=True)
        pieces.append(_one(item, talk, show_page and item is root))
        if answers:
            stack.extend(["</div>", *answers])
            pieces.append('<div class="below">')
    return "".join(pieces)


def _one(post: Post, talk: Talk, show_page: bool) -> str:
    text = escape(talk.last_words.get(post.id, "") if post.deleted else post.text or "")
    words = f"<del>{text or '(no words)'}</del>" if post.deleted else text
    stars = f'<span class="stars" title="{post.rating:g} of 5">{_stars(post.rating)}</span>' if post.rating else ""
    media = "".join(
        f'<div class="soft">{escape(item.kind)}: {escape(item.alt or item.url)}</div>' for item in post.media
    )
    return (
        f'<div class="said" id="{post.id}">{face(post.author)}'
        f'<div><div class="who">{_who(post, show_page)}{stars}</div>'
        f"<p>{words}</p>{media}{_deeds(post)}</div></div>"
    )


def _stars(rating: float) -> str:
    full = min(5, round(rating))
    return "★" * full + "☆" * (5 - full)


def _who(post: Post, show_page: bool) -> str:
    own = post.author.handle == post.account
    place = "pages" if post.author.kind == "page" else "people"
    parts = [f'<b><a href="/{place}/{_path(post.author.handle)}">{escape(post.author.name)}</a></b>']
    if show_page and not own:
        parts.append(f'<span class="soft">on <a href="/pages/{_path(post.account)}">{escape(post.account)}</a></span>')
    parts.append('<span class="tag own">the page</span>' if own else "")
    parts.append('<span class="tag private">private message</span>' if post.visibility == "private" else "")
    parts.append('<span class="tag private">hidden by the page</span>' if post.hidden else "")
    parts.append(f'<span class="tag">for {post.audience}</span>' if post.audience != "everyone" else "")
    parts.append(f'<span class="tag">{post.kind}</span>' if post.kind in {"review", "story", "article"} else "")
    edited = f" · edited {post.edited_at:%H:%M}" if post.edited_at else ""
    gone = f" · deleted {post.deleted_at:%H:%M}" if post.deleted_at else ""
    when = f"{post.published_at:%d %b %Y, %H:%M}"
    parts.append(f'<a class="soft" href="/posts/{post.id}">{when}{edited}{gone}</a>')
    return "".join(parts)


def _deeds(post: Post) -> str:
    likes, replies = post.counters.likes, post.counters.replies
    figures = f"<span>♥ {likes}</span><span>{replies} {'answer' if replies == 1 else 'answers'}</span>"
    if post.deleted:
        return f'<div class="deeds">{figures}</div>'
    return (
        f'<div class="deeds">{figures}'
        f'<form method="post" action="/posts/{post.id}/like"><button>Like as a visitor</button></form>'
        f'<form method="post" action="/posts/{post.id}/delete"><button>Delete</button></form>{_hiding(post)}'
        f"<details><summary>Answer</summary>{_answer(post)}</details>"
        f"<details><summary>Edit</summary>{_rewrite(post)}</details></div>"
    )


def _hiding(post: Post) -> str:
    if post.author.handle == post.account:
        return ""
    verb, name = ("show", "Show again") if post.hidden else ("hide", "Hide as the page")
    return f'<form method="post" action="/posts/{post.id}/{verb}"><button>{name}</button></form>'


# ---------------------------------------------------------------- forms


def _answer(post: Post) -> str:
    return (
        '<form class="say" method="post" action="/say">'
        f'<input type="hidden" name="account" value="{escape(post.account)}">'
        f'<input type="hidden" name="parent_id" value="{post.id}">'
        '<label>As <input name="as" required maxlength="200" placeholder="lea"></label>'
        '<label>Words <textarea name="text" rows="2" required></textarea></label><button>Answer</button></form>'
    )


def _rewrite(post: Post) -> str:
    return (
        f'<form class="say" method="post" action="/posts/{post.id}/edit"><label>Words '
        f'<textarea name="text" rows="3" required>\n{escape(post.text or "")}</textarea></label>'
        "<button>Save</button></form>"
    )


def _form(page: str | None) -> str:
    where = (
        f'<input type="hidden" name="account" value="{escape(page)}">'
        if page is not None
        else '<label>On the page <input name="account" required maxlength="200" placeholder="cafe-parvis"></label>'
    )
    kinds = "".join(
        f'<option value="{value}">{name}</option>'
        for value, name in (("", "Post"), ("message", "Private message"), ("review", "Review"), ("story", "Story"))
    )
    ratings = '<option value="">none</option>' + "".join(f"<option>{n}</option>" for n in range(1, 6))
    return (
        f'<form class="say card" method="post" action="/say"><div class="fields">{where}'
        '<label>As <input name="as" required maxlength="200" placeholder="lea"></label>'
        f'<label>Kind <select name="kind">{kinds}</select></label>'
        f'<label>Stars, for a review <select name="rating">{ratings}</select></label></div>'
        '<label>Words <textarea name="text" rows="3"></textarea></label><button>Say it</button></form>'
    )


def _lies(around: Surroundings) -> str:
    rows = "".join(f"<tr><td><code>{escape(name)}</code></td><td>{escape(what)}</td></tr>" for name, what in _EFFECTS)
    example = escape(_EXAMPLE.format(base=around.base_url))
    return (
        '<section class="card"><h2>Lies on demand</h2><p class="soft">The next requests '
        f"that match are answered falsely, then honesty returns.</p><pre>{example}</pre><table>{rows}</table></section>"
    )
