"""Talking to Stripe, or to what stands in for it: one client, and its errors as ours."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import stripe
from stripe import RequestsClient, StripeClient

from app.modules.payments.config import PaymentsSettings
from app.modules.payments.exceptions import GatewayRefusedError, GatewayUnavailableError

# The shapes that the code was written for; an account may have another version as its default.
API_VERSION = "2026-10-28.endive"
_CONNECT_SECONDS = 5.0
_RETRIES = 2
_ACCOUNTS = 64

# Its lower levels write down every request, names and addresses of payers included.
logging.getLogger("stripe").setLevel(logging.WARNING)


def open_client(api_key: str, *, stand_in_url: str | None = None) -> StripeClient:
    """A client with a time limit and few retries, of Stripe or of what stands in for it. Each process keeps one for an
    account, so that its connections are used again."""
    return _client(api_key, stand_in_url, PaymentsSettings().stripe_timeout_seconds)


@lru_cache(maxsize=_ACCOUNTS)
def _client(api_key: str, stand_in_url: str | None, timeout_seconds: float) -> StripeClient:
    return StripeClient(
        api_key,
        stripe_version=API_VERSION,
        max_network_retries=_RETRIES,
        http_client=RequestsClient(timeout=(_CONNECT_SECONDS, timeout_seconds)),
        base_addresses={"api": f"{stand_in_url.rstrip('/')}/stripe"} if stand_in_url else None,
    )


@contextmanager
def translated_errors() -> Iterator[None]:
    """Errors of Stripe's library in the block become GatewayUnavailableError or GatewayRefusedError (param ``reason``).

    The reason is Stripe's code (``card_declined``), never its text, which may repeat what was sent.
    """
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise GatewayUnavailableError(f"Stripe does not answer ({type(error).__name__}).") from error
    except stripe.StripeError as error:
        status = error.http_status
        # 409: another request with the same idempotency key is under way.
        if status is None or status >= 500 or status == 409:
            raise GatewayUnavailableError(f"Stripe does not answer ({status}).") from error
        reason = error.code or type(error).__name__
        raise GatewayRefusedError(f"Stripe has refused: {reason}.", reason=reason) from error
