"""`parvis app …`"""

from typing import Annotated, Any

import typer

from services.admin.house import House, moment, now, run, say
from shared.connectors.registry import CONSENTS, REVOKES, connector
from shared.contract import Capability
from shared.db import Session
from shared.domain.brands import apps, hooks
from shared.domain.brands.apps import AppDraft
from shared.errors import Invalid
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.channel import App
from shared.models.enums import Network

app = typer.Typer(no_args_is_help=True, help="Our registrations with networks.")


@app.command("add")
def add(
    network: Annotated[Network, typer.Option(help="Where it is registered.")],
    client_id: Annotated[str | None, typer.Option(help="By which people give consent.")] = None,
    client_secret: Annotated[
        str | None, typer.Option(envvar="PARVIS_APP_CLIENT_SECRET", show_envvar=True, help="Its secret.")
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(
            envvar="PARVIS_APP_SECRET",
            show_envvar=True,
            help="What the network signs deliveries with, where that is not the client secret.",
        ),
    ] = None,
    verify_token: Annotated[str | None, typer.Option(help="The handshake's token; made where none is given.")] = None,
    external_id: Annotated[str | None, typer.Option(help="The app's id on the network.")] = None,
    base_url: Annotated[str | None, typer.Option(help="The server, where the network has several.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="What to ask people for, repeated; all where none.")] = None,
    name: Annotated[str | None, typer.Option(help="What a person calls it.")] = None,
) -> None:
    """Register an app, or give it another secret. Its one address takes the deliveries for all its channels."""
    card = connector(network).card
    hears = card.can(Capability.APP_WEBHOOKS)
    if not hears and network not in CONSENTS:
        raise Invalid(f"{card.label} knows no apps: connect a channel instead")

    async def act(house: House) -> dict[str, Any]:
        draft = AppDraft.model_validate(
            {
                "network": network,
                "name": name or card.label,
                "external_id": external_id,
                "base_url": base_url,
                "client_id": client_id,
                "client_secret": client_secret,
                "scopes": scope or [],
                "signing_key": secret,
                "verify_token": verify_token,
            }
        )
        async with house.db.session() as session:
            made, _ = await apps.keep(session, house.vault, draft=draft, hears=hears, now=now())
            return await _told(house, session, made)

    say(run(act))


@app.command("list")
def list_() -> None:
    """The installation's apps, newest first, without their secrets."""

    async def act(house: House) -> list[dict[str, Any]]:
        async with house.db.session() as session:
            return [await _told(house, session, one) for one in await apps.list_(session)]

    say(run(act))


@app.command("remove")
def remove(id: Annotated[str, typer.Argument(metavar="APP", help="The app's id, app_….")]) -> None:
    """End an app: its address answers 404, nobody can consent to it any more. Channels keep their logins."""

    async def act(house: House) -> dict[str, Any]:
        async with house.db.session() as session:
            return await _told(house, session, await apps.remove(session, parse_typeid(Prefix.APP, id), now=now()))

    say(run(act))


async def _told(house: House, session: Session, one: App) -> dict[str, Any]:
    """What the network's own pages have to be told of us, and nothing that we keep secret."""
    hook = await apps.hook_of(session, one)
    callback = house.settings.callback_url(one.network.value)
    beside = callback.removesuffix("/callback")
    asks, hears = one.client_id is not None and one.network in CONSENTS, one.network in REVOKES
    return {
        "id": typeid(Prefix.APP, one.id),
        "network": one.network.value,
        "name": one.name,
        "external_id": one.external_id,
        "base_url": one.base_url,
        "client_id": one.client_id,
        "scopes": one.scopes,
        "webhook_url": hooks.url(house.settings.hook_base_url, hook.id) if hook is not None else None,
        "verify_token": hooks.open_secret(house.vault, hook.id, hook.secret).verify_token if hook is not None else None,
        "redirect_uri": callback if asks else None,
        "deauthorize_url": f"{beside}/deauthorize" if asks and hears else None,
        "deletion_url": f"{beside}/data-deletion" if asks and hears else None,
        "created_at": moment(one.created_at),
    }
