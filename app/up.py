"""``wizamart up``: the whole platform on one machine, from zero, with one command."""

import fcntl
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2
import typer

from app.core.config import get_settings
from app.core.errors import ConfigurationError
from app.core.observability import wipe_multiprocess_dir
from app.core.supervisor import ProcessSpec, supervise
from app.modules.platform import Platform, running_platform, sandbox_note

_FIRST_PORT, _PORTS = 8000, 50
_FIRST_SANDBOX_PORT = 8400
_READY_SECONDS = 90.0
_WORKERS = {"fast": ("default,scheduled", 2), "long": ("long_running", 2)}


def run_platform(*, demo: bool, port: int | None, data_dir: Path | None) -> int:
    """Start servers, migrate, seed, then run web, workers and beat until a signal; returns the exit code."""
    started = time.monotonic()
    folder = (data_dir or get_settings().data_dir).resolve()
    with (
        _only_one(folder),
        sandbox_note(folder) as note_sandbox,
        running_platform(data_dir=folder, demo=demo) as platform,
    ):
        port = _port(port)
        metrics = folder / "run" / "metrics"
        wipe_multiprocess_dir(metrics)
        base_url = f"http://127.0.0.1:{port}"
        sandbox = _sandbox(folder, base_url)
        environment = {
            **platform.environment,
            **(sandbox.env if sandbox else {}),
            "WIZAMART_BASE_URL": base_url,
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        }
        readiness = _Readiness(f"http://127.0.0.1:{port}/health/ready")
        if sandbox:
            note_sandbox(sandbox.env["WIZAMART_SANDBOX_URL"])
        return supervise(
            [*([sandbox] if sandbox else []), *_processes(environment, port)],
            ready=readiness,
            on_ready=lambda: _say_ready(platform, port, time.monotonic() - started, environment),
            ready_seconds=_READY_SECONDS,
        )


def _sandbox(folder: Path, base_url: str) -> ProcessSpec | None:
    """The stand-in for Stripe; none where a key of Stripe's is set, or a stand-in runs elsewhere."""
    if os.environ.get("PAYMENTS_STRIPE_API_KEY") or get_settings().sandbox_url:
        return None
    port = _port(None, _FIRST_SANDBOX_PORT)
    command = [
        sys.executable,
        "-m",
        "app.cli",
        "sandbox",
        "--port",
        str(port),
        "--data-dir",
        str(folder / "sandbox"),
    ]
    webhook = f"{base_url}/webhooks/payments/stripe/default"
    environment = {
        "WIZAMART_SANDBOX_URL": f"http://127.0.0.1:{port}",
        "PAYMENTS_STRIPE_WEBHOOK_SECRET": os.environ.get("PAYMENTS_STRIPE_WEBHOOK_SECRET")
        or f"whsec_{secrets.token_hex(24)}",
    }
    return ProcessSpec("sandbox", [*command, "--webhook", webhook], environment)


def _processes(environment: Mapping[str, str], port: int) -> list[ProcessSpec]:
    def wizamart(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "app.cli", *arguments]

    workers = [
        ProcessSpec(
            f"worker-{name}",
            wizamart("worker", "--queues", queues, "--concurrency", str(children), "--name", name),
            environment,
        )
        for name, (queues, children) in _WORKERS.items()
    ]
    return [
        ProcessSpec("web", wizamart("serve", "--port", str(port)), environment),
        *workers,
        ProcessSpec("beat", wizamart("beat"), environment),
    ]


class _Readiness:
    """True once the web answers and every worker has; asked often, so it looks on in a thread of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_ready = False
        threading.Thread(target=self._look, daemon=True).start()

    def __call__(self) -> bool:
        return self.is_ready

    def _look(self) -> None:
        from app.worker import app

        deadline = time.monotonic() + _READY_SECONDS
        while not self.is_ready and time.monotonic() < deadline:
            self.is_ready = self._web_answers() and len(app.control.ping(timeout=0.5) or []) >= len(_WORKERS)
            time.sleep(0.1)

    def _web_answers(self) -> bool:
        try:
            return httpx2.get(self.url, timeout=2.0, trust_env=False).status_code == 200
        except httpx2.HTTPError:
            return False


def _say_ready(platform: Platform, port: int, seconds: float, environment: Mapping[str, str]) -> None:
    base = f"http://127.0.0.1:{port}"
    lines = [f"Wizamart is ready after {seconds:.1f} s: {base}", ""]
    lines += [
        f"  {login.label:38} {base}{login.url:8} {login.email:26} {login.password}"
        for login in platform.demo_logins
    ]
    if not platform.demo_logins:
        lines.append("  No demo data. On servers of your own make it with: wizamart seed demo")
    if "WIZAMART_SANDBOX_URL" in environment:
        lines += [
            "",
            f"  Stand-ins for Stripe and Letzshop, no money moves: {environment['WIZAMART_SANDBOX_URL']}",
        ]
    lines += ["", f"  Health {base}/health   Metrics {base}/metrics   Stop with Ctrl-C"]
    typer.echo("\n".join(lines))


def _port(wanted: int | None, first: int = _FIRST_PORT) -> int:
    """The wanted port, or the first free one; a port that something else holds is never taken."""
    candidates = range(first, first + _PORTS) if wanted is None else [wanted]
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ConfigurationError(f"Port {wanted or first} is held by another program. Choose one with --port.")


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """One platform per data folder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigurationError(
            f"A platform runs on {folder} already. Stop it, or choose another folder with --data."
        ) from None
    else:
        yield
    finally:
        os.close(handle)
