"""What a trial says that it would change is what the real run then changes."""

from typing import Any

import orjson
import pytest

from app.modules.catalog import facade as catalog
from app.modules.catalog.contracts import PRODUCT_FIELDS
from app.modules.marketplace.services import import_service, trial_service
from app.modules.marketplace.services.import_service import ImportWithJob
from app.modules.marketplace.tests.conftest import Shop, feed, row
from app.modules.marketplace.tests.test_rule_service import ROUND, add, draft


def differences(shop: Shop, done: ImportWithJob) -> list[dict[str, Any]]:
    with shop.session() as session:
        found = import_service.get_import(session, done.row.id).row.differences
    assert found is not None
    return found


def values(shop: Shop) -> dict[tuple[str, str, str | None], Any]:
    """Every value of the catalogue, by product, field and language."""
    found: dict[tuple[str, str, str | None], Any] = {}
    with shop.session() as session:
        for key, sku in shop.rows("SELECT id, sku FROM products WHERE vendor_id = :vendor"):
            product = catalog.get_product(session, key, language="en")
            facts = {name: getattr(product.facts, name) for name in PRODUCT_FIELDS}
            facts |= product.facts.attributes
            found |= {(sku, name, None): value for name, value in facts.items()}
            for one in product.texts:
                texts = {name: getattr(one, name) for name in ("title", "description", "link")}
                found |= {(sku, name, one.language): value for name, value in texts.items()}
    as_json = {key: orjson.loads(orjson.dumps(value)) for key, value in found.items()}
    return {key: value for key, value in as_json.items() if value not in (None, [], "")}


def keyed(found: list[dict[str, Any]]) -> dict[tuple[str, str, str | None], tuple[Any, Any]]:
    return {(one["sku"], one["field"], one["language"]): (one["before"], one["after"]) for one in found}


def test_the_differences_of_a_trial_are_what_the_real_run_writes(shop: Shop) -> None:
    columns = [*row(1), "multipack", "color", "sale_price", "sale_price_effective_date"]
    shop.run(feed([row(n, multipack="2") for n in range(25)], columns=columns))
    shop.rows("UPDATE feeds SET missing_rows = 'out_of_stock'")
    shop.rows("UPDATE products SET edited_fields = '{brand}' WHERE sku = 'A-3'")
    add(shop, draft(ROUND, name="Below"))
    rows = [row(n, multipack="2", price="15.00 EUR") for n in range(24)]
    rows[2] |= {"title": "Stool", "color": "red", "multipack": ""}
    rows[3] |= {"brand": "Not followed"}
    rows[4] |= {"sale_price": "9.00 EUR", "sale_price_effective_date": "2026-12-01/2026-12-24"}
    content = feed([*rows[2:5], row(24), row(40)], columns=columns)
    before = values(shop)
    trial = shop.run(content, is_dry_run=True)
    assert values(shop) == before
    found = differences(shop, trial)
    shop.run(content, is_confirmed=True)
    after = values(shop)
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert len(found) == 20
    for key, (old, new) in keyed(found).items():
        assert key in changed
        assert (before.get(key), after.get(key)) == (old or None, new or None), key
    # All of what the rows of the file change is there before what the feed has lost.
    listed = {key for key in changed if key[0] in ("A-2", "A-3", "A-4", "A-24")}
    assert listed <= keyed(found).keys()
    kinds = [one["kind"] for one in found]
    assert kinds == ["changed"] * len(listed) + ["missing"] * (20 - len(listed))
    assert ("A-3", "brand", None) not in keyed(found)


def test_each_difference_says_where_it_comes_from(shop: Shop) -> None:
    shop.run(feed([row(1), row(2)]))
    add(shop, draft(ROUND, name="Below"))
    trial = shop.run(feed([row(1), row(2, title="Stool"), row(3)]), is_dry_run=True)
    first, second, third, new = differences(shop, trial)
    assert (first["sku"], first["line"], first["field"]) == ("A-1", 2, "price_cents")
    assert (first["before"], first["after"], first["currency"]) == (1500, 1499, "EUR")
    assert (first["columns"], first["cell"], first["rules"]) == (["price"], "15.00 EUR", ["Below"])
    assert (second["sku"], second["line"], second["field"]) == ("A-2", 3, "price_cents")
    assert (third["field"], third["language"], third["cell"], third["rules"]) == ("title", "en", "Stool", [])
    assert (new["kind"], new["sku"], new["line"], new["after"]) == ("new", "A-3", 4, "Chair 3")


def test_they_are_twenty_short_and_of_trials_only(shop: Shop) -> None:
    first = shop.run(feed([row(n) for n in range(30)]), is_dry_run=True)
    assert [one["line"] for one in differences(shop, first)] == list(range(2, 22))
    done = shop.run(feed([row(n) for n in range(30)]))
    with shop.session() as session:
        assert import_service.get_import(session, done.row.id).row.differences is None
    long = [row(n, description="ж" * 5000, image_link=f"https://a.example/{'ж' * 900}") for n in range(30)]
    found = differences(shop, shop.run(feed(long), is_dry_run=True))
    assert len(found) == 20
    assert len(orjson.dumps(found)) <= trial_service.MAX_BYTES
    assert all(len(one["after"]) <= 200 for one in found)
    nothing = shop.run(feed([row(n) for n in range(30)]), is_dry_run=True)
    assert differences(shop, nothing) == []


def test_texts_of_another_language_are_differences(shop: Shop) -> None:
    shop.run(feed([row(1)]))
    trial = shop.run(feed([row(1, title="Chaise")]), language="fr", is_dry_run=True)
    found = keyed(differences(shop, trial))
    assert found["A-1", "title", "fr"] == (None, "Chaise")
    assert found["A-1", "description", "fr"] == (None, "A chair.")


@pytest.mark.parametrize("size", [1, 20, 200])
def test_the_bound_holds_whatever_the_values(size: int) -> None:
    one = {"before": "ж" * 200, "rules": ["x" * 200] * size}
    kept = trial_service._bounded([one] * 20)
    assert len(orjson.dumps(kept)) <= trial_service.MAX_BYTES + 2 * len(kept) + 2
