"""`python -m tests.benchmarks.references MODULE PORT`: the `app` of a reference, in the server that Parvis runs in."""

import importlib
import sys

from services import serving
from shared.settings import Settings

if __name__ == "__main__":
    _, name, port = sys.argv
    app = importlib.import_module(f"tests.benchmarks.references.{name}").app
    serving.run(serving.serve(app, Settings(), int(port), name, proxy_headers=False))
