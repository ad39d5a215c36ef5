"""A small clean tree with two modules, into which each test plants one violation."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, MetaData, Table, UniqueConstraint, Uuid

from app.core.tables import NOT_PERSONAL, Personal, TableScope
from app.modules.base import MenuEntry, ModuleClass, ModuleDefinition, PageDef, Permission, ScheduledTask
from app.modules.verify import CHECKS
from app.modules.verify.imports import check_imports
from app.modules.verify.project import Project, read_project
from app.modules.verify.report import Finding

REPOSITORY = Path(__file__).parents[2]
STOCK, SHOP = "app/modules/stock", "app/modules/shop"
ROUTES = """
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")


@router.page("shop.vendor.baskets")
def baskets(ctx):
    return ctx.render("shop/vendor/baskets.html")


@router.action("/baskets", permission="shop.baskets.edit")
def create_basket(ctx):
    return ctx.redirect("shop.vendor.baskets")
"""
TASKS = """
from celery import shared_task

from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True)
def delete_baskets(self):
    with self.get_db() as session:
        session.flush()
"""
SERVICE = """
from sqlalchemy import text


def count_baskets(session):
    return session.execute(text("SELECT count(*) FROM baskets")).scalar_one()
"""
PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
WORDS = ("shop.baskets.title", "shop.baskets.edit", "ui.menu.sales", "errors.shop.basket_gone")
CLEAN = {
    "app/modules/stock/__init__.py": "",
    "app/modules/stock/definition.py": "",
    "app/modules/shop/__init__.py": "",
    "app/modules/shop/README.md": "# Shop\n",
    "app/modules/shop/definition.py": '"""Shop."""\n',
    "app/modules/shop/exceptions.py": 'class BasketGoneError(NotFoundError):\n    code = "shop.basket_gone"\n',
    "app/modules/shop/models/__init__.py": "",
    "app/modules/shop/models/basket.py": 'class Basket(Base):\n    __tablename__ = "baskets"\n',
    "app/modules/shop/routes/__init__.py": "",
    "app/modules/shop/routes/vendor.py": ROUTES,
    "app/modules/shop/tasks/__init__.py": "",
    "app/modules/shop/tasks/baskets.py": TASKS,
    "app/modules/shop/services/__init__.py": "",
    "app/modules/shop/services/basket_service.py": SERVICE,
    "app/modules/shop/templates/shop/vendor/baskets.html": '<h1 class="muted">{{ t("shop.baskets.title") }}</h1>\n',
    "app/modules/shop/tests/__init__.py": "",
    "app/modules/shop/tests/test_baskets.py": "",
    "app/modules/shop/migrations/versions/shop_0001_create_baskets.py": 'op.create_table("baskets")\n',
    **{
        f"app/modules/shop/locales/{language}.po": PO
        + "".join(f'msgid "{key}"\nmsgstr "{text}"\n\n' for key in WORDS)
        for language, text in {"en": "Word", "fr": "Mot", "de": "Wort", "lb": "Wuert"}.items()
    },
    "app/ui/templates/ui/kit.html": "{% macro box(label) %}<p>{{ label }}</p>{% endmacro %}\n",
    "app/ui/static/icons.svg": '<svg><symbol id="basket"></symbol></svg>\n',
}
Plant = Callable[..., list[Finding]]


def shop_definition(**changes: Any) -> ModuleDefinition:
    """The clean definition of the module `shop`, with changes."""
    menu = MenuEntry("sales", 10, "basket")
    values: dict[str, Any] = {
        "code": "shop",
        "name": "Shop",
        "module_class": ModuleClass.OPTIONAL,
        "permissions": (Permission("shop.baskets.edit", "shop.baskets.edit"),),
        "pages": (
            PageDef(
                "shop.vendor.baskets",
                "vendor",
                "/baskets",
                "list",
                "shop.baskets.title",
                "shop.baskets.edit",
                menu,
            ),
        ),
        "routes": ("vendor",),
        "tasks_path": "app.modules.shop.tasks",
        "scheduled_tasks": [
            ScheduledTask("shop.delete_baskets", "app.modules.shop.tasks.baskets.delete_baskets", "0 3 * * *")
        ],
        "task_queues": {"app.modules.shop.tasks.*": "scheduled"},
    }
    return ModuleDefinition(**(values | changes))


def table(
    name: str,
    *extra: Any,
    owner: str = "app.modules.shop.models.basket",
    scope: TableScope | None = TableScope.VENDOR,
    column: str | None = "vendor_id",
    personal: Personal | None = NOT_PERSONAL,
    verbs: str = "SIUD",
) -> Table:
    """A declared table with id and vendor_id; ``extra`` are more columns and constraints."""
    return Table(
        name,
        MetaData(),
        Column("id", Uuid(), primary_key=True),
        Column("vendor_id", Uuid(), nullable=False),
        *extra,
        info={
            "scope": scope,
            "scope_column": column,
            "verbs": verbs,
            "search": None,
            "personal": personal,
            "impersonal": tuple(one.name for one in extra if isinstance(one, Column) and one.name == "code"),
            "python_module": owner,
        },
    )


def baskets(*extra: Any, **options: Any) -> Table:
    """The table of the module `shop`."""
    return table(
        "baskets",
        Column("amount_cents", BigInteger()),
        UniqueConstraint("vendor_id", "id"),
        *extra,
        **options,
    )


def shelves() -> Table:
    """The table of the module `stock`, which shop does not require unless a test says so."""
    return table("shelves", UniqueConstraint("vendor_id", "id"), owner="app.modules.stock.models.shelf")


def to_shelves(*columns: str, **options: Any) -> ForeignKeyConstraint:
    """A foreign key of the columns to the columns of the same names in shelves."""
    return ForeignKeyConstraint(
        columns, [f"shelves.{column.replace('shelf_', '')}" for column in columns], **options
    )


def planted_project(
    root: Path, files: Mapping[str, str | None], changes: dict[str, Any], tables: list[Table]
) -> Project:
    """The clean tree with ``files`` written over it (None takes a file away)."""
    for name, text in (CLEAN | dict(files)).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_text(text, encoding="utf-8")
    stock = ModuleDefinition(code="stock", name="Stock", module_class=ModuleClass.OPTIONAL)
    known = {"stock": stock, "shop": shop_definition(**changes)}
    folders = {code: root / "app" / "modules" / code for code in known}
    return read_project(root, known, folders, tables)


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Write the tree and run every check but the one over imports, which has tests of its own."""

    def run(
        files: Mapping[str, str | None] | None = None,
        definition: dict[str, Any] | None = None,
        tables: list[Table] | None = None,
    ) -> list[Finding]:
        project = planted_project(tmp_path, files or {}, definition or {}, tables or [baskets(), shelves()])
        return [finding for check in CHECKS if check is not check_imports for finding in check(project)]

    return run


@pytest.fixture
def tree_copy(tmp_path: Path) -> Path:
    """A copy of the repository's code and import contracts, without tests and assets."""
    ignored = shutil.ignore_patterns("__pycache__", "static", "templates", "*.po", "*.md")
    shutil.copytree(REPOSITORY / "app", tmp_path / "app", ignore=ignored)
    shutil.copy(REPOSITORY / ".importlinter", tmp_path / ".importlinter")
    return tmp_path
