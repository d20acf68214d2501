"""A network tells us that a person takes their consent back, or wants to be forgotten. Its signature is its key."""

from urllib.parse import parse_qs
from uuid import UUID

from services.api.context import Services
from shared.connectors.registry import REVOKES
from shared.contract import Revokes
from shared.db import Session
from shared.domain.brands import apps, withdrawals
from shared.domain.brands.withdrawals import State
from shared.errors import BadSignature, NotFound
from shared.log import logger
from shared.models.enums import Network, WithdrawalKind
from shared.vault import UnknownKey

_log = logger("consent")
_LONGEST_CODE = 100


async def take_back(services: Services, name: str, kind: WithdrawalKind, body: bytes) -> str:
    """Keep the network's word, to be worked off; the code to ask with how far it is.

    Raises NotFound for a network that says no such thing, BadSignature, BadPayload.
    """
    known = _known(name)
    signed = "\n".join(parse_qs(body.decode("utf-8", "replace")).get("signed_request", [])).encode()
    async with services.db.session() as session:
        app_id, person = await _said(services, session, known, body)
        return await withdrawals.receive(
            session, network=known.network, app_id=app_id, kind=kind, person=person, signed=signed
        )


def _known(name: str) -> Revokes:
    found = REVOKES.get(Network(name)) if name in {network.value for network in REVOKES} else None
    if found is None:
        raise NotFound("no network tells us of withdrawals at this address")
    return found


async def _said(services: Services, session: Session, known: Revokes, body: bytes) -> tuple[UUID, str]:
    """By which of our apps it was signed, and who it is."""
    for app in await apps.of_network(session, known.network):
        try:
            return app.id, known.revoked(apps.login(services.vault, app), body)
        except BadSignature:
            continue
        except UnknownKey as error:
            _log.error("app.closed", network=known.network.value, place=str(error))
    raise BadSignature("signed_request is missing, or was not signed for an app of this installation")


async def how_far(services: Services, name: str, code: str) -> State:
    """How far a withdrawal is. Raises NotFound."""
    _known(name)
    if not code.isascii() or len(code) > _LONGEST_CODE or "\x00" in code:
        raise NotFound("there is no request with this code")
    async with services.db.reading() as session:
        return await withdrawals.state(session, code)
