"""Accounts on networks."""

from typing import Any

import strawberry
from strawberry import UNSET

from services.api.schema.connection import Node, given, public_id
from shared import models
from shared.domain.listening.identities import IdentityFilter as DomainFilter
from shared.ids import Prefix
from shared.models.enums import Network


@strawberry.type(description="An account on a network.")
class Identity(Node):
    id: strawberry.ID = public_id(Prefix.IDENTITY)
    network: Network
    external_id: str
    handle: str | None
    name: str | None
    url: str | None
    followers: int | None = strawberry.field(description="As the network last told; null where it did not.")

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Identity)


@strawberry.input(description="`handle` is the whole handle, `name` any part of the name, both in any case.")
class IdentityFilter:
    networks: list[Network] | None = UNSET
    handle: str | None = UNSET
    name: str | None = UNSET

    def read(self) -> DomainFilter:
        networks = given(self.networks)
        return DomainFilter(given(self.handle), given(self.name), tuple(networks) if networks is not None else None)
