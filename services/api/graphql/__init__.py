"""GraphQL over HTTP and over WebSockets, at one address."""

from services.api.graphql.routes import graphql_routes

__all__ = ["graphql_routes"]
