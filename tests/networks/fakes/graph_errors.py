"""Errors as the Graph API of a test answers them."""

from typing import Any


class GraphError(Exception):
    def __init__(self, code: int, message: str, *, subcode: int = 0, status: int = 400, kind: str = "OAuthException"):
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"error": {"message": message, "type": kind, "code": code, "fbtrace_id": "AbC"}}
        if subcode:
            self.body["error"]["error_subcode"] = subcode


def missing(external_id: str) -> GraphError:
    message = (
        f"Unsupported get request. Object with ID '{external_id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation"
    )
    return GraphError(100, message, subcode=33, kind="GraphMethodException")
