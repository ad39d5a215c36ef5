"""A module folder dropped into the tree is discovered, migrated, scheduled and served, and leaves no trace."""

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from app.testing.database import Database
from app.testing.uninstall import schema_of
from tests.framework.forked_commands import forked_commands

ROOT = Path(__file__).parents[2]
MODULE = Path(__file__).parent / "wishlist"
_SERVE = """
import json
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from app.core.config import get_settings
from app.core.database import SYSTEM, unit_of_work
from app.main import create_app
from app.modules import lifecycle
from app.modules.tasks import build_beat_schedule
from app.tasks.dispatcher import dispatch
from app.tasks.runner import run_until_idle
from app.testing.browsing import sign_in

with unit_of_work(SYSTEM) as session:
    platform_id = session.scalar(text("SELECT id FROM platforms"))
client = TestClient(create_app(), follow_redirects=False)
sign_in(client, "vendor", "owner@minett.example")
before = client.get("/vendor/MINETT/wishes").status_code
with unit_of_work(SYSTEM) as session:
    lifecycle.enable(session, platform_id, "wishlist")
from app.modules.state import forget_snapshot
forget_snapshot()
after = client.get("/vendor/MINETT/wishes")
with unit_of_work(SYSTEM) as session:
    job = dispatch(session, "app.modules.wishlist.tasks.counting.count_wishes")
run_until_idle(["default"], timeout_seconds=30)
with unit_of_work(SYSTEM) as session:
    result = session.scalar(text("SELECT result FROM jobs WHERE id = :id"), {"id": job.id})
print(json.dumps({
    "before": before, "after": after.status_code, "menu": "/vendor/MINETT/wishes" in after.text,
    "scheduled": "wishlist.count_wishes" in build_beat_schedule(), "result": result,
}))
"""


@pytest.mark.long(10)
@pytest.mark.timeout(240)
def test_a_dropped_module_lives_and_leaves_no_trace(world: Database, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("tests"))
    shutil.copytree(
        MODULE, tmp_path / "app" / "modules" / "wishlist", ignore=shutil.ignore_patterns("__pycache__")
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "NO_COLOR": "1"}

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    with forked_commands(environment) as (programs, _):
        wizamart = partial(run, str(programs / "wizamart"))
        listed = json.loads(wizamart("modules", "list", "--json"))
        assert "wishlist" in [module["code"] for module in listed]
        before = schema_of(world)
        assert "wishlist_0001" in wizamart("migrate", "--plan")
        assert schema_of(world) == before
        wizamart("migrate")
        assert schema_of(world) != before
        served = json.loads(run(sys.executable, "-c", _SERVE).splitlines()[-1])
        assert served == {
            "before": 404,
            "after": 200,
            "menu": True,
            "scheduled": True,
            "result": {"wishes": 0},
        }
        wizamart("modules", "disable", "wishlist")
        said = json.loads(wizamart("modules", "uninstall", "wishlist", "--purge", "--json"))
        dropped = [(each["table"], each["rows"]) for each in said["tables"] if each["is_dropped"]]
        assert dropped == [("wishes", 0)]
        assert schema_of(world) == before
        wizamart("migrate")
        assert schema_of(world) == before
