"""Feeds, rules, completeness and exports for programs."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.core.database import IdentityScope, unit_of_work
from app.core.ids import to_public
from app.modules.api import callers as api_callers
from app.modules.marketplace.tests.conftest import Shop, feed, row
from app.modules.tenancy.facade import vendor_holder
from app.tasks.runner import run_until_idle
from app.testing.api_keys import make_key, owner_of

ROOT = "/api/v1/vendor"


@pytest.fixture
def api(shop: Shop, client: TestClient) -> Iterator[TestClient]:
    """A program of MOSELLE that may do what its owner may."""
    api_callers.forget()
    with unit_of_work(IdentityScope()) as session:
        holder = vendor_holder(session, shop.vendor_id, owner_of(session, shop.company_id))
    assert holder
    client.headers["Authorization"] = f"Bearer {make_key(holder)}"
    yield client
    api_callers.forget()


def send(
    api: TestClient, path: str, body: Any = None, method: str = "POST", **headers: str
) -> httpx2.Response:
    return api.request(method, f"{ROOT}{path}", json=body, headers={"Idempotency-Key": path, **headers})


def test_a_feed_is_made_changed_and_removed(api: TestClient, shop: Shop) -> None:
    wanted = {"name": "Supplier", "language": "de", "url": "https://shop.example/f.csv", "every_hours": 6}
    made = send(api, "/feeds", wanted)
    assert made.status_code == 201, made.text
    assert made.json()["next_run_at"] is not None
    path = f"/feeds/{made.json()['id']}"
    again = api.post(f"{ROOT}/feeds", json=wanted)
    assert (again.status_code, again.json()["errors"][0]["pointer"]) == (422, "#/name")
    tag = {"If-Match": api.get(f"{ROOT}{path}").headers["ETag"]}
    twice = send(api, path, {"mapping": {"A": "id", "B": "id"}}, "PATCH", **tag)
    assert twice.status_code == 422
    changed = send(api, path, {"mapping": {"A": "id"}, "every_hours": None}, "PATCH", **tag)
    assert changed.json()["mapping"] == {"A": "id"}
    assert changed.json()["next_run_at"] is None
    assert [one["name"] for one in api.get(f"{ROOT}/feeds").json()["data"]] == ["Supplier"]
    assert send(api, path, method="DELETE", **tag).status_code == 412
    assert send(api, path, method="DELETE", **{"If-Match": "*"}).status_code == 204
    assert api.get(f"{ROOT}{path}").status_code == 404


def test_a_rule_is_tried_made_changed_and_removed(api: TestClient, shop: Shop) -> None:
    shop.run(feed([row(n, brand="Gutt" if n < 3 else "Holz") for n in range(10)]))
    rule: dict[str, Any] = {"name": "No Gutt", "stage": "import", "action": {"kind": "exclude"}}
    rule["conditions"] = [{"column": "brand", "op": "equals", "value": "gutt"}]
    effect = send(api, "/feed-rule-previews", rule).json()
    assert (effect["rows_looked_at"], effect["excluded"]) == (10, 3)
    assert effect["examples"][0]["is_excluded"]
    made = send(api, "/feed-rules", rule).json()
    path = f"/feed-rules/{made['id']}"
    wrong = send(api, path, {"action": {"kind": "set"}}, "PATCH", **{"If-Match": "*"})
    assert wrong.status_code == 422
    changed = send(api, path, {"name": "Off", "is_active": False}, "PATCH", **{"If-Match": "*"}).json()
    assert (changed["name"], changed["is_active"]) == ("Off", False)
    assert changed["conditions"] == rule["conditions"]
    assert send(api, path, method="DELETE", **{"If-Match": "*"}).status_code == 204


def test_a_stopped_import_is_confirmed_and_undone(api: TestClient, shop: Shop) -> None:
    shop.run(feed([row(n) for n in range(20)]))
    shop.run(feed([row(n) for n in range(5)]))
    stopped = api.get(f"{ROOT}/imports").json()["data"][0]
    assert stopped["problem_code"] == "marketplace.feed_guard"
    done = send(api, f"/imports/{stopped['id']}/confirm")
    assert done.status_code == 202, done.text
    assert run_until_idle(["long_running"], timeout_seconds=30)
    path = f"/imports/{done.json()['id']}"
    assert api.get(f"{ROOT}{path}").json()["missing"] == 15
    assert send(api, f"{path}/undo").status_code == 202
    assert run_until_idle(["long_running"], timeout_seconds=30)
    assert api.get(f"{ROOT}{path}").json()["undone_at"] is not None
    assert api.post(f"{ROOT}{path}/undo", headers={"Idempotency-Key": "again"}).status_code == 409


def test_a_trial_tells_its_differences(api: TestClient, shop: Shop) -> None:
    shop.run(feed([row(1), row(2)]))
    shop.run(feed([row(1, price="17.50 EUR"), row(2)]), is_dry_run=True)
    trial = api.get(f"{ROOT}/imports").json()["data"][0]
    assert (trial["is_dry_run"], trial["updated"]) == (True, 1)
    [found] = api.get(f"{ROOT}/imports/{trial['id']}/differences").json()["data"]
    assert (found["kind"], found["sku"], found["line"], found["cell"]) == ("changed", "A-1", 2, "17.50 EUR")
    assert (found["field"], found["before"], found["after"]) == ("price_cents", 1500, 1750)
    real = shop.run(feed([row(1, price="17.50 EUR"), row(2)]))
    path = f"{ROOT}/imports/{to_public('imp', real.row.id)}/differences"
    assert api.get(path).json() == {"data": []}


def test_completeness_and_exports_are_read(api: TestClient, shop: Shop) -> None:
    shop.run(feed([row(n, brand="" if n < 3 else "Holz") for n in range(8)]))
    report = api.get(f"{ROOT}/completeness", params={"channel": "google", "language": "en"}).json()
    lacking = {one["check"]: one["missing"] for one in report["items"]}
    assert (report["total"], lacking["brand"]) == (8, 3)
    started = send(api, "/exports", {"language": "en"}).json()
    assert run_until_idle(["default"], timeout_seconds=30)
    shown = api.get(f"{ROOT}/exports/{started['id']}").json()
    assert (shown["outcome"], shown["rows"], shown["differences"]["new"]) == ("succeeded", 8, 8)
    assert send(api, f"/exports/{started['id']}/confirm").status_code == 200
    links = api.get(f"{ROOT}/export-links").json()["data"]
    renewed = send(api, "/export-links/renew").json()["data"]
    assert [one["language"] for one in links] == [one["language"] for one in renewed]
    assert links[0]["address"] != renewed[0]["address"]
