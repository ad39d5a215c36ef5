"""Each rule about definitions, tables, pages, templates and messages notices its violation."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Column, Date, Float, Index, Numeric, Table, Text, UniqueConstraint, Uuid

from app.core.tables import ERASE, KEEP, Personal, TableScope
from app.modules.base import Feature, Hooks, MenuEntry, PageDef, Permission, ScheduledTask
from tests.architecture.conftest import (
    CLEAN,
    PO,
    ROUTES,
    baskets,
    shelves,
    shop_definition,
    table,
    to_shelves,
)

SHOP = "app/modules/shop"
ROUTE_FILE, TEMPLATE = f"{SHOP}/routes/vendor.py", f"{SHOP}/templates/shop/vendor/planted.html"
COUNT = "app.modules.shop.services.basket_service:count_baskets"
PAGE = shop_definition().pages[0]
DELETE = shop_definition().scheduled_tasks[0]
FEATURE = Feature("shop.baskets", "shop.baskets.title", usage=COUNT)


def rules(findings) -> list[str]:
    return sorted({finding.rule for finding in findings})


def person(*columns: Column[Any], **options: Any) -> list[Table]:
    """The clean tree where the table of shop says of columns what ``Personal`` takes."""
    verbs = options.pop("verbs", "SIUD")
    return [baskets(*columns, personal=Personal(**options), verbs=verbs), shelves()]


def email(*, nullable: bool = True) -> Column[Any]:
    return Column("email", Text(), nullable=nullable)


def shelf() -> Column[Any]:
    return Column("shelf_id", Uuid())


@pytest.mark.parametrize(
    ("rule", "tables"),
    [
        ("personal-undeclared", [baskets(personal=None), shelves()]),
        ("personal-column", person(email(), columns={"id": KEEP("books")})),
        ("personal-column", person(email(), columns={"email": KEEP("books"), "phone": KEEP("books")})),
        ("personal-column", person(Column("code", Text()), columns={"code": KEEP("books")})),
        ("personal-column", person(email(), columns={"email": ERASE})),
        ("personal-column", person(email(), columns={"email": ERASE}, subject="shelf_id")),
        ("personal-column", person(email(), columns={"email": ERASE}, subject="id", verbs="SI")),
        (
            "personal-column",
            person(Column("born_on", Date(), nullable=False), columns={"born_on": ERASE}, subject="id"),
        ),
    ],
)
def test_a_planted_personal_column_is_found(plant, rule, tables):
    assert rules(plant(tables=tables)) == [rule]


@pytest.mark.parametrize("found_by", [{"subject": "id", "handles": ("email",)}, {"mentions": ("email",)}])
def test_personal_columns_that_are_declared_are_fine(plant, found_by):
    columns = (email(nullable=False), Column("code", Text()))
    assert plant(tables=person(*columns, columns={"email": ERASE}, **found_by)) == []


@pytest.mark.parametrize(
    ("rule", "tables"),
    [
        ("table-scope", [baskets(scope=None), shelves()]),
        ("table-scope", [baskets(scope=TableScope.COMPANY, column="company_id"), shelves()]),
        ("vendor-unique-key", [baskets(Column("code", Uuid()), UniqueConstraint("code")), shelves()]),
        ("vendor-unique-key", [baskets(Column("code", Uuid(), unique=True)), shelves()]),
        ("vendor-unique-key", [baskets(Column("code", Uuid()), Index("u", "code", unique=True)), shelves()]),
        ("money-float", [baskets(Column("fee_cents", Float())), shelves()]),
        ("money-float", [baskets(Column("fee_cents", Numeric(10, 2))), shelves()]),
        ("foreign-key-border", [baskets(shelf(), to_shelves("vendor_id", "shelf_id")), shelves()]),
    ],
)
def test_a_planted_table_is_found(plant, rule, tables):
    found = plant(tables=tables)
    assert rules(found) == [rule]
    assert all(finding.file == f"{SHOP}/models/basket.py" and finding.line == 2 for finding in found)


@pytest.mark.parametrize(
    ("rule", "tables"),
    [
        (
            "plain-set-null",
            [baskets(shelf(), to_shelves("vendor_id", "shelf_id", ondelete="SET NULL")), shelves()],
        ),
        ("vendor-foreign-key", [baskets(shelf(), to_shelves("shelf_id")), shelves()]),
        (
            "vendor-anchor",
            [
                baskets(shelf(), to_shelves("vendor_id", "shelf_id")),
                table("shelves", owner="app.modules.stock.models.shelf"),
            ],
        ),
    ],
)
def test_a_planted_foreign_key_is_found(plant, rule, tables):
    assert rules(plant(definition={"requires": ("stock",)}, tables=tables)) == [rule]


def test_a_proper_foreign_key_passes(plant):
    key = to_shelves("vendor_id", "shelf_id", ondelete="SET NULL (shelf_id)")
    assert plant(definition={"requires": ("stock",)}, tables=[baskets(shelf(), key), shelves()]) == []


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("route-undeclared", {"routes": ()}),
        ("route-undeclared", {"routes": ("vendor", "admin")}),
        ("permission-undeclared", {"permissions": ()}),
        (
            "permission-name",
            {"permissions": (*shop_definition().permissions, Permission("x.y.z", "shop.baskets.edit"))},
        ),
        ("permission-missing", {"pages": (replace(PAGE, permission=None),)}),
        ("page-icon", {"pages": (replace(PAGE, menu=MenuEntry("sales", 1, "rocket")),)}),
        ("page-twice", {"pages": (PAGE, PAGE)}),
        ("page-without-function", {"pages": (PAGE, replace(PAGE, id="shop.vendor.more", path="/more"))}),
        ("page-undeclared", {"pages": ()}),
        ("message-missing", {"pages": (replace(PAGE, title_key="shop.unknown"),)}),
        ("message-missing", {"pages": (replace(PAGE, menu=MenuEntry("attic", 1, "basket")),)}),
        ("tasks-path", {"tasks_path": None}),
        ("tasks-path", {"tasks_path": "app.modules.shop.work"}),
        ("task-queue", {"task_queues": {"app.modules.stock.tasks.*": "default"}}),
        ("task-queue", {"task_queues": {"app.modules.shop.tasks.*": "fast"}}),
        ("schedule-name", {"scheduled_tasks": [replace(DELETE, name="shop.cleanup")]}),
        ("schedule-name", {"scheduled_tasks": [replace(DELETE, name="stock.delete_baskets")]}),
        ("schedule-name", {"scheduled_tasks": [DELETE, DELETE]}),
        ("schedule-task", {"scheduled_tasks": [replace(DELETE, task="app.modules.shop.tasks.baskets.gone")]}),
        ("schedule-time", {"scheduled_tasks": [replace(DELETE, schedule="99 3 * * *")]}),
        ("schedule-time", {"scheduled_tasks": [ScheduledTask(DELETE.name, DELETE.task, {"hours": 3})]}),
        ("list-part", {"providers": {f"framework.list_parts:{PAGE.id}": COUNT}}),
        ("list-part", {"providers": {"framework.list_parts:stock.vendor.gone": COUNT}}),
        ("menu-key", {"pages": (replace(PAGE, menu=MenuEntry("sales", 10, "basket", key="?")),)}),
        ("dead-path", {"providers": {"framework.demo": "app.modules.shop.services.basket_service:gone"}}),
        ("dead-path", {"handlers": {"stock.shelf_moved": "app.modules.stock.handlers:on_shelf_moved"}}),
        ("dead-path", {"hooks": Hooks(on_enable="app.modules.shop.gone:on_enable")}),
        ("feature-name", {"features": (replace(FEATURE, code="stock.baskets"),)}),
        ("feature-name", {"features": (FEATURE, FEATURE)}),
        ("feature-usage", {"features": (replace(FEATURE, usage=None),)}),
        ("feature-usage", {"features": (replace(FEATURE, is_per_period=True),)}),
        ("dead-path", {"features": (replace(FEATURE, usage=f"{COUNT}_gone"),)}),
        ("message-missing", {"features": (replace(FEATURE, label_key="shop.unknown"),)}),
        ("feature-undeclared", {"pages": (replace(PAGE, feature="shop.baskets"),), "features": (FEATURE,)}),
        ("feature-undeclared", {"pages": (replace(PAGE, feature="shop.gone"),)}),
    ],
)
def test_a_planted_definition_is_found(plant, rule, changes):
    found = plant(definition=changes)
    assert rules(found) == [rule]
    assert all(finding.file.startswith(SHOP) for finding in found)


def test_a_page_named_after_another_area_is_found(plant):
    page = PageDef(
        "shop.admin.baskets", "vendor", "/baskets", "list", "shop.baskets.title", "shop.baskets.edit"
    )
    files = {ROUTE_FILE: ROUTES.replace("shop.vendor.baskets", "shop.admin.baskets")}
    assert rules(plant(files, {"pages": (page,)})) == ["page-name"]


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("plain-router", "from app.modules", "from fastapi import APIRouter\nfrom app.modules"),
        ("route-area", 'AreaRouter("vendor")', 'AreaRouter("admin")'),
        ("route-unregistered", '@router.action("/baskets", permission="shop.baskets.edit")\n', ""),
        ("permission-missing", 'permission="shop.baskets.edit"', "permission=None"),
        ("permission-missing", ', permission="shop.baskets.edit"', ""),
        ("permission-undeclared", "shop.baskets.edit", "shop.baskets.burn"),
        (
            "message-missing",
            "return ctx.redirect(",
            'ctx.flash("info", "shop.not.there")\n    return ctx.redirect(',
        ),
        ("message-missing", "return ctx.redirect(", 'ctx.t("shop.not.there")\n    return ctx.redirect('),
    ],
)
def test_a_planted_route_is_found(plant, rule, old, new):
    assert old in ROUTES
    found = plant({ROUTE_FILE: ROUTES.replace(old, new)})
    assert rules(found) == [rule]
    assert {finding.file for finding in found} == {ROUTE_FILE}


BOTH = ROUTES.replace('AreaRouter("vendor")', 'AreaRouter("admin", "vendor")')
BOTH = BOTH.replace("shop.vendor.baskets", "shop.{area}.baskets").replace(
    "shop.baskets.edit", "shop.{area}_baskets.edit"
)
IN_BOTH_AREAS = {
    "routes": ("baskets",),
    "pages": tuple(
        replace(PAGE, id=f"shop.{area}.baskets", area=area, permission=f"shop.{area}_baskets.edit")
        for area in ("admin", "vendor")
    ),
    "permissions": tuple(
        Permission(f"shop.{area}_baskets.edit", "shop.baskets.edit", area) for area in ("admin", "vendor")
    ),
}


@pytest.mark.parametrize(
    ("rule", "name", "old", "new"),
    [
        (None, "baskets", "", ""),
        ("route-area", "vendor", "", ""),
        ("module-vocabulary", "baskets", 'AreaRouter("admin", "vendor")', 'AreaRouter("vendor")'),
        ("page-twice", "baskets", "shop.{area}.baskets", "shop.vendor.baskets"),
        ("permission-undeclared", "baskets", "{area}_baskets.edit", "{area}_baskets.burn"),
    ],
)
def test_a_file_for_several_areas_is_named_after_its_subject(plant, rule, name, old, new):
    files = {ROUTE_FILE: None, f"{SHOP}/routes/{name}.py": BOTH.replace(old, new)}
    found = rules(plant(files, {**IN_BOTH_AREAS, "routes": (name,)}))
    assert rule in found if rule else not found


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("template-syntax", "{% if open %}"),
        ("template-syntax", "{{ amount | no_such_filter }}"),
        ("template-missing", '{% extends "gone.html" %}'),
        ("template-missing", '{% from "ui/kit.html" import wheel %}'),
        ("inline-code", '<p style="color: red">x</p>'),
        ("inline-code", "<style>p { color: red }</style>"),
        ("inline-code", "<script>go()</script>"),
        ("inline-code", '<a href="#" onclick="go()">x</a>'),
        ("inline-code", '<a\n  hx-on:click="go()">x</a>'),
        ("inline-code", '<a href="javascript:go()">x</a>'),
        ("message-missing", '{{ t("shop.not.there") }}'),
        ("unknown-class", '<p class="muted sparkling {{ tone }}">x</p>'),
    ],
)
def test_a_planted_template_is_found(plant, rule, text):
    found = plant({TEMPLATE: f"{{# page #}}\n{text}\n"})
    assert [(finding.rule, finding.file, finding.line) for finding in found] == [
        (rule, TEMPLATE, 2 + ("\n  hx" in text) * 0)
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{% from "ui/kit.html" import box %}{{ box(label=t("shop.baskets.title")) }}',
        '{# <p style="x"> #}<script src="/x.js" defer></script>',
        '<p data-text="style = onclick=1" title="{{ a > b }}">online = yes</p>',
        '<script type="application/json">{{ data | tojson }}</script>',
    ],
)
def test_a_proper_template_passes(plant, text):
    assert plant({TEMPLATE: text}) == []


NEW = {"en": "New %(name)s", "fr": "Neuf %(name)s", "de": "Neu %(name)s", "lb": "Nei %(name)s"}


def with_new(comment="", **texts):
    """The message files with one more message; ``comment`` stands above the changed ``texts``, None leaves one out."""
    files = {}
    for language, text in (NEW | texts).items():
        file = f"{SHOP}/locales/{language}.po"
        above = comment if language in texts else ""
        files[file] = CLEAN[file] + (
            f'{above}msgid "shop.new"\nmsgstr "{text}"\n' if text is not None else ""
        )
    return files


def test_messages_are_the_same_in_each_language(plant):
    assert plant(with_new()) == []
    for language in NEW:
        (finding,) = plant(with_new(**{language: None}))
        assert (finding.rule, finding.message) == ("message-missing", f"shop.new has no text in {language}.")
        (finding,) = plant(with_new("#, fuzzy\n", **{language: "Perhaps %(name)s"}))
        assert (finding.rule, finding.message) == ("message-missing", f"shop.new has no text in {language}.")
    (finding,) = plant(with_new(en=None, fr=None, de=None))
    assert (finding.file, finding.message) == (f"{SHOP}/locales/lb.po", "shop.new has no text in en, fr, de.")
    (finding,) = plant(with_new(lb="Nei"))
    assert (finding.rule, finding.file) == ("message-placeholder", f"{SHOP}/locales/lb.po")
    others = plant(with_new(en="New", fr="Neuf", de="Neu"))
    assert [finding.message.split(" does")[0] for finding in others] == [
        "shop.new in en",
        "shop.new in fr",
        "shop.new in de",
    ]
    assert "message-file" in rules(plant({f"{SHOP}/locales/fr.po": PO + "nonsense\n"}))


@pytest.mark.parametrize("language", ["fr", "de", "lb"])
def test_english_in_another_language_is_found_unless_a_note_says_why(plant, language):
    (finding,) = plant(with_new(**{language: NEW["en"]}))
    assert (finding.rule, finding.file) == ("message-untranslated", f"{SHOP}/locales/{language}.po")
    assert plant(with_new("# same: a name\n", **{language: NEW["en"]})) == []
    assert rules(plant(with_new("# same:\n", **{language: NEW["en"]}))) == ["message-untranslated"]
    assert plant(with_new(**dict.fromkeys(NEW, "%(name)s: 100 %"))) == []


@pytest.mark.parametrize("word", ["Invalid", "forbidden", "please", "Oops"])
def test_a_word_that_helps_nobody_is_found(plant, word):
    (finding,) = plant(with_new(en=f"{word}, %(name)s"))
    assert (finding.rule, finding.file) == ("message-word", f"{SHOP}/locales/en.po")
    assert repr(word.lower()) in finding.message
    assert plant(with_new(en=f"{word}d %(name)s")) == []


def test_an_error_code_without_a_text_is_found(plant):
    text = 'class OtherError(NotFoundError):\n    code: ClassVar[str] = "shop.other"\n'
    found = plant({f"{SHOP}/exceptions.py": text})
    assert [(finding.rule, finding.line) for finding in found] == [("message-missing", 2)]


CONSUMING = """
from app.modules import entitlements
from app.modules.entitlements import consume

BASKETS = "shop.baskets"
GONE = "shop.gone"


def make_basket(session, vendor_id):
    consume(session, vendor_id, BASKETS)
    {call}
"""


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("entitlements.take(session, vendor_id, BASKETS, 3)", []),
        ('consume(session, vendor_id, "shop.gone")', ["feature-undeclared"]),
        ("entitlements.take(session, vendor_id, GONE, 3)", ["feature-undeclared"]),
    ],
)
def test_asking_for_a_feature_that_nobody_declares_is_found(plant, call, expected):
    files = {f"{SHOP}/services/making_service.py": CONSUMING.format(call=call)}
    assert rules(plant(files, definition={"features": (FEATURE,)})) == expected
