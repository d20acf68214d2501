"""What is drawn, and how it looks."""

from dataclasses import dataclass
from enum import StrEnum

from shared.errors import Invalid, Problem

WIDTHS, HEIGHTS = (240, 1600), (160, 1200)  # pixels
TITLE_MOST = 200


class ChartName(StrEnum):
    """What a chart shows: mentions over time, moods and their balance, or any figures one below another."""

    VOLUME = "volume"
    SENTIMENT = "sentiment"
    SERIES = "series"


class ChartMark(StrEnum):
    """How counts are drawn; what can't be stacked is drawn as lines all the same."""

    BAR = "bar"
    LINE = "line"
    AREA = "area"


class ChartTheme(StrEnum):
    LIGHT = "light"
    DARK = "dark"


class ChartLanguage(StrEnum):
    """The language of a chart's own words."""

    FR = "fr"
    NL = "nl"
    DE = "de"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart looks: `width` and `height` of the whole of it, in pixels. Raises Invalid out of bounds."""

    theme: ChartTheme = ChartTheme.LIGHT
    language: ChartLanguage = ChartLanguage.EN
    mark: ChartMark = ChartMark.BAR
    width: int = 800
    height: int = 400
    title: str | None = None  # instead of the chart's own

    def __post_init__(self) -> None:
        problems = [
            Problem("out_of_range", f"{name} is {least} to {most} pixels, not {given}", (name,))
            for name, given, (least, most) in (("width", self.width, WIDTHS), ("height", self.height, HEIGHTS))
            if not least <= given <= most
        ]
        if self.title is not None and len(self.title) > TITLE_MOST:
            problems.append(Problem("too_long", f"a title has at most {TITLE_MOST} characters", ("title",)))
        if problems:
            raise Invalid(problems)


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a theme. Those of series are told apart by people who see few colours, and in grey by their order
    (after Okabe and Ito, "Color Universal Design", 2008)."""

    ground: str
    ink: str
    quiet: str
    grid: str
    unseen: str  # behind time that nobody observed
    series: tuple[str, ...]
    others: str
    positive: str
    neutral: str
    negative: str
    unread: str


PALETTES = {
    ChartTheme.LIGHT: Palette(
        ground="#ffffff", ink="#1d2a26", quiet="#5f6d67", grid="#e6e2d8", unseen="#ece8df",
        series=("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#5b4aa0", "#8a7d00"),
        others="#8f9692", positive="#0072b2", neutral="#b4bab7", negative="#d55e00", unread="#dfe2e0",
    ),
    ChartTheme.DARK: Palette(
        ground="#1b2421", ink="#e8ebe6", quiet="#9aa8a1", grid="#2d3934", unseen="#26302c",
        series=("#56b4e9", "#e69f00", "#2fbf94", "#d795b9", "#3d8fc9", "#ea7a35", "#a99cf0", "#cfc04a"),
        others="#7f8a85", positive="#56b4e9", neutral="#7f8a85", negative="#ea7a35", unread="#46524d",
    ),
}  # fmt: skip
