"""The supervisor, for real: every test runs it as a process of its own and reads what it writes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import app

ROOT = Path(app.__file__).parent.parent

# Arguments: a list of [name, script, restart], seconds to get ready, a file whose existence means ready.
SUPERVISOR = """
import json, sys
from pathlib import Path
from app.core.supervisor import ProcessSpec, supervise
specs = [
    ProcessSpec(name, (sys.executable, "-c", script), {"WHO": name}, restart)
    for name, script, restart in json.loads(sys.argv[1])
]
sys.exit(supervise(
    specs, ready=Path(sys.argv[3]).exists, on_ready=lambda: print("READY", flush=True),
    ready_seconds=float(sys.argv[2]),
))
"""
SAY = "import os, sys, time; print('hello from', os.environ['WHO'], os.getpid());"
STAY = SAY + "time.sleep(300)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + STAY
# A parent that ends at SIGTERM and forgets its child.
WITH_GRANDCHILD = (
    "import subprocess, sys; p = subprocess.Popen(['sleep', '300']); print('grandchild', p.pid);" + STAY
)


@contextmanager
def supervised(
    specs: list[tuple[str, str, bool]], ready_file: Path, seconds: float = 30.0
) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-c", SUPERVISOR, json.dumps(specs), str(seconds), str(ready_file)]
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], *wanted: str) -> list[str]:
    """The lines that hold the wanted texts, which must all come, in any order."""
    assert process.stdout is not None
    found: dict[str, str] = {}
    seen = []
    for line in process.stdout:
        seen.append(line)
        found |= {text: line.rstrip() for text in wanted if text in line}
        if len(found) == len(wanted):
            return [found[text] for text in wanted]
    raise AssertionError("".join(seen))


def pid_in(line: str) -> int:
    return int(line.rpartition(" ")[2])


def wait_until_gone(*pids: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(_is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, pids
        time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_prefixed_logs_ready_once_and_stop_in_reverse_order(tmp_path: Path) -> None:
    leave = "import signal; signal.signal(signal.SIGTERM, lambda *_: (print('bye'), sys.exit(0)));"
    script = SAY.replace("time;", "time;" + leave) + "time.sleep(300)"
    with supervised([("web", script, True), ("worker", script, True)], tmp_path / "ready") as process:
        pids = [pid_in(line) for line in read_until(process, "hello from web", "hello from worker")]
        (tmp_path / "ready").touch()
        read_until(process, "READY")
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=20)[0].splitlines()
    assert process.returncode == 0
    assert rest == ["supervisor | stopping", "worker     | bye", "web        | bye"]
    assert not any(_is_alive(pid) for pid in pids)


def test_a_process_that_ends_is_started_again_and_its_children_are_killed(tmp_path: Path) -> None:
    with supervised([("web", WITH_GRANDCHILD, True)], tmp_path / "ready") as process:
        grandchild, first = map(pid_in, read_until(process, "grandchild", "hello"))
        os.kill(first, signal.SIGKILL)
        ended, hello = read_until(process, "ended", "hello")
        assert ended == "supervisor | web ended with signal SIGKILL"
        assert pid_in(hello) != first
        wait_until_gone(grandchild, seconds=1)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_process_that_keeps_ending_stops_the_platform(tmp_path: Path) -> None:
    specs = [("web", STAY, True), ("worker", SAY + "sys.exit(3)", True), ("once", SAY, False)]
    with supervised(specs, tmp_path / "ready") as process:
        web = pid_in(*read_until(process, "hello from web"))
        output = process.communicate(timeout=20)[0]
    assert process.returncode == 1
    assert output.count("worker ended with exit code 3") == 6
    assert output.count("once ended with exit code 0") <= 1
    assert "worker ended more than 5 times in 60 s" in output
    assert not _is_alive(web)


def test_not_ready_in_time_says_why(tmp_path: Path) -> None:
    with supervised([("web", STAY, True), ("beat", SAY, False)], tmp_path / "ready", 0.5) as process:
        output = process.communicate(timeout=20)[0]
    assert process.returncode == 1
    assert "not ready after 0.5 s (not running: beat)" in output
    assert "READY" not in output


def test_a_second_signal_kills_at_once(tmp_path: Path) -> None:
    with supervised([("web", STUBBORN, True)], tmp_path / "ready") as process:
        read_until(process, "hello")
        process.send_signal(signal.SIGINT)
        read_until(process, "stopping")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert time.monotonic() - began < 5


def test_kill_minus_9_of_the_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    specs = [("web", WITH_GRANDCHILD, True), ("worker", STUBBORN, True)]
    with supervised(specs, tmp_path / "ready") as process:
        grandchild, worker = map(pid_in, read_until(process, "grandchild", "hello from worker"))
        web = _parent(grandchild)
        process.kill()
        process.wait()
        wait_until_gone(web, seconds=2)
        wait_until_gone(grandchild, worker, seconds=20)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
