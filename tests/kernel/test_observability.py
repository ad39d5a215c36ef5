import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from app.core import i18n, observability
from app.core.observability import (
    HealthResult,
    HealthStatus,
    count_job,
    count_request,
    metrics_text,
    run_checks,
    wipe_multiprocess_dir,
)

OK = HealthResult(HealthStatus.OK, "fine", {"rows": 1})


def test_results_come_as_the_checks_give_them() -> None:
    weak = HealthResult(HealthStatus.DEGRADED, "slow")
    assert run_checks({"a": lambda: OK, "b": lambda: weak}) == {"a": OK, "b": weak}
    assert run_checks({}) == {}


def test_a_result_is_a_sentence_in_every_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "_texts", {})  # other tests keep the texts that they have loaded
    i18n.load_catalogues([])
    inner = HealthResult(HealthStatus.FAILED, "health.silent", {"seconds": 1.5})
    outer = HealthResult(HealthStatus.FAILED, "health.raised", {"reason": inner})
    assert outer.summary == "The check failed: No answer after 1.5 s."
    assert outer.text("fr") == "Le contrôle a échoué : Pas de réponse après 1.5 s."
    assert HealthResult(HealthStatus.OK).text("de") == ""


def test_checks_run_at_the_same_time() -> None:
    meeting = threading.Barrier(3)

    def meet() -> HealthResult:
        meeting.wait(timeout=2)
        return OK

    results = run_checks({"m1": meet, "m2": meet, "m3": meet})
    assert [result.status for result in results.values()] == [HealthStatus.OK] * 3


@pytest.mark.parametrize("error", [RuntimeError, TimeoutError, SystemExit, KeyboardInterrupt])
def test_a_raising_check_fails_alone_and_without_secrets(error: type[BaseException]) -> None:
    def broken() -> HealthResult:
        raise error("no route to redis://:hunter2@cache " + "x" * 1000)

    results = run_checks({"broken": broken, "good": lambda: OK})
    assert results["good"] == OK
    assert results["broken"].status is HealthStatus.FAILED
    reason = results["broken"].params["reason"]
    assert reason.startswith(f"{error.__name__}: no route to redis://:***@cache")
    assert len(reason) <= 300


def test_a_hanging_check_fails_in_time_and_keeps_one_thread() -> None:
    release, starts = threading.Event(), []

    def hang() -> HealthResult:
        starts.append(1)
        release.wait(timeout=30)
        return OK

    try:
        for _ in range(3):
            started = time.monotonic()
            results = run_checks({"hang": hang, "good": lambda: OK}, timeout_seconds=0.1)
            assert time.monotonic() - started < 2
            assert results["good"] == OK
            assert results["hang"].status is HealthStatus.FAILED
            assert results["hang"].key == "health.silent"
            assert results["hang"].params["seconds"] >= 0.1
        assert len(starts) == 1
    finally:
        release.set()
    while "hang" in observability._running:
        time.sleep(0.01)
    assert run_checks({"hang": hang})["hang"] == OK
    assert len(starts) == 2


def test_callers_at_the_same_time_share_a_run() -> None:
    release, starts = threading.Event(), []

    def slow() -> HealthResult:
        starts.append(1)
        release.wait(timeout=5)
        return OK

    found: list[HealthResult] = []
    callers = [
        threading.Thread(target=lambda: found.append(run_checks({"shared": slow})["shared"])) for _ in "ab"
    ]
    for caller in callers:
        caller.start()
    time.sleep(0.05)
    release.set()
    for caller in callers:
        caller.join(timeout=5)
    assert found == [OK, OK]
    assert len(starts) == 1


HANG_AND_EXIT = """
import os, threading, time
from app.core.observability import HealthResult, HealthStatus, run_checks
hanging = {"h": lambda: time.sleep(60)}
assert run_checks(hanging, 0.1)["h"].status == "failed"
child = os.fork()
if child == 0:
    answer = run_checks({"h": lambda: HealthResult(HealthStatus.OK)})["h"].status
    os._exit(0 if answer == "ok" else 1)
assert os.waitpid(child, 0)[1] == 0, "a forked child waits for a thread it does not have"
"""


def run_python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_hanging_check_neither_keeps_the_process_nor_reaches_a_forked_child() -> None:
    started = time.monotonic()
    run_python(HANG_AND_EXIT)
    assert time.monotonic() - started < 25


def test_metrics_have_the_promised_names_and_closed_labels() -> None:
    count_request("probe", "GET", 200, 0.02)
    count_request("probe", "BREW", 405, 0.02)
    count_job("app.modules.billing.tasks.subscription.reset_period_counters", "succeeded", 7)
    text = metrics_text().decode()
    assert 'wizamart_http_requests_total{area="probe",method="GET",status="200"} 1.0' in text
    assert 'wizamart_http_requests_total{area="probe",method="other",status="405"} 1.0' in text
    assert "BREW" not in text
    assert 'wizamart_http_request_seconds_bucket{area="probe",le="0.025"} 2.0' in text
    task = 'task="app.modules.billing.tasks.subscription.reset_period_counters"'
    assert f'wizamart_jobs_finished_total{{state="succeeded",{task}}} 1.0' in text
    assert f"wizamart_job_seconds_sum{{{task}}} 7.0" in text


def test_processes_that_share_a_folder_are_added_up(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    shared = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    # The supervisor imports before the folder exists.
    run_python(
        "from pathlib import Path; from app.core.observability import wipe_multiprocess_dir;"
        f"wipe_multiprocess_dir(Path({str(folder)!r}))",
        **shared,
    )
    for _ in range(2):
        run_python(
            "from app.core.observability import count_request; count_request('api', 'GET', 200, 0.1)",
            **shared,
        )
    show = "from app.core.observability import metrics_text; print(metrics_text().decode())"
    assert 'wizamart_http_requests_total{area="api",method="GET",status="200"} 2.0' in run_python(
        show, **shared
    )
    wipe_multiprocess_dir(folder)
    assert "wizamart_http_requests_total{" not in run_python(show, **shared)


def test_wiping_takes_only_the_figures(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "metrics"
    wipe_multiprocess_dir(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "counter_1.db").write_bytes(b"x")
    (folder / "notes.txt").write_text("mine")
    wipe_multiprocess_dir(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt"]
