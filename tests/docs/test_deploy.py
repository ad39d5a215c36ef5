"""The files of `deploy/` fit the program: settings exist, commands parse, units and proxy are well formed."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.core import TyperGroup

from app import cli
from app.core.config import Settings
from app.modules.tasks import QUEUES
from tests.docs.pages import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
WITH_RABBITMQ = yaml.safe_load((DEPLOY / "compose.rabbitmq.yaml").read_text("utf-8"))["services"]
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "wizamart"}

_VARIABLE = re.compile(r"\bWIZAMART_[A-Z_]+\b")
_OF_COMMANDS = {"WIZAMART_OWNER_PASSWORD", "WIZAMART_LOGIN_PASSWORD"}
_PROGRAM = "/opt/wizamart/.venv/bin/wizamart"
_HARDENING = (
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "User=wizamart",
)


@pytest.fixture(scope="module")
def program() -> TyperGroup:
    cli.mount_commands()
    mounted = typer.main.get_command(cli.cli)
    assert isinstance(mounted, TyperGroup)
    return mounted


def _parse(program: TyperGroup, words: list[str]) -> None:
    """Names, options and values are checked as on the command line; nothing runs."""
    command: Any = program
    context, rest = None, words
    while isinstance(command, TyperGroup):
        context = typer.Context(command, info_name=rest[0], parent=context)
        command, rest = command.get_command(context, rest[0]), rest[1:]
        assert command is not None, words
    command.make_context(words[0], rest, context).close()


@pytest.mark.parametrize(
    "path", [path for path in DEPLOY.rglob("*") if path.is_file()], ids=lambda path: path.name
)
def test_every_setting_named_exists(path: Path) -> None:
    known = {f"WIZAMART_{name.upper()}" for name in Settings.model_fields} | _OF_COMMANDS
    assert set(_VARIABLE.findall(path.read_text("utf-8"))) <= known


def test_images_are_named_without_a_registry() -> None:
    images = [s["image"] for s in (*SERVICES.values(), *WITH_RABBITMQ.values()) if "image" in s]
    dockerfile = (DEPLOY / "Dockerfile").read_text("utf-8")
    images += re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert [image for image in images if not re.fullmatch(r"[a-z]+(:[0-9a-z.-]+)?", image)] == []


def test_every_queue_has_a_worker_and_beat_is_double() -> None:
    served = [s["command"][2] for s in OURS.values() if s["command"][0] == "worker"]
    assert sorted(served) == sorted(QUEUES)
    assert SERVICES["beat"]["deploy"]["replicas"] == 2
    wanted = (DEPLOY / "systemd" / "wizamart.target").read_text("utf-8")
    assert all(f"wizamart-worker@{queue}.service" in wanted for queue in QUEUES)


def test_only_the_proxy_is_published_and_only_migrations_know_the_owner() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    owners = [name for name, s in OURS.items() if "WIZAMART_DATABASE_OWNER_URL" in s["environment"]]
    assert owners == ["migrate"]


def test_what_services_wait_for_exists() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", ())) <= SERVICES.keys()
        named = [str(volume).split(":")[0] for volume in service.get("volumes", ())]
        assert {name for name in named if name.isalpha()} <= COMPOSE["volumes"].keys()


def test_every_process_that_wakes_or_is_woken_gets_the_other_broker() -> None:
    users = {name for name, s in OURS.items() if s["command"][0] in ("serve", "worker", "beat")}
    assert users == {name for name, s in WITH_RABBITMQ.items() if "WIZAMART_BROKER_URL" in s["environment"]}


@pytest.mark.parametrize("file", ["compose.yaml", "compose.rabbitmq.yaml"])
def test_every_variable_of_compose_stands_in_its_example(file: str) -> None:
    example = (DEPLOY / "compose.env.example").read_text("utf-8")
    for name in re.findall(r"\$\{([A-Z_]+)", (DEPLOY / file).read_text("utf-8")):
        assert re.search(rf"^#?{name}=", example, re.MULTILINE), name


@pytest.mark.parametrize("name", OURS)
def test_commands_of_compose_parse(name: str, program: TyperGroup) -> None:
    _parse(program, SERVICES[name]["command"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_are_hardened_and_their_commands_parse(unit: Path, program: TyperGroup) -> None:
    lines = unit.read_text("utf-8").splitlines()
    assert set(_HARDENING) <= set(lines)
    (start,) = [line.partition("=")[2] for line in lines if line.startswith("ExecStart=")]
    words = shlex.split(start.replace("%i", QUEUES[0]).replace("${CONCURRENCY}", "2"))
    assert words[0] == _PROGRAM
    _parse(program, words[1:])


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for path in (*UNITS, DEPLOY / "systemd" / "wizamart.target"):
        text = path.read_text("utf-8").replace(_PROGRAM, str(Path(sys.prefix) / "bin" / "wizamart"))
        (tmp_path / path.name).write_text(text)
    names = [f"wizamart-worker@{QUEUES[0]}.service" if "@" in unit.name else unit.name for unit in UNITS]
    assert all(
        "=" in line or line[:1] in ("", "#", "[") for unit in UNITS for line in unit.read_text().splitlines()
    )
    if analyser := shutil.which("systemd-analyze"):
        command = [
            analyser,
            "verify",
            "--man=no",
            "--recursive-errors=no",
            *(str(tmp_path / name) for name in names),
        ]
        checked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")


def _directives(text: str) -> Iterator[tuple[str, str]]:
    """Name and value of each directive; what opens a block counts as one."""
    for statement in re.split(r"[;{}]", re.sub(r"#.*", "", text)):
        name, _, value = statement.strip().partition(" ")
        if name:
            yield name, value.strip()


def _bytes(size: str) -> int:
    return int(size.removesuffix("m")) * 1024 * 1024


def test_the_proxy_lets_through_what_the_application_takes_and_no_more() -> None:
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    assert text.count("{") == text.count("}")
    body, upload = (_bytes(value) for name, value in _directives(text) if name == "client_max_body_size")
    fields = Settings.model_fields
    assert body == fields["max_body_bytes"].default
    assert 0 < upload - fields["max_upload_bytes"].default <= 2 * 1024 * 1024
    hidden = [value for name, value in _directives(text) if name == "location"]
    assert {"/metrics", "/health"} <= set(hidden)


def test_nginx_accepts_its_file(tmp_path: Path) -> None:
    """With the real program where it is installed; the names and files that only its host has are put in place."""
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text
    nginx, openssl = shutil.which("nginx"), shutil.which("openssl")
    if nginx is None or openssl is None:
        return
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-days", "1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject], check=True, capture_output=True
    )
    text = text.replace("/etc/nginx/tls/fullchain.pem", str(certificate)).replace(
        "/etc/nginx/tls/privkey.pem", str(key)
    )
    text = text.replace("web:8000", "127.0.0.1:8000")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in kinds)
    around = f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{folders}"
    (tmp_path / "nginx.conf").write_text(f"{around}{text}}}\n")
    command = [nginx, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr
