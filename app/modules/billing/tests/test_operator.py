"""What operators do with plans, add-ons, subscriptions and invoices, by pages and by programs."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core import clock
from app.core.database import SYSTEM, IdentityScope, unit_of_work
from app.core.ids import from_public, new_id, to_public
from app.modules.api import ROOT
from app.modules.billing.contracts import TierInput
from app.modules.billing.services import tier_service
from app.modules.billing.tests.conftest import Shop, move_clock
from app.modules.tenancy.facade import admin_holder, find_vendor, vendor_holder
from app.testing.api_keys import make_key, owner_of
from app.testing.browsing import sign_in, token_of

ADMIN, SUPPORT = "admin@wizamart.example", "support@wizamart.example"
BILLING = "/admin/billing"


@pytest.fixture
def admin(shop: Shop, client: TestClient) -> TestClient:
    """The operator at the browser; GUTLAND has a trial."""
    shop.start_trial()
    sign_in(client, "admin", ADMIN)
    return client


def send(client: TestClient, path: str, **values: Any) -> httpx2.Response:
    """Fill in a form that is there and send it: what is not given stays as the page shows it."""
    page = client.get(path)
    assert page.status_code == 200, path
    shown = re.findall(r'<input[^>]*name="(\w[\w.]*)"[^>]*value="([^"]*)"[^>]*>', page.text)
    boxes = set(re.findall(r'name="([\w.]+)" type="(?:checkbox|radio)"', page.text))
    ticked = re.findall(r'name="([\w.]+)" type="(?:checkbox|radio)" value="([^"]*)" checked', page.text)
    ticked += re.findall(r'<select[^>]*name="(\w+)"[^>]*>.*?value="([^"]*)" selected', page.text, re.DOTALL)
    kept = {name: value for name, value in shown if name not in boxes} | dict(ticked)
    return client.post(path, data=kept | values)


def act(client: TestClient, path: str, name: str, **values: Any) -> httpx2.Response:
    """Press a button of a page."""
    return client.post(f"{path}/{name}", data={"csrf_token": token_of(client.get(path)), **values})


def id_at(path: str | None) -> UUID:
    """The id that an address of a record ends with."""
    assert path is not None
    prefix = path.rpartition("/")[2].partition("_")[0]
    key = from_public(prefix, path.rpartition("/")[2])
    assert key is not None, path
    return key


def page_of(shop: Shop) -> str:
    return f"{BILLING}/subscriptions/{to_public('sub', shop.look().id)}"


def at_stripe(shop: Shop) -> None:
    """From now on Stripe bills the vendor."""
    shop.rows(
        "UPDATE subscriptions SET stripe_customer_id = 'cus_1', stripe_subscription_id = 'sub_1' "
        "WHERE vendor_id = :vendor"
    )


def limits(shop: Shop, tier_id: UUID) -> dict[str, int | None]:
    found = shop.rows("SELECT feature_code, limit_value FROM tier_limits WHERE tier_id = :id", id=tier_id)
    return {row.feature_code: row.limit_value for row in found}


def test_a_plan_is_made_changed_archived_and_sold_again(admin: TestClient, shop: Shop) -> None:
    plan = {
        "platform_id": to_public("plt", shop.platform_id),
        "code": "Starter",
        "name_en": "Starter",
        "name_fr": "Débutant",
        "monthly_cents": "19.90",
        "annual_cents": "199",
        "order_index": "0",
        "limit_catalog.products": "1 000",
        "limit_tenancy.team_members": "",
    }
    assert send(admin, f"{BILLING}/tiers/new", **plan | {"code": "essential"}).status_code == 422
    page = send(admin, f"{BILLING}/tiers/new", **plan).headers["location"]
    key = id_at(page)
    assert limits(shop, key) == {
        "catalog.products": 1000,
        "tenancy.team_members": None,
        "tenancy.custom_domains": 0,
        "orders.orders": None,
    }
    for shown in (admin.get(page).text, admin.get(f"{BILLING}/tiers").text):
        assert "€19.90" in shown
        assert "Unlimited" in shown
    assert 'name="code"' not in admin.get(f"{page}/edit").text  # a code never changes
    assert "Starter" in admin.get(f"{BILLING}/tiers/preview?interval=year").text
    assert act(admin, page, "archive").status_code == 303
    assert "Starter" not in admin.get(f"{BILLING}/tiers/preview").text
    assert act(admin, page, "restore").status_code == 303
    assert send(admin, f"{page}/edit", is_public="").headers["location"] == page
    assert "Starter" not in admin.get(f"{BILLING}/tiers/preview").text


def test_a_changed_plan_keeps_limits_of_modules_that_are_not_installed(admin: TestClient, shop: Shop) -> None:
    key = shop.tier_id("essential")
    before = limits(shop, key)
    assert "orders.orders" in before
    edit = f"{BILLING}/tiers/{to_public('tir', key)}/edit"
    old = admin.get(edit).text
    sent = send(admin, edit, monthly_cents="59", **{"limit_catalog.products": "300"})
    assert sent.status_code == 303
    assert limits(shop, key) == before | {"catalog.products": 300}
    assert "€59.00" in admin.get(f"{BILLING}/tiers").text
    version = re.findall(r'name="version" value="(\d+)"', old)[0]
    assert send(admin, edit, monthly_cents="69", version=version).status_code == 409
    assert send(admin, edit, monthly_cents="-1").status_code == 422


def test_an_add_on_is_made_changed_archived_and_sold_again(admin: TestClient, shop: Shop) -> None:
    wanted = {
        "platform_id": to_public("plt", shop.platform_id),
        "code": "team-5",
        "name_en": "Five more people",
        "price_cents": "12,50",
        "interval": "month",
        "feature_code": "tenancy.team_members",
        "amount": "5",
    }
    page = send(admin, f"{BILLING}/addons/new", **wanted).headers["location"]
    assert "€12.50" in admin.get(page).text
    assert send(admin, f"{page}/edit", price_cents="14").status_code == 303
    shown = admin.get(f"{BILLING}/addons").text
    assert "€14.00" in shown
    assert "Team members" in shown
    assert act(admin, page, "archive").status_code == 303
    assert "Five more people" not in admin.get(f"{BILLING}/addons?state=sold").text
    assert act(admin, page, "restore").status_code == 303
    assert "Five more people" in admin.get(f"{BILLING}/addons?state=sold").text


def test_a_trial_is_extended_with_a_reason(admin: TestClient, shop: Shop) -> None:
    before = shop.look().trial_ends_at
    assert before is not None
    assert send(admin, f"{page_of(shop)}/trial", days="7", reason="").status_code == 422
    assert send(admin, f"{page_of(shop)}/trial", days="400", reason="Holidays").status_code == 422
    assert send(admin, f"{page_of(shop)}/trial", days="7", reason="Holidays").status_code == 303
    assert shop.look().trial_ends_at == before + timedelta(days=7)
    shown = admin.get(page_of(shop)).text
    assert "Holidays" in shown
    assert "Ada Operator" in shown
    # What the state does not allow is said on the form, with what was typed.
    assert send(admin, f"{page_of(shop)}/activate", tier="essential", interval="month").status_code == 303
    refused = send(admin, f"{page_of(shop)}/trial", days="7", reason="Once more")
    assert refused.status_code == 422
    assert "Once more" in refused.text
    assert "Extend trial" not in admin.get(page_of(shop)).text


def test_a_plan_is_changed_at_once_or_later(admin: TestClient, shop: Shop) -> None:
    send(admin, f"{page_of(shop)}/plan", tier="business", interval="month")
    assert shop.look().tier_id == shop.tier_id("business")
    send(admin, f"{page_of(shop)}/activate", tier="business", interval="month")
    send(admin, f"{page_of(shop)}/plan", tier="essential", interval="year")
    assert shop.look().tier_id == shop.tier_id("business")
    assert "the plan is Essential" in admin.get(page_of(shop)).text


def test_a_limit_of_a_vendors_own_is_set_and_taken_away(admin: TestClient, shop: Shop) -> None:
    form, until = f"{page_of(shop)}/limit", clock.now().date() + timedelta(days=10)
    wanted = {"feature_code": "catalog.products", "limit_value": "950", "reason": "A large order"}
    assert send(admin, form, **wanted, expires_at="2020-01-01").status_code == 422
    assert send(admin, form, **wanted, expires_at=until.isoformat()).status_code == 303
    row = shop.rows("SELECT id, limit_value, expires_at FROM limit_overrides WHERE vendor_id = :vendor")[0]
    assert row.limit_value == 950
    # To the end of that day in Luxembourg.
    assert row.expires_at.astimezone(UTC) == datetime.combine(until, datetime.min.time(), UTC) + timedelta(
        hours=23
    )
    shown = admin.get(page_of(shop)).text
    assert "60 of 950 used" in shown
    assert "A large order" in shown
    remove = f"limits/{to_public('ovr', row.id)}/remove"
    assert act(admin, page_of(shop), remove).status_code == 303
    assert act(admin, page_of(shop), remove).status_code == 303  # pressed twice
    assert "60 of 200 used" in admin.get(page_of(shop)).text


def test_a_subscription_is_cancelled_and_taken_back(admin: TestClient, shop: Shop) -> None:
    assert send(admin, f"{page_of(shop)}/cancel", reason="Closes the shop").status_code == 303
    assert shop.look().status == "cancelled"
    assert "Closes the shop" in admin.get(page_of(shop)).text
    assert act(admin, page_of(shop), "reactivate").status_code == 303
    assert shop.look().status == "trial"


def test_an_invoice_paid_elsewhere_settles_the_subscription(admin: TestClient, shop: Shop) -> None:
    send(admin, f"{page_of(shop)}/activate", tier="essential", interval="month")
    row = shop.rows("SELECT id, number FROM billing_invoices WHERE vendor_id = :vendor")[0]
    page = f"{BILLING}/invoices/{to_public('bin', row.id)}"
    move_clock(days=20)
    shop.rows(
        "UPDATE subscriptions SET status = 'past_due', past_due_since = now() WHERE vendor_id = :vendor"
    )
    assert row.number in admin.get(f"{BILLING}/invoices?due=over").text
    assert "overdue" in admin.get(page).text
    assert "Subscription invoices overdue" in admin.get("/admin").text
    assert act(admin, page, "mark-paid").status_code == 303
    assert shop.look().status == "active"
    assert "Mark as paid" not in admin.get(page).text
    assert act(admin, page, "mark-paid").status_code == 409
    assert act(admin, page, "void").status_code == 409


def test_invoices_are_marked_as_paid_together_and_exported(admin: TestClient, shop: Shop) -> None:
    send(admin, f"{page_of(shop)}/activate", tier="essential", interval="month")
    found = shop.rows("SELECT id, number, status FROM billing_invoices")
    ids = [to_public("bin", row.id) for row in found]
    bulk = act(admin, f"{BILLING}/invoices", "bulk", action="mark_paid", ids=ids)
    assert bulk.status_code == 303
    assert {row.status for row in shop.rows("SELECT status FROM billing_invoices")} == {"paid"}
    csv = act(admin, f"{BILLING}/invoices", "export", query="status=paid").text
    assert csv.count("\n") == 1 + len(found)
    assert all(row.number in csv for row in found)


def test_an_invoice_that_need_not_be_paid(admin: TestClient, shop: Shop) -> None:
    send(admin, f"{page_of(shop)}/activate", tier="essential", interval="month")
    key = shop.rows("SELECT id FROM billing_invoices WHERE vendor_id = :vendor")[0].id
    assert act(admin, f"{BILLING}/invoices/{to_public('bin', key)}", "void").status_code == 303
    assert shop.rows("SELECT status FROM billing_invoices WHERE id = :id", id=key)[0].status == "void"


def test_what_stripe_bills_is_asked_of_stripe(admin: TestClient, shop: Shop) -> None:
    send(admin, f"{page_of(shop)}/activate", tier="business", interval="month")
    at_stripe(shop)
    assert send(admin, f"{page_of(shop)}/cancel", reason="").status_code == 303
    assert shop.look().status == "active"  # until Stripe has said so
    asked = shop.rows("SELECT kind FROM billing_requests WHERE vendor_id = :vendor ORDER BY id")
    assert [row.kind for row in asked][-1:] == ["cancel"]
    shown = admin.get(page_of(shop)).text
    assert "Stripe is being asked" in shown
    assert "Begin a paid period" not in shown


def test_what_differs_from_stripe_is_listed_and_asked_again(admin: TestClient, shop: Shop) -> None:
    at_stripe(shop)
    found = shop.look()
    insert = (
        "INSERT INTO sync_differences (id, vendor_id, subscription_id, field, local_value, remote_value, found_at) "
        "VALUES (:id, :vendor, :subscription, 'status', 'trial', 'active', now())"
    )
    shop.rows(insert, id=new_id(), subscription=found.id)
    shown = admin.get(f"{BILLING}/differences").text
    assert "status: trial → active" in shown
    assert "1 subscription differs" in shown
    assert "not the same at Stripe" in admin.get("/admin").text
    public = to_public("sub", found.id)
    for answer in (
        act(admin, f"{BILLING}/differences", "bulk", action="sync", ids=[public]),
        act(admin, page_of(shop), "sync"),  # again: one job is enough
    ):
        assert answer.status_code == 303
    jobs = shop.rows("SELECT id FROM jobs WHERE task LIKE '%stripe.read_again' AND vendor_id = :vendor")
    assert len(jobs) == 1


def test_subscriptions_are_found_by_status_plan_and_the_end_of_the_trial(
    admin: TestClient, shop: Shop
) -> None:
    def found(query: str) -> set[str]:
        page = admin.get(f"{BILLING}/subscriptions?{query}").text
        return set(re.findall(r"<code>([A-Z]{5,})</code>", page))

    assert found("") == {"GUTLAND", "MOSELLE", "MINETT"}
    assert found("status=trial") == {"GUTLAND"}
    business, enterprise = (to_public("tir", shop.tier_id(code)) for code in ("business", "enterprise"))
    assert found(f"tier={business}&tier={enterprise}") == {"MOSELLE", "MINETT"}
    assert found("interval=year") == {"MOSELLE"}
    assert found("trial_ends=7") == set()
    assert found("trial_ends=14") == {"GUTLAND"}
    assert found("q=gutl") == {"GUTLAND"}
    at_stripe(shop)
    assert found("billed_by=stripe") == {"GUTLAND"}
    assert found("q=cus_1") == {"GUTLAND"}


def test_who_only_reads_changes_nothing(shop: Shop, client: TestClient) -> None:
    """Support reads the demo's platform, and no other platform's plans."""
    shop.start_trial()
    with unit_of_work(SYSTEM) as session:
        values = TierInput({"en": "Elsewhere"}, 1, 100, 1000)
        foreign = tier_service.create_tier(session, new_id(), "elsewhere", values).id
    sign_in(client, "admin", SUPPORT)
    page = client.get(page_of(shop))
    assert page.status_code == 200
    assert "Change plan" not in page.text
    assert "Essential" in page.text
    assert client.get(f"{BILLING}/subscriptions").text.count("€3,990.00") == 1
    plans = client.get(f"{BILLING}/tiers").text
    assert "Professional" in plans
    assert "Elsewhere" not in plans
    assert client.get(f"{BILLING}/tiers/{to_public('tir', foreign)}").status_code == 404
    assert client.get(f"{page_of(shop)}/trial").status_code == 403
    for name in ("sync", "reactivate", "trial", "plan", "activate", "cancel", "limit"):
        assert act(client, page_of(shop), name).status_code == 403
    tier = f"{BILLING}/tiers/{to_public('tir', shop.tier_id('business'))}"
    assert act(client, tier, "archive").status_code == 403


class TestPrograms:
    """The API."""

    @staticmethod
    def ask(client: TestClient, key: str, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {key}", **options.pop("headers", {})}
        return client.request(method, f"{ROOT}{path}", headers=headers, **options)

    @pytest.fixture
    def admin_key(self, shop: Shop, owner_engine: Engine) -> str:
        shop.start_trial()
        with owner_engine.connect() as connection:
            key = connection.execute(text("SELECT id FROM users WHERE is_super_admin")).scalar_one()
        with unit_of_work(IdentityScope()) as session:
            holder = admin_holder(session, key)
        assert holder
        return make_key(holder)

    @pytest.fixture
    def vendor_key(self, shop: Shop) -> str:
        vendor = find_vendor(vendor_id=shop.vendor_id)
        assert vendor
        with unit_of_work(IdentityScope()) as session:
            holder = vendor_holder(session, vendor.id, owner_of(session, vendor.company_id))
        assert holder
        return make_key(holder)

    def test_operators_read_and_change_plans(self, client: TestClient, admin_key: str, shop: Shop) -> None:
        listed = self.ask(client, admin_key, "GET", "/admin/billing/tiers").json()["data"]
        assert [row["code"] for row in listed] == ["essential", "professional", "business", "enterprise"]
        path = f"/admin/billing/tiers/{listed[0]['id']}"
        before = self.ask(client, admin_key, "GET", path)
        change = {"monthly_cents": 5900}
        stale = {"If-Match": '"999"'}
        assert self.ask(client, admin_key, "PATCH", path, json=change, headers=stale).status_code == 412
        fresh = {"If-Match": before.headers["etag"]}
        after = self.ask(client, admin_key, "PATCH", path, json=change, headers=fresh).json()
        assert after == before.json() | {"monthly_cents": 5900, "version": after["version"]}

    def test_operators_read_subscriptions_and_settle_invoices(
        self, client: TestClient, admin_key: str, shop: Shop
    ) -> None:
        listed = self.ask(client, admin_key, "GET", "/admin/billing/subscriptions?status=trial").json()[
            "data"
        ]
        assert [row["vendor_id"] for row in listed] == [to_public("vnd", shop.vendor_id)]
        one = self.ask(client, admin_key, "GET", f"/admin/billing/subscriptions/{listed[0]['id']}").json()
        assert one == listed[0]
        path = "/admin/billing/invoices"
        opened = self.ask(client, admin_key, "GET", f"{path}?status=open").json()["data"][0]
        version = {"If-Match": f'"{opened["version"]}"'}
        paid = {"status": "paid"}
        settled = self.ask(client, admin_key, "PATCH", f"{path}/{opened['id']}", json=paid, headers=version)
        assert settled.json()["paid_cents"] == opened["total_cents"]
        version = {"If-Match": settled.headers["etag"]}
        again = self.ask(client, admin_key, "PATCH", f"{path}/{opened['id']}", json=paid, headers=version)
        assert again.status_code == 409

    def test_vendors_read_what_is_theirs(self, client: TestClient, vendor_key: str, shop: Shop) -> None:
        assert self.ask(client, vendor_key, "GET", "/vendor/billing/subscription").status_code == 404
        shop.subscribe("business")
        found = self.ask(client, vendor_key, "GET", "/vendor/billing/subscription").json()
        assert (found["tier_code"], found["status"], found["price_cents"]) == ("business", "active", 19900)
        used = self.ask(client, vendor_key, "GET", "/vendor/billing/usage").json()["data"]
        products = next(row for row in used if row["feature_code"] == "catalog.products")
        assert (products["used"], products["limit"], products["state"]) == (60, None, "unlimited")
        invoices = self.ask(client, vendor_key, "GET", "/vendor/billing/invoices").json()["data"]
        assert [row["total_cents"] for row in invoices] == [19900]
        path = f"/vendor/billing/invoices/{invoices[0]['id']}"
        assert self.ask(client, vendor_key, "GET", path).json() == invoices[0]
        others = shop.rows("SELECT id FROM billing_invoices WHERE vendor_id <> :vendor")
        for row in others:
            foreign = f"/vendor/billing/invoices/{to_public('bin', row.id)}"
            assert self.ask(client, vendor_key, "GET", foreign).status_code == 404
