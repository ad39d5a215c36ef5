"""How tests press buttons and fill in forms of the order desk."""

import re
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from app.core.ids import to_public
from app.modules.orders.tests.conftest import Desk
from app.modules.pages import LANGUAGE_COOKIE
from app.testing.browsing import sign_in, token_of

GUTLAND = "/vendor/GUTLAND"
WHO = {
    "last_name": "Weber", "language": "de", "shipping_line1": "1, rue du Fort", "shipping_postcode": "L-2226",
    "shipping_city": "Luxembourg", "shipping_country": "LU", "billing_country": "LU",
}  # fmt: skip


@pytest.fixture
def owner(desk: Desk, client: TestClient) -> TestClient:
    """The owner of GUTLAND at the browser, in English; three products are on the shelf."""
    for sku in ("A", "B", "C"):
        desk.product(sku)
        desk.stock(sku, 10)
    sign_in(client, "vendor", "owner@moselle.example")
    client.cookies.set(LANGUAGE_COOKIE, "en")
    return client


def page_of(order_id: UUID) -> str:
    return f"{GUTLAND}/orders/{to_public('ord', order_id)}"


def press(client: TestClient, page: str, act: str, **values: object) -> str:
    """Press a button of a page and give the page that comes then."""
    data = {"csrf_token": token_of(client.get(page)), **values}
    answer = client.post(f"{page}/{act}" if act else page, data=data, follow_redirects=True)
    assert answer.status_code < 500, answer.text[:500]
    return answer.text


def fill(client: TestClient, page: str, **values: object) -> tuple[int, str]:
    """Send a form with these values; status and page, followed where it led on."""
    shown = client.get(page)
    hidden = dict(re.findall(r'type="hidden" name="(form_token|version)" value="([^"]*)"', shown.text))
    data = {"csrf_token": token_of(shown), **hidden, **values}
    answer = client.post(page, data=data, follow_redirects=True)
    return answer.status_code, answer.text
