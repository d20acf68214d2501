"""The hashtags and searches that a channel follows."""

from collections.abc import Sequence

from shared.contract import Card
from shared.errors import Invalid, Problem

MOST, LONGEST = 50, 200


def checked(card: Card, given: Sequence[str]) -> list[str]:
    """The terms as they are kept: without the blanks around them, each once. Raises Invalid."""
    if given and not card.follows_terms:
        raise Invalid([Problem("not_offered", f"{card.label} follows no terms here", ("terms",))])
    if len(given) > MOST:
        raise Invalid([Problem("too_many", f"a channel follows at most {MOST} terms", ("terms",))])
    kept = [term.strip() for term in given]
    problems = [
        Problem("invalid", f"a term has 1 to {LONGEST} characters", ("terms", index))
        for index, term in enumerate(kept)
        if not 1 <= len(term) <= LONGEST or "\x00" in term
    ]
    if problems:
        raise Invalid(problems)
    return list(dict.fromkeys(kept))
