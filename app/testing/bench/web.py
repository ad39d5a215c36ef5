"""The application with a handler beside it that does nothing but return bytes: the floor of the API's reads."""

import os
from pathlib import Path

from fastapi import FastAPI, Response

from app.main import create_app

FOLDER_VARIABLE = "WIZAMART_BENCH_FOLDER"


def create_bench_app() -> FastAPI:
    """``/plain/<name>`` answers with the bytes of that file, by a plain function of FastAPI's in the same process."""
    app = create_app()
    stored: dict[str, bytes] = {}

    def plain(name: str) -> Response:
        if name not in stored:
            stored[name] = (Path(os.environ[FOLDER_VARIABLE]) / name).read_bytes()
        return Response(stored[name], media_type="application/json")

    app.add_api_route("/plain/{name}", plain, include_in_schema=False)
    app.router.routes.insert(0, app.router.routes.pop())
    return app
