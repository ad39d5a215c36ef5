"""A vendor of the demo, the stand-in for Stripe, and what it sends brought to our door."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2
import orjson
import pytest
from fastapi.testclient import TestClient

from app.core.config import get_settings
from app.modules.billing.contracts import RequestInfo
from app.modules.billing.services import stripe_request_service
from app.modules.billing.tests.conftest import BY_PERSON, Shop, move_clock, run_task
from app.modules.payments.tests.factories import signature
from app.testing.working import work
from sandbox.testing import NO_TLS, Sandbox, running_sandbox

GOOD, DECLINED = "4242424242424242", "4000000000000341"  # the second is taken, and fails when it is charged
BACK = "https://shop.example/plan"
_STAND_IN_SECRET = "whsec_sandbox"
_WATCHED = ("checkout.session.", "customer.subscription.", "invoice.")


@dataclass
class Desk:
    """Where a shop subscribes: ``ask`` does what a page does and lets a worker carry it out."""

    box: Sandbox
    web: TestClient
    shop: Shop
    brought: set[str] = field(default_factory=set)

    @property
    def api(self) -> Any:
        return self.box.client().v1

    def ask(self, act: str, *given: Any, **more: Any) -> RequestInfo:
        """Ask for something of Stripe, and what became of it."""
        with self.shop.session() as session:
            asking = getattr(stripe_request_service, f"ask_{act}")
            request_id = asking(session, self.shop.vendor_id, BY_PERSON, *given, **more)
        assert request_id is not None
        work()
        return self.find(request_id)

    def find(self, request_id: UUID) -> RequestInfo:
        with self.shop.session() as session:
            found = stripe_request_service.find_request(session, self.shop.vendor_id, request_id)
        assert found is not None
        return found

    def pay(self, url: str | None, *, number: str = GOOD, **form: str) -> int:
        """What a payer does on a page of Stripe's; the status of the answer."""
        assert url is not None
        sent = {"number": number, "exp": "12/34", "cvc": "123", "name": "Anna", **form}
        return httpx2.post(url, data=sent, trust_env=False, verify=NO_TLS).status_code

    def events(self) -> list[dict[str, Any]]:
        """What has happened and was not brought yet, the oldest first."""
        found: list[dict[str, Any]] = []
        is_more = True
        while is_more:
            page = self._page(found[-1]["id"] if found else None)
            new = [one for one in page["data"] if one["id"] not in self.brought]
            found += new
            is_more = page["has_more"] and len(new) == len(page["data"])
        wanted = [one for one in reversed(found) if one["type"].startswith(_WATCHED)]
        self.brought.update(one["id"] for one in found)
        return wanted

    def _page(self, after: str | None) -> Any:
        more = f"&starting_after={after}" if after else ""
        headers = {"Authorization": "Bearer sk_test_sandbox"}
        url = f"{self.box.url}/stripe/v1/events?limit=100{more}"
        return httpx2.get(url, headers=headers, trust_env=False, verify=NO_TLS).json()

    def send(self, event: dict[str, Any]) -> None:
        body = orjson.dumps(event)
        path = "/webhooks/payments/stripe/default"
        answer = self.web.post(path, content=body, headers=signature(body, _STAND_IN_SECRET))
        assert answer.status_code == 204, answer.text

    def bring(self) -> list[str]:
        """Bring to the door what has happened, and do the work; the types."""
        found = self.events()
        for event in found:
            self.send(event)
        work()
        return [event["type"] for event in found]

    def lose(self) -> None:
        """Nobody hears of what has happened."""
        self.events()

    def advance(self, days: float) -> None:
        """Let the time of both sides go on."""
        move_clock(days=days)
        self.box.advance(days=days)

    def subscribe(self, tier_code: str = "essential", interval: str = "month", *, number: str = GOOD) -> None:
        """From a trial to a subscription that Stripe bills, with its trial over."""
        self.shop.start_trial(tier_code)
        self.check_out(tier_code, interval, number=number)
        self.bring()
        self.advance(15)
        self.bring()

    def check_out(self, tier_code: str = "essential", interval: str = "month", *, number: str = GOOD) -> None:
        asked = self.ask("checkout", tier_code, interval, BACK)
        assert (asked.state, asked.error) == ("done", None)
        assert self.pay(asked.result_url, number=number) == 303

    def invoices(self) -> list[tuple[str, int, str]]:
        """Kind, cents and status of what is kept here, the oldest first."""
        found = self.shop.rows(
            "SELECT kind, total_cents, status FROM billing_invoices WHERE vendor_id = :vendor "
            "ORDER BY issued_at, id"
        )
        return [(row.kind, row.total_cents, row.status) for row in found]

    def theirs(self) -> Any:
        """The subscription at Stripe that ours is linked to."""
        return self.api.subscriptions.retrieve(self.shop.look().stripe_subscription_id)

    def sync(self) -> dict[str, Any]:
        return run_task("sync_stripe_status")


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    """One stand-in for the run."""
    with running_sandbox() as running:
        yield running


@pytest.fixture
def desk(box: Sandbox, shop: Shop, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Desk:
    """The stand-in, empty and at the present time, as the environment's account."""
    box.control("POST", "/reset")
    monkeypatch.setenv("WIZAMART_SANDBOX_URL", box.url)
    get_settings.cache_clear()
    web: TestClient = request.getfixturevalue("client")
    return Desk(box, web, shop)
