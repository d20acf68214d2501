"""`parvis …`: each command reads the settings, calls one function, and says plainly what stands in the way."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from services import admin, language, seeing
from services.ingest import embedding
from services.local import apps, folder, house, plan
from services.local import backup as backups
from services.local import doctor as doctors
from shared.errors import ParvisError
from shared.migrations import run
from shared.settings import Settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Parvis: hear, understand, answer."
)
for commands, name in (
    (admin.organization, "organization"),
    (admin.user, "user"),
    (admin.key, "key"),
    (admin.channel, "channel"),
    (admin.app, "app"),
    (admin.alerts, "alerts"),
    (admin.query, "query"),
):
    app.add_typer(commands, name=name)

app.command()(language.train)
app.command()(language.evaluate)


def settings() -> Settings:
    """The settings of this process. Raises CannotRun with a line for each that can't be read."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in found['loc'])}: {found['msg']}"
            for found in error.errors(include_input=False)
        ]
        raise folder.CannotRun("These settings can't be used:\n  " + "\n  ".join(lines)) from error


def _become(module: str) -> None:
    """Turn this process into a service."""
    told = plan.environment(plan.connected(settings()))
    os.execve(sys.executable, [sys.executable, "-m", module], told)  # noqa: S606  # a fixed program, no shell


@app.command()
def up() -> None:
    """Run the whole house on this machine until Ctrl-C."""
    found = settings()
    if found.deep:
        embedding.require()
    asyncio.run(house.up(found))


@app.command()
def api() -> None:
    """Run the api alone."""
    _become("services.api")


@app.command()
def ingest() -> None:
    """Run the door alone."""
    _become("services.ingest")


@app.command()
def ingest_worker() -> None:
    """Run an ingest worker alone."""
    _become("services.ingest.worker")


@app.command()
def scheduler() -> None:
    """Run a scheduler alone."""
    _become("services.scheduler")


@app.command()
def sandbox() -> None:
    """Run the practice network alone."""
    _become("services.sandbox")


@app.command()
def migrate() -> None:
    """Make the roles where they are missing, bring the schema up to date, and keep the apps of PARVIS_APPS."""
    found = plan.connected(settings())
    typer.echo(f"The schema is at {run.migrate(found)}.")
    for line in asyncio.run(apps.keep(found)):
        typer.echo(line)


@app.command()
def doctor() -> None:
    """Check everything that Parvis needs on this machine, and say what to mend."""
    if not asyncio.run(doctors.examine(settings())):
        raise typer.Exit(1)


@app.command()
def status(
    once: Annotated[bool, typer.Option("--once", help="Print one picture and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one picture as JSON, for programs.")] = False,
) -> None:
    """Show what runs, what waits and how old it is, and what fails and why."""
    if not asyncio.run(seeing.status(settings(), once=once, as_json=as_json)):
        raise typer.Exit(1)


@app.command()
def backup(path: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")]) -> None:
    """Write the database and the secret keys into one file, while the house runs or not."""
    typer.echo(asyncio.run(backups.backup(settings(), path)))


@app.command()
def restore(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `parvis backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace the brands that are there.")] = False,
) -> None:
    """Bring a backup's rows and secret keys back into this data folder, while the house does not run."""
    typer.echo(asyncio.run(backups.restore(settings(), path, replace=replace)))


def report(command: Callable[[], None]) -> None:
    """Run `command`; what stands in its way becomes one plain sentence and exit code 1."""
    try:
        command()
    except ParvisError as error:
        folder.say(f"parvis: {error}")
        sys.exit(1)
    except (ConnectionError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        folder.say(f"parvis: a server can't be reached ({reason}): run `parvis doctor` to see which.")
        sys.exit(1)
    except OSError as error:
        if error.errno not in folder.DISK_ERRORS:
            raise
        folder.say(f"parvis: {folder.explain(error, Path(os.environ.get('PARVIS_DATA_DIR', '.parvis')).absolute())}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def main() -> None:
    """The entry point."""
    report(app)


if __name__ == "__main__":
    main()
