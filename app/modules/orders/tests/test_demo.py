"""The demo has an order of each kind for both of its shops."""

from sqlalchemy import text

from app.core.database import SYSTEM, unit_of_work
from app.modules.orders.services.demo_service import place_demo_orders
from app.testing.database import Database

_STATES = """
    SELECT v.code, array_agg(DISTINCT o.status ORDER BY o.status), count(*),
        sum((SELECT count(*) FROM order_exceptions e WHERE e.order_id = o.id))
    FROM orders o JOIN vendors v ON v.id = o.vendor_id GROUP BY v.code ORDER BY v.code
"""


def test_there_is_an_order_of_each_kind_and_they_are_placed_once(world: Database) -> None:
    with unit_of_work(SYSTEM) as session:
        assert place_demo_orders(session, 0) == 0
    with world.owner_engine.connect() as connection:
        found = connection.execute(text(_STATES)).all()
    states = ["cancelled", "delivered", "partially_shipped", "pending", "processing", "shipped"]
    assert found == [(code, states, 14, 3) for code in ("MINETT", "MOSELLE")]
