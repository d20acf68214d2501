"""`parvis user …`"""

from typing import Annotated

import typer

from services.admin.house import House, moment, now, run, say
from shared.domain.brands import users
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.organization import User, UserDraft

user = typer.Typer(no_args_is_help=True, help="The people of an organization; each acts by keys (parvis key create).")


@user.command("create")
def create(
    organization: Annotated[str, typer.Option(help="org_….")],
    name: Annotated[str, typer.Option(help="The person's name.")],
    email: Annotated[str | None, typer.Option(help="Where notifications go by mail.")] = None,
    language: Annotated[str | None, typer.Option(help="The language to be told in, such as nl.")] = None,
) -> None:
    """Add a person to an organization. They have no key yet."""

    async def act(house: House) -> dict[str, object]:
        draft = UserDraft.model_validate({"name": name, "email": email, "language": language})
        of = parse_typeid(Prefix.ORGANIZATION, organization)
        async with house.db.session() as session:
            return _told(await users.create(session, organization_id=of, draft=draft, now=now()))

    say(run(act))


@user.command("update")
def update(
    id: Annotated[str, typer.Argument(metavar="USER", help="The user's id, user_….")],
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    email: Annotated[str | None, typer.Option(help="Another address; none where it is empty.")] = None,
    language: Annotated[str | None, typer.Option(help="Another language; none where it is empty.")] = None,
) -> None:
    """Change a person's name, address or language."""

    async def act(house: House) -> dict[str, object]:
        given = {"name": name, "email": email, "language": language}
        changes = {place: value or None for place, value in given.items() if value is not None}
        async with house.db.session() as session:
            return _told(await users.update(session, user_id=parse_typeid(Prefix.USER, id), changes=changes))

    say(run(act))


@user.command("list")
def list_(organization: Annotated[str, typer.Option(help="org_….")]) -> None:
    """An organization's people, the first made first."""

    async def act(house: House) -> list[dict[str, object]]:
        of = parse_typeid(Prefix.ORGANIZATION, organization)
        async with house.db.session() as session:
            return [_told(one) for one in await users.list_(session, organization_id=of)]

    say(run(act))


def _told(one: User) -> dict[str, object]:
    return {
        "id": typeid(Prefix.USER, one.id),
        "name": one.name,
        "email": one.email,
        "language": one.language,
        "created_at": moment(one.created_at),
    }
