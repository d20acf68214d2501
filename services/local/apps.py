"""The apps that PARVIS_APPS names, kept in the database beside those of `parvis app add`."""

from datetime import UTC, datetime

from pydantic import ValidationError

from services.local.folder import CannotRun
from shared.connectors.registry import CONNECTORS, CONSENTS
from shared.contract import Capability
from shared.db import Database
from shared.domain.brands import apps
from shared.domain.brands.apps import AppDraft
from shared.models.enums import Network
from shared.settings import AppSetting, Settings
from shared.vault import Vault


async def keep(settings: Settings) -> list[str]:
    """Register the apps of the environment over the owner's connection, or change them; a line for each new thing."""
    if not settings.apps:
        return []
    assert settings.owner_database_url is not None
    vault = Vault([key.get_secret_value() for key in settings.secret_keys])
    db = Database(settings.owner_database_url, name="apps", size=1)
    lines = []
    try:
        async with db.session() as session:
            for one in settings.apps:
                draft = _draft(one)
                card = CONNECTORS[draft.network].card
                hears = card.can(Capability.APP_WEBHOOKS)
                if not hears and draft.network not in CONSENTS:
                    raise CannotRun(f"PARVIS_APPS names {card.label}, which knows no apps.")
                _, is_new = await apps.keep(session, vault, draft=draft, hears=hears, now=datetime.now(UTC))
                if is_new:
                    lines.append(f"The app of {card.label} is kept as PARVIS_APPS has it.")
    finally:
        await db.close()
    return lines


def _draft(one: AppSetting) -> AppDraft:
    try:
        return AppDraft(
            network=Network(one.network),
            name=CONNECTORS[Network(one.network)].card.label,
            base_url=one.base_url,
            client_id=one.client_id,
            client_secret=one.client_secret.get_secret_value(),
            scopes=list(one.scopes),
            verify_token=one.verify_token.get_secret_value() if one.verify_token is not None else None,
        )
    except (ValueError, ValidationError):
        known = ", ".join(network.value for network in Network)
        raise CannotRun(f"PARVIS_APPS names the network {one.network!r}; known are: {known}.") from None
