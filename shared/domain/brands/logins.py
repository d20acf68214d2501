"""What a channel needs to act on its network: checked, sealed at once, and never answered again."""

import json
from collections.abc import Mapping
from uuid import UUID

from shared.contract import Card, Login
from shared.errors import Invalid, Problem
from shared.models.channel import Channel
from shared.vault import Vault

VERIFY_TOKEN = "verify_token"  # noqa: S105 - the name of a credential, not one
LONGEST = 10_000


def place(channel_id: UUID) -> str:
    """Where a channel's credentials are sealed for."""
    return f"channel:{channel_id}:credentials"


def validate(card: Card, given: Mapping[str, str]) -> None:
    """Raise Invalid unless these are what the network's card asks for."""
    known = (*card.credentials_required, *card.credentials_optional)
    problems = [
        Problem("required", f"{card.label} needs the credential {name!r}", ("credentials", name))
        for name in card.credentials_required
        if not given.get(name)
    ]
    for name, value in given.items():
        if name not in known:
            names = ", ".join(known) or "none"
            problems.append(
                Problem("unknown", f"{card.label} has no such credential; it takes: {names}", ("credentials", name))
            )
        elif len(value) > LONGEST:
            problems.append(
                Problem("too_long", f"a credential has at most {LONGEST} characters", ("credentials", name))
            )
    if problems:
        raise Invalid(problems)


def seal(vault: Vault, channel_id: UUID, given: Mapping[str, str]) -> bytes | None:
    """The stored form: without the handshake's token, which belongs to the hook."""
    kept = {name: value for name, value in given.items() if name != VERIFY_TOKEN and value}
    return vault.seal(json.dumps(kept), place(channel_id)) if kept else None


def login(vault: Vault, channel: Channel) -> Login:
    """What the channel's connector needs to act. Raises UnknownKey."""
    sealed = channel.credentials
    opened = json.loads(vault.open(sealed, place(channel.id))) if sealed is not None else {}
    return Login(channel.external_id, channel.base_url, opened, tuple(channel.terms), channel.login_expires_at)
