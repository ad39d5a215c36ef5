"""Exports of long lists and actions on many rows, as jobs."""

import csv
import json
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core.database import PlatformScope, unit_of_work
from app.core.ids import new_id, to_public
from app.modules.core.enums import ListJobKind
from app.modules.core.exceptions import ListJobNotFoundError
from app.modules.core.models.list_job import ListJob
from app.modules.core.services import list_job_service
from app.modules.core.tests.conftest import Place, Receiver, do_work
from app.modules.core.tests.test_webhooks import endpoint_at, happen, log
from app.tasks.runner import run_until_idle
from app.testing.browsing import sign_in, token_of

pytestmark = pytest.mark.demo_due

PAGE = "core.vendor.webhook_deliveries"


def queue(place: Place, **values: Any) -> UUID:
    row = ListJob(
        id=new_id(),
        vendor_id=place.vendor_id,
        area="vendor",
        page_id=PAGE,
        created_by=place.user_id,
        language="en",
        **{"query": "", **values},
    )
    with place.session() as session:
        list_job_service.queue_list_job(session, row)
    return row.id


def look(place: Place, key: UUID) -> list_job_service.ListJobWithJob:
    with place.session() as session:
        return list_job_service.get_list_job(session, place.user_id, key)


def many(place: Place, owner: Engine, count: int) -> None:
    """So many failed messages to an endpoint that is on."""
    endpoint = endpoint_at(place, "https://shop.example/hook")
    with owner.begin() as connection:
        connection.execute(
            text(
                """
                INSERT INTO webhook_deliveries (id, vendor_id, endpoint_id, message_id, event_type, body, state,
                    attempts, tries_left, created_at)
                SELECT gen_random_uuid(), :vendor, :endpoint, gen_random_uuid(), 'webhook.test', '{}', 'failed', 1, 0,
                    now() FROM generate_series(1, :count)
                """
            ),
            {"vendor": place.vendor_id, "endpoint": endpoint.id, "count": count},
        )


def test_an_export_has_every_row_and_tells_its_starter(moselle: Place, minett: Place) -> None:
    many(moselle, moselle.owner, 1200)
    many(minett, moselle.owner, 5)
    key = queue(moselle, kind=ListJobKind.EXPORT, query="state=failed")
    do_work()
    row, job = look(moselle, key)
    assert job
    assert (job.state, row.done) == ("succeeded", 1200)
    path = list_job_service.file_of(row)
    assert path
    lines = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    assert len(lines) == 1201
    assert lines[0][0] == "Event"
    (told,) = moselle.rows("SELECT url, tone FROM notifications")
    assert told.tone == "success"
    assert told.url == list_job_service.path_of(row)
    with minett.session() as session, pytest.raises(ListJobNotFoundError):
        list_job_service.get_list_job(session, minett.user_id, key)


def test_a_bulk_action_does_all_matching_rows_in_parts(moselle: Place) -> None:
    many(moselle, moselle.owner, 620)
    key = queue(moselle, kind=ListJobKind.BULK, action="replay", query="state=failed")
    with moselle.session() as session:
        jobs = session.scalar(text("SELECT count(*) FROM jobs WHERE task LIKE '%send_webhook'"))
    assert jobs == 0
    run_first(moselle)
    row, job = look(moselle, key)
    assert job
    assert (job.state, row.done, row.failed) == ("succeeded", 620, 0)
    assert {one.state for one in log(moselle)} == {"pending"}


def run_first(place: Place) -> None:
    """The list's job only, not the messages it queues."""
    assert run_until_idle(["long_running"], timeout_seconds=30)


def test_rows_that_cannot_be_changed_are_counted_with_their_reason(
    client: TestClient, moselle: Place
) -> None:
    many(moselle, moselle.owner, 3)
    moselle.rows("UPDATE webhook_endpoints SET is_enabled = false, disabled_reason = 'gone'")
    key = queue(moselle, kind=ListJobKind.BULK, action="replay")
    run_first(moselle)
    row, _ = look(moselle, key)
    assert (row.done, row.failed) == (0, 3)
    (problem,) = row.problems.items()
    assert (problem[0], problem[1]["count"]) == ("errors.core.webhook_disabled", 3)
    assert sorted(problem[1]["ids"]) == sorted(str(one.id) for one in log(moselle))
    titled = {"errors.tasks.job_state": problem[1]}  # an error that has a title and no more to say
    moselle.rows(f"UPDATE list_jobs SET problems = problems || '{json.dumps(titled)}'")
    sign_in(client, "vendor", "owner@moselle.example")
    shown = client.get(f"/vendor/MOSELLE/jobs/{to_public('ljb', key)}").text
    assert "L’état de la tâche ne le permet pas" in shown


def test_a_failure_is_told_too(moselle: Place) -> None:
    queue(moselle, kind=ListJobKind.BULK, action="no-such-action")
    run_first(moselle)
    (told,) = moselle.rows("SELECT tone, title_key FROM notifications")
    assert tuple(told) == ("danger", "core.list_jobs.bulk_failed")


def test_an_export_sees_no_more_than_who_asked_for_it(
    operator: Place, moselle: Place, receiver: Receiver
) -> None:
    endpoint_at(operator, receiver.url, "*")
    happen(moselle)
    row = ListJob(
        id=new_id(),
        kind=ListJobKind.EXPORT,
        area="admin",
        page_id="core.admin.webhook_deliveries",
        query="",
        language="en",
        created_by=operator.user_id,
        reach={"platform_ids": [str(new_id())], "vendor_ids": [], "company_ids": []},
    )
    with unit_of_work(PlatformScope((new_id(),), ())) as session:
        list_job_service.queue_list_job(session, row)
    do_work()
    assert look(operator, row.id).row.done == 0
    with unit_of_work(PlatformScope((new_id(),), ())) as session:
        assert list_job_service.get_list_job(session, operator.user_id, row.id).row.id == row.id
        with pytest.raises(ListJobNotFoundError):
            list_job_service.get_list_job(session, moselle.user_id, row.id)


def test_from_the_list_to_the_file(client: TestClient, moselle: Place) -> None:
    many(moselle, moselle.owner, 1001)
    sign_in(client, "vendor", "owner@moselle.example")
    page = client.get("/vendor/MOSELLE/webhook-deliveries")
    answer = client.post(
        "/vendor/MOSELLE/webhook-deliveries/export",
        data={"csrf_token": token_of(page), "rows": "all", "query": "state=failed"},
    )
    assert answer.status_code == 303
    job = answer.headers["location"]
    assert "hx-trigger" in client.get(job).text
    do_work()
    assert "hx-trigger" not in client.get(job).text.partition("<main")[2].partition("</main>")[0]
    file = client.get(f"{job}/file")
    assert file.headers["content-type"].startswith("text/csv")
    assert file.text.count("\n") == 1002
    assert (
        job in client.get("/vendor/MOSELLE/notifications").text
        or "export" in client.get("/vendor/MOSELLE/notifications").text.lower()
    )
    with moselle.session() as session:
        moselle.rows("UPDATE list_jobs SET created_at = created_at - interval '8 days'")
        assert list_job_service.delete_old(session, 7) == 1
    assert client.get(f"{job}/file").status_code == 404
