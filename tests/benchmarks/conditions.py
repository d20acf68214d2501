"""Under what a measurement was taken: the machine, what ran on it beside, and the versions of everything."""

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from services.local import postgres, valkey
from tests.benchmarks.measuring import Plan

_PACKAGES = ("uvicorn", "uvloop", "httptools", "asyncpg", "fastapi", "sqlmodel", "strawberry-graphql", "arq")


@dataclass(frozen=True, slots=True)
class Conditions:
    """Where, when and how a benchmark ran. `load` is the machine's load average of a minute just before it began."""

    taken_at: datetime
    system: str
    processor: str
    cores: int
    memory_gb: float
    versions: Mapping[str, str]
    rounds: int
    short: bool
    seed: int
    load: float

    @property
    def machine(self) -> str:
        return f"{self.cores} cores of {self.processor}, {self.memory_gb:.0f} GB, {self.system}"


def conditions(plan: Plan) -> Conditions:
    """Those of this moment."""
    return Conditions(
        taken_at=datetime.now(UTC),
        system=f"{platform.system()} {platform.release().partition('-')[0]}",
        processor=_processor(),
        cores=os.cpu_count() or 1,  # not those that this process is kept to
        memory_gb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        versions=_versions(),
        rounds=plan.rounds,
        short=plan.short,
        seed=plan.seed,
        load=os.getloadavg()[0],
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return platform.machine()


def _versions() -> dict[str, str]:
    told = subprocess.run([valkey.binary(), "--version"], capture_output=True, text=True, check=False).stdout
    served = next((word[2:] for word in told.split() if word.startswith("v=")), "unknown")
    return {
        "Python": platform.python_version(),
        "PostgreSQL": postgres.version(),
        "Valkey": served,
        **{package: version(package) for package in _PACKAGES},
    }
