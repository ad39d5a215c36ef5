"""Doors for messages of other systems: a public address, the raw body as it was sent, no session and no form.

Whoever owns the door checks who has sent the message, by a signature over these very bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.core.database import SYSTEM, unit_of_work
from app.core.errors import NotFoundError
from app.modules.registry import modules
from app.modules.state import is_enabled_anywhere

ROOT = "/webhooks"
_MAX_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RawMessage:
    """What was sent: the bytes of the body, and the headers by their names in lower case."""

    body: bytes
    headers: Mapping[str, str]


DoorFunction = Callable[..., None]


@dataclass(frozen=True, slots=True)
class WebhookDoor:
    """One registered function; ``path`` is below ``/webhooks/<module>``."""

    path: str
    function: DoorFunction


class WebhookRouter:
    """Collects the doors of a module; stands as ``router`` in ``routes/webhooks.py``."""

    def __init__(self) -> None:
        self.doors: list[WebhookDoor] = []

    def post(self, path: str) -> Callable[[DoorFunction], DoorFunction]:
        """Register ``function(session, message, **values in the path)``: it stores the message or raises an AppError.

        It runs in one transaction of the system's scope; 204 is answered when that is committed.
        """

        def register(function: DoorFunction) -> DoorFunction:
            self.doors.append(WebhookDoor(path, function))
            return function

        return register


def mount_webhook_doors(app: FastAPI) -> None:
    """Mount the doors of all installed modules. One whose module is off everywhere answers 404."""
    for code, module in modules().items():
        for name in module.routes:
            router = import_module(f"{module.package}.routes.{name}").router
            if isinstance(router, WebhookRouter):
                for door in router.doors:
                    _mount(app, code, door)


def _mount(app: FastAPI, code: str, door: WebhookDoor) -> None:
    def take(message: RawMessage, values: Mapping[str, Any]) -> None:
        if not is_enabled_anywhere(code):
            raise NotFoundError
        with unit_of_work(SYSTEM) as session:
            door.function(session, message, **values)

    async def endpoint(request: Request) -> Response:
        message = RawMessage(await request.body(), dict(request.headers))
        await run_in_threadpool(take, message, request.path_params)
        return Response(status_code=204)

    app.router.add_api_route(
        f"{ROOT}/{code}{door.path}",
        endpoint,
        methods=["POST"],
        name=f"{code}.{door.function.__name__}",
        include_in_schema=False,
        response_model=None,
        max_body_size=_MAX_BODY_BYTES,
    )
