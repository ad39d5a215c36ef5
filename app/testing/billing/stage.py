"""The stage of a year: the platform, to which the stand-in for Stripe sends its messages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.modules.payments.contracts import WEBHOOK_HANDLERS
from app.modules.registry import owner_of
from app.testing.stage import Stage, stage

_SECRET = "whsec_proof"


@contextmanager
def billing_stage(folder: Path, seed: int) -> Iterator[Stage]:
    """All of it, with the plans of the demo on sale."""
    with stage(folder, seed, {"PAYMENTS_STRIPE_WEBHOOK_SECRET": _SECRET}) as here:
        door = f"{here.web}/webhooks/payments/stripe/default"
        here.box.control("POST", "/webhooks", {"url": door, "secret": _SECRET, "events": _wanted_events()})
        yield here


def _wanted_events() -> list[str]:
    """What an operator who bills by Stripe subscribes the address to."""
    found: set[str] = set()
    for handlers in WEBHOOK_HANDLERS.implementations():
        if owner_of(handlers.__module__) == "billing":
            found |= {name for handler in handlers() for name in handler.types}
    return sorted(found)
