"""The command, and what the README says of it."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from sandbox import faults
from sandbox.control import _DOORS
from sandbox.table import table
from sandbox.testing import Sandbox
from sandbox.tests.kit import receiving

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def test_the_readme_lists_all_operations_faults_and_doors() -> None:
    assert table() in README
    for name in {name for names in faults.NAMES.values() for name in names}:
        assert f"`{name}`" in README, name
    for _method, path, _door in _DOORS:
        assert path in README, path


def _start(folder: Path, webhook: str) -> tuple[subprocess.Popen[bytes], Sandbox]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["sandbox", "--port", str(port), "--data-dir", str(folder), "--webhook", webhook]
    process = subprocess.Popen([sys.executable, "-m", "app.cli", *arguments], stdout=subprocess.DEVNULL)
    box = Sandbox(f"http://127.0.0.1:{port}")
    deadline = time.monotonic() + 60
    while True:
        try:
            box.control("GET", "/health")
        except httpx2.HTTPError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return process, box


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) in (0, -signal.SIGTERM)


def test_the_command_keeps_its_state_and_sends_to_the_address_of_this_run(tmp_path: Path) -> None:
    with receiving() as former, receiving() as present:
        process, box = _start(tmp_path, former.url)
        try:
            made = box.client().v1.products.create({"name": "kept"})
            assert box.control("POST", "/deliveries/drain", {})["left"] == 0
        finally:
            _stop(process)
        process, box = _start(tmp_path, present.url)
        try:
            assert box.client().v1.products.retrieve(made.id).name == "kept"
            box.client().v1.products.create({"name": "second"})
            assert box.control("POST", "/deliveries/drain", {})["left"] == 0
        finally:
            _stop(process)
        assert (len(former.events("whsec_sandbox")), len(present.events("whsec_sandbox"))) == (1, 1)
