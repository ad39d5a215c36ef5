"""Rules that are stored: changing them, trying them, and importing with them."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.core.errors import ValidationFailedError
from app.core.ids import new_id, to_public
from app.modules.marketplace.exceptions import RuleNotFoundError, TooManyRulesError
from app.modules.marketplace.services import feed_rule_service, feed_service, import_run, rule_preview_service
from app.modules.marketplace.services.feed_rule_service import RuleDraft, Stage
from app.modules.marketplace.services.feed_rules import Rule
from app.modules.marketplace.services.rule_preview_service import CellChange, Example, Preview
from app.modules.marketplace.tests.conftest import Shop, counts, feed, row
from app.modules.marketplace.tests.test_url_import import served

EXCLUDE = {"kind": "exclude"}
ROUND = {"kind": "round_price", "column": "price", "ending": "99", "direction": "down"}


def when(column: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"column": column, "op": op, "value": value}


def draft(
    action: dict[str, Any],
    *conditions: dict[str, Any],
    stage: Stage = "import",
    name: str = "Rule",
    **options: Any,
) -> RuleDraft:
    return RuleDraft(stage, Rule("", name, "all", conditions, action), **options)


def add(shop: Shop, given: RuleDraft) -> UUID:
    with shop.session() as session:
        return feed_rule_service.create_rule(session, given, vendor_id=shop.vendor_id).id


def names(shop: Shop, stage: Stage = "import") -> list[str]:
    with shop.session() as session:
        return [one.name for one in feed_rule_service.list_rules(session, stage)]


def acts(shop: Shop, rule_id: UUID) -> list[str]:
    target = to_public("frl", rule_id)
    found = shop.rows(
        "SELECT action FROM audit_log WHERE vendor_id = :vendor AND target = :target ORDER BY id",
        target=target,
    )
    return [one.action.removeprefix("marketplace.rule_") for one in found]


def try_out(shop: Shop, given: RuleDraft, **options: Any) -> Preview:
    with shop.session() as session:
        return rule_preview_service.preview(session, given, **options)


def test_rules_are_kept_in_order_and_what_happens_is_noted(shop: Shop, other_shop: Shop) -> None:
    one = add(shop, draft(EXCLUDE, when("brand", "is_empty"), name=" One "))
    two = add(shop, draft(ROUND, name="Two"))
    add(shop, draft(ROUND, name="Out", stage="export", language="fr"))
    with shop.session() as session:
        feed_rule_service.move_rule(session, two, "up")
        feed_rule_service.move_rule(session, two, "up")
        copy = feed_rule_service.copy_rule(session, one, language="en")
        assert (copy.name, copy.is_active, copy.action) == ("One (copy)", False, EXCLUDE)
        feed_rule_service.change_rule(session, one, draft(EXCLUDE, name="One"))
        feed_rule_service.change_rule(session, one, draft(EXCLUDE, name="One"))
        feed_rule_service.switch_rule(session, one, False)
    assert names(shop) == ["Two", "One", "One (copy)"]
    assert names(shop, "export") == ["Out"]
    assert names(other_shop) == []
    with shop.session() as session:
        feed_key = feed_service.feed_of_language(session, shop.vendor_id, "en").id
        rules = feed_rule_service.import_rules(session, feed_key).rules
        assert [(rule.id, rule.name) for rule in rules] == [(to_public("frl", two), "Two")]
        assert [rule.name for rule in feed_rule_service.export_rules(session, "fr").rules] == ["Out"]
        assert feed_rule_service.export_rules(session, "de").rules == ()
        feed_rule_service.delete_rule(session, one)
    assert acts(shop, one) == ["created", "changed", "switched_off", "deleted"]
    assert acts(shop, two) == ["created", "moved"]
    with other_shop.session() as session, pytest.raises(RuleNotFoundError):
        feed_rule_service.get_rule(session, two)


def test_what_cannot_be_a_rule_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationFailedError) as refused:
        add(shop, draft({"kind": "set", "column": "id", "value": "x"}, when("price", "lt", "cheap"), name=""))
    assert [error.pointer for error in refused.value.errors] == [
        "name",
        "conditions/0/value",
        "action/column",
    ]
    with pytest.raises(ValidationFailedError) as refused:
        add(shop, draft(EXCLUDE, feed_id=new_id(), language="xx"))
    assert [error.pointer for error in refused.value.errors] == ["language", "feed_id"]
    monkeypatch.setattr(feed_rule_service, "MAX_RULES", 1)
    first = add(shop, draft(EXCLUDE))
    with pytest.raises(TooManyRulesError):
        add(shop, draft(EXCLUDE))
    with shop.session() as session, pytest.raises(TooManyRulesError):
        feed_rule_service.copy_rule(session, first, language="en")


def test_an_import_applies_the_rules_and_keeps_what_the_feed_says(shop: Shop) -> None:
    rule = add(shop, draft(ROUND, when("brand", "equals", "moselwerk")))
    add(
        shop,
        draft({"kind": "set", "column": "color", "value": "{material} brown"}, when("material", "is_filled")),
    )
    rows = [row(1, material="Oak"), row(2, brand="Belair", material=""), row(3, price="15,00", material="")]
    assert counts(shop.run(feed(rows))) == (3, 0, 0, 0)
    assert [shop.product(f"A-{n}").price_cents for n in (1, 2, 3)] == [1499, 1500, 1499]
    assert [shop.product(f"A-{n}").color for n in (1, 2, 3)] == ["Oak brown", None, None]
    staged = shop.rows(
        "SELECT raw ->> 'price' AS price, price_cents FROM marketplace_products ORDER BY external_id"
    )
    assert staged == [("15.00 EUR", 1499), ("15.00 EUR", 1500), ("15,00", 1499)]
    assert counts(shop.run(feed(rows))) == (0, 0, 3, 0)
    with shop.session() as session:
        feed_rule_service.switch_rule(session, rule, False)
    assert counts(shop.run(feed(rows))) == (0, 2, 1, 0)
    assert [shop.product(f"A-{n}").price_cents for n in (1, 2, 3)] == [1500, 1500, 1500]


def test_a_rule_may_fill_a_column_that_the_file_lacks_in_some_rows(shop: Shop) -> None:
    add(
        shop, draft({"kind": "set", "column": "availability", "value": "preorder"}, when("brand", "is_empty"))
    )
    rows = [row(1), row(2, brand="")]
    columns = [name for name in rows[0] if name != "availability"]
    assert counts(shop.run(feed(rows, columns=columns))) == (2, 0, 0, 0)
    assert [shop.product(f"A-{n}").availability for n in (1, 2)] == [None, "preorder"]


def test_rows_that_a_rule_leaves_out_are_lost_to_the_feed_until_they_return(shop: Shop) -> None:
    rows = [row(n, brand="Alt" if n < 2 else "Neu") for n in range(4)]
    shop.run(feed(rows))
    rule = add(shop, draft(EXCLUDE, when("brand", "equals", "alt")))
    done = shop.run(feed([*rows, row(9, brand="Alt")]))
    assert (done.row.excluded, done.row.unchanged, done.row.missing, done.row.failed) == (3, 2, 2, 0)
    lost = "SELECT external_id FROM marketplace_products WHERE missing_since IS NOT NULL ORDER BY 1"
    assert shop.rows(lost) == [("A-0",), ("A-1",)]
    assert shop.product("A-9") is None
    assert shop.product("A-0").availability == "in_stock"

    with shop.session() as session:
        feed_key = feed_service.feed_of_language(session, shop.vendor_id, "en").id
        feed_service.change_feed(session, feed_key, {"missing_rows": "out_of_stock"})
        feed_rule_service.switch_rule(session, rule, False)
    shop.run(feed(rows))
    assert shop.rows(lost) == []
    with shop.session() as session:
        feed_rule_service.switch_rule(session, rule, True)
    shop.run(feed(rows))
    assert [shop.product(f"A-{n}").availability for n in range(4)] == ["out_of_stock"] * 2 + ["in_stock"] * 2


def test_a_rule_of_one_feed_leaves_the_others_alone(shop: Shop) -> None:
    shop.run(feed([row(1)]))
    with shop.session() as session:
        feed_key = feed_service.feed_of_language(session, shop.vendor_id, "en").id
    add(
        shop, draft({"kind": "replace", "column": "title", "find": "Chair", "with": "Seat"}, feed_id=feed_key)
    )
    shop.run(feed([row(1)]))
    shop.run(feed([row(1)]), language="de")
    titles = shop.rows(
        "SELECT language, title FROM product_translations WHERE vendor_id = :vendor ORDER BY 1"
    )
    assert titles == [("de", "Chair 1"), ("en", "Seat 1")]


def test_a_changed_rule_brings_the_file_again(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "feed.tsv").write_bytes(feed([row(1), row(2)]))
    with served(folder, monkeypatch) as address:
        url = f"{address}/feed.tsv"
        assert counts(shop.run(url=url)) == (2, 0, 0, 0)
        assert shop.run(url=url).row.is_not_modified
        rule = add(shop, draft(ROUND))
        again = shop.run(url=url)
        assert (again.row.is_not_modified, counts(again)) == (False, (0, 2, 0, 0))
        assert shop.run(url=url).row.is_not_modified
        with shop.session() as session:
            feed_rule_service.change_rule(session, rule, draft(ROUND, name="Only the name"))
            feed_key = feed_service.feed_of_language(session, shop.vendor_id, "en").id
        assert counts(shop.run(url=url)) == (0, 0, 2, 0)
        with shop.session() as session:
            feed_service.change_feed(session, feed_key, {"name": "Main", "every_hours": 6})
        assert shop.run(url=url).row.is_not_modified
        with shop.session() as session:
            feed_service.change_feed(session, feed_key, {"blank_cells": "keep"})
        assert not shop.run(url=url).row.is_not_modified

        # A rule that comes while an import runs: what that leaves is not the last word.
        with shop.session() as session:
            feed_rule_service.change_rule(session, rule, draft(EXCLUDE, when("title", "equals", "x")))
        real = import_run.ImportRun.finish

        def finish(self: import_run.ImportRun) -> dict[str, Any]:
            add(shop, draft(EXCLUDE, when("title", "equals", "y")))
            return real(self)

        monkeypatch.setattr(import_run.ImportRun, "finish", finish)
        assert not shop.run(url=url).row.is_not_modified
        monkeypatch.setattr(import_run.ImportRun, "finish", real)
        assert not shop.run(url=url).row.is_not_modified
        assert shop.run(url=url).row.is_not_modified


def test_a_rule_is_tried_on_the_rows_there_are(shop: Shop) -> None:
    rows = [row(n, brand="Alt" if n % 2 else "Neu", price=f"{n + 1}.50 EUR") for n in range(30)]
    shop.run(feed(rows))
    found = try_out(shop, draft(ROUND, when("brand", "equals", "alt")), limit=2)
    assert (found.rows_looked_at, found.matched, found.changed, found.excluded) == (30, 15, 15, 0)
    assert found.is_complete
    assert found.examples == [
        Example("A-1", "Chair 1", (CellChange("price", "2.50 EUR", "1.99 EUR"),), False),
        Example("A-11", "Chair 11", (CellChange("price", "12.50 EUR", "11.99 EUR"),), False),
    ]
    same = try_out(shop, draft({"kind": "set", "column": "brand", "value": "Alt"}))
    assert (same.matched, same.changed, len(same.examples)) == (30, 15, 15)
    gone = try_out(shop, draft(EXCLUDE, when("price", "gt", "20")), limit=1)
    assert (gone.matched, gone.changed, gone.excluded) == (11, 0, 11)
    assert gone.examples == [Example("A-19", "Chair 19", (), True)]
    assert counts(shop.run(feed(rows))) == (0, 0, 30, 0)


def test_a_rule_is_tried_behind_those_before_it(shop: Shop) -> None:
    shop.run(feed([row(1), row(2, brand="Alt")]))
    first = add(shop, draft(EXCLUDE, when("brand", "equals", "alt")))
    add(shop, draft({"kind": "set", "column": "title", "value": "{brand} chair"}))
    shop.run(feed([row(1), row(2, brand="Alt")]))
    replace = draft({"kind": "replace", "column": "title", "find": "Moselwerk", "with": "M"})
    found = try_out(shop, replace)
    assert (found.rows_looked_at, found.matched, found.changed) == (2, 1, 1)
    assert found.examples[0].changes == (CellChange("title", "Moselwerk chair", "M chair"),)
    # The row that the first rule leaves out is there to be looked at while the rule is edited.
    assert try_out(shop, draft(EXCLUDE, when("brand", "equals", "ALT")), rule_id=first).excluded == 1


def test_a_trial_ends_in_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.run(feed([row(n) for n in range(30)]))
    monkeypatch.setattr(rule_preview_service, "MAX_ROWS", 10)
    found = try_out(shop, draft(EXCLUDE))
    assert (found.rows_looked_at, found.is_complete) == (10, False)
    monkeypatch.setattr(rule_preview_service, "MAX_SECONDS", -1.0)
    assert try_out(shop, draft(EXCLUDE)).rows_looked_at == 0


def test_an_export_rule_is_tried_on_the_products(shop: Shop) -> None:
    shop.run(feed([row(1), row(2, brand="Alt")]))
    shop.run(feed([row(1)]), language="fr")
    given = draft({"kind": "set", "column": "title", "value": "{title} – {brand}"}, stage="export")
    found = try_out(shop, given)
    assert (found.rows_looked_at, found.changed) == (3, 3)
    assert found.examples[0].changes == (CellChange("title", "Chair 1", "Chair 1 – Moselwerk"),)
    french = RuleDraft("export", given.rule, language="fr")
    assert try_out(shop, french).rows_looked_at == 1
