"""What whoever runs the house does from the command line: organizations, keys, channels, apps. Answers are JSON."""

from services.admin.alerts import alerts
from services.admin.apps import app
from services.admin.channels import channel
from services.admin.keys import key
from services.admin.organizations import organization

__all__ = ["alerts", "app", "channel", "key", "organization"]
