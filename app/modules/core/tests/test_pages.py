"""The pages of the core module, as people go through them without scripts."""

import re
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.core.database import TenantScope, unit_of_work
from app.modules import state, why
from app.modules.core.tests.conftest import Place, Receiver, do_work
from app.modules.core.tests.test_webhooks import endpoint_at, happen
from app.modules.problems import Problem, report_problem
from app.testing.browsing import sign_in, token_of

HOME = "/vendor/MOSELLE"


@pytest.fixture
def owner(client: TestClient, moselle: Place) -> TestClient:
    sign_in(client, "vendor", "owner@moselle.example")
    return client


@pytest.fixture
def admin(client: TestClient, moselle: Place) -> TestClient:
    sign_in(client, "admin", "admin@wizamart.example")
    return client


def send(client: TestClient, page: str, to: str | None = None, **data: object) -> httpx2.Response:
    """Send a form of a page."""
    shown = client.get(page)
    fields = {"csrf_token": token_of(shown), **data}
    found = re.search(r'name="form_token" value="([^"]+)"', shown.text)
    if found and to is None:
        fields["form_token"] = found[1]
        version = re.search(r'name="version" value="(\d+)"', shown.text)
        fields |= {"version": version[1]} if version else {}
    return client.post(to or page, data=fields)


def path_of(answer: httpx2.Response) -> str:
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.headers["location"]).path


def test_a_webhook_from_its_form_to_its_first_message(owner: TestClient, receiver: Receiver) -> None:
    refused = send(owner, f"{HOME}/webhooks/new", url="http://shop.example/", event_types="*")
    assert refused.status_code == 422
    assert "https://" in refused.text
    assert "field-url" in refused.text
    data = {"url": receiver.url, "event_types": "*", "description": "ERP"}
    page = path_of(send(owner, f"{HOME}/webhooks/new", **data))
    assert "ERP" in owner.get(page).text
    shown = send(owner, page, f"{page}/secret")
    assert shown.status_code == 200
    assert "whsec_" in shown.text
    assert "whsec_" not in send(owner, page, f"{page}/secret").text
    delivery = path_of(send(owner, page, f"{page}/test"))
    do_work()
    assert len(receiver.got) == 1
    assert "thank you" in owner.get(delivery).text
    assert path_of(send(owner, delivery, f"{delivery}/replay")) == delivery
    do_work()
    assert len(receiver.got) == 2
    edited = send(
        owner, f"{page}/edit", url=receiver.url, event_types="tenancy.vendor_created", description="Stock"
    )
    assert path_of(edited) == page
    assert "Stock" in owner.get(page).text
    for act in ("rotate", "switch-off", "switch-on", "delete"):
        assert send(owner, page, f"{page}/{act}").status_code == 303
    assert owner.get(page).status_code == 404


def test_a_form_opened_before_another_change_shows_both_values(owner: TestClient, receiver: Receiver) -> None:
    page = path_of(send(owner, f"{HOME}/webhooks/new", url=receiver.url, event_types="*", description="ERP"))
    edit = f"{page}/edit"
    old = owner.get(edit)
    assert send(owner, edit, url=receiver.url, event_types="*", description="Theirs").status_code == 303
    form = dict(re.findall(r'name="(csrf_token|form_token|version)" value="([^"]+)"', old.text))
    answer = owner.post(edit, data={**form, "url": receiver.url, "event_types": "*", "description": "Mine"})
    assert answer.status_code == 409
    assert "Theirs" in answer.text
    assert "Mine" in answer.text


def test_what_failed_is_sent_again_from_the_list(
    owner: TestClient, moselle: Place, receiver: Receiver
) -> None:
    created = endpoint_at(moselle, receiver.url)
    receiver.status = 410
    happen(moselle)
    do_work()
    receiver.status = 200
    moselle.rows("UPDATE webhook_endpoints SET is_enabled = true, disabled_reason = NULL")
    page = f"{HOME}/webhook-deliveries"
    assert path_of(send(owner, page, f"{page}/bulk", action="replay", ids=ids_on(owner.get(page)))) == page
    do_work()
    assert len(receiver.got) == 2
    endpoint = owner.get(f"{HOME}/webhooks").text
    assert created.secret not in endpoint


def ids_on(page: httpx2.Response) -> list[str]:
    return re.findall(r'name="ids" value="([^"]+)"', page.text)


def test_the_operator_looks_at_a_vendors_webhook_and_changes_nothing(
    admin: TestClient, moselle: Place, receiver: Receiver
) -> None:
    endpoint_at(moselle, receiver.url)
    key = moselle.rows("SELECT id FROM webhook_endpoints")[0].id
    from app.core.ids import to_public

    page = f"/admin/webhooks/{to_public('whe', key)}"
    shown = admin.get(page)
    assert shown.status_code == 200
    assert f"{page}/delete" not in shown.text
    assert send(admin, page, f"{page}/delete").status_code == 404


@pytest.mark.demo_due
def test_the_bell_counts_and_leads_on(owner: TestClient, moselle: Place, receiver: Receiver) -> None:
    endpoint_at(moselle, receiver.url)
    receiver.status = 410
    happen(moselle)
    do_work()
    page = f"{HOME}/notifications"
    shown = owner.get(page)
    assert "bell-count" in shown.text
    assert receiver.url in shown.text
    action = re.search(r'action="([^"]+/open)"', shown.text)
    assert action
    assert "/webhooks/whe_" in path_of(send(owner, page, action[1]))
    assert "bell-count" not in owner.get(page).text
    assert send(owner, page, action[1].replace("/open", "/unread")).status_code == 303
    assert "bell-count" in owner.get(page).text
    assert send(owner, page, f"{page}/read-all").status_code == 303
    assert "bell-count" not in owner.get(page).text


def test_choices_are_kept(owner: TestClient) -> None:
    page = f"{HOME}/notifications/choices"
    assert send(owner, page, **{"core.job_ended": ["email"], "core.webhook_disabled": []}).status_code == 303
    ticked = re.findall(r'name="(core\.\w+)"[^>]*value="(\w+)"[^>]*checked', owner.get(page).text)
    assert ticked == [("core.job_ended", "email")]


def test_a_setting_is_changed_and_said_where_it_comes_from(admin: TestClient) -> None:
    page = "/admin/settings"
    values = {"core.notification_days": "60", "core.webhook_log_days": "30", "core.export_days": "7"}
    values |= {"marketplace.export_days": "30", "payments.webhook_days": "90"}
    refused = send(admin, page, **{**values, "core.export_days": "1000"})
    assert refused.status_code == 422
    assert 'value="1000"' in refused.text
    assert path_of(send(admin, page, **values)) == page
    shown = admin.get(page).text
    assert "Ada Operator" in shown
    assert 'value="60"' in shown
    assert path_of(send(admin, page, f"{page}/reset", key="core.notification_days")) == page
    assert 'value="90"' in admin.get(page).text
    assert send(admin, page, f"{page}/reset", key="no.such").status_code == 404


def test_hiding_the_setup_steps(owner: TestClient, moselle: Place) -> None:
    heading = "core-setup"
    page = f"{HOME}/settings"
    before = owner.get(HOME).text
    assert send(owner, page).status_code == 303
    assert heading not in owner.get(HOME).text
    assert moselle.rows("SELECT value FROM vendor_settings") == [(False,)]
    assert before.count("<h1") == 1


def test_a_view_is_saved_on_a_list_and_found_again(owner: TestClient) -> None:
    page = f"{HOME}/webhook-deliveries"
    form = {
        "page_id": "core.vendor.webhook_deliveries",
        "name": "Failed",
        "query": "state=failed",
        "is_shared": "1",
    }
    answer = send(owner, page, f"{HOME}/views", **form)
    view = answer.headers["location"]
    assert "view=svw_" in view
    assert ">Failed<" in owner.get(view).text
    key = view.partition("view=")[2]
    for act in ("default", "share", "duplicate"):
        assert send(owner, page, f"{HOME}/views/{key}/{act}").status_code == 303
    assert send(owner, page, f"{HOME}/views/{key}/rename", name="Broken").status_code == 303
    tabs = owner.get(page).text
    assert ">Broken<" in tabs
    assert ">Failed (2)<" in tabs
    assert path_of(send(owner, page, f"{HOME}/views/{key}/delete")) == page
    assert ">Broken<" not in owner.get(page).text
    assert send(owner, page, f"{HOME}/views", **{**form, "page_id": "core.admin.webhooks"}).status_code == 404


def test_modules_are_switched_with_a_preview(admin: TestClient, moselle: Place) -> None:
    modules = admin.get("/admin/modules").text
    here = re.search(r'href="(/admin/platforms/plt_\w+/modules)"', modules)
    assert here
    page = here[1]
    assert send(admin, page, f"{page}/off", code="catalog").status_code == 409
    for code in ("order-folder", "marketplace", "inventory", "orders", "catalog"):
        assert send(admin, page, f"{page}/off", code=code).status_code == 303
    shown = admin.get(page).text
    assert re.search(r"(Also switches on|Active aussi|Schaltet auch ein)[^<]*Catalog", shown)
    assert send(admin, page, f"{page}/on", code="marketplace").status_code == 303
    on = moselle.rows("SELECT module_code FROM platform_modules WHERE is_enabled")
    assert {"marketplace", "catalog"} <= {row.module_code for row in on}
    assert send(admin, page, f"{page}/on", code="nothing").status_code == 303
    assert admin.get("/admin/modules/nothing").status_code == 404


def test_a_hidden_page_leaves_the_menu_and_does_not_open(
    admin: TestClient, owner: TestClient, moselle: Place
) -> None:
    here = re.search(r'href="(/admin/platforms/plt_\w+/modules)"', admin.get("/admin/modules").text)
    assert here
    page = here[1].replace("/modules", "/menu")
    shown = admin.get(page).text
    offered = re.findall(r'name="(vendor|admin)"[^>]*value="([\w.]+)"', shown)
    assert ("vendor", "core.vendor.home") not in offered
    kept = {
        area: [page_id for where, page_id in offered if where == area and page_id != "core.vendor.webhooks"]
        for area in ("vendor", "admin")
    }
    assert path_of(send(admin, page, **kept)) == page
    state.forget_snapshot()
    home = owner.get(HOME).text
    assert f'href="{HOME}/webhooks"' not in home
    assert f'href="{HOME}/settings"' in home
    assert owner.get(f"{HOME}/webhooks").status_code == 404
    assert owner.get(f"{HOME}/settings").status_code == 200
    closed = why.explain("owner@moselle.example", f"{HOME}/webhooks")[-1]
    assert (closed.name, closed.is_open) == ("menu", False)


def test_the_palette_finds_pages_and_records(owner: TestClient, moselle: Place, receiver: Receiver) -> None:
    endpoint_at(moselle, receiver.url)
    found = owner.get(f"{HOME}/palette", params={"q": "webhook"}).text
    assert f'href="{HOME}/webhooks"' in found.partition("palette-list")[2]
    assert "/webhooks/whe_" in owner.get(f"{HOME}/palette", params={"q": "ERP"}).text


@pytest.mark.demo_due
def test_what_waits_stands_on_the_home_page(owner: TestClient, moselle: Place) -> None:
    assert "problems?state=critical" not in owner.get(HOME).text
    problem = Problem("core.test", "core.problems.empty", detail="The shop of a feed")
    with unit_of_work(TenantScope(moselle.vendor_id)) as session:
        report_problem(session, problem, vendor_id=moselle.vendor_id)
    assert "problems?state=critical" in owner.get(HOME).text


def test_the_operators_figures_lead_to_their_lists(admin: TestClient) -> None:
    home = admin.get("/admin").text
    for page in ("vendors", "companies", "platforms", "modules", "webhook-deliveries"):
        assert f'class="tile-label"><a href="/admin/{page}"' in home, page
