"""The stand-in for Stripe, and what it sends brought to our door."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2
import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core import clock
from app.core.config import get_settings
from app.core.database import SYSTEM, unit_of_work
from app.modules import state
from app.modules.payments.tests.factories import signature
from app.testing.working import work
from sandbox.testing import NO_TLS, Sandbox, running_sandbox

CARD = {"number": "4242424242424242", "exp": "12/34", "cvc": "123", "name": "Anna Weber"}
STAND_IN_SECRET = "whsec_sandbox"


@dataclass
class Stripe:
    """The stand-in with its library, and a way to carry its events to a door of ours."""

    box: Sandbox
    web: TestClient
    brought: set[str] = field(default_factory=set)

    @property
    def api(self) -> Any:
        return self.box.client().v1

    def pay(self, url: str | None, **form: str) -> int:
        """What a payer does on the page; the status of the answer."""
        assert url is not None
        sent = {**CARD, "email": "anna@example.lu", **form}
        return httpx2.post(url, data=sent, trust_env=False, verify=NO_TLS).status_code

    def events(self) -> list[dict[str, Any]]:
        """All that has happened, the oldest first."""
        answer = httpx2.get(
            f"{self.box.url}/stripe/v1/events?limit=100",
            headers={"Authorization": "Bearer sk_test_sandbox"},
            trust_env=False,
            verify=NO_TLS,
        )
        return list(reversed(answer.json()["data"]))

    def bring(
        self, *, pick: Callable[[dict[str, Any]], bool] = lambda _: True, backwards: bool = False
    ) -> list[str]:
        """Send what has happened since the last time to the door, and do the work; the types."""
        found = [one for one in self.events() if one["id"] not in self.brought and pick(one)]
        for one in reversed(found) if backwards else found:
            self.brought.add(one["id"])
            assert self.send(orjson.dumps(one)) == 204
        work()
        return [one["type"] for one in found]

    def send(self, body: bytes, *, account: str = "default", secret: str = STAND_IN_SECRET) -> int:
        """Send a signed body to a door."""
        path = f"/webhooks/payments/stripe/{account}"
        return self.web.post(path, content=body, headers=signature(body, secret)).status_code


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    """One stand-in for the run."""
    with running_sandbox() as running:
        yield running


@pytest.fixture
def stripe(
    box: Sandbox, data_dir: object, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Stripe:
    """The stand-in, empty, as the environment's account; and nothing queued of the demo."""
    box.control("POST", "/reset")
    monkeypatch.setenv("WIZAMART_SANDBOX_URL", box.url)
    get_settings.cache_clear()
    web: TestClient = request.getfixturevalue("client")
    owner: Engine = request.getfixturevalue("owner_engine")
    with owner.begin() as connection:
        connection.execute(text("UPDATE jobs SET state = 'cancelled' WHERE state = 'queued'"))
        connection.execute(text("DELETE FROM incoming_webhooks"))
    return Stripe(box, web)


def pass_time(**time: float) -> None:
    """Move the business clock on."""
    with unit_of_work(SYSTEM) as session:
        state.set_clock_offset(session, clock.offset() + timedelta(**time))
    state.forget_snapshot()
    state.refresh()


def job_states(owner: Engine, task: str) -> list[str]:
    """The states of all jobs of a task, the oldest first."""
    with owner.connect() as connection:
        found = text("SELECT state FROM jobs WHERE task LIKE :task ORDER BY id")
        return list(connection.execute(found, {"task": f"%.{task}"}).scalars())


def webhook_row(owner: Engine, external_id: str) -> Any:
    """An incoming webhook as it is stored."""
    with owner.connect() as connection:
        found = text("SELECT * FROM incoming_webhooks WHERE external_id = :id")
        return connection.execute(found, {"id": external_id}).one_or_none()
