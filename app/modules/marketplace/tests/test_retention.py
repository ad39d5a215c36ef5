"""Files of exports come to an end; their records stay and say so."""

from fastapi.testclient import TestClient
from sqlalchemy import text

from app.core.config import get_settings
from app.core.database import SYSTEM, unit_of_work
from app.modules.marketplace.tests.conftest import Shop
from app.tasks.dispatcher import dispatch
from app.tasks.runner import run_until_idle
from app.testing.browsing import sign_in, token_of

EXPORTS = "/vendor/MOSELLE/exports"
_TASK = "app.modules.marketplace.tasks.retention.remove_old_exports"


def export(client: TestClient) -> str:
    """The page of a finished export."""
    token = token_of(client.get(f"{EXPORTS}/new"))
    answer = client.post(f"{EXPORTS}/new", data={"csrf_token": token, "language": "fr"})
    assert run_until_idle(["default"], timeout_seconds=30)
    return str(answer.headers["location"])


def test_old_files_go_and_the_one_sent_last_stays(shop: Shop, client: TestClient) -> None:
    sign_in(client, "vendor", "owner@moselle.example")
    client.cookies.set("wm_lang", "en")
    old = export(client)
    shop.run(b"id,title,price\nA-1,Chaise,15.00\n", language="fr")
    last = export(client)
    with shop.owner.begin() as connection:
        connection.execute(text("UPDATE feed_exports SET created_at = now() - interval '31 days'"))
    assert client.get(f"{old}/file").status_code == 200
    with unit_of_work(SYSTEM) as session:
        dispatch(session, _TASK)
    assert run_until_idle(["default", "scheduled"], timeout_seconds=30)
    assert client.get(f"{old}/file").status_code == 404
    assert "The file was removed" in client.get(old).text
    assert client.get(f"{last}/file").status_code == 200
    assert len(list(get_settings().data_dir.rglob("*-export.tsv"))) == 1
