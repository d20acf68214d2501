"""What all charts of a theme and a language share, as Vega-Lite takes it."""

from typing import Any

from shared.domain.insight.charting.look import Palette
from shared.domain.insight.charting.words import Words

# The first is built into what draws here, so a picture is the same on a machine without fonts.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"


def config(palette: Palette, words: Words, *, left: int) -> dict[str, Any]:
    """Vega-Lite's `config`; amounts have `left` pixels for their labels."""
    said = {"labelColor": palette.quiet, "titleColor": palette.ink, "labelFontSize": 11}
    return {
        "font": FONT,
        "aria": False,  # the picture has one description; thousands of marks that are read out help nobody
        "locale": {
            "number": {
                "decimal": words.decimal,
                "thousands": words.thousands,
                "grouping": [3],
                "currency": ["", ""],
                "minus": "\N{MINUS SIGN}",
            }
        },
        "view": {"stroke": None},
        "title": {
            "anchor": "start", "color": palette.ink, "fontSize": 12, "fontWeight": 600,
            "subtitleColor": palette.quiet, "subtitleFontSize": 11, "subtitlePadding": 4, "offset": 6,
        },
        "axis": {**said, "gridColor": palette.grid, "domainColor": palette.grid, "tickColor": palette.grid},
        "axisX": {"labelPadding": 4, "labelOverlap": "greedy", "ticks": False},
        "axisY": {"minExtent": left, "maxExtent": left, "domain": False, "ticks": False, "labelPadding": 6},
        "legend": {**said, "symbolType": "square", "symbolSize": 90, "columnPadding": 12},
    }  # fmt: skip
