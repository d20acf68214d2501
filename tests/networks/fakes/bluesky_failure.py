"""An error of XRPC, the protocol of Bluesky's servers, on its way to who asked."""

from starlette.responses import JSONResponse


class Failure(Exception):
    def __init__(self, status: int, error: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(error)
        self.response = JSONResponse({"error": error, "message": message}, status, headers)
