"""Learning to read texts, and judging how well they are read: `parvis train`, `parvis evaluate`."""

from services.language.commands import evaluate, train

__all__ = ["evaluate", "train"]
