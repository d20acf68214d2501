"""The matrix of docs/connectors.md, from cards and specimens: printed, written (`--write`) or compared (`--check`)."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from shared.connectors.registry import CONSENTS
from shared.contract import Capability, Certainty
from shared.models.enums import OutgoingKind
from tests.connectors.conformance.specimen import Specimen
from tests.connectors.specimens import SPECIMENS

PAGE = Path(__file__).parents[2] / "docs" / "connectors.md"
BEGIN, END = "<!-- matrix: begin -->", "<!-- matrix: end -->"
NONE = "–"

_HEARING = {
    "hook": Capability.WEBHOOKS,
    "app's hook": Capability.APP_WEBHOOKS,
    "poll": Capability.POLL,
    "fetch": Capability.FETCH,
    "look again": Capability.RECHECK,
    "backfill": Capability.BACKFILL,
    "search": Capability.SEARCH,
    "counters": Capability.MEASURE,
}
_SPEAKING = {
    "publish": Capability.PUBLISH,
    "look up": Capability.FIND,
    "subscribe": Capability.SUBSCRIBE,
    "identify": Capability.IDENTIFY,
    "renew": Capability.RENEW,
    "self-test": Capability.CHECK,
}
_SETTLED = {Certainty.LOOKED_UP: "L", Certainty.REPEATED: "R", Certainty.ASKED: "A"}


def tables() -> str:
    """What each network can do here and by which evidence, and what it is like."""
    return "\n\n".join(
        [
            _table(["hearing", *_HEARING, "handshake"], lambda it: [*_cells(it, _HEARING), _handshake(it)]),
            _table(["speaking", *_SPEAKING, "consent"], lambda it: [*_cells(it, _SPEAKING), _consent(it)]),
            _table(["effects", *(kind.value.replace("_", " ") for kind in OutgoingKind)], _effects),
            _table(["", "ids", "credentials", "longest text", "hears", "peer", "seen on"], _likeness),
        ]
    )


def _effects(specimen: Specimen) -> list[str]:
    """How the unknown outcome of each kind of effect is settled there; a dash where there is none."""
    effects = specimen.connector.card.effects
    return [_SETTLED[effects[kind]] if kind in effects else NONE for kind in OutgoingKind]


def evidence(specimen: Specimen, capability: Capability) -> str:
    """The letters of what shows that a network can do this here; a dash where it can't."""
    if not specimen.connector.card.can(capability):
        return NONE
    told = {"P": capability in specimen.real, "R": capability in specimen.recorded, "F": not specimen.is_real}
    return " ".join(letter for letter, there in told.items() if there)


def _cells(specimen: Specimen, columns: dict[str, Capability]) -> list[str]:
    return [evidence(specimen, capability) for capability in columns.values()]


def _handshake(specimen: Specimen) -> str:
    return "F" if specimen.pushing is not None and specimen.pushing.handshakes else NONE


def _consent(specimen: Specimen) -> str:
    return "F" if specimen.connector.network in CONSENTS else NONE


def _likeness(specimen: Specimen) -> list[str]:
    card = specimen.connector.card
    needed = [*(["base_url"] if card.needs_base_url else []), *card.credentials_required]
    asked = ", ".join(f"`{name}`" for name in needed)
    optional = ", ".join(f"`{name}`" for name in card.credentials_optional)
    length = specimen.connector.count("")
    return [
        "the network's" if card.shared_ids else "the channel's",
        "; ".join(filter(None, [asked, optional and f"if wanted {optional}"])),
        f"{length.limit:,} {length.unit}" if length.limit is not None else "no limit known",
        " ".join(sorted(kind.value for kind in card.hears)),
        specimen.real_by or NONE,
        specimen.seen_on.isoformat(),
    ]


def _table(head: list[str], cells: Callable[[Specimen], Iterable[str]]) -> str:
    rows = [head, ["---"] * len(head)]
    rows += [[_linked(network.value), *cells(specimen)] for network, specimen in SPECIMENS.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _linked(name: str) -> str:
    return f"[{name}](networks/{name}.md)"


def with_tables(page: str) -> str:
    """The page with the tables as they are now. Raises ValueError where the page has no place for them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for the matrix: it stands between {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


def main(arguments: list[str], page: Path = PAGE) -> int:
    """Print, write or compare; 1 where the page is not up to date."""
    if not arguments:
        print(tables())
        return 0
    found = page.read_text("utf-8")
    wanted = with_tables(found)
    if arguments == ["--write"]:
        page.write_text(wanted, "utf-8")
        return 0
    if arguments != ["--check"]:
        print("say --write, --check or nothing", file=sys.stderr)
        return 2
    if found != wanted:
        print(f"{page.name}: the matrix is not up to date: run `make schemas`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
