"""Whose credentials are used for what."""

import pytest

from app.core.config import get_settings
from app.core.database import SYSTEM, unit_of_work
from app.modules.payments.enums import Provider
from app.modules.payments.exceptions import StripeNotConfiguredError
from app.modules.payments.services import account_service
from app.modules.payments.services.account_service import mode_of
from app.modules.payments.tests.factories import API_KEY, WEBHOOK_SECRET, platform_id, stripe_account
from app.testing.working import vendor_scope

pytestmark = pytest.mark.usefixtures("world")
STAND_IN = "http://127.0.0.1:1"


def opened() -> tuple[str, str, str | None]:
    """Key, secret and stand-in that the platform's client would be made with."""
    with unit_of_work(SYSTEM) as session:
        row = account_service.find_row(session, Provider.STRIPE, platform_id=platform_id())
        found = account_service.credentials_of(session, row)
    return found.api_key, found.webhook_secret, found.stand_in_url


def test_the_account_goes_before_the_environment_and_that_before_the_stand_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(StripeNotConfiguredError):
        opened()
    monkeypatch.setenv("WIZAMART_SANDBOX_URL", STAND_IN)
    get_settings.cache_clear()
    assert opened() == ("sk_test_sandbox", "whsec_sandbox", STAND_IN)
    monkeypatch.setenv("PAYMENTS_STRIPE_API_KEY", "sk_live_of_the_environment")
    monkeypatch.setenv("PAYMENTS_STRIPE_WEBHOOK_SECRET", "whsec_of_the_environment")
    assert opened() == ("sk_live_of_the_environment", "whsec_of_the_environment", None)
    stripe_account()
    assert opened() == (API_KEY, WEBHOOK_SECRET, STAND_IN)


def test_an_account_is_found_only_by_its_owner_and_while_it_is_on() -> None:
    stripe_account("MINETT")
    own, other = vendor_scope("MINETT").vendor_id, vendor_scope("MOSELLE").vendor_id
    with unit_of_work(vendor_scope("MOSELLE")) as session:
        assert account_service.find_account(session, Provider.STRIPE, vendor_id=other) is None
        assert account_service.find_account(session, Provider.STRIPE, platform_id=platform_id()) is None
        assert account_service.find_account(session, Provider.STRIPE) is None
        found = account_service.find_account(session, Provider.STRIPE, vendor_id=own)
    assert found is not None
    assert (found.mode, found.key_hint) == ("test", "sk_test_…0001")


@pytest.mark.parametrize(
    ("key", "mode"),
    [
        ("sk_test_123456", "test"),
        ("rk_live_123456", "live"),
        ("pk_live_123456", None),
        ("sk_live_", None),
        ("", None),
        ("whsec_123456", None),
    ],
)
def test_a_keys_mode_stands_in_its_prefix(key: str, mode: str | None) -> None:
    assert mode_of(key) == mode


def test_credentials_do_not_print() -> None:
    shown = repr(account_service.Credentials("sk_live_secret", "whsec_secret"))
    assert "secret" not in shown.replace("webhook_secret", "")
