"""A vendor and its people, with the demo's own work out of the way, and a receiver of webhooks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.config import get_settings
from app.core.database import SYSTEM, Scope, TenantScope, unit_of_work
from app.modules import state
from app.modules.tasks import QUEUES
from app.modules.tenancy import facade as tenancy
from app.tasks.runner import run_until_idle


@dataclass(frozen=True)
class Place:
    """Where somebody works: a vendor, or the operator's own area."""

    scope: Scope
    user_id: UUID
    colleague_id: UUID
    owner: Engine
    vendor_id: UUID | None = None

    @contextmanager
    def session(self) -> Iterator[Session]:
        with unit_of_work(self.scope) as session:
            yield session

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """What the owner of the tables sees."""
        with self.owner.begin() as connection:
            result = connection.execute(text(sql), values)
            return list(result.all()) if result.returns_rows else []


def _place(owner: Engine, code: str) -> Place:
    vendor = tenancy.get_vendor(code)
    scope = TenantScope(vendor.id, vendor.company_id)
    with unit_of_work(scope) as session:
        people = tenancy.list_users_with(session, vendor.id, "catalog.products.view")
    first = next(person for person in people if person.email.startswith("owner@"))
    second = next(person for person in people if person.email.startswith("team@"))
    return Place(scope, first.id, second.id, owner, vendor.id)


@pytest.fixture
def moselle(app: FastAPI, owner_engine: Engine) -> Place:
    """MOSELLE, with nothing queued."""
    with owner_engine.begin() as connection:
        connection.execute(text("UPDATE jobs SET state = 'cancelled' WHERE state = 'queued'"))
    return _place(owner_engine, "MOSELLE")


@pytest.fixture
def minett(moselle: Place) -> Place:
    """MINETT, another company's."""
    return _place(moselle.owner, "MINETT")


@pytest.fixture
def operator(moselle: Place) -> Place:
    """The operator's own area."""
    with unit_of_work(SYSTEM) as session:
        admin = tenancy.list_users_with(session, None, "core.admin_home.view")[0]
    return Place(SYSTEM, admin.id, moselle.user_id, moselle.owner)


def do_work(seconds: float = 3.0) -> None:
    """Do what is due now."""
    assert run_until_idle(QUEUES, timeout_seconds=seconds)


def pass_time(**time: float) -> None:
    """Move the business clock on."""
    with unit_of_work(SYSTEM) as session:
        state.set_clock_offset(session, clock.offset() + timedelta(**time))
    state.forget_snapshot()
    state.refresh()


@dataclass
class Receiver:
    """A server that keeps what it was sent and answers as it is told."""

    status: int = 200
    body: bytes = b"thank you"
    headers: dict[str, str] = field(default_factory=dict)
    wait_seconds: float = 0.0
    is_rude: bool = False
    got: list[tuple[dict[str, str], str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def receiver(data_dir: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver on this machine that the guard lets through."""
    told = Receiver()
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            told.got.append(
                (
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(size).decode(),
                )
            )
            done.wait(told.wait_seconds)
            if told.is_rude:
                self.close_connection = True
                return
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        host = f"127.0.0.1:{server.server_port}"
        monkeypatch.setenv("WIZAMART_HTTP_ALLOWED_PRIVATE_HOSTS", f'["{host}"]')
        get_settings.cache_clear()
        told.url = f"http://{host}/hook"
        yield told
        done.set()
        server.shutdown()
