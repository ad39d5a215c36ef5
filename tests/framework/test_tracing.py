"""Requests and jobs are traced, and what goes wrong in them is reported."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import structlog
from fastapi.testclient import TestClient

from app.core.config import get_settings
from app.core.database import SYSTEM, unit_of_work
from app.core.errors import ConflictError
from app.core.ids import new_id
from app.core.tracing import stop_tracing
from app.main import create_app
from app.modules.observability import observed
from app.tasks import ports
from app.tasks.dispatcher import dispatch
from app.tasks.ports import ClaimedJob
from app.testing.working import work
from tests.kernel.receiver import Receiver, attributes_of

TASK = "app.modules.tenancy.tasks.sessions.delete_ended_sessions"

SECRET = "-".join(("tulip", "7"))  # as lines of the code are sent, it must not stand in one


@pytest.fixture
def receiver(world: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """The platform with both settings set."""
    receiver = Receiver()
    monkeypatch.setenv("WIZAMART_SENTRY_DSN", receiver.dsn)
    monkeypatch.setenv("WIZAMART_OTLP_ENDPOINT", receiver.url)
    get_settings.cache_clear()
    yield receiver
    stop_tracing()
    receiver.close()


def test_a_request_is_a_span_without_its_query_and_its_error_is_reported(receiver: Receiver) -> None:
    app = create_app()

    def boom() -> None:
        raise RuntimeError(f"broken; token={SECRET}")

    app.add_api_route("/boom", boom)
    with TestClient(app, base_url="http://testserver", raise_server_exceptions=False) as client:
        assert client.get(f"/vendor/sign-in?next={SECRET}").status_code == 200
        assert client.get("/boom", headers={"X-Request-ID": "request-42"}).status_code == 500
    found = receiver.spans("GET /vendor/sign-in", "GET /boom")
    said = attributes_of(found["GET /vendor/sign-in"])
    assert (said["http.route"], said["url.query"]) == ("/vendor/sign-in", "***")
    (event,) = receiver.events()
    assert event["tags"] == {"process": "web", "area": "public", "request_id": "request-42"}
    assert SECRET.encode() not in b"".join(body for _, body in receiver.posted)


def test_a_job_is_a_span(receiver: Receiver) -> None:
    create_app()
    with unit_of_work(SYSTEM) as session:
        job = dispatch(session, TASK)
    work()
    name = f"job {TASK}"
    assert attributes_of(receiver.spans(name)[name])["job.id"] == str(job.id)


def test_unexpected_errors_of_jobs_are_reported_and_answers_are_not(receiver: Receiver) -> None:
    create_app()
    job = ClaimedJob(new_id(), 1, None, "tenancy", TASK, "default", {}, 1, None, None, None)
    for error in (ConflictError("an answer"), RuntimeError("broken")):

        def fail(_job: ClaimedJob, error: Exception = error) -> None:
            raise error

        with pytest.raises(type(error)):
            observed(fail)(job)
    (event,) = receiver.events()
    assert event["exception"]["values"][0]["value"] == "broken"
    assert event["tags"] == {"process": "web", "task": TASK, "job_id": str(job.id)}


CAME_IN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_job_belongs_to_the_trace_of_its_request(receiver: Receiver) -> None:
    app = create_app()

    def start() -> None:
        with unit_of_work(SYSTEM) as session:
            dispatch(session, TASK)

    app.add_api_route("/start", start)
    with TestClient(app, base_url="http://testserver") as client:
        assert client.get("/start", headers={"traceparent": CAME_IN}).status_code == 200
    work()
    request = receiver.spans("GET /start")["GET /start"]
    job = receiver.spans(f"job {TASK}")[f"job {TASK}"]
    assert request.trace_id.hex() == job.trace_id.hex() == CAME_IN.split("-")[1]
    assert request.parent_span_id.hex() == CAME_IN.split("-")[2]
    assert job.parent_span_id == request.span_id


@pytest.mark.parametrize("sent", [CAME_IN, "00-1-2-3", None])
def test_a_jobs_log_lines_have_the_ids_of_its_request(
    world: object, monkeypatch: pytest.MonkeyPatch, sent: str | None
) -> None:
    app, seen = create_app(), []

    def start() -> None:
        with unit_of_work(SYSTEM) as session:
            dispatch(session, TASK)

    app.add_api_route("/start", start)
    headers = {"X-Request-ID": "request-43", **({"traceparent": sent} if sent else {})}
    with TestClient(app, base_url="http://testserver") as client:
        assert client.get("/start", headers=headers).status_code == 200
    execute = ports.framework().execute

    def look(job: ClaimedJob) -> None:
        seen.append(structlog.contextvars.get_contextvars())
        execute(job)

    monkeypatch.setattr(ports, "_framework", replace(ports.framework(), execute=look))
    work()
    (ids,) = [one for one in seen if one["task"] == TASK]
    assert ids["request_id"] == "request-43"
    assert ids.get("trace_id") == (CAME_IN.split("-")[1] if sent == CAME_IN else None)
