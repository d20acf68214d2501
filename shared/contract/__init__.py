"""What a network must be able to say of itself, and the neutral forms that pass between connectors and the domain.

A connector is one file in `shared/connectors`. It knows neither the database nor another connector. Its pure half turns
bytes into facts (`Heard`); its other half talks to the network through the client that it is handed.
"""

from shared.contract.card import Capability, Card, Length
from shared.contract.connector import Connector, Consents, Hears, Revokes, Speaks
from shared.contract.incoming import (
    Answer,
    Author,
    Counted,
    Deleted,
    Heard,
    Hidden,
    MediaDraft,
    Parsed,
    Part,
    Pointer,
    RawArrival,
    RawPart,
    RawRequest,
    Reacted,
    Said,
    Secret,
)
from shared.contract.outgoing import (
    AppLogin,
    Choice,
    Consent,
    Consented,
    Finding,
    HookAddress,
    Login,
    OutgoingEffect,
    Page,
    Sent,
    Subscription,
)
from shared.contract.reading import read_json, read_moment, storable

__all__ = [
    "Answer",
    "AppLogin",
    "Author",
    "Capability",
    "Card",
    "Choice",
    "Connector",
    "Consent",
    "Consented",
    "Consents",
    "Counted",
    "Deleted",
    "Finding",
    "Heard",
    "Hears",
    "Hidden",
    "HookAddress",
    "Length",
    "Login",
    "MediaDraft",
    "OutgoingEffect",
    "Page",
    "Parsed",
    "Part",
    "Pointer",
    "RawArrival",
    "RawPart",
    "RawRequest",
    "Reacted",
    "Revokes",
    "Said",
    "Secret",
    "Sent",
    "Speaks",
    "Subscription",
    "read_json",
    "read_moment",
    "storable",
]
