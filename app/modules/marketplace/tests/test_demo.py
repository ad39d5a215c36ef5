"""The demo's goods."""

import pytest
from sqlalchemy import text

from app.core.database import SYSTEM, unit_of_work
from app.modules.marketplace.services import demo_service
from app.modules.marketplace.tests.conftest import Shop
from app.tasks.runner import run_until_idle

QUEUES = ["default", "long_running"]


def waiting(shop: Shop) -> int:
    return int(
        shop.rows("SELECT count(*) FROM jobs WHERE task LIKE '%import_demo_feeds' AND state = 'queued'")[0][0]
    )


def test_the_demo_vendors_get_their_goods_once(shop: Shop, other_shop: Shop) -> None:
    for _ in range(2):
        with unit_of_work(SYSTEM) as session:
            demo_service.seed(session)
    assert waiting(shop) == 1
    assert run_until_idle(QUEUES, timeout_seconds=60)
    imports = shop.rows("SELECT language, created, updated, failed FROM feed_imports ORDER BY vendor_id, id")
    assert len(imports) == 5
    assert {failed for *_, failed in imports} == {1}
    # An export waits for the imports before it.
    assert shop.rows("SELECT rows FROM feed_exports") == [(60,)] * 3
    assert shop.rows("SELECT vendor_id, count(*) FROM products GROUP BY vendor_id") != []
    assert {
        count for _, count in shop.rows("SELECT vendor_id, count(*) FROM products GROUP BY vendor_id")
    } == {60}
    with unit_of_work(SYSTEM) as session:
        demo_service.seed(session)
        assert demo_service.start_demo_imports(session) == 0
    assert waiting(shop) == 0


@pytest.mark.parametrize(("code", "language"), [("MOSELLE", "fr"), ("GUTLAND", "de"), ("MINETT", "en")])
def test_a_demo_feed_is_the_same_every_time(code: str, language: str) -> None:
    assert demo_service.demo_feed(code, language) == demo_service.demo_feed(code, language)
    assert demo_service.demo_feed(code, language).count("\n") == 62


def test_settings_of_new_vendors_come_by_the_event(shop: Shop) -> None:
    with shop.owner.connect() as connection:
        handled = connection.execute(
            text(
                "SELECT count(*) FROM deliveries WHERE handler = 'marketplace' AND event = 'tenancy.vendor_created'"
            )
        ).scalar_one()
        settings = connection.execute(text("SELECT count(*) FROM feed_settings")).scalar_one()
    assert handled == settings == 3
