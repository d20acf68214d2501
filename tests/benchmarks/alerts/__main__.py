"""`python -m tests.benchmarks.alerts`: the table of docs/alerts.md, from simulated pasts. See --help."""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor

from shared.models.enums import AlertKind, AlertSensitivity
from tests.benchmarks.alerts.measuring import SIZES, STRENGTHS, Measured, measure

REPORTED = 2_000  # the first seed of what is reported; what is tuned takes others
_KINDS = (AlertKind.VOLUME_SPIKE, AlertKind.NEGATIVE_SPIKE, AlertKind.SILENCE)


def main(arguments: Sequence[str]) -> int:
    """Print a table for each kind."""
    told = _read(arguments)
    began = time.monotonic()
    seeds = range(told.seed, told.seed + told.pasts)
    for kind in told.kinds:
        strengths = (0.0,) if kind is AlertKind.SILENCE else STRENGTHS
        jobs = [(size, kind, sensitivity) for sensitivity in told.sensitivities for size in told.sizes]
        with ProcessPoolExecutor(told.jobs) as pool:
            waiting = [pool.submit(measure, *job, list(seeds), told.crises, strengths) for job in jobs]
            _show(kind, (one.result() for one in waiting), strengths)
    print(f"\n{told.pasts} pasts of each size, seeds from {told.seed}, {time.monotonic() - began:.0f} s", flush=True)
    return 0


def _show(kind: AlertKind, lines: Iterable[Measured], strengths: Sequence[float]) -> None:
    print(f"\n### {kind.value}\n")
    heads = ["silence"] if kind is AlertKind.SILENCE else [f"{strength:g} × its mean hour" for strength in strengths]
    print("| mentions a day | sensitivity | false alarms a week | " + " | ".join(heads) + " |")
    print("|---:|---|---:|" + "---:|" * len(strengths), flush=True)
    for line in lines:
        cells = [_cell(*line.delay(strength)) if strength in line.delays else "" for strength in strengths]
        row = [f"{line.size:,}", line.sensitivity.value, f"{line.a_week:.2f}", *cells]
        print(f"| {' | '.join(row)} |", flush=True)


def _cell(delay: float | None, share: float) -> str:
    if delay is None:
        return "not found"
    time_ = f"{delay:.0f} min" if delay < 120 else f"{delay / 60:.1f} h" if delay < 48 * 60 else f"{delay / 1440:.1f} d"
    return time_ if share >= 0.995 else f"{time_} ({share:.0%})"


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.alerts",
        description="How soon alerts speak (the median over injected crises, and the share that is found within a day),"
        " and how often for nothing, over simulated pasts.",
    )
    parser.add_argument("--seed", type=int, default=REPORTED, help=f"first seed of the pasts ({REPORTED})")
    parser.add_argument("--pasts", type=int, default=12, help="pasts of each size, six quiet weeks each (12)")
    parser.add_argument("--crises", type=int, default=4, help="crises in each past, of each strength (4)")
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES), help="mentions a day")
    parser.add_argument("--kinds", type=AlertKind, nargs="*", default=list(_KINDS), help="kinds of rules")
    parser.add_argument(
        "--sensitivities",
        type=AlertSensitivity,
        nargs="*",
        default=list(AlertSensitivity),
        help="how easily they speak",
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side (1)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
