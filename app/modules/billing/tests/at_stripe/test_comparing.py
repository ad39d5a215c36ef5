"""The hourly comparison: what is the same costs little, what differs is found."""

from app.modules.billing.services import addon_service, stripe_service
from app.modules.billing.tests.at_stripe.conftest import Desk


def test_what_is_the_same_is_only_noted_as_read(desk: Desk) -> None:
    desk.subscribe()
    before = desk.shop.look()
    lines = len(desk.shop.changes())
    found = desk.sync()
    after = desk.shop.look()
    assert (found["read"], found["differed"], found["failed"]) == (1, 0, 0)
    assert before.stripe_read_at is not None
    assert after.stripe_read_at is not None
    assert after.stripe_read_at > before.stripe_read_at
    assert (after.version, after.updated_at) == (before.version, before.updated_at), "nobody's form is stale"
    assert len(desk.shop.changes()) == lines


def test_an_add_on_that_was_changed_at_stripe_is_found(desk: Desk) -> None:
    desk.subscribe()
    with desk.shop.session() as session:
        addons = {one.code: one.id for one in addon_service.list_addons(session, desk.shop.platform_id)}
    desk.ask("addon", addons["mailboxes-5"], 1)
    desk.bring()
    assert desk.sync()["differed"] == 0
    item = next(row for row in desk.theirs()["items"].data if row.price.unit_amount == 500)
    desk.api.subscription_items.update(item.id, {"quantity": 3})
    desk.lose()
    desk.sync()
    booked = desk.shop.rows("SELECT quantity FROM subscription_addons WHERE vendor_id = :vendor")
    assert [row.quantity for row in booked] == [3]


def test_a_plan_that_waits_and_was_dropped_at_stripe_is_found(desk: Desk) -> None:
    desk.subscribe("business")
    desk.ask("change", "essential", "month")
    desk.bring()
    assert desk.shop.look().next_tier_id is not None
    desk.api.subscriptions.update(desk.theirs().id, {"metadata": {stripe_service.PLANNED_KEY: ""}})
    desk.lose()
    desk.sync()
    assert desk.shop.look().next_tier_id is None


def test_an_old_difference_is_closed(desk: Desk) -> None:
    desk.subscribe()
    desk.api.subscriptions.update(desk.theirs().id, {"cancel_at_period_end": True})
    desk.lose()
    assert desk.sync()["differed"] == 1
    assert desk.sync()["differed"] == 0
    open_ones = "SELECT 1 FROM sync_differences WHERE vendor_id = :vendor AND resolved_at IS NULL"
    assert not desk.shop.rows(open_ones)
