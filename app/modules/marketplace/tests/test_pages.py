"""Importing a feed as a person does: through the pages, without scripts."""

import re

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.core.config import get_settings
from app.core.ids import to_public
from app.modules.marketplace.tests.conftest import Shop, counts, feed, row
from app.tasks.runner import run_until_idle
from app.testing.browsing import sign_in, token_of

IMPORTS = "/vendor/MOSELLE/imports"
SKUS = r"<code>(A-\d+)</code>"


def post_import(client: TestClient, content: bytes | None = None, **fields: str) -> httpx2.Response:
    form = client.get(f"{IMPORTS}/new")
    chosen = re.search(r'<option value="(fed_\w+|new)" selected', form.text)
    assert chosen
    data = {"csrf_token": token_of(form), "feed": chosen[1], "url": "", "policy": "skip-bad-rows"}
    data |= {"language": "fr", **fields}
    files = {"file": ("feed.csv", content or b"", "text/csv")} if content is not None else None
    return client.post(f"{IMPORTS}/new", data=data, files=files)


@pytest.fixture
def owner(shop: Shop, client: TestClient) -> TestClient:
    """Signed in as the owner of MOSELLE."""
    sign_in(client, "vendor", "owner@moselle.example")
    return client


def test_upload_to_products(owner: TestClient, shop: Shop) -> None:
    assert f"{IMPORTS}/new" in owner.get(IMPORTS).text
    rows = [row(n, title=f"Chaise {n}") for n in range(60)]
    answer = post_import(owner, feed([*rows, row(99, price="gratuit")], delimiter=";"))
    assert answer.status_code == 303
    page_url = answer.headers["location"]
    waiting = owner.get(page_url).text
    assert 'http-equiv="refresh"' in waiting
    assert "hx-get" in waiting
    assert f"{page_url}/cancel" in waiting

    assert run_until_idle(["long_running"], timeout_seconds=30)
    page = owner.get(page_url).text
    assert 'http-equiv="refresh"' not in page
    assert "n’est pas un prix lisible" in page
    assert "Terminé, avec erreurs" in page
    assert f"{page_url}/again" in page
    file = owner.get(f"{page_url}/failed-rows.csv")
    assert file.headers["content-disposition"] == 'attachment; filename="MOSELLE_failed_rows_fr.csv"'
    assert "gratuit" in file.content.decode("utf-8-sig")
    assert page_url in owner.get(IMPORTS).text

    home = owner.get("/vendor/MOSELLE").text
    assert re.search(r"Produits</a></p>\s*<p class=\"tile-value\">60<", home)
    assert page_url in home


def test_products_pages_search_and_detail(owner: TestClient, shop: Shop) -> None:
    empty = owner.get("/vendor/MOSELLE/products").text
    assert "Aucun produit" in empty
    rows = [row(n, title=f"Chaise {n}", brand="Été" if n == 7 else "Gutt") for n in range(120)]
    rows[8]["availability"] = "out_of_stock"
    shop.run(feed(rows), language="fr")
    seen: list[str] = []
    url = "/vendor/MOSELLE/products"
    while url:
        page = owner.get(url).text
        seen += re.findall(SKUS, page)
        following = re.search(r'href="([^"]+)"[^>]*rel="next"', page)
        last, url = url, following[1].replace("&amp;", "&") if following else ""
    assert seen == sorted(f"A-{n}" for n in range(120))
    back = re.search(r'href="([^"]+)"[^>]*rel="prev"', owner.get(last).text)
    assert back
    middle = owner.get(back[1].replace("&amp;", "&")).text
    assert re.findall(SKUS, middle) == seen[80:100]

    found = owner.get("/vendor/MOSELLE/products", params={"q": "chaise ete"}).text
    assert re.findall(SKUS, found) == ["A-7"]
    filtered = owner.get("/vendor/MOSELLE/products", params={"availability": "out_of_stock"}).text
    assert re.findall(SKUS, filtered) == ["A-8"]
    nothing = owner.get("/vendor/MOSELLE/products", params={"q": "<table>"}).text
    assert "&lt;table&gt;" in nothing
    link = re.search(r'href="(/vendor/MOSELLE/products/prd_[^"]+)"', found)
    assert link
    detail = owner.get(link[1])
    assert detail.status_code == 200
    assert "Été" in detail.text
    assert "Chaise 7" in detail.text


def test_the_form_says_what_is_missing_and_keeps_what_was_typed(owner: TestClient) -> None:
    answer = post_import(owner, url="ftp://files.example/feed", language="de", dry_run="true")
    assert answer.status_code == 422
    assert 'href="#field-url"' in answer.text
    assert 'value="ftp://files.example/feed"' in answer.text
    assert re.search(r'value="de" selected', answer.text)
    nothing = post_import(owner)
    assert nothing.status_code == 422
    assert 'href="#field-file"' in nothing.text
    unknown = post_import(owner, language="xx")
    assert unknown.status_code == 422
    assert 'href="#field-language"' in unknown.text


def test_a_trial_from_the_form_writes_nothing(owner: TestClient, shop: Shop) -> None:
    answer = post_import(owner, feed([row(1)]), dry_run="true", policy="all-or-nothing")
    assert run_until_idle(["long_running"], timeout_seconds=30)
    assert "C’était un essai" in owner.get(answer.headers["location"]).text
    assert shop.rows("SELECT count(*) FROM products") == [(0,)]


def test_a_trial_shows_what_it_would_change(owner: TestClient, shop: Shop) -> None:
    shop.run(feed([row(1), row(2)]))
    sale = {"sale_price": "9.00 EUR", "sale_price_effective_date": "2026-12-01/2026-12-24"}
    changed = [row(1, price="17.50 EUR", availability="preorder", **sale), row(3)]
    answer = post_import(owner, feed(changed), dry_run="true", feed=feed_id(shop))
    assert run_until_idle(["long_running"], timeout_seconds=30)
    page = re.sub(r"\s+", " ", owner.get(answer.headers["location"]).text)
    table = page[page.index('id="differences"') :]
    assert re.search(r"<del>15,00.€</del> → <ins>17,50.€</ins>", table)
    assert "<code>price</code>: <q>17.50 EUR</q>" in table
    assert "Précommande" in table
    assert "<ins>1 déc. 2026</ins>" in table
    assert "Nouveau" in table
    assert "<ins>Chair 3</ins>" in table


def feed_id(shop: Shop) -> str:
    [(key,)] = shop.rows("SELECT id FROM feeds WHERE vendor_id = :vendor")
    return to_public("fed", key)


def test_an_import_is_cancelled_and_repeated(owner: TestClient, shop: Shop) -> None:
    page_url = post_import(owner, feed([row(1)])).headers["location"]
    token = token_of(owner.get(page_url))
    assert owner.post(f"{page_url}/cancel", data={"csrf_token": token}).headers["location"] == page_url
    assert run_until_idle(["long_running"], timeout_seconds=30)
    assert "Annulé" in owner.get(page_url).text
    again = owner.post(f"{page_url}/again", data={"csrf_token": token})
    assert run_until_idle(["long_running"], timeout_seconds=30)
    assert "Terminé" in owner.get(again.headers["location"]).text


def test_a_stopped_import_says_why_in_the_readers_language(owner: TestClient) -> None:
    page_url = post_import(owner, b"<!doctype html><html></html>").headers["location"]
    assert run_until_idle(["long_running"], timeout_seconds=30)
    assert "Ceci est une page web" in owner.get(page_url).text
    owner.cookies.set("wm_lang", "en")
    assert "This is a web page" in owner.get(page_url).text


def test_the_template_can_be_imported(owner: TestClient, shop: Shop) -> None:
    template = owner.get(f"{IMPORTS}/new/template.csv")
    assert template.headers["content-type"] == "text/csv; charset=utf-8"
    assert counts(shop.run(template.content)) == (1, 0, 0, 0)


def test_nobody_else_sees_or_starts_an_import(owner: TestClient, shop: Shop, other_shop: Shop) -> None:
    mine = post_import(owner, feed([row(1)])).headers["location"]
    assert run_until_idle(["long_running"], timeout_seconds=30)
    product = re.search(r"/vendor/MOSELLE/products/prd_\w+", owner.get("/vendor/MOSELLE/products").text)
    assert product
    theirs = [mine, f"{mine}/failed-rows.csv", product[0]]
    # The owner of another vendor, at their own address and at ours.
    owner.cookies.clear()
    assert owner.get(mine).status_code == 303
    sign_in(owner, "vendor", "owner@minett.example")
    for path in theirs:
        assert owner.get(path).status_code == 404
        assert owner.get(path.replace("MOSELLE", "MINETT")).status_code == 404
    form = owner.get("/vendor/MINETT/imports/new")
    for act in ("cancel", "again"):
        path = f"{mine}/{act}".replace("MOSELLE", "MINETT")
        assert owner.post(path, data={"csrf_token": token_of(form)}).status_code == 404
    # Somebody who may only look.
    owner.cookies.clear()
    sign_in(owner, "vendor", "team@moselle.example")
    page = owner.get(mine)
    assert page.status_code == 200
    assert f"{mine}/again" not in page.text
    assert owner.get(f"{IMPORTS}/new").status_code == 403
    data = {"csrf_token": token_of(page), "language": "fr"}
    assert owner.post(f"{IMPORTS}/new", data=data, files={"file": ("a.csv", b"x")}).status_code == 403
    assert shop.rows("SELECT count(*) FROM feed_imports") == [(1,)]


def test_an_upload_above_the_limit_is_refused(owner: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIZAMART_MAX_UPLOAD_BYTES", "100")
    get_settings.cache_clear()
    answer = post_import(owner, feed([row(n) for n in range(10)]))
    assert answer.status_code == 422
    assert 'href="#field-file"' in answer.text
