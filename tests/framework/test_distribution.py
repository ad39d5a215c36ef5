"""A module in a distribution of its own joins by its entry point, with what app.sdk offers and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

from app.testing.commands import run_command
from app.testing.database import Database

_DEFINITION = """
from app.sdk import MenuEntry, ModuleClass, ModuleDefinition, PageDef, Permission

definition = ModuleDefinition(
    code="gifts", name="Gifts", module_class=ModuleClass.OPTIONAL, package="wizamart_gifts", requires=("catalog",),
    permissions=(Permission("gifts.cards.view", "gifts.permissions.view"),),
    pages=(PageDef("gifts.vendor.cards", "vendor", "/gift-cards", "list", "gifts.title", "gifts.cards.view",
                   MenuEntry("catalog", 60, "tag")),),
    routes=("vendor",),
)
"""
_ROUTES = """
from app.sdk import AreaRouter, PageContext

router = AreaRouter("vendor")


@router.page("gifts.vendor.cards")
def cards(ctx: PageContext):
    return ctx.redirect("core.vendor.home")
"""


def install(folder: Path) -> None:
    """Lay the distribution out as an installer would."""
    package, info = folder / "wizamart_gifts", folder / "wizamart_gifts-1.0.dist-info"
    (package / "routes").mkdir(parents=True)
    info.mkdir()
    for file in (package / "__init__.py", package / "routes" / "__init__.py"):
        file.touch()
    (package / "definition.py").write_text(_DEFINITION)
    (package / "routes" / "vendor.py").write_text(_ROUTES)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wizamart-gifts\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[wizamart.modules]\ngifts = wizamart_gifts.definition:definition\n"
    )


def test_it_is_listed_in_order_and_mounted(world: Database, tmp_path: Path) -> None:
    install(tmp_path)
    done = run_command("modules", "list", "--json", PYTHONPATH=str(tmp_path))
    listed = [module["code"] for module in json.loads(done.stdout)]
    assert listed.index("gifts") > listed.index("catalog")
    program = (
        "from app.main import create_app; print([r.path for r in create_app().routes if 'gift' in r.path])"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    served = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "/vendor/{vendor_code}/gift-cards" in served.stdout


def test_one_that_does_not_fit_is_refused_by_name(world: Database, tmp_path: Path) -> None:
    install(tmp_path)
    definition = tmp_path / "wizamart_gifts" / "definition.py"
    definition.write_text(definition.read_text().replace('("catalog",)', '("wrapping",)'))
    done = run_command("modules", "list", PYTHONPATH=str(tmp_path))
    assert done.returncode == 3
    assert "'gifts' requires 'wrapping'" in done.stderr
    assert "Traceback" not in done.stderr
