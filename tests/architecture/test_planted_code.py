"""Each rule about source files notices its violation, and only that rule speaks."""

import pytest

SHOP = "app/modules/shop"
SERVICE = f"{SHOP}/services/planted_service.py"
TASK = f"{SHOP}/tasks/planted.py"
TASK_HEAD = "from celery import shared_task\nfrom app.modules.task_base import ModuleTask\n\n"
PLAIN_SET_NULL = """
op.create_foreign_key(
    "k", "baskets", "shelves", ["vendor_id", "shelf_id"], ["vendor_id", "id"], ondelete="SET NULL"
)
"""
LONG_FUNCTION = "def long(session):\n" + "    session.flush()\n" * 50


def test_the_clean_tree_has_no_findings(plant):
    assert plant() == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        ("module-vocabulary", f"{SHOP}/repositories/__init__.py", ""),
        ("module-vocabulary", f"{SHOP}/signals.py", ""),
        ("module-vocabulary", f"{SHOP}/notes.txt", ""),
        ("module-vocabulary", f"{SHOP}/templates/other/page.html", ""),
        ("vague-name", f"{SHOP}/services/basket_utils.py", ""),
        ("vague-name", f"{SHOP}/services/helpers.py", ""),
        ("missing-init", f"{SHOP}/schemas/basket.py", ""),
        ("missing-definition", "app/modules/loose/services.py", ""),
        ("migration-name", f"{SHOP}/migrations/versions/0002_more.py", ""),
        (
            "migration-imports",
            f"{SHOP}/migrations/versions/shop_0002_fill_baskets.py",
            "from app.modules.shop.models import basket",
        ),
        (
            "sdk-reexports",
            "app/sdk/__init__.py",
            "from app.core.money import Money\n\n\ndef extra():\n    return Money\n",
        ),
        ("commit-in-code", SERVICE, "def save(session):\n    session.commit()\n"),
        ("commit-in-code", SERVICE, "def undo(session):\n    session.rollback()\n"),
        ("commit-in-code", "app/tasks/ledger.py", "def save(session):\n    session.commit()\n"),
        ("wall-clock", SERVICE, "from datetime import datetime\n\nNOW = datetime.now()\n"),
        ("wall-clock", SERVICE, "import datetime\n\nNOW = datetime.datetime.utcnow()\n"),
        ("wall-clock", SERVICE, "from datetime import date\n\nTODAY = date.today()\n"),
        ("server-now", f"{SHOP}/models/planted.py", "made_at = mapped_column(server_default=func.now())\n"),
        (
            "server-now",
            f"{SHOP}/models/planted.py",
            'made_at = mapped_column(server_default=text("now()"))\n',
        ),
        ("direct-http", SERVICE, "import requests\n"),
        ("direct-http", SERVICE, "from urllib.request import urlopen\n"),
        ("direct-http", SERVICE, "import httpx2\n"),
        ("direct-http", f"{SHOP}/adapters/__init__.py", "import httpx2\n\nCLIENT = httpx2.Client()\n"),
        ("print", SERVICE, 'def say():\n    print("hello")\n'),
        ("money-float", SERVICE, "total_cents: float = 0\n"),
        ("money-float", SERVICE, "def pay(amount_cents: float | None):\n    return amount_cents\n"),
        ("money-float", SERVICE, "def half(amount_cents):\n    return amount_cents / 2\n"),
        ("money-float", SERVICE, "def show(row):\n    return float(row.price_cents)\n"),
        ("money-float", SERVICE, "price_cents = 1.5\n"),
        ("budget", SERVICE, "x = 1\n" * 401),
        ("budget", SERVICE, LONG_FUNCTION),
        ("budget", SERVICE, "def many(a, b, c, d, e, f, g):\n    return a\n"),
        ("task-base", TASK, TASK_HEAD + "@shared_task\ndef run_it():\n    return 1\n"),
        ("task-base", TASK, "def run_it():\n    return 1\n"),
        (
            "task-name",
            TASK,
            TASK_HEAD + '@shared_task(base=ModuleTask, name="short")\ndef run_it():\n    return 1\n',
        ),
        (
            "task-name",
            TASK,
            TASK_HEAD + "@shared_task(base=ModuleTask)\ndef run_it():\n    return 1\n\n\n" * 2,
        ),
        (
            "ledger-bypass",
            TASK,
            TASK_HEAD + "@shared_task(base=ModuleTask, max_retries=3)\ndef run_it():\n    return 1\n",
        ),
        (
            "ledger-bypass",
            TASK,
            TASK_HEAD + "@shared_task(base=ModuleTask, bind=True)\ndef go(self):\n    self.retry()\n",
        ),
        ("ledger-bypass", TASK, "from celery import chain\n"),
        ("ledger-bypass", f"{SHOP}/handlers.py", "def on_x(task):\n    task.apply_async(countdown=5)\n"),
        ("ledger-bypass", SERVICE, "def go(task):\n    task.delay(1)\n"),
        ("ledger-bypass", SERVICE, 'def go(app):\n    app.send_task("x")\n'),
        ("copy-into-table", SERVICE, 'SQL = "COPY baskets (id) FROM STDIN"\n'),
        ("copy-into-table", SERVICE, "def sql(name):\n    return f'COPY \"{name}\" FROM STDIN'\n"),
        ("foreign-relationship", f"{SHOP}/models/planted.py", 'shelf: Mapped["Shelf"] = relationship()\n'),
        ("foreign-relationship", f"{SHOP}/models/planted.py", 'shelves = relationship("Shelf")\n'),
        ("plain-set-null", f"{SHOP}/migrations/versions/shop_0002_add_key.py", PLAIN_SET_NULL),
    ],
)
def test_a_planted_violation_is_found(plant, rule, path, text):
    files = {path: text}
    files["app/modules/stock/models/__init__.py"] = "class Shelf(Base):\n    pass\n"
    files["app/modules/stock/README.md"] = ""
    files["app/modules/stock/tests/__init__.py"] = ""
    files["app/modules/stock/tests/test_shelves.py"] = ""
    found = plant(files)
    assert {finding.rule for finding in found} == {rule}
    assert all(finding.file.startswith(path.rpartition("/")[0].partition("/other")[0]) for finding in found)
    assert all(finding.line >= 1 and finding.fix for finding in found)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM shelves WHERE vendor_id = :vendor_id",
        "select b.id from baskets b, shelves s",
        'SELECT 1 FROM baskets b JOIN public."shelves" s ON s.id = b.shelf_id',
        "INSERT INTO shelves (id) VALUES (:id)",
        "update shelves set name = ''",
        "DELETE FROM shelves",
        "WITH s AS (SELECT * FROM shelves) SELECT * FROM s",
        " JOIN shelves s ON true",
    ],
)
def test_sql_that_names_a_foreign_table_is_found(plant, sql):
    found = plant({SERVICE: f"SQL = {sql!r}\n"})
    assert [(finding.rule, finding.line) for finding in found] == [("foreign-table", 1)]


def test_a_foreign_table_in_an_f_string_is_found(plant):
    found = plant({SERVICE: 'def sql(column):\n    return f"SELECT {column} FROM shelves"\n'})
    assert [finding.rule for finding in found] == ["foreign-table"]


@pytest.mark.parametrize(
    "call", ['op.add_column("shelves", column)', 'op.create_index("i", "shelves", ["x"])']
)
def test_a_migration_of_a_foreign_table_is_found(plant, call):
    found = plant({f"{SHOP}/migrations/versions/shop_0002_change_shelves.py": call + "\n"})
    assert [finding.rule for finding in found] == ["foreign-table"]


@pytest.mark.parametrize(
    "text",
    [
        '"""Moves things from shelves to baskets."""\n',
        'MESSAGE = "Take them from shelves, please."\n',
        'SQL = "SELECT id FROM baskets"\n',
        'SQL = "COPY pg_temp.incoming (id) FROM STDIN"\n',
        "def each(amount_cents):\n    return amount_cents // 2\n",
        "from urllib.parse import quote\n",
    ],
)
def test_what_only_looks_like_a_violation_is_let_pass(plant, text):
    assert plant({SERVICE: text}) == []


def test_exceptions_from_the_budget_only_shrink(plant):
    listed = "tests/architecture/budget_exceptions.txt"
    entry = f"{SERVICE}::long lines"
    assert plant({SERVICE: LONG_FUNCTION, listed: f"{entry} 51\n"}) == []
    assert [f.rule for f in plant({SERVICE: LONG_FUNCTION, listed: f"{entry} 60\n"})] == ["budget-exception"]
    assert [f.rule for f in plant({SERVICE: "", listed: f"# gone\n{entry} 51\n"})] == ["budget-exception"]


def test_a_module_with_code_needs_readme_and_tests(plant):
    found = plant({f"{SHOP}/README.md": None, f"{SHOP}/tests/test_baskets.py": None})
    assert sorted(finding.rule for finding in found) == ["missing-readme", "missing-tests"]


def test_a_route_file_of_no_area_is_found(plant):
    found = plant({f"{SHOP}/routes/partner.py": ""}, {"routes": ("vendor", "partner")})
    assert [finding.rule for finding in found] == ["module-vocabulary"]


def test_set_null_in_sql_text_is_found(plant):
    path = f"{SHOP}/migrations/versions/shop_0002_add_key.py"
    key = "ALTER TABLE baskets ADD FOREIGN KEY (vendor_id, parent_id) REFERENCES baskets ON DELETE SET NULL"
    assert [finding.rule for finding in plant({path: f'op.execute("{key}")\n'})] == ["plain-set-null"]
    assert plant({path: f'op.execute("{key} (parent_id)")\n'}) == []
