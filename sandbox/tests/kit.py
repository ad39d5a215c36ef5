"""What the tests sell, and who buys it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe

from sandbox.testing import Sandbox

START = 1767225600  # 2026-01-01 00:00 UTC
DAY = 86400


@dataclass(frozen=True)
class Shop:
    """Prices in cents: small 4900 and large 9900 a month, yearly 49000 a year, domain 1500 a year."""

    box: Sandbox
    client: stripe.StripeClient
    small: str
    large: str
    yearly: str
    domain: str

    def customer(self, card: str | None = "pm_card_visa", **fields: Any) -> str:
        """A customer with this card as the default."""
        customer = self.client.v1.customers.create({"email": "anna@example.lu", "name": "Anna", **fields})
        if card:
            method = self.client.v1.payment_methods.attach(card, {"customer": customer.id})
            settings = {"invoice_settings": {"default_payment_method": method.id}}
            self.client.v1.customers.update(customer.id, settings)  # type: ignore[arg-type]
        return customer.id

    def subscribe(self, customer: str, *prices: str, **fields: Any) -> stripe.Subscription:
        rows = [{"price": price} for price in prices or (self.small,)]
        return self.client.v1.subscriptions.create({"customer": customer, "items": rows, **fields})

    def invoices(self, subscription: str) -> list[stripe.Invoice]:
        """Oldest first."""
        found = self.client.v1.invoices.list({"subscription": subscription, "limit": 100})
        return list(found.auto_paging_iter())[::-1]

    def event_types(self) -> list[str]:
        """Oldest first."""
        found = self.client.v1.events.list({"limit": 100})
        return [event.type for event in found.auto_paging_iter()][::-1]


def make_shop(box: Sandbox) -> Shop:
    client = box.client(max_network_retries=0)

    def price(cents: int, interval: str) -> str:
        product = client.v1.products.create({"name": f"{interval} {cents}"})
        return client.v1.prices.create(
            {
                "product": product.id,
                "currency": "eur",
                "unit_amount": cents,
                "recurring": {"interval": interval},
            }  # type: ignore[typeddict-item]
        ).id

    return Shop(
        box, client, price(4900, "month"), price(9900, "month"), price(49000, "year"), price(1500, "year")
    )


def item_of(subscription: stripe.Subscription, number: int = 0) -> stripe.SubscriptionItem:
    """An item; ``subscription.items`` is a method of every object."""
    found: stripe.SubscriptionItem = subscription["items"].data[number]
    return found


class Receiver:
    """Receives webhooks: ``got`` holds (signature, body); the first answers are taken from ``statuses``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.got: list[tuple[str, bytes]] = []
        self.statuses: list[int] = []

    def events(self, secret: str) -> list[stripe.Event]:
        """Checked by the official library."""
        return [stripe.Webhook.construct_event(body, header, secret) for header, body in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            receiver.got.append((self.headers["Stripe-Signature"], body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
