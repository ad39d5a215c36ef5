"""What a connector asks of a vendor is asked by the marketplace's forms, which know none by name."""

import re
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.testing.browsing import sign_in, token_of
from app.testing.database import Database
from app.testing.working import work

HERE = "/vendor/GUTLAND/connections"
_FILE = (
    "order,line,title,quantity,unit_price,email,first_name,last_name,street,postcode,city\n"
    "{0},1,Chair,1,12.50,anne@example.lu,Anne,Weber,1 rue du Fort,L-2226,Luxembourg\n"
)


@pytest.fixture
def owner(client: TestClient, world: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("ORDER_FOLDER_ROOT", str(tmp_path))
    client.cookies.set("wm_lang", "en")
    sign_in(client, "vendor", "owner@moselle.example")
    return client


def send(client: TestClient, page: str, **fields: str) -> httpx2.Response:
    shown = client.get(page)
    hidden = dict(re.findall(r'type="hidden" name="(form_token|version)" value="([^"]*)"', shown.text))
    return client.post(page, data={**hidden, "csrf_token": token_of(shown), **fields})


def put(folder: Path, order: str) -> None:
    (folder / "orders").mkdir(parents=True, exist_ok=True)
    (folder / "orders" / f"{order}.csv").write_text(_FILE.format(order), "utf-8")


def test_each_connector_asks_for_what_it_needs(owner: TestClient, tmp_path: Path) -> None:
    form = owner.get(f"{HERE}/new").text
    for words in ("Key (Letzshop)", "Folder (Order folder)"):
        assert words in form
    refused = send(owner, f"{HERE}/new", connector="letzshop", folder="web")
    assert refused.status_code == 422
    assert 'href="#field-key"' in refused.text
    assert "Give what this marketplace asks for" in refused.text
    for wrong in ("../moselle", "Two words", "/etc"):
        refused = send(owner, f"{HERE}/new", connector="order_folder", folder=wrong)
        assert refused.status_code == 422
        assert 'href="#field-folder"' in refused.text
    made = send(owner, f"{HERE}/new", connector="order_folder", folder="web")
    assert made.status_code == 303, made.text
    page = made.headers["location"]
    put(tmp_path / "gutland" / "web", "W-1")
    put(tmp_path / "gutland" / "till", "T-1")
    work()
    shown = owner.get(page).text
    assert "Change the access" in shown
    assert ">web<" in shown
    owner.post(f"{page}/sync", data={"csrf_token": token_of(owner.get(page))})
    work()
    orders = owner.get(f"{HERE}/orders").text
    assert ("W-1" in orders, "T-1" in orders) == (True, False)

    assert 'value="web"' in owner.get(f"{page}/key").text
    assert send(owner, f"{page}/key", folder="a/b").status_code == 422
    assert send(owner, f"{page}/key", folder="till").status_code == 303
    work()
    orders = owner.get(f"{HERE}/orders").text
    assert "T-1" in orders, "what is changed is read at once"
