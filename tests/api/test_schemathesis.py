"""Every operation answers as the description says, to what it allows and to what it does not, and in a row."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.core.config import get_settings
from app.testing.working import work

_ROOT = Path(__file__).parents[2]
_ARGUMENTS = (
    *("--checks=all", "--max-examples=5", "--phases=examples,coverage,fuzzing,stateful", "--seed=1"),
    *("--suppress-health-check=all", "--workers=2", "--no-color", "--generation-deterministic"),
    "--request-timeout=60",
)


def _run(url: str, key: str, area: str, folder: Path) -> None:
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    command += [f"--config-file={Path(__file__).with_name('schemathesis.toml')}", "run"]
    command += [f"{url}/api/openapi.json", *_ARGUMENTS, f"--include-path-regex=^/{area}/"]
    command += ["--header", f"Authorization: Bearer {key}"]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.api.schemathesis_hooks",
        "PYTHONPATH": str(_ROOT),
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=170)
    if done.returncode:
        # What went wrong comes first; what the server said of it follows, as captured.
        wrong = re.search(r"=+ (ERRORS|FAILURES) =+.*", done.stdout, re.DOTALL)
        report = wrong[0] if wrong else done.stdout + done.stderr[-2000:]
        pytest.fail(f"{_in_short(report)}\n{report[:20000]}\n{done.stderr[-2000:]}", pytrace=False)


_ASIDE = re.compile(r"[=\s]*$|=+ |\d+\. Test Case|Reproduce with|curl |st replay |Need more help|Join our ")


def _in_short(report: str) -> str:
    """What went wrong with which operation, in one line: of a long run's output often only the end is shown."""
    lines = [line.strip() for line in report.partition(" SUMMARY ")[0].splitlines()]
    return " | ".join(dict.fromkeys(line.strip("_ ") for line in lines if not _ASIDE.match(line)))[:1500]


@pytest.fixture(autouse=True)
def _no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIZAMART_API_REQUESTS_PER_MINUTE", "1000000")
    get_settings.cache_clear()


@pytest.mark.long(22)
@pytest.mark.timeout(180)
@pytest.mark.parametrize("area", ["vendor", "admin"])
def test_all_operations(
    area: str, api_url: str, vendor_key: str, admin_key: str, owner_engine: Engine, tmp_path: Path
) -> None:
    work(timeout_seconds=100)  # the demo's records
    _run(api_url, vendor_key if area == "vendor" else admin_key, area, tmp_path)
