"""GraphQL over HTTP and over WebSockets, at one address."""

from services.api.graphql.engine import Engine
from services.api.graphql.routes import Ahead, graphql_routes

__all__ = ["Ahead", "Engine", "graphql_routes"]
