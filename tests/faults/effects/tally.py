"""What came of many runs of one scenario, and which invariants do not hold in it."""

from dataclasses import dataclass, field

ONCE = "no effect is live more than once"
THERE = "no effect is lost"
TOLD = "what is told of an effect is so"
REACHED = "the scheduler ends where it was told to"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one effect. `where`: what was done to it, in words; `after`: seconds until it stood still."""

    where: str
    state: str
    copies: int
    after: float
    doubted: bool = False
    by_person: bool = False
    message: str | None = None


@dataclass
class Tally:
    """One row of the table."""

    points: int = 0
    fates: list[Fate] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)  # points at which a scheduler was to end and did not

    @property
    def twice(self) -> int:
        return sum(fate.copies > 1 for fate in self.fates)

    @property
    def lost(self) -> int:
        return sum(fate.copies == 0 for fate in self.fates)

    @property
    def by_itself(self) -> int:
        """How many were in doubt and settled by nobody but us."""
        return sum(fate.doubted and not fate.by_person for fate in self.fates)

    @property
    def by_person(self) -> int:
        return sum(fate.by_person for fate in self.fates)

    @property
    def slowest(self) -> float:
        """The longest that one took to stand still, in seconds; what then waited for a person counts up to there."""
        return max((fate.after for fate in self.fates), default=0.0)

    def breaches(self) -> dict[str, list[str]]:
        """Every invariant that does not hold, with how."""
        found: dict[str, list[str]] = {ONCE: [], THERE: [], TOLD: [], REACHED: self.missed}
        for fate in self.fates:
            words = f"{fate.where}: {fate.copies} live, told {fate.state}" + (
                f" ({fate.message})" if fate.message else ""
            )
            if fate.copies > 1:
                found[ONCE].append(words)
            elif fate.copies == 0:
                found[THERE].append(words)
            if (fate.copies > 0) != (fate.state == "live"):
                found[TOLD].append(words)
        return {name: wrong for name, wrong in found.items() if wrong}
