"""While a subscription has ended everything can be read and taken away, and nothing is changed."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.core.ids import to_public
from app.modules.api import ROOT
from app.modules.catalog.tests.test_edit import send
from app.modules.marketplace.services import export_round_service, feed_schedule_service
from app.modules.marketplace.tests.conftest import Shop, feed, row
from app.modules.tenancy.tests.steps import post
from app.testing.api_keys import make_key
from app.testing.working import work
from tests.api.conftest import holder_of
from tests.plans.conftest import ENDED, HOME
from tests.plans.plan.definition import Plans


@pytest.fixture
def ended(shop: Shop, plan: Plans) -> Plans:
    """The subscription of a shop with a few products has ended."""
    shop.run(feed([row(n) for n in range(3)]))
    plan.closed = ENDED
    return plan


def test_a_write_is_refused_and_the_page_leads_to_the_plan(
    owner: TestClient, shop: Shop, ended: Plans
) -> None:
    page = send(owner, f"{HOME}/products/new", sku="NEW-1")
    assert page.status_code == 403
    assert "Your subscription has ended" in page.text
    assert "Nothing was saved" in page.text
    assert f'href="{HOME}/plan"' in page.text
    assert shop.product("NEW-1") is None
    ended.closed = None
    assert send(owner, f"{HOME}/products/new", sku="NEW-1").status_code == 303


def test_pages_can_be_read(owner: TestClient, ended: Plans) -> None:
    for path in ("", "/products", "/products/new", "/imports", "/team", "/tariff"):
        assert owner.get(f"{HOME}{path}").status_code == 200, path


@pytest.mark.parametrize(
    ("path", "page", "fields", "status"),
    [
        ("/tariff/change", "/team/invite", {}, 200),
        ("/tariff/work", "/team/invite", {}, 403),
        ("/profile", "/profile", {"name": "Anne", "language": "en", "theme": "dark", "time_zone": ""}, 303),
        ("/products/export", "/products", {"rows": "all"}, 200),
        ("/notifications/read-all", "/notifications", {}, 303),
        ("/exports/new", "/exports/new", {"language": "en"}, 303),
        ("/domains/new", "/domains/new", {"host": "new.example"}, 403),
        ("/feeds/new", "/feeds/new", {"name": "Feed", "language": "en"}, 403),
    ],
)
def test_what_is_possible(
    owner: TestClient, ended: Plans, path: str, page: str, fields: dict[str, str], status: int
) -> None:
    assert post(owner, f"{HOME}{path}", fields, page=f"{HOME}{page}").status_code == status


def test_signing_out_is_possible(owner: TestClient, ended: Plans) -> None:
    assert post(owner, "/vendor/sign-out", page=HOME).status_code == 303
    assert owner.get(HOME).status_code == 303


def test_work_on_many_rows_is_refused(owner: TestClient, shop: Shop, ended: Plans) -> None:
    ids = [to_public("prd", shop.product(f"A-{n}").id) for n in range(3)]
    form = {"action": "archive", "ids": ids}
    assert post(owner, f"{HOME}/products/bulk", form, page=f"{HOME}/products").status_code == 403
    assert shop.product("A-0").archived_at is None
    ended.closed = None
    everything = {"action": "archive", "everything": "yes"}
    post(owner, f"{HOME}/products/bulk", everything, page=f"{HOME}/products")
    ended.closed = ENDED
    work()
    assert shop.product("A-0").archived_at is None, "asked for before, refused when it was to be done"
    jobs = "SELECT error_code FROM jobs WHERE vendor_id = :vendor AND task LIKE '%run_list_job' AND state = 'failed'"
    assert [one.error_code for one in shop.rows(jobs)] == ["framework.read_only"]


def test_the_api_writes_nothing(client: TestClient, shop: Shop, ended: Plans) -> None:
    key = {"Authorization": f"Bearer {make_key(holder_of('MOSELLE'))}"}
    url = f"{ROOT}/vendor/products/{to_public('prd', shop.product('A-0').id)}"
    assert client.get(url, headers=key).status_code == 200
    answer = client.patch(
        url, json={"brand": "Gutt"}, headers={**key, "If-Match": "*", "Idempotency-Key": "1"}
    )
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "framework.read_only"
    assert shop.product("A-0").brand == "Moselwerk"
    exports = client.post(
        f"{ROOT}/vendor/exports", json={"language": "en"}, headers={**key, "Idempotency-Key": "2"}
    )
    assert exports.status_code == 202
    ended.closed = None
    headers = {**key, "If-Match": "*", "Idempotency-Key": "1"}
    assert client.patch(url, json={"brand": "Gutt"}, headers=headers).status_code == 200
    ended.closed = ENDED
    again = client.patch(url, json={"brand": "Gutt"}, headers=headers)
    assert again.status_code == 200, "what was done before is answered as before"


def test_an_import_that_waits_ends_cancelled_and_says_why(owner: TestClient, shop: Shop, plan: Plans) -> None:
    import_id = shop.start(feed([row(1)]))
    plan.closed = ENDED
    work()
    job = shop.look(import_id).job
    assert job
    assert (job.state, job.error_code) == ("cancelled", "framework.read_only")
    assert job.error_message
    assert "subscription has ended" in job.error_message
    assert shop.product("A-1") is None
    page = owner.get(f"{HOME}/imports/{to_public('imp', import_id)}")
    assert "Your subscription has ended" in page.text


def test_schedules_leave_the_vendor_out(shop: Shop, ended: Plans) -> None:
    shop.rows(
        "UPDATE feeds SET url = 'https://shop.example/feed', every_hours = 24, next_run_at = :due "
        "WHERE vendor_id = :vendor",
        due=clock.now() - timedelta(minutes=1),
    )
    with unit_of_work(SYSTEM) as session:
        due = next(one for one in feed_schedule_service.list_due(session) if one.vendor_id == shop.vendor_id)
        assert not feed_schedule_service.start_due(session, due)
        assert all(one.vendor_id != shop.vendor_id for one in export_round_service.list_due(session))
    assert shop.rows("SELECT next_run_at FROM feeds WHERE vendor_id = :vendor")[0].next_run_at > clock.now()
