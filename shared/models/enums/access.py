"""Who may do what."""

from enum import StrEnum


class GrantRole(StrEnum):
    """What an organization may do on a brand; each role may all that the ones after it may."""

    OWNER = "owner"
    MANAGER = "manager"
    EDITOR = "editor"
    RESPONDER = "responder"
    VIEWER = "viewer"


class MembershipRole(StrEnum):
    ADMIN = "admin"
    MEMBER = "member"


class KeyScope(StrEnum):
    """What an API key may do. `*` is all of them."""

    ALL = "*"
    READ = "read"
    PUBLISH = "publish"
    RESPOND = "respond"
    CHANNELS = "channels"
    ADMIN = "admin"
