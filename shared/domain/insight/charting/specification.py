"""A chart in the words of Vega-Lite 6: complete in itself, without addresses, so that any renderer draws the same.

Bars reach from the beginning of their bucket to its end, points and names stand in its middle. What one sees of time
is worked out here, in the brand's zone, and not left to the zone and the language of whoever draws.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from shared.domain.insight.charting.lines import SHARES, Line, Panel
from shared.domain.insight.charting.look import ChartMark, Look, Palette
from shared.domain.insight.charting.styling import config
from shared.domain.insight.charting.ticks import Buckets
from shared.domain.insight.charting.words import Words

Json = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
LEAST_PANEL = 40  # pixels of height
_PADDING, _LEFT, _BOTTOM, _HEAD, _NOTE, _NAME, _LEGEND = 14, 44, 22, 28, 14, 22, 20
_A_TICK, _AN_ENTRY, _A_LETTER = 70, 140, 5.6  # pixels of width that a name takes, and a letter of the notes
_MOST_NOTES = 3  # lines
_DOTTED = 45  # buckets, above which points are drawn only where no line leads to them
_PALE = 0.45


def height_of(panels: int) -> int:
    """How high a chart of so many panels is at least."""
    return 2 * _PADDING + _HEAD + _MOST_NOTES * _NOTE + _BOTTOM + panels * (LEAST_PANEL + _NAME + _LEGEND)


def specification(
    panels: Sequence[Panel],
    buckets: Buckets,
    *,
    look: Look,
    palette: Palette,
    words: Words,
    title: str,
    notes: Sequence[str],
) -> Json:
    """The specification. `notes` stand below the title: the time that is shown, and what grey and pale mean."""
    width = look.width - 2 * _PADDING - _LEFT - 4
    names = [line.name for panel in panels for line in panel.lines]
    columns = max(1, round(width // min(_AN_ENTRY, 30 + _A_LETTER * max(map(len, names), default=0))))
    legends = [_rows(panel, columns) for panel in panels]
    subtitle = _wrapped(notes, round((look.width - 2 * _PADDING) / _A_LETTER))
    above = _PADDING + _HEAD + len(subtitle) * _NOTE
    left = look.height - above - _PADDING - _BOTTOM - len(panels) * _NAME - sum(legends) * _LEGEND
    parts = [3 if panel.is_stacked else 2 for panel in panels]
    draw = _Draw(buckets, look, palette, words, width, columns)
    return {
        "$schema": SCHEMA,
        "background": palette.ground,
        "padding": _PADDING,
        "title": {
            "text": title,
            "subtitle": subtitle,
            "frame": "bounds",
            "fontSize": 15,
            "limit": look.width - 2 * _PADDING,
        },
        "spacing": 4,
        "vconcat": [
            draw.panel(panel, max(LEAST_PANEL, left * part // sum(parts)), is_last=n == len(panels) - 1)
            for n, (panel, part) in enumerate(zip(panels, parts, strict=True))
        ],
        "resolve": {"scale": {"color": "independent"}},
        "config": config(palette, words, left=_LEFT),
    }


def _wrapped(notes: Sequence[str], letters: int) -> list[str]:
    """The notes in lines of about so many letters."""
    lines: list[str] = []
    for note in notes:
        if lines and len(lines[-1]) + len(note) + 3 <= letters:
            lines[-1] += f" · {note}"
        else:
            lines.append(note)
    return lines[:_MOST_NOTES]


def _rows(panel: Panel, columns: int) -> int:
    """How many rows of a legend it has."""
    return -(-len(panel.lines) // columns) if _has_legend(panel) else 0


def _has_legend(panel: Panel) -> bool:
    return any(line.name for line in panel.lines)


class _Draw:
    """What all panels of a chart share."""

    def __init__(self, buckets: Buckets, look: Look, palette: Palette, words: Words, width: int, columns: int) -> None:
        self._buckets, self._look, self._palette, self._width = buckets, look, palette, width
        self._columns, self._words = columns, words
        self._edges = [_milliseconds(edge) for edge in buckets.edges]
        self._middles = [(a + b) // 2 for a, b in zip(self._edges, self._edges[1:], strict=False)]
        self._names = buckets.names(words)
        ticks = buckets.ticks(words, max(2, width // _A_TICK))
        self._ticks = {self._middles[n]: said for n, said in ticks.items()}

    def panel(self, panel: Panel, height: int, *, is_last: bool) -> Json:
        mark = self._look.mark if panel.is_stacked else ChartMark.LINE
        layers = [self._bands(panel, mark, is_last=is_last)]
        if panel.is_share:
            layers += self._share(panel)
        if mark is ChartMark.LINE:
            layers += self._lines(panel)
        elif mark is ChartMark.AREA:
            layers.append(self._areas(panel))
        else:
            layers.append(self._bars(panel))
        name = self._words.key(panel.key)
        if panel.left_out:
            name += f" ({len(panel.lines)} {self._words.of} {len(panel.lines) + panel.left_out})"
        return {"title": {"text": name, "frame": "group"}, "width": self._width, "height": height, "layer": layers}

    def _time(self, field: str, *, is_named: bool = False) -> Json:
        return {
            "field": field,
            "type": "temporal",
            "scale": {"type": "utc", "domain": [self._edges[0], self._edges[-1]], "nice": False},
            "title": None,
            "axis": {
                "values": list(self._ticks),
                # Said by us: a renderer would take its own zone, and its own language.
                "labelExpr": f"({json.dumps(self._ticks)})[toString(toNumber(datum.value))]",
                "labels": is_named,
                "grid": False,
            },
        }

    def _amount(self, field: str, panel: Panel) -> Json:
        scale: Json = {"domain": list(SHARES[panel.key])} if panel.is_share else {"nice": True, "zero": True}
        if not panel.is_share and not any(one.value for line in panel.lines for one in line.values):
            scale = {"domain": [0, 1]}
        axis: Json = {"tickCount": 4}
        axis |= (
            {"format": "+.1f" if panel.is_signed else ".1f", "labelExpr": "datum.value === 0 ? '0' : datum.label"}
            if panel.is_share
            else {"format": "~s", "tickMinStep": 1}
        )
        return {"field": field, "type": "quantitative", "title": None, "scale": scale, "axis": axis}

    def _colour(self, panel: Panel) -> Json:
        lines = [line for line in panel.lines if line.name]
        if not lines:
            return {"value": panel.lines[0].colour if panel.lines else self._palette.others}
        return {
            "field": "what",
            "type": "nominal",
            "title": None,
            "scale": {"domain": [line.name for line in lines], "range": [line.colour for line in lines]},
            "sort": None,
            "legend": {"orient": "top", "columns": self._columns, "labelLimit": _AN_ENTRY - 24, "offset": 4},
        }

    def _bands(self, panel: Panel, mark: ChartMark, *, is_last: bool) -> Json:
        """Grey behind what nobody observed; where bars don't say it by being pale, half as grey behind what was partly
        observed. It also holds the axes, which stand where there is nothing else to draw."""
        count = len(self._buckets)
        marks = [1.0 if one else 0.0 for one in panel.unseen(count)]
        if mark is not ChartMark.BAR:
            marks = [max(whole, _PALE * half) for whole, half in zip(marks, panel.partly(count), strict=True)]
        spans = []
        for shade, run in groupby(range(count), key=lambda n: marks[n]):
            found = list(run)
            if shade:
                spans.append({"start": self._edges[found[0]], "end": self._edges[found[-1] + 1], "shade": shade})
        return {
            "data": {"values": spans},
            "mark": {"type": "rect", "fill": self._palette.unseen, "tooltip": None},
            "encoding": {
                "x": self._time("start", is_named=is_last),
                "x2": {"field": "end"},
                "fillOpacity": {"field": "shade", "type": "quantitative", "scale": None, "legend": None},
            },
        }

    def _rows(self, panel: Panel) -> list[list[Json]]:
        """Of each line a row for each bucket."""
        return [[self._row(line, n) for n in range(len(self._buckets))] for line in panel.lines]

    def _row(self, line: Line, n: int) -> Json:
        value = line.values[n]
        row: Json = {"at": self._middles[n], "when": self._names[n], "value": value.value, "whole": value.complete}
        if line.name:
            row["what"] = line.name
        if value.low is not None and value.high is not None:
            row |= {"low": round(value.low, 4), "high": round(value.high, 4)}
        return row

    def _told(self, panel: Panel) -> list[Json]:
        """What a frontend shows of the bucket that is pointed at."""
        format_ = ("+.2f" if panel.is_signed else ".2f") if panel.is_share else ",d"
        told: list[Json] = [{"field": "what", "type": "nominal", "title": " "}] if _has_legend(panel) else []
        value = {"field": "value", "type": "quantitative", "title": self._words.key(panel.key), "format": format_}
        return [*told, {"field": "when", "type": "nominal", "title": self._words.per[self._buckets.interval]}, value]

    def _bars(self, panel: Panel) -> Json:
        rows = [
            {**row, "start": self._edges[n], "end": self._edges[n + 1], "bottom": reach[0], "top": reach[1]}
            for line, reaches in zip(self._rows(panel), panel.stacked(), strict=True)
            for n, (row, reach) in enumerate(zip(line, reaches, strict=True))
            if reach is not None and reach[0] < reach[1]
        ]
        # A hair of the ground between bars that are wide enough for it.
        apart = 1 if self._width / len(self._buckets) >= 4 else 0
        return {
            "data": {"values": rows},
            "mark": {"type": "rect", "stroke": self._palette.ground, "strokeWidth": apart},
            "encoding": {
                "x": self._time("start"),
                "x2": {"field": "end"},
                "y": self._amount("bottom", panel),
                "y2": {"field": "top"},
                "color": self._colour(panel),
                "fillOpacity": {"condition": {"test": "datum.whole", "value": 1}, "value": _PALE},
                "tooltip": self._told(panel),
            },
        }

    def _areas(self, panel: Panel) -> Json:
        rows = [
            {**row, "bottom": reach[0] if reach else None, "top": reach[1] if reach else None}
            for line, reaches in zip(self._rows(panel), panel.stacked(), strict=True)
            for row, reach in zip(line, reaches, strict=True)
        ]
        return {
            "data": {"values": rows},
            "mark": {"type": "area", "fillOpacity": 0.85, "line": False},
            "encoding": {
                "x": self._time("at"),
                "y": self._amount("bottom", panel),
                "y2": {"field": "top"},
                "color": self._colour(panel),
                "tooltip": self._told(panel),
            },
        }

    def _lines(self, panel: Panel) -> list[Json]:
        by_line = self._rows(panel)
        dots = [row for line in by_line for n, row in enumerate(line) if _is_dotted(line, n)]
        shared = {"x": self._time("at"), "y": self._amount("value", panel), "color": self._colour(panel)}
        return [
            {
                "data": {"values": [row for line in by_line for row in line]},
                "mark": {"type": "line", "strokeWidth": 2, "strokeJoin": "round"},
                "encoding": shared,
            },
            {
                "data": {"values": dots},
                "mark": {"type": "point", "filled": True, "size": 26, "opacity": 1},
                "encoding": {**shared, "tooltip": self._told(panel)},
            },
        ]

    def _share(self, panel: Panel) -> list[Json]:
        """A rule at nothing, and between what the share lies."""
        rows = [row for line in self._rows(panel) for row in line]
        alone = [row for line in self._rows(panel) for n, row in enumerate(line) if _is_alone(line, n)]
        reach = {
            "x": self._time("at"),
            "y": self._amount("low", panel),
            "y2": {"field": "high"},
            "color": self._colour(panel),
        }
        return [
            {
                "data": {"values": [{}]},
                "mark": {"type": "rule", "color": self._palette.quiet, "strokeWidth": 1},
                "encoding": {"y": {"datum": 0, "type": "quantitative"}},
            },
            {"data": {"values": rows}, "mark": {"type": "area", "fillOpacity": 0.18, "line": False}, "encoding": reach},
            {"data": {"values": alone}, "mark": {"type": "rule", "strokeWidth": 1, "opacity": 0.5}, "encoding": reach},
        ]


def _is_alone(line: Sequence[Json], n: int) -> bool:
    """Whether it has a value and its neighbours have none: no line leads there."""
    around = [line[m]["value"] for m in (n - 1, n + 1) if 0 <= m < len(line)]
    return line[n]["value"] is not None and all(value is None for value in around)


def _is_dotted(line: Sequence[Json], n: int) -> bool:
    return line[n]["value"] is not None and (len(line) <= _DOTTED or _is_alone(line, n))


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
