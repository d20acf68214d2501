"""Verdicts as a table for people."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Line

from services.language.judging import Verdict


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _mixed(verdict: Verdict) -> str:
    """The confusion in one line: what was true, and what was said instead."""
    if verdict.task == "intent":
        return "  ".join(
            f"{name}: {right} right, {false} false, {missed} missed"
            for name, (right, false, missed) in zip(verdict.classes, verdict.confusion, strict=True)
        )
    return "  ".join(
        f"{name} → " + " ".join(str(count) for count in row)
        for name, row in zip(verdict.classes, verdict.confusion, strict=True)
    )


def table(verdicts: Sequence[Verdict]) -> RenderableType:
    """The figures of all files, and below what was taken for what."""
    figures = Table("file", "tier", "task", "", "texts", "classes", "accuracy", "macro-F1", "calibration error",
                    "by chance", "F1 of each", "AUC", "language, 4 words", "all", "texts/s")  # fmt: skip
    mixed = Table("file", "tier", "true → said")
    for one in verdicts:
        figures.add_row(
            one.file,
            one.tier,
            one.task,
            one.language,
            str(one.texts),
            str(len(one.classes) or ""),
            _number(one.accuracy),
            _number(one.f1),
            _number(one.error),
            _number(one.error_by_chance),
            " ".join(f"{name[:4]} {value:.0f}" for name, value in one.each.items()),
            " ".join(f"{name[:4]} {value:.0f}" for name, value in one.auc.items()),
            _number(one.language_accuracy),
            _number(one.language_accuracy_of_all),
            f"{one.texts_a_second:,.0f}",
        )
        if one.confusion:
            mixed.add_row(one.file, one.tier, _mixed(one))
    if not mixed.row_count:
        return figures
    return Group(figures, Line("What was taken for what (columns in the order of the rows):"), mixed)
