"""A peer from PyPI, in an environment of its own that Parvis's does not share."""

import subprocess
import sys
import venv
from pathlib import Path

from tests.peers.peer import CannotInstall, Say

_SECONDS = 600
_KEPT = "installed.txt"


def missing() -> str | None:
    """What this machine lacks, as a sentence."""
    return "its environment is laid out for Unix" if sys.platform == "win32" else None


def install(folder: Path, wanted: tuple[str, ...], say: Say) -> None:
    """Install these packages into `folder`, unless it has them. Raises CannotInstall."""
    kept, told = folder / _KEPT, "\n".join(wanted)
    if kept.exists() and kept.read_text("utf-8") == told:
        return
    named = " and ".join(wanted)
    say(f"Installing {named}.")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
    try:
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run(pip, check=True, capture_output=True, timeout=_SECONDS)
        kept.write_text(told, "utf-8")
    except subprocess.TimeoutExpired:
        raise CannotInstall(f"{named} could not be installed within ten minutes") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr or b"").decode(errors="replace").strip().rpartition("\n")[2]
        raise CannotInstall(f"{named} can't be installed ({last[:200]})") from None
    except OSError as error:
        raise CannotInstall(f"there is no place for its environment ({error})") from None
