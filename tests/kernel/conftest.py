"""Fixtures of the tests of outgoing HTTP."""

from collections.abc import Callable, Iterator

import pytest

from app.core import http_client
from app.core.config import get_settings
from tests.kernel.http_server import Server


@pytest.fixture
def server(allow: Callable[..., None]) -> Iterator[Server]:
    running = Server()
    allow("127.0.0.1")
    yield running
    running.close()


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def set_hosts(*hosts: str) -> None:
        listed = ",".join(f'"{host}"' for host in hosts)
        monkeypatch.setenv("WIZAMART_HTTP_ALLOWED_PRIVATE_HOSTS", f"[{listed}]")
        get_settings.cache_clear()

    set_hosts()
    yield set_hosts
    get_settings.cache_clear()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between tries, taken note of instead of waited for."""
    taken: list[float] = []
    monkeypatch.setattr(http_client.time, "sleep", taken.append)
    return taken
