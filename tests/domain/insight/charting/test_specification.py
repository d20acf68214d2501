"""What is drawn of figures."""

import json

import pytest

from shared.domain.insight.charting.look import PALETTES, ChartMark, ChartTheme, Look
from shared.models.enums import Dimension, MetricKey
from tests.domain.insight.charting.drawn import MIDNIGHT, drawn, layers, panels, series

A_DAY = 24 * 3600 * 1000
FIRST = round(MIDNIGHT.timestamp() * 1000)
BY = Dimension.LANGUAGE


def test_a_bar_reaches_from_the_beginning_of_its_bucket_to_its_end() -> None:
    (_, second) = layers(drawn(series([1, 3])))["rect"]
    assert (second["start"], second["end"], second["bottom"], second["top"]) == (FIRST + A_DAY, FIRST + 2 * A_DAY, 0, 3)


def test_bars_stand_upon_each_other_the_greatest_below() -> None:
    rows = layers(drawn(series([2], of=(BY, "nl")), series([5], of=(BY, "fr"))))["rect"]
    assert [(row["what"], row["bottom"], row["top"]) for row in rows] == [("French", 0, 5), ("Dutch", 5, 7)]


def test_what_nobody_observed_is_a_grey_gap_and_no_zero() -> None:
    found = layers(drawn(series([1, None, None, 0])))
    assert found["bands"] == [{"start": FIRST + A_DAY, "end": FIRST + 3 * A_DAY, "shade": 1.0}]
    assert [row["value"] for row in found["rect"]] == [1]


def test_a_line_breaks_where_nobody_observed() -> None:
    found = layers(drawn(series([1, None, 0]), look=Look(mark=ChartMark.LINE)))
    assert [row["value"] for row in found["line"]] == [1, None, 0]


def test_what_was_observed_in_part_is_pale() -> None:
    chart = drawn(series([1, 2], partly=frozenset({1})))
    assert [row["whole"] for row in layers(chart)["rect"]] == [True, False]
    opacity = chart["vconcat"][0]["layer"][1]["encoding"]["fillOpacity"]
    assert opacity["condition"] == {"test": "datum.whole", "value": 1}
    assert opacity["value"] < 1


def test_behind_a_line_what_was_observed_in_part_is_shaded() -> None:
    (band,) = layers(drawn(series([1, 2], partly=frozenset({1})), look=Look(mark=ChartMark.LINE)))["bands"]
    assert (band["start"], 0 < band["shade"] < 1) == (FIRST + A_DAY, True)


def test_a_share_lies_in_its_interval_and_is_missing_without_a_band() -> None:
    found = layers(drawn(series([0.5, None], key=MetricKey.NET_SENTIMENT, partly=frozenset())))
    assert [(row.get("low"), row.get("high")) for row in found["area"]] == [(-1, 1), (None, None)]
    assert all(band["shade"] < 1 for band in found["bands"])


def test_the_smallest_lines_are_one_where_they_add_up() -> None:
    many = [series([float(20 - n)], of=(BY, f"x{n:02}")) for n in range(11)]
    (panel,) = panels(*many)
    assert [line.name for line in panel.lines][-2:] == ["x07", "Others"]
    assert panel.lines[-1].values[0].value == 12 + 11 + 10


def test_what_does_not_add_up_is_left_out_and_said() -> None:
    many = [series([float(20 - n)], key=MetricKey.AUTHORS, of=(BY, f"x{n:02}")) for n in range(11)]
    assert drawn(*many)["vconcat"][0]["title"]["text"] == "Authors (8 of 11)"


def test_a_line_has_the_same_colour_in_each_drawing() -> None:
    found = panels(
        series([1], of=(BY, "fr")), series([9], of=(BY, "nl")),
        series([9], key=MetricKey.AUTHORS, of=(BY, "fr")), series([1], key=MetricKey.AUTHORS, of=(BY, "nl")),
    )  # fmt: skip
    first, second = [{line.name: line.colour for line in panel.lines} for panel in found]
    assert first == second


def test_moods_have_colours_of_their_own() -> None:
    by = Dimension.SENTIMENT
    (panel,) = panels(series([1], of=(by, None)), series([9], of=(by, "positive")), series([2], of=(by, "negative")))
    palette = PALETTES[ChartTheme.LIGHT]
    assert [(line.name, line.colour) for line in panel.lines] == [
        ("Negative", palette.negative), ("Positive", palette.positive), ("Not read", palette.unread),
    ]  # fmt: skip


def test_a_chart_without_anything_still_has_its_axes() -> None:
    chart = drawn(series([None, None]))
    encoding = chart["vconcat"][0]["layer"][0]["encoding"]
    assert encoding["x"]["scale"]["domain"] == [FIRST, FIRST + 2 * A_DAY]
    assert layers(chart)["rect"] == []


@pytest.mark.parametrize("mark", list(ChartMark), ids=[one.value for one in ChartMark])
def test_a_specification_names_no_address_but_its_language(mark: ChartMark) -> None:
    chart = drawn(series([1, 2]), look=Look(mark=mark))
    assert json.dumps(chart).count("://") == 1
    assert "://" in chart["$schema"]


def test_the_colours_of_series_are_told_apart_from_the_ground() -> None:
    for palette in PALETTES.values():
        for colour in (*palette.series, palette.positive, palette.negative):
            assert _contrast(colour, palette.ground) >= 2.2, colour


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_names_of_days_stand_in_the_middle_of_their_buckets() -> None:
    axis = drawn(series([1, 2]))["vconcat"][0]["layer"][0]["encoding"]["x"]["axis"]
    assert axis["values"] == [FIRST + A_DAY // 2, FIRST + A_DAY + A_DAY // 2]
    assert '"2 Nov"' in axis["labelExpr"]
