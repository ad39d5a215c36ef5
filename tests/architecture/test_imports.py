"""Import rules: one table of what is allowed, and real runs of lint-imports over a copy of the tree."""

import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from grimp import ImportGraph

from app.modules.base import ModuleClass, ModuleDefinition
from app.modules.verify.imports import RULES, broken_rule, import_faults

KNOWN = {
    code: ModuleDefinition(code=code, name=code, module_class=ModuleClass.OPTIONAL, requires=requires, **more)
    for code, requires, more in [
        ("ground", (), {"is_foundation": True}),
        ("stock", (), {}),
        ("shop", ("stock",), {}),
        ("other", (), {}),
        ("partner", (), {"package": "partner_module"}),
    ]
}
SHOP = "app.modules.shop"


@pytest.mark.parametrize(
    ("importer", "imported", "rule"),
    [
        ("app.core.money", "app.core.errors", None),
        ("app.core.money", "app.modules.registry", "kernel-imports"),
        ("app.core.money", f"{SHOP}.facade", "kernel-imports"),
        ("app.core.money", "app.tasks.ledger", "kernel-imports"),
        ("app.core.celery_config", "app.modules.tasks", None),
        ("app.core.money", "app.core.celery_config", "entry-imported"),
        ("app.tasks.ledger", "app.core.database", None),
        ("app.tasks.ledger", "app.modules.registry", "tasks-imports"),
        ("app.tasks.ledger", f"{SHOP}.facade", "tasks-imports"),
        ("app.modules.routing", "app.tasks.dispatcher", None),
        ("app.modules.routing", f"{SHOP}.facade", "framework-imports"),
        ("app.modules.routing", "app.worker", "entry-imported"),
        ("app.modules.routing", "app.testing.plugin", "framework-imports"),
        ("app.cli", "app.worker", None),
        ("app.cli", f"{SHOP}.cli", "room-imports"),
        ("app.ui.icons", "app.modules.menu", "room-imports"),
        ("app.sdk", f"{SHOP}.facade", None),
        ("app.sdk", f"{SHOP}.models.basket", "room-imports"),
        ("app.testing.plugin", f"{SHOP}.facade", None),
        ("app.testing.plugin", f"{SHOP}.tests.factories", None),
        ("app.testing.plugin", f"{SHOP}.services.basket_service", "room-imports"),
        (f"{SHOP}.routes.vendor", f"{SHOP}.services.basket_service", None),
        (f"{SHOP}.services.basket_service", f"{SHOP}.services.price_service", None),
        (f"{SHOP}.services.basket_service", f"{SHOP}.facade", "module-layers"),
        (f"{SHOP}.services.basket_service", f"{SHOP}.tasks.baskets", "module-layers"),
        (f"{SHOP}.models.basket", f"{SHOP}.services.basket_service", "module-layers"),
        (f"{SHOP}.enums", f"{SHOP}.contracts", "module-layers"),
        (f"{SHOP}.services.basket_service", f"{SHOP}.definition", "module-layers"),
        (f"{SHOP}.services.basket_service", f"{SHOP}.tests.factories", "module-layers"),
        (SHOP, f"{SHOP}.models.basket", "module-layers"),
        (f"{SHOP}.services.basket_service", "app.modules.stock.facade", None),
        (f"{SHOP}.services.basket_service", "app.modules.ground.contracts", None),
        (f"{SHOP}.services.basket_service", "app.modules.stock.services.shelf_service", "module-borders"),
        (f"{SHOP}.services.basket_service", "app.modules.stock.models.shelf", "module-borders"),
        (f"{SHOP}.services.basket_service", "app.modules.stock", "module-borders"),
        (f"{SHOP}.services.basket_service", "app.modules.other.facade", "module-borders"),
        (f"{SHOP}.handlers", "app.modules.other.events", None),
        ("app.modules.stock.services.shelf_service", f"{SHOP}.facade", "module-borders"),
        (f"{SHOP}.tests.test_baskets", f"{SHOP}.models.basket", None),
        (f"{SHOP}.tests.test_baskets", "app.modules.stock.tests.factories", None),
        (f"{SHOP}.tests.test_baskets", "app.modules.stock.tests.test_shelves", "module-borders"),
        (f"{SHOP}.tests.test_baskets", "app.modules.stock.models.shelf", "module-borders"),
        (f"{SHOP}.tests.test_baskets", "app.testing.plugin", None),
        (f"{SHOP}.services.basket_service", "app.testing.plugin", "room-imports"),
        (f"{SHOP}.services.basket_service", "app.core.celery_config", "entry-imported"),
        (f"{SHOP}.services.basket_service", "celery", "celery-imports"),
        (f"{SHOP}.tasks.baskets", "celery", None),
        ("partner_module.services.offers", "app.sdk", None),
        ("partner_module.services.offers", "app.core.money", "sdk-only"),
        ("partner_module.services.offers", "app.testing.browsing", "sdk-only"),
        ("partner_module.tests.test_offers", "app.testing.browsing", None),
        ("partner_module.tests.test_offers", "app.core.money", "sdk-only"),
        ("partner_module.services.offers", "partner_module.models.offer", None),
    ],
)
def test_one_import(importer, imported, rule):
    broken = broken_rule(importer, imported, KNOWN)
    assert (broken and broken[0]) == rule


def test_cycles_are_found_each_once():
    graph = ImportGraph()
    for importer, imported in [("a", "b"), ("b", "c"), ("c", "a"), ("d", "e"), ("e", "d"), ("c", "d")]:
        graph.add_import(
            importer=f"app.core.{importer}",
            imported=f"app.core.{imported}",
            line_number=7,
            line_contents="import",
        )
    faults = import_faults(graph, {})
    assert [fault.rule for fault in faults] == ["import-cycle", "import-cycle"]
    assert all(fault.line == 7 for fault in faults)
    assert sorted(len(fault.message.split("->")) for fault in faults) == [3, 4]


def lint_imports(folder: Path) -> tuple[int, str]:
    command = "from importlinter.cli import lint_imports_command as run; run(['--no-cache', '--no-logo'])"
    result = subprocess.run(
        [sys.executable, "-c", command], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    return result.returncode, result.stdout + result.stderr


def test_every_rule_has_a_contract():
    config = ConfigParser()
    config.read(Path(__file__).parents[2] / ".importlinter")
    contracts = {section["rule"] for name, section in config.items() if name.startswith("importlinter:")}
    assert contracts == set(RULES)


DEFINITION = """
from app.modules.base import ModuleClass, ModuleDefinition

definition = ModuleDefinition(code="{code}", name="{code}", module_class=ModuleClass.OPTIONAL)
"""


def test_lint_imports_breaks_on_each_planted_import(tree_copy):
    files = {
        "app/modules/left/definition.py": DEFINITION.format(code="left"),
        "app/modules/right/definition.py": DEFINITION.format(code="right"),
        "app/modules/left/facade.py": "",
        "app/modules/right/facade.py": "",
        "app/modules/right/services/one.py": "import app.modules.left.facade\nimport app.modules.right.facade\n",
        "app/modules/right/services/two.py": "import celery, app.main, app.modules.right.services.three\n",
        "app/modules/right/services/three.py": "from app.modules.right.services import two\n",
        "app/core/planted.py": "import app.modules.registry\n",
        "app/tasks/planted.py": "import app.modules.registry\n",
        "app/modules/planted.py": "def late():\n    import app.modules.left.facade\n",
        "app/sdk/planted.py": "import app.testing.import_contract\n",
    }
    for name, text in files.items():
        path = tree_copy / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for folder in ("left", "right", "right/services"):
        (tree_copy / "app" / "modules" / folder / "__init__.py").touch()
    status, output = lint_imports(tree_copy)
    assert status == 1
    for line in (
        "app.core.planted -> app.modules.registry",
        "app.tasks.planted -> app.modules.registry",
        "app.modules.planted -> app.modules.left.facade (l.2)",
        "app.modules.right.services.two -> app.main",
        "app.sdk.planted -> app.testing.import_contract",
        "app.modules.right.services.one -> app.modules.right.facade (l.2)",
        "app.modules.right.services.one -> app.modules.left.facade (l.1)",
        "app.modules.right.services.two -> celery",
        "Import cycle: ",
    ):
        assert line in " ".join(output.split()), (line, output)


def test_lint_imports_keeps_all_contracts_of_the_tree(tree_copy):
    status, output = lint_imports(tree_copy)
    assert status == 0, output
    assert f"Contracts: {len(RULES)} kept, 0 broken." in output
