"""Errors and traces really arrive, with nothing in them that is not for others."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from app.core.config import Settings
from app.core.errors import ConfigurationError
from app.core.http_client import open_client
from app.core.tracing import report_error, span, start_tracing, stop_tracing
from tests.kernel.receiver import Receiver, attributes_of

SECRET = "-".join(("tulip", "7"))  # as lines of the code are sent, it must not stand in one


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    stop_tracing()
    receiver.close()


def fail(password: str) -> None:
    local_secret = f"local-{password}"
    raise ValueError(f"cannot sign in with password={password} at {len(local_secret)}")


def test_an_error_arrives_without_secrets_locals_or_people(receiver: Receiver) -> None:
    start_tracing(Settings(sentry_dsn=SecretStr(receiver.dsn)), "web")
    try:
        fail(SECRET)
    except ValueError as error:
        report_error(error, request_id="r-1")
    (event,) = receiver.events()
    said = str(event)
    assert SECRET not in said
    assert "local_secret" not in str(event["exception"]["values"][0]["stacktrace"]["frames"][-1].get("vars"))
    assert event["exception"]["values"][0]["type"] == "ValueError"
    assert "cannot sign in" in event["exception"]["values"][0]["value"]
    assert event["exception"]["values"][0]["stacktrace"]["frames"][-1]["function"] == "fail"
    assert event["tags"] == {"process": "web", "request_id": "r-1"}
    assert event["release"]
    assert not {"request", "user", "extra", "server_name", "breadcrumbs"} & event.keys()


def test_spans_arrive_one_below_the_other_and_name_errors_by_type_only(receiver: Receiver) -> None:
    start_tracing(Settings(otlp_endpoint=receiver.url), "worker")
    with span("outer", job__id="j-1"), pytest.raises(ValueError, match="cannot"), span("inner"):
        fail(SECRET)
    found = receiver.spans("outer", "inner")
    assert found["inner"].parent_span_id == found["outer"].span_id
    assert attributes_of(found["outer"]) == {"job.id": "j-1"}
    assert attributes_of(found["inner"]) == {"error.type": "ValueError"}
    assert SECRET.encode() not in b"".join(body for _, body in receiver.posted)


def test_a_call_to_the_outside_is_a_span_without_its_address(receiver: Receiver) -> None:
    start_tracing(Settings(otlp_endpoint=receiver.url), "worker")
    settings = Settings(http_allowed_private_hosts=frozenset({receiver.address}))
    with open_client(settings) as client:
        assert client.get(f"{receiver.url}/secret-path?token={SECRET}").status_code == 200
    found = receiver.spans("GET 127.0.0.1")["GET 127.0.0.1"]
    assert attributes_of(found) == {"http.request.method": "GET", "server.address": "127.0.0.1"}


def test_without_settings_nothing_is_sent_or_imported() -> None:
    script = (
        "import sys; from app.core.config import Settings; from app.core.tracing import *\n"
        "from app.core import tracing\n"
        "tracing.start_tracing(Settings(), 'web')\n"
        "with tracing.span('x'): tracing.report_error(ValueError())\n"
        "assert not {'sentry_sdk', 'opentelemetry', 'requests'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


@pytest.mark.parametrize(
    ("settings", "module", "words"),
    [
        (
            {"sentry_dsn": SecretStr("http://k@127.0.0.1:1/1")},
            "sentry_sdk",
            "WIZAMART_SENTRY_DSN is set but sentry_sdk",
        ),
        (
            {"otlp_endpoint": "http://127.0.0.1:1"},
            "opentelemetry.exporter.otlp.proto.http.trace_exporter",
            "WIZAMART_OTLP_ENDPOINT is set but opentelemetry",
        ),
        ({"sentry_dsn": SecretStr("tulip")}, "", "no address of Sentry"),
        ({"otlp_endpoint": "collector:4318"}, "", "no address such as"),
    ],
)
def test_what_is_missing_or_wrong_is_said(
    settings: dict[str, SecretStr], module: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if module:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=words):
        start_tracing(Settings(**settings), "web")
    stop_tracing()
