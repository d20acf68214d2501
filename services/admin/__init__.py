"""What whoever runs the house does from the command line: organizations, keys, channels, apps. Answers are JSON."""

from services.admin.apps import app
from services.admin.channels import channel
from services.admin.keys import key
from services.admin.organizations import organization
from services.admin.queries import query

__all__ = ["app", "channel", "key", "organization", "query"]
