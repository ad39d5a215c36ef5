"""The operator's pages of schedules: what is declared, what is decided, and what comes of it."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core.ids import to_public
from app.modules.monitoring.services.cron_words_service import cron_words
from app.modules.monitoring.services.schedule_service import id_of
from app.modules.tasks import scheduled_tasks
from app.modules.texts import load_texts
from app.testing.browsing import sign_in, token_of
from app.testing.working import work

NAME = "tenancy.delete_ended_sessions"
PUBLIC = to_public("sch", id_of(NAME))
PAGE = f"/admin/schedules/one?schedule={PUBLIC}"


@pytest.fixture
def admin(client: TestClient) -> TestClient:
    """The operator in a browser, in English."""
    sign_in(client, "admin", "admin@wizamart.example")
    client.cookies.set("wm_lang", "en")
    return client


def act(client: TestClient, path: str, **data: Any) -> Any:
    return client.post(path, data={"csrf_token": token_of(client.get(PAGE)), **data})


def names_on(page: str) -> set[str]:
    return set(re.findall(r"schedule=(sch_\w+)", page))


def test_the_list_has_exactly_the_schedules_of_enabled_modules(admin: TestClient) -> None:
    page = admin.get("/admin/schedules?size=100").text
    assert names_on(page) == {to_public("sch", id_of(name)) for name in scheduled_tasks()}
    count = len(scheduled_tasks())
    assert f"{count} schedule{'s' if count > 1 else ''}" in page


def test_the_list_is_searched_filtered_sorted_and_exported(admin: TestClient) -> None:
    assert names_on(admin.get("/admin/schedules?q=ended_sess").text) == {PUBLIC}
    assert PUBLIC in names_on(admin.get("/admin/schedules?module=tenancy&sort=-next_at").text)
    assert names_on(admin.get("/admin/schedules?paused=yes").text) == set()
    export = act(admin, "/admin/schedules/export")
    assert "delete_ended_sessions" in export.text
    assert "Every day at 02:40 UTC" in export.text


def test_one_schedule_shows_its_next_five_runs_in_the_readers_zone(admin: TestClient) -> None:
    page = admin.get(PAGE).text
    next_runs = re.findall(r"<li><time[^>]*>([^<]+)</time>", page)
    assert len(next_runs) == 5
    assert "Europe/Luxembourg" in page
    assert all(run.endswith(("03:40", "04:40")) for run in next_runs), next_runs


def test_a_paused_schedule_has_no_next_run_until_it_is_resumed(admin: TestClient) -> None:
    act(admin, "/admin/schedules/one/pause", schedule=PUBLIC)
    page = admin.get(PAGE).text
    assert "nothing falls due" in page
    assert names_on(admin.get("/admin/schedules?paused=yes").text) == {PUBLIC}
    act(admin, "/admin/schedules/one/resume", schedule=PUBLIC)
    page = admin.get(PAGE).text
    assert "nothing falls due" not in page
    history = page.split('id="timeline"')[1]
    assert "Schedule paused" in history
    assert "Schedule resumed" in history
    assert "Ada Operator" in history


def test_run_now_makes_a_job_which_stands_in_the_list(admin: TestClient) -> None:
    answer = act(admin, "/admin/schedules/one/run", schedule=PUBLIC)
    job = answer.headers["location"]
    assert re.fullmatch(r"/admin/tasks/job_\w+", job)
    assert (
        act(admin, "/admin/schedules/one/run", schedule=PUBLIC).headers["location"] == job
    )  # it is unfinished
    work()
    assert "Succeeded" in admin.get(job).text


def test_other_times_hold_until_the_field_is_left_empty(admin: TestClient) -> None:
    form = admin.get(f"/admin/schedules/times?schedule={PUBLIC}")
    assert re.search(rf'value="{PUBLIC}" selected', form.text)
    answer = act(admin, "/admin/schedules/times", schedule=PUBLIC, cron="*/15 * * * *")
    assert answer.headers["location"] == PAGE
    page = admin.get(PAGE).text
    assert "Every 15 minutes" in page
    assert "40 2 * * *" in page  # as declared
    act(admin, "/admin/schedules/times", schedule=PUBLIC, cron="")
    assert "Every day at 02:40 UTC" in admin.get(PAGE).text


def test_times_that_are_none_are_said_at_the_field_and_kept(admin: TestClient) -> None:
    answer = act(admin, "/admin/schedules/times", schedule=PUBLIC, cron="every day")
    assert answer.status_code == 422
    assert "Enter five fields of cron" in answer.text
    assert 'value="every day"' in answer.text
    assert "Every day at 02:40 UTC" in admin.get(PAGE).text


def test_a_schedule_that_is_not_there_is_not_found(admin: TestClient) -> None:
    assert admin.get("/admin/schedules/one?schedule=sch_nothing").status_code == 404
    for act_name in ("run", "pause", "resume"):
        assert act(admin, f"/admin/schedules/one/{act_name}", schedule="").status_code == 404


def test_the_last_result_leads_to_its_job(admin: TestClient, owner_engine: Engine) -> None:
    act(admin, "/admin/schedules/one/run", schedule=PUBLIC)
    work()
    with owner_engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ticks (schedule, due_at, job_id, made_by, made_at) "
                "SELECT :name, created_at, id, 'host:1', created_at FROM jobs "
                "WHERE task LIKE '%delete_ended_sessions' LIMIT 1"
            ),
            {"name": NAME},
        )
        connection.execute(
            text(
                "INSERT INTO ticks (schedule, due_at, made_by, made_at) "
                "SELECT :name, created_at - interval '1 day', 'host:1', created_at FROM jobs LIMIT 1"
            ),
            {"name": NAME},
        )
    page = admin.get(PAGE).text
    assert re.search(r'href="/admin/tasks/job_\w+"><time', page)
    assert "the former run was unfinished" in page
    assert "Succeeded" in admin.get("/admin/schedules").text


@pytest.mark.parametrize(
    ("cron", "language", "words"),
    [
        ("* * * * *", "en", "Every minute"),
        ("*/5 * * * *", "fr", "Toutes les 5 minutes"),
        ("*/7 * * * *", "en", "*/7 * * * *"),  # not at even distances
        ("*/0 * * * *", "en", "*/0 * * * *"),
        ("5 * * * *", "de", "Jede Stunde zur Minute 05"),
        ("40 2 * * *", "lb", "All Dag um 02:40 UTC"),
        ("0 3 * * 1", "de", "Jeden Montag um 03:00 UTC"),
        ("0 3 * * 0", "fr", "Chaque dimanche à 03:00 UTC"),
        ("0 3 * * 7", "en", "Every Sunday at 03:00 UTC"),
        ("0 0 1 * *", "lb", "Den 1. vun all Mount um 00:00 UTC"),
        ("15,45 8-18 * * 1-5", "en", "15,45 8-18 * * 1-5"),
    ],
)
def test_times_in_words(cron: str, language: str, words: str) -> None:
    load_texts()
    assert cron_words(cron, language) == words
