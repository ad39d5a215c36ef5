"""Where values are from."""

from typing import Any

import pytest

from app.core.errors import NotFoundError
from app.core.ids import to_public
from app.modules.catalog.exceptions import ProductNotFoundError
from app.modules.marketplace.enums import RowErrorCode
from app.modules.marketplace.services import explain_service, feed_rule_service, feed_service, undo_service
from app.modules.marketplace.services.explain_service import Cell, Explanation
from app.modules.marketplace.tests.conftest import Shop, feed, row
from app.modules.marketplace.tests.test_rule_service import EXCLUDE, ROUND, add, draft, when
from app.modules.tenancy.facade import record_audit
from app.tasks.runner import run_until_idle


def explain(shop: Shop, field: str, language: str | None = None, sku: str = "A-1") -> Explanation:
    with shop.session() as session:
        return explain_service.explain(session, shop.product(sku).id, field, language)


def feed_key(shop: Shop, language: str = "en") -> Any:
    with shop.session() as session:
        return feed_service.feed_of_language(session, shop.vendor_id, language).id


def test_a_value_is_followed_from_the_cell_over_the_rules(shop: Shop) -> None:
    rule = add(shop, draft(ROUND, name="Below"))
    add(shop, draft({"kind": "replace", "column": "title", "find": "Chair", "with": "Seat"}))
    done = shop.run(feed([row(1, price="15,00")]))
    found = explain(shop, "price_cents")
    assert (found.origin, found.value, found.currency, found.language) == ("feed", 1499, "EUR", None)
    assert (found.others, found.is_outdated, found.edit) == ((), False, None)
    source = found.source
    assert source is not None
    assert (source.feed_id, source.import_id, source.feed_name) == (feed_key(shop), done.row.id, "Feed EN")
    assert source.cells == (Cell("price", "price", "15,00"),)
    assert source.steps == ((to_public("frl", rule), "Below", "price", "15,00", "14.99"),)
    assert (source.value, source.currency, source.problem, source.rules_changed_at) == (
        1499,
        "EUR",
        None,
        None,
    )
    assert source.line == 2
    title = explain(shop, "title", "en")
    assert title.source is not None
    assert (title.value, title.source.steps[0].after, title.source.value) == ("Seat 1", "Seat 1", "Seat 1")


def test_the_line_is_that_of_the_file_that_the_value_is_from(shop: Shop) -> None:
    first = shop.run(feed([row(1), row(2), row(3)]))
    second = shop.run(feed([row(3, brand="Belair"), row(2)]), is_confirmed=True)
    places = []
    for sku in ("A-1", "A-2", "A-3"):
        source = explain(shop, "brand", sku=sku).source or explain(shop, "brand", sku=sku).others[0]
        places.append((source.import_id, source.line))
    # The second file lacks the first row, has the second one unchanged, and the third one changed at its beginning.
    assert places == [(second.row.id, None), (first.row.id, 3), (second.row.id, 2)]
    with shop.session() as session:
        undo_service.start_undo(session, second.row.id, user_id=None)
    assert run_until_idle(["long_running"], timeout_seconds=30)
    source = explain(shop, "brand", sku="A-3").source
    assert source is not None
    assert (source.import_id, source.line) == (first.row.id, 4)


def test_it_says_when_rules_changed_since(shop: Shop) -> None:
    shop.run(feed([row(1)]))
    assert not explain(shop, "brand").is_outdated
    rule = add(shop, draft({"kind": "set", "column": "brand", "value": "Neu"}))
    found = explain(shop, "brand")
    assert found.source is not None
    assert (found.is_outdated, found.value, found.source.value) == (True, "Moselwerk", "Neu")
    assert found.source.rules_changed_at is not None
    other = explain(shop, "price_cents")
    assert other.source is not None
    assert (other.is_outdated, other.source.rules_changed_at) == (False, found.source.rules_changed_at)
    shop.run(feed([row(1)]))
    now = explain(shop, "brand")
    assert now.source is not None
    assert (now.is_outdated, now.value, now.source.rules_changed_at) == (False, "Neu", None)
    with shop.session() as session:
        feed_rule_service.delete_rule(session, rule)
    assert explain(shop, "brand").is_outdated
    add(shop, draft(EXCLUDE, when("brand", "is_filled")))
    left_out = explain(shop, "brand")
    assert left_out.source is not None
    assert (left_out.is_outdated, left_out.source.is_left_out) == (True, True)
    assert left_out.source.steps[-1].column == ""


def test_a_value_that_is_refused_now_says_why(shop: Shop) -> None:
    shop.run(feed([row(1)]))
    add(shop, draft({"kind": "set", "column": "price", "value": "on request"}))
    found = explain(shop, "price_cents")
    assert found.source is not None
    assert found.source.problem is not None
    assert (found.is_outdated, found.source.problem.code) == (True, RowErrorCode.PRICE_MALFORMED)


def test_an_edited_field_says_who_edited_it(shop: Shop) -> None:
    shop.run(feed([row(1)]))
    person = shop.rows("SELECT u.id, u.name FROM users u WHERE u.email = 'owner@moselle.example'")[0]
    product = shop.product("A-1")
    shop.rows("UPDATE products SET brand = 'Own', edited_fields = '{brand}' WHERE id = :key", key=product.id)
    with shop.session() as session:
        for fields, actor in (("brand, price_cents", person.id), ("image_link", None)):
            record_audit(
                session,
                "catalog.product_changed",
                vendor_id=shop.vendor_id,
                actor_id=actor,
                target=to_public("prd", product.id),
                fields=fields,
            )
    found = explain(shop, "brand")
    assert (found.origin, found.value, found.is_outdated) == ("edited", "Own", False)
    assert found.edit is not None
    assert found.edit.who == person.name
    assert found.edit.at is not None
    assert found.source is not None
    assert found.source.value == "Moselwerk"
    assert explain(shop, "availability").origin == "feed"
    shop.rows(
        "UPDATE product_translations SET edited_fields = '{title}' WHERE product_id = :key", key=product.id
    )
    title = explain(shop, "title", "en")
    assert (title.origin, title.edit) == ("edited", explain_service.Edit(None, None))


def test_what_no_feed_gives(shop: Shop) -> None:
    shop.run(feed([row(1)]))
    found = explain(shop, "color")
    assert (found.origin, found.value, found.source) == ("none", None, None)
    assert [one.cells for one in found.others] == [(Cell("color", "color", ""),)]
    assert explain(shop, "title", "fr").others == ()
    for field, language in (("nothing", None), ("external_id", None), ("title", None)):
        with pytest.raises(NotFoundError):
            explain(shop, field, language)


def test_attributes_are_explained_too(shop: Shop) -> None:
    shop.run(feed([row(1, multipack="3", custom_label_1="late", manufacturer_name="Holz AG")]))
    for field, value in (("multipack", 3), ("manufacturer_name", "Holz AG"), ("custom_labels", ["", "late"])):
        found = explain(shop, field)
        assert found.source is not None
        assert (found.origin, found.value, found.source.value, found.is_outdated) == (
            "feed",
            value,
            value,
            False,
        )
    assert explain(shop, "size_type").origin == "none"


def test_of_several_feeds_the_first_is_followed_and_the_others_are_told(shop: Shop) -> None:
    shop.run(feed([row(1, color="red")]))
    shop.run(feed([row(1, color="bleu", material="chêne")]), language="fr")
    color, material = explain(shop, "color"), explain(shop, "material")
    assert color.source is not None
    assert material.source is not None
    assert (color.value, color.source.feed_id) == ("red", feed_key(shop))
    assert [one.value for one in color.others] == ["bleu"]
    assert (material.value, material.source.feed_id) == ("chêne", feed_key(shop, "fr"))
    assert not material.is_outdated
    order = f'{{"color": ["{feed_key(shop, "fr")}"]}}'
    shop.rows(
        "UPDATE feed_settings SET field_order = cast(:order AS jsonb) WHERE vendor_id = :vendor", order=order
    )
    first = explain(shop, "color")
    assert first.source is not None
    assert (first.source.value, first.is_outdated) == ("bleu", True)
    title = explain(shop, "title", "fr")
    assert title.source is not None
    assert (title.source.feed_id, title.others) == (feed_key(shop, "fr"), ())


def test_the_mapping_says_what_the_file_calls_a_column(shop: Shop) -> None:
    with shop.session() as session:
        key = feed_service.feed_of_language(session, shop.vendor_id, "en").id
        feed_service.change_feed(
            session, key, {"format": "table", "mapping": {"Marke": "brand", "title": "title"}}
        )
    cells = {("Marke" if name == "brand" else name): cell for name, cell in row(1).items()}
    shop.run(feed([cells]))
    found = explain(shop, "brand")
    assert found.source is not None
    assert found.source.cells == (Cell("brand", "Marke", "Moselwerk"),)


def test_another_vendors_product_is_not_explained(shop: Shop, other_shop: Shop) -> None:
    shop.run(feed([row(1)]))
    with other_shop.session() as session, pytest.raises(ProductNotFoundError):
        explain_service.explain(session, shop.product("A-1").id, "brand")
