"""What pages may cost: their weight on a first visit, and how often one asks the database."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, text

from app.core.database import engine
from app.modules.menu import AREA_ROOTS, pages
from app.testing.bench.weight import weigh
from app.testing.browsing import sign_in

PEOPLE = {"vendor": "owner@minett.example", "admin": "admin@wizamart.example"}
# Session, person and place (4), role and settings (1), saved views, rows, their number, unread notifications (4);
# the rest is for what single lists bring from elsewhere.
MOST_STATEMENTS = 14

_PRODUCTS = """
    INSERT INTO products (id, vendor_id, sku, gtin, brand, price_cents, currency, availability,
        additional_image_links, attributes, is_active, edited_fields, created_at, updated_at, version)
    SELECT gen_random_uuid(), vendors.id, 'BUDGET-' || lpad(n::text, 5, '0'), lpad((6291041500000 + n)::text, 14, '0'),
        'Brand ' || n, n * 137, 'EUR', 'in_stock', '{}', '{}', true, '{}', now(), now(), 1
    FROM vendors, generate_series(1, 60) n WHERE vendors.code = 'MINETT'
"""
_ACTS = """
    INSERT INTO audit_log (id, at, action, target, details, request_id)
    SELECT gen_random_uuid(), now(), 'tenancy.signed_in', 'usr_' || n, '{"number": 1}', gen_random_uuid()::text
    FROM generate_series(1, 60) n
"""


@pytest.mark.parametrize(
    ("area", "address", "rows"),
    [("vendor", "/vendor/MINETT/products?size=50", _PRODUCTS), ("admin", "/admin/audit?size=50", _ACTS)],
)
def test_a_page_of_fifty_rows_keeps_to_its_weight(
    client: TestClient, owner_engine: Engine, area: str, address: str, rows: str
) -> None:
    with owner_engine.begin() as connection:
        connection.execute(text(rows))
    sign_in(client, area, PEOPLE[area])
    assert client.get(address).text.count("<tr data-row") == 50
    assert weigh(client, address).over() == {}


@pytest.mark.parametrize("area", PEOPLE)
def test_lists_ask_the_database_a_few_times_only(client: TestClient, area: str) -> None:
    sign_in(client, area, PEOPLE[area])
    over = {}
    for page in pages().values():
        address = (AREA_ROOTS[page.area] + page.path).replace("{vendor_code}", "MINETT")
        if page.area == area and page.kind == "list" and "{" not in address:
            asked = [
                statements(client, address) for _ in range(3)
            ]  # once a second a process looks for switches
            over[page.id] = min(asked, key=len)
    assert over
    assert {name: sent for name, sent in over.items() if len(sent) > MOST_STATEMENTS} == {}


def statements(client: TestClient, address: str) -> list[str]:
    """The statements that the application sends for a page."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    try:
        assert client.get(address).status_code == 200
    finally:
        event.remove(engine(), "before_cursor_execute", note)
    return sent
