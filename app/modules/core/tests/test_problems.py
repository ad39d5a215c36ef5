"""Problems with integrations: counted, put aside, closed; and the pages that show them."""

from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.core.config import get_settings
from app.core.database import SYSTEM, unit_of_work
from app.core.ids import to_public
from app.modules.core.contracts import NewWebhook, Notice
from app.modules.core.models.problem import ProblemRecord
from app.modules.core.services import notification_service, problem_service, webhook_service
from app.modules.core.services.problem_service import PREFIX, Figures
from app.modules.core.tests.conftest import Place, do_work, pass_time
from app.modules.problems import Problem, clear_problem, report_problem
from app.testing.browsing import sign_in, token_of

pytestmark = pytest.mark.demo_due

KEY = "marketplace.feed:one"
LIST = "/vendor/MOSELLE/problems"


def report(place: Place, *, times: int = 1, key: str = KEY, critical_after: int = 3) -> ProblemRecord:
    problem = Problem(key, "ui.problems.mail", detail="503", critical_after=critical_after)
    for _ in range(times):
        with place.session() as session:
            report_problem(session, problem, vendor_id=place.vendor_id)
    return look(place, key)


def look(place: Place, key: str = KEY) -> ProblemRecord:
    with place.session() as session:
        return session.scalars(select(ProblemRecord).where(ProblemRecord.key == key)).one()


def figures(place: Place) -> Figures:
    with place.session() as session:
        return problem_service.count_open(session)


def dismiss(place: Place, problem_id: UUID) -> list[UUID]:
    with place.session() as session:
        return problem_service.dismiss(session, [problem_id], by=place.user_id)


def test_a_problem_is_told_once_and_counted(moselle: Place) -> None:
    first = report(moselle)
    assert (first.count, figures(moselle)) == (1, Figures(1, 0))
    again = report(moselle, times=2)
    assert (again.id, again.count, figures(moselle)) == (first.id, 3, Figures(1, 1))
    assert again.first_at == first.first_at


def test_after_a_quiet_hour_it_begins_anew(moselle: Place) -> None:
    report(moselle, times=2)
    pass_time(minutes=59)
    assert report(moselle).count == 3
    pass_time(minutes=61)
    found = report(moselle)
    assert (found.count, found.first_at) == (1, found.last_at)


def test_what_works_again_is_closed_and_may_come_back(moselle: Place) -> None:
    report(moselle, times=3)
    with moselle.session() as session:
        clear_problem(session, KEY, vendor_id=moselle.vendor_id)
        clear_problem(session, "core.none", vendor_id=moselle.vendor_id)
    assert figures(moselle) == Figures(0, 0)
    assert report(moselle).count == 1
    assert figures(moselle) == Figures(1, 0)


def test_what_was_put_aside_comes_back_when_it_is_critical(moselle: Place) -> None:
    found = report(moselle)
    assert dismiss(moselle, found.id) == [found.id]
    assert dismiss(moselle, found.id) == []
    report(moselle)
    assert figures(moselle) == Figures(0, 0)
    report(moselle)
    assert figures(moselle) == Figures(1, 1)
    dismiss(moselle, found.id)
    report(moselle)
    assert figures(moselle) == Figures(0, 0)


def test_other_vendors_do_not_see_it(moselle: Place, minett: Place) -> None:
    found = report(moselle)
    assert figures(minett) == Figures(0, 0)
    assert dismiss(minett, found.id) == []
    report(minett)
    assert look(moselle).count == look(minett).count == 1


def test_only_what_is_over_is_removed(moselle: Place) -> None:
    report(moselle)
    report(moselle, key="core.webhook:x")
    with moselle.session() as session:
        clear_problem(session, KEY, vendor_id=moselle.vendor_id)
    pass_time(days=91)
    with unit_of_work(SYSTEM) as session:
        assert problem_service.delete_old(session, 90) == 1
    assert look(moselle, "core.webhook:x").count == 1


def test_an_endpoint_that_went_off_is_a_problem_until_it_is_on(moselle: Place) -> None:
    with moselle.session() as session:
        wanted = NewWebhook("https://hooks.example/a", ("*",))
        key = webhook_service.create_webhook(session, wanted, by=moselle.user_id).id
        problem = webhook_service.problem_key(webhook_service.get_webhook(session, key))
        webhook_service.switch_webhook(session, key, is_on=False, by=moselle.user_id)
    report(moselle, key=problem, critical_after=1)
    assert figures(moselle) == Figures(1, 1)
    with moselle.session() as session:
        webhook_service.switch_webhook(session, key, is_on=True, by=moselle.user_id)
    assert figures(moselle) == Figures(0, 0)


def test_mail_that_does_not_go_out_is_the_operators_problem(
    moselle: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = Notice("core.webhook_disabled", "danger", "core.webhooks.disabled_gone", {"url": "x"})
    monkeypatch.setenv("WIZAMART_MAIL_URL", "smtp://127.0.0.1:9")  # nobody listens there
    get_settings.cache_clear()
    with moselle.session() as session:
        notification_service.notify(session, notice, user_id=moselle.user_id, vendor_id=moselle.vendor_id)
    do_work()
    with unit_of_work(SYSTEM) as session:
        found = session.scalars(select(ProblemRecord)).one()
        assert (found.vendor_id, found.detail) == (None, "The mail server cannot be reached.")
    assert figures(moselle) == Figures(0, 0)
    monkeypatch.delenv("WIZAMART_MAIL_URL")
    get_settings.cache_clear()
    pass_time(hours=1)
    do_work()
    with unit_of_work(SYSTEM) as session:
        assert session.scalars(select(ProblemRecord)).one().cleared_at is not None


def test_pages_show_problems_and_put_them_aside(moselle: Place, client: TestClient) -> None:
    found = report(moselle, times=3)
    public = to_public(PREFIX, found.id)
    sign_in(client, "vendor", "owner@moselle.example")
    client.cookies.set("wm_lang", "en")
    assert f"{LIST}?state=critical&amp;state=open" in client.get("/vendor/MOSELLE").text
    listed = client.get(LIST).text
    assert "Mail does not go out" in listed
    assert "Critical (1)" in listed
    page = client.get(f"{LIST}/{public}")
    assert "It keeps failing" in page.text
    token = {"csrf_token": token_of(page)}
    assert client.post(f"{LIST}/{public}/dismiss", data=token).status_code == 303
    assert "Mail does not go out" not in client.get(f"{LIST}?state=critical&state=open").text
    client.post(f"{LIST}/{public}/reopen", data=token)
    assert "Critical (1)" in client.get(LIST).text
    assert client.get(f"/vendor/MINETT/problems/{public}").status_code == 404
    sign_in(client, "vendor", "team@moselle.example")
    assert client.post(f"{LIST}/{public}/dismiss", data=token).status_code == 403


def test_the_operator_sees_vendors_problems_and_leaves_them_alone(moselle: Place, client: TestClient) -> None:
    found = report(moselle)
    public = to_public(PREFIX, found.id)
    sign_in(client, "admin", "admin@wizamart.example")
    client.cookies.set("wm_lang", "en")
    page = client.get("/admin/problems")
    assert "Mail does not go out" in page.text
    form = {"csrf_token": token_of(page), "action": "dismiss", "ids": public}
    client.post("/admin/problems/bulk", data=form)
    assert look(moselle).dismissed_at is None
