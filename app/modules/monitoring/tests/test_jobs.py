"""The operator's pages of jobs: the list, one job, retry and cancel, for whom."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core.ids import new_id, to_public
from app.modules.state import forget_snapshot
from app.testing.browsing import sign_in, token_of
from app.testing.working import vendor_scope

ADMIN = "admin@wizamart.example"
TASK = "app.modules.tenancy.tasks.sessions.delete_ended_sessions"
GONE = "app.modules.gone.tasks.things.count_things"
MakeJob = Callable[..., UUID]


@pytest.fixture
def make_job(owner_engine: Engine) -> MakeJob:
    """Puts a job into the ledger as it would be after some time."""

    def make(state: str = "succeeded", **values: Any) -> UUID:
        job_id = values.setdefault("id", new_id())
        row = {
            "state": state,
            "module": "tenancy",
            "task": TASK,
            "queue": "default",
            "priority": 0,
            "args": "{}",
            "attempts": 1,
            "max_attempts": 3,
            "token": 1,
            **values,
        }
        is_over = state in ("succeeded", "failed", "cancelled")
        columns = [*row, "run_after", "created_at", "finished_at"]
        marks = [f"cast(:{name} AS jsonb)" if name in ("args", "result") else f":{name}" for name in row]
        marks += ["clock_timestamp()", "clock_timestamp()", "clock_timestamp()" if is_over else "NULL"]
        with owner_engine.begin() as connection:
            connection.execute(
                text(f"INSERT INTO jobs ({', '.join(columns)}) VALUES ({', '.join(marks)})"), row
            )
        return job_id

    return make


@pytest.fixture
def admin(client: TestClient) -> TestClient:
    """The operator in a browser, in English."""
    sign_in(client, "admin", ADMIN)
    client.cookies.set("wm_lang", "en")
    return client


def path_of(job_id: UUID) -> str:
    return f"/admin/tasks/{to_public('job', job_id)}"


def state_of(owner_engine: Engine, job_id: UUID) -> str:
    with owner_engine.connect() as connection:
        return str(
            connection.execute(text("SELECT state FROM jobs WHERE id = :id"), {"id": job_id}).scalar_one()
        )


def act(client: TestClient, path: str, page: str = "/admin/tasks", **data: Any) -> Any:
    return client.post(path, data={"csrf_token": token_of(client.get(page)), **data})


def test_the_list_is_found_by_state_queue_vendor_task_and_waiting(
    admin: TestClient, make_job: MakeJob
) -> None:
    vendor = vendor_scope("MINETT").vendor_id
    failed = make_job("failed", queue="scheduled", error_code="tasks.Boom")
    running = make_job("running", vendor_id=vendor, task=GONE)
    waiting = make_job("queued", waiting_reason="module off")
    ordered = make_job("queued", waiting_reason="order", ordering_key="k")

    def shown(query: str) -> set[UUID]:
        page = admin.get(f"/admin/tasks?size=100&{query}")
        assert page.status_code == 200
        return {job for job in (failed, running, waiting, ordered) if path_of(job) in page.text}

    assert shown("") == {failed, running, waiting, ordered}
    assert shown("state=failed") == {failed}
    assert shown("queue=scheduled") == {failed}
    assert shown("vendor=minett") == {running}
    assert shown("vendor=NOBODY") == set()
    assert shown(f"task={GONE}") == {running}
    assert shown("waiting=order&waiting=module_off") == {waiting, ordered}
    assert shown("waiting=module_off") == {waiting}
    assert shown("module=catalog") == set()
    assert shown(f"q={waiting}") == {waiting}
    assert shown(f"q={to_public('job', failed)}") == {failed}
    assert shown(f"q={GONE}") == {running}
    assert shown("q=Ended_Sess") == {failed, waiting, ordered}
    assert shown("task=no_such_task") == set()
    assert shown("state=queued") == {waiting, ordered}
    assert shown("from=2999-01-01") == set()
    assert shown("to=9999-12-31") == {failed, running, waiting, ordered}


def test_running_jobs_are_found_by_their_open_runs(
    admin: TestClient, make_job: MakeJob, owner_engine: Engine
) -> None:
    running, other = make_job("running"), make_job("queued")
    with owner_engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO job_runs (job_id, token, attempt, worker, leased_until, heartbeat_at, started_at) "
                "VALUES (:id, 1, 1, 'host:42', clock_timestamp(), clock_timestamp(), clock_timestamp())"
            ),
            {"id": running},
        )
    page = admin.get("/admin/tasks?state=running").text
    assert path_of(running) in page
    assert path_of(other) not in page
    both = admin.get("/admin/tasks?state=running&state=queued").text
    assert path_of(running) in both
    assert path_of(other) in both
    assert "host:42" in admin.get(path_of(running)).text
    assert "host:42" in admin.get("/admin/workers").text


def test_a_job_shows_what_it_was_given_without_secrets(admin: TestClient, make_job: MakeJob) -> None:
    job = make_job(
        "failed",
        args='{"password": "tulip-7", "note": "<b>plain</b>"}',
        result='{"api_key": "wm_live_abcdef"}',
        error_code="tasks.Boom",
        error_message="token=abc123secret is wrong",
        error_digest="d1gest",
    )
    page = admin.get(path_of(job)).text
    for secret in ("tulip-7", "wm_live_abcdef", "abc123secret", "<b>plain"):
        assert secret not in page
    for said in ("&lt;b&gt;plain", "d1gest", "tasks.Boom", TASK, str(job)):
        assert said in page


def test_a_failed_job_is_run_again_and_that_is_in_its_history(
    admin: TestClient, make_job: MakeJob, owner_engine: Engine
) -> None:
    job = make_job("failed", error_code="tasks.Boom")
    answer = act(admin, f"{path_of(job)}/retry")
    assert answer.headers["location"] == path_of(job)
    assert state_of(owner_engine, job) == "queued"
    history = admin.get(path_of(job)).text.split('id="timeline"')[1]
    assert "Run again" in history
    assert "Ada Operator" in history
    assert act(admin, f"{path_of(job)}/retry").status_code == 409  # it is queued already


def test_a_queued_job_is_cancelled_and_a_running_one_is_asked_to_stop(
    admin: TestClient, make_job: MakeJob, owner_engine: Engine
) -> None:
    queued, running, over = make_job("queued"), make_job("running"), make_job("succeeded")
    for job in (queued, running):
        assert act(admin, f"{path_of(job)}/cancel").status_code == 303
    assert [state_of(owner_engine, job) for job in (queued, running)] == ["cancelled", "running"]
    assert "asked to stop" in admin.get(path_of(running)).text
    assert act(admin, f"{path_of(over)}/cancel").status_code == 409


def test_many_jobs_are_run_again_and_those_that_cannot_are_left(
    admin: TestClient, make_job: MakeJob, owner_engine: Engine
) -> None:
    failed, cancelled, over = make_job("failed"), make_job("cancelled"), make_job("succeeded")
    ids = [to_public("job", job) for job in (failed, cancelled, over)]
    answer = act(admin, "/admin/tasks/bulk", action="retry", ids=ids)
    assert answer.status_code == 303
    assert [state_of(owner_engine, job) for job in (failed, cancelled, over)] == [
        "queued",
        "queued",
        "succeeded",
    ]
    act(admin, "/admin/tasks/bulk", action="cancel", ids=ids)
    assert [state_of(owner_engine, job) for job in (failed, cancelled)] == ["cancelled", "cancelled"]


def test_a_running_job_shows_its_progress_and_looks_again(admin: TestClient, make_job: MakeJob) -> None:
    job = make_job("running", progress_done=120, progress_total=400, phase="importing")
    page = admin.get(path_of(job)).text
    assert "120 of 400" in page
    assert 'hx-trigger="every 2s"' in page
    assert 'hx-trigger="every' not in admin.get(path_of(make_job("succeeded"))).text


def test_failures_of_the_last_hour_are_said_on_every_page(admin: TestClient, make_job: MakeJob) -> None:
    assert "failed in the last hour" not in admin.get("/admin/vendors").text
    make_job("failed")
    make_job("failed")
    forget_snapshot()  # alerts are kept as long
    assert "2 jobs failed in the last hour" in admin.get("/admin/vendors").text
    assert "2 jobs failed in the last hour" in admin.get("/admin").text


def test_a_pasted_id_leads_to_the_job(admin: TestClient, make_job: MakeJob) -> None:
    job = make_job("failed")
    for words in (str(job), to_public("job", job)):
        assert path_of(job) in admin.get("/admin/palette", params={"q": words}).text
    assert "/admin/tasks/" not in admin.get("/admin/palette", params={"q": str(new_id())}).text


def test_a_job_that_is_not_there_is_not_found(admin: TestClient) -> None:
    assert admin.get(path_of(new_id())).status_code == 404
    assert admin.get("/admin/tasks/job_nonsense").status_code == 404
    assert act(admin, f"{path_of(new_id())}/retry").status_code == 404


def test_admins_of_some_platforms_manage_the_jobs_of_their_vendors_only(
    admin: TestClient, make_job: MakeJob, owner_engine: Engine
) -> None:
    theirs = make_job("failed", vendor_id=vendor_scope("MINETT").vendor_id)
    platforms_own = make_job("failed")
    with owner_engine.begin() as connection:
        connection.execute(
            text("UPDATE users SET is_super_admin = false WHERE email = :email"), {"email": ADMIN}
        )
        connection.execute(
            text(
                "INSERT INTO memberships (id, user_id, platform_id, created_at, updated_at, version) "
                "SELECT gen_random_uuid(), users.id, platforms.id, now(), now(), 1 "
                "FROM users, platforms WHERE email = :email"
            ),
            {"email": ADMIN},
        )
        connection.execute(
            text(
                "INSERT INTO operator_role_grants (user_id, role_id, created_at) SELECT users.id, roles.id, now() "
                "FROM users, operator_roles roles WHERE email = :email AND code = 'platform_admin'"
            ),
            {"email": ADMIN},
        )
    page = admin.get("/admin/tasks").text
    assert path_of(theirs) in page
    assert path_of(platforms_own) not in page
    assert admin.get(path_of(platforms_own)).status_code == 404
    assert act(admin, f"{path_of(platforms_own)}/retry").status_code == 404
    assert act(admin, f"{path_of(theirs)}/retry").status_code == 303
    assert [state_of(owner_engine, job) for job in (theirs, platforms_own)] == ["queued", "failed"]
    for path in ("/admin/schedules", "/admin/workers", "/admin/health"):
        assert admin.get(path).status_code == 403
