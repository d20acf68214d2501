"""What whoever runs the house does from the command line: organizations, users, keys, channels, apps, as JSON."""

from services.admin.alerts import alerts
from services.admin.apps import app
from services.admin.channels import channel
from services.admin.keys import key
from services.admin.organizations import organization
from services.admin.queries import query
from services.admin.users import user

__all__ = ["alerts", "app", "channel", "key", "organization", "query", "user"]
