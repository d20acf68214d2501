"""`parvis app …`"""

import secrets
from typing import Annotated

import typer

from services.admin.house import House, now, run, say
from shared.connectors.registry import connector
from shared.contract import Capability
from shared.domain.brands import hooks
from shared.errors import Invalid
from shared.ids import Prefix, typeid
from shared.models.enums import Network

app = typer.Typer(no_args_is_help=True, help="Our registrations with networks.")


@app.callback()
def _group() -> None:
    """Our registrations with networks."""


@app.command("create")
def create(
    network: Annotated[Network, typer.Option(help="Where it is registered.")],
    secret: Annotated[str, typer.Option(help="What the network signs deliveries with.")],
    verify_token: Annotated[str | None, typer.Option(help="The handshake's token; made where none is given.")] = None,
    external_id: Annotated[str | None, typer.Option(help="The app's id on the network.")] = None,
    name: Annotated[str | None, typer.Option(help="What a person calls it.")] = None,
) -> None:
    """Register an app: its one address takes the deliveries for all channels of the network."""
    card = connector(network).card
    if not card.can(Capability.APP_WEBHOOKS):
        raise Invalid(f"{card.label} has no app whose address speaks for many channels: connect a channel instead")
    token = verify_token or secrets.token_urlsafe(24)

    async def act(house: House) -> dict[str, object]:
        async with house.db.session() as session:
            made, hook = await hooks.create_app(
                session,
                house.vault,
                network=network,
                name=name or card.label,
                external_id=external_id,
                keys=[secret],
                verify_token=token,
                now=now(),
            )
        return {
            "id": typeid(Prefix.APP, made.id),
            "network": network.value,
            "webhook_url": hooks.url(house.settings.hook_base_url, hook.id),
            "verify_token": token,
        }

    say(run(act))
