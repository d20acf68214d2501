"""Links that say where their visitors come from: UTM parameters, put on once and never over a person's own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

# What a UTM parameter is called (Google's Campaign URL Builder), by the name that it has in a campaign.
NAMES = {name: f"utm_{name}" for name in ("source", "medium", "campaign", "term", "content")}
NETWORK = "{network}"

_ADDRESS = re.compile(r"https?://[^\s<>\"'«»“”]+")
_AFTER = ".,;:!?)]}…"  # what follows an address in a sentence and is none of it


@dataclass(frozen=True, slots=True)
class Tagging:
    """What links get, and on which hosts; none named: on all. `{network}` in a value is the network's name."""

    tags: Mapping[str, str]
    domains: tuple[str, ...] = ()

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> "Tagging | None":
        """What is kept with a post."""
        return cls(dict(kept["tags"]), tuple(kept["domains"])) if kept and kept["tags"] else None

    def link(self, address: str, network: str) -> str:
        """The address with the tags that it does not have yet."""
        try:
            parts = urlsplit(address)
            host = (parts.hostname or "").lower()
        except ValueError:
            return address
        if not host or (self.domains and not any(host == d or host.endswith(f".{d}") for d in self.domains)):
            return address
        there = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        added = [
            (parameter, self.tags[name].replace(NETWORK, network))
            for name, parameter in NAMES.items()
            if name in self.tags and parameter not in there
        ]
        query = "&".join(filter(None, [parts.query, urlencode(added)]))
        return urlunsplit(parts._replace(query=query))

    def text(self, text: str, network: str) -> str:
        """The text with each address in it tagged."""

        def tagged(found: re.Match[str]) -> str:
            whole = found[0]
            address = whole.rstrip(_AFTER)
            return self.link(address, network) + whole[len(address) :]

        return _ADDRESS.sub(tagged, text)
