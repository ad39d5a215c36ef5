"""Exports are compared with the file before, held back when they lose much, and fetched at a signed address."""

import gzip
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.core import rate_limit
from app.core.database import SYSTEM, unit_of_work
from app.modules.marketplace.exceptions import ExportNotFoundError, ExportNotHeldError
from app.modules.marketplace.models.feed_export import FeedExport
from app.modules.marketplace.services import export_sending_service, feed_export_service, feed_link_service
from app.modules.marketplace.services.feed_export_service import ExportWithJob
from app.modules.marketplace.services.feed_link_service import FeedLink, make_token, read_token
from app.modules.marketplace.tests.conftest import Shop, feed, row
from app.modules.state import forget_snapshot
from app.tasks.dispatcher import dispatch
from app.tasks.models import Job
from app.tasks.runner import run_until_idle

_ROUND = "app.modules.marketplace.tasks.export.export_marketplace_products"

_TOLD = (
    "SELECT id, tone, text FROM notifications WHERE vendor_id = :vendor AND kind = 'marketplace.export_held'"
)


def export(shop: Shop, *, user_id: UUID | None = None, language: str = "en") -> ExportWithJob:
    with shop.session() as session:
        export_id = feed_export_service.start_export(
            session, vendor_id=shop.vendor_id, vendor_code=shop.code, language=language, user_id=user_id
        ).id
    assert run_until_idle(["default"], timeout_seconds=30)
    with shop.session() as session:
        return feed_export_service.get_export(session, export_id)


def result(done: ExportWithJob) -> dict[str, Any]:
    assert done.job is not None
    assert done.job.state == "succeeded", done.job.error_message
    assert done.job.result is not None
    return done.job.result


def confirm(shop: Shop, row: FeedExport) -> None:
    with shop.session() as session:
        export_sending_service.confirm_export(session, row.id)


def address(shop: Shop, language: str = "en") -> str:
    with shop.session() as session:
        found = feed_link_service.feed_address(session, vendor_id=shop.vendor_id, language=language)
    return found.removeprefix("http://127.0.0.1:8000")


def get(client: TestClient, url: str, method: str = "GET", **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request(method, url, headers={"accept-encoding": "identity", **named})


def test_a_new_file_is_compared_and_sent_and_the_same_one_is_not(shop: Shop) -> None:
    shop.run(feed([row(1), row(2), row(3)]))
    first = export(shop)
    assert result(first) == {"outcome": "sent", "rows": 3, "excluded": 0, "new": 3, "changed": 0, "gone": 0}
    again = export(shop)
    assert result(again)["outcome"] == "unchanged"
    assert (again.row.sent_at, again.row.storage_key) == (None, None)
    assert again.row.sha256 == first.row.sha256

    shop.run(feed([row(1, color=""), row(2, brand="", color="red"), row(4)]))
    shop.rows("UPDATE products SET is_active = false WHERE vendor_id = :vendor AND sku = 'A-3'")
    third = export(shop)
    assert result(third) == {"outcome": "sent", "rows": 3, "excluded": 0, "new": 1, "changed": 1, "gone": 1}
    assert third.row.differences is not None
    assert third.row.differences["emptied"] == {"brand": 1}
    assert third.row.differences["altered"] == {"color": 1}
    assert third.row.differences["examples"] == {
        "new": [{"id": "A-4", "title": "Chair 4"}],
        "gone": [{"id": "A-3", "title": "Chair 3"}],
        "changed": [
            {"id": "A-2", "title": "Chair 2", "cells": [["brand", "Moselwerk", ""], ["color", "", "red"]]}
        ],
    }


def test_an_export_that_loses_much_waits_until_it_is_confirmed(shop: Shop, client: TestClient) -> None:
    shop.run(feed(row(number) for number in range(40)))
    sent = export(shop)
    before = get(client, address(shop)).content
    shop.rows("UPDATE product_translations SET description = NULL WHERE vendor_id = :vendor")
    shop.rows("UPDATE products SET is_active = false WHERE vendor_id = :vendor AND sku > 'A-2'")
    held = export(shop)
    assert result(held)["outcome"] == "held"
    assert held.row.sent_at is None
    assert [finding["code"] for finding in held.row.findings or ()] == ["rows_lost", "column_emptied"]
    assert get(client, address(shop)).content == before

    told = shop.rows(_TOLD)
    assert {one.tone for one in told} == {"warning"}
    assert "viderait 13 descriptions" in {one.text.partition("; ")[2] for one in told}
    export(shop)  # the same file once more: nobody is told again
    assert shop.rows(_TOLD) == told

    confirm(shop, held.row)
    after = get(client, address(shop)).content
    assert after != before
    confirm(shop, held.row)
    with pytest.raises(ExportNotHeldError):
        confirm(shop, export(shop).row)
    confirm(shop, sent.row)  # was sent
    assert get(client, address(shop)).content == after
    audit = shop.rows("SELECT 1 FROM audit_log WHERE action = 'marketplace.export_confirmed'")
    assert len(audit) == 1


def test_a_held_export_is_out_of_date_once_a_newer_one_is_sent(shop: Shop) -> None:
    shop.run(feed(row(number) for number in range(20)))
    export(shop)
    shop.rows("UPDATE products SET is_active = false WHERE vendor_id = :vendor AND sku > 'A-1'")
    held = export(shop)
    shop.rows("UPDATE products SET is_active = true WHERE vendor_id = :vendor")
    shop.rows("UPDATE products SET color = 'red' WHERE vendor_id = :vendor")
    assert result(export(shop))["outcome"] == "sent"
    with pytest.raises(ExportNotHeldError):
        confirm(shop, held.row)


def test_the_address_gives_the_file_with_its_tags(shop: Shop, client: TestClient) -> None:
    shop.run(feed([row(1), row(2)]))
    done = export(shop)
    url = address(shop)
    answer = get(client, url)
    assert answer.status_code == 200
    assert answer.text.splitlines()[1].startswith("A-1\tChair 1")
    assert answer.headers["content-type"] == "text/tab-separated-values; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="MOSELLE_letzshop_export_en.tsv"'
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert done.row.sha256 is not None
    etag, changed = answer.headers["etag"], answer.headers["last-modified"]
    assert etag.startswith(f'"{done.row.sha256.hex()}-')
    assert "set-cookie" not in answer.headers

    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        same = get(client, url, if_none_match=known)
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    assert get(client, url, if_modified_since=changed).status_code == 304
    assert get(client, url, if_modified_since="Mon, 01 Jan 2001 00:00:00 GMT").status_code == 200
    assert get(client, url, if_modified_since="yesterday").status_code == 200
    # The tag says more than the time.
    assert get(client, url, if_none_match='"x"', if_modified_since=changed).status_code == 200

    head = get(client, url, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(answer.content)
    assert get(client, url, range="bytes=0-1").content == answer.content[:2]

    shop.run(feed([row(1, color="red"), row(2)]))
    export(shop)
    newer = get(client, url, if_none_match=etag)
    assert newer.status_code == 200
    assert newer.headers["last-modified"] > changed


def test_it_is_packed_for_those_who_accept_that(shop: Shop, client: TestClient) -> None:
    shop.run(feed(row(number) for number in range(200)))
    export(shop)
    url = address(shop)
    plain = get(client, url)
    packed = []
    for _ in range(2):
        with client.stream("GET", url, headers={"accept-encoding": "br, gzip;q=0.5"}) as answer:
            packed.append(b"".join(answer.iter_raw()))
    assert packed[0] == packed[1]
    assert gzip.decompress(packed[0]) == plain.content
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    etag = answer.headers["etag"]
    assert etag != plain.headers["etag"]
    assert get(client, url, accept_encoding="gzip", if_none_match=etag).status_code == 304
    assert get(client, url, if_none_match=etag).status_code == 200
    head = get(client, url, "HEAD", accept_encoding="gzip")
    assert (head.headers["etag"], head.content) == (etag, b"")
    for refused in ("gzip;q=0", "br", "gzip;q=0.0, *"):
        assert "content-encoding" not in get(client, url, accept_encoding=refused).headers


def test_a_renewed_address_ends_the_one_before(shop: Shop, client: TestClient) -> None:
    shop.run(feed([row(1)]))
    export(shop)
    former = address(shop)
    assert address(shop) == former
    assert get(client, former).status_code == 200
    with shop.session() as session:
        feed_link_service.renew_link(session, vendor_id=shop.vendor_id)
    assert get(client, former).status_code == 404
    assert get(client, address(shop)).status_code == 200
    assert shop.rows("SELECT 1 FROM audit_log WHERE action = 'marketplace.feed_link_renewed'")


def test_nobody_gets_the_file_of_another(shop: Shop, other_shop: Shop, client: TestClient) -> None:
    shop.run(feed([row(1, title="Ours")]))
    export(shop)
    other_shop.run(feed([row(1, title="Theirs")]))
    export(other_shop)
    assert "Ours" in get(client, address(shop)).text
    assert "Theirs" in get(client, address(other_shop)).text
    assert get(client, address(shop, "fr")).status_code == 404  # nothing was sent
    token = make_token(FeedLink(shop.vendor_id, "en", 1))
    swapped = make_token(FeedLink(other_shop.vendor_id, "en", 1))[:24] + token[24:]
    for wrong in (swapped, token[:-1], token + "A", "A" * 48, "MOSELLE", "%00", "é"):
        assert read_token(wrong) is None
        assert get(client, f"/feeds/{wrong}").status_code == 404
    with pytest.raises(ExportNotFoundError), other_shop.session() as session:
        export_sending_service.confirm_export(session, export(shop, user_id=None).row.id)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE vendors SET is_active = false WHERE id = :vendor",
        "UPDATE companies SET is_active = false",
        "UPDATE platform_modules SET is_enabled = false WHERE module_code = 'marketplace'",
    ],
)
def test_the_address_is_closed_with_the_shop(shop: Shop, client: TestClient, sql: str) -> None:
    shop.run(feed([row(1)]))
    export(shop)
    assert get(client, address(shop)).status_code == 200
    shop.rows(sql)
    shop.rows("UPDATE system_state SET version = version + 1")
    forget_snapshot()
    assert get(client, address(shop)).status_code == 404


def test_too_many_requests_are_refused(shop: Shop, client: TestClient) -> None:
    rate_limit.forget()
    answers = [get(client, "/feeds/nothing").status_code for _ in range(61)]
    assert answers == [404] * 60 + [429]
    rate_limit.forget()


def test_sent_files_are_put_into_the_folder(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: TestClient
) -> None:
    shop.run(feed([row(1)]))
    export(shop)
    monkeypatch.setenv("MARKETPLACE_EXPORT_FOLDER", str(tmp_path / "out"))
    file = tmp_path / "out" / "MOSELLE_letzshop_export_en.tsv"
    assert result(export(shop))["outcome"] == "unchanged"  # and the folder is new
    assert file.read_bytes() == get(client, address(shop)).content
    assert file.stat().st_mode & 0o777 == 0o644
    shop.run(feed([row(1, color="red")]))
    export(shop)
    assert file.read_bytes() == get(client, address(shop)).content
    assert [path.name for path in file.parent.iterdir()] == [file.name]

    monkeypatch.setenv("MARKETPLACE_EXPORT_FOLDER", str(file))  # no folder
    shop.run(feed([row(1, color="blue")]))
    failed = export(shop)
    assert failed.row.sent_at is None
    assert failed.job is not None
    assert "MARKETPLACE_EXPORT_FOLDER" in (failed.job.error_message or "")


def test_the_round_exports_every_vendor_and_language_once(shop: Shop, other_shop: Shop) -> None:
    shop.run(feed([row(1)]))
    shop.run(feed([row(2)]), language="fr")
    other_shop.run(feed([row(1)]), language="de")
    with unit_of_work(SYSTEM) as session:
        first = dispatch(session, _ROUND).id
    assert run_until_idle(["default"], timeout_seconds=60)
    with unit_of_work(SYSTEM) as session:
        job = session.get_one(Job, first)
    assert job.result == {"vendors": 2, "files": 3}
    assert (job.progress_done, job.progress_total) == (3, 3)
    sent = shop.rows(
        "SELECT e.language, j.parent_id, j.ordering_key FROM feed_exports e JOIN jobs j ON j.id = e.job_id "
        "WHERE e.sent_at IS NOT NULL ORDER BY e.language"
    )
    assert [tuple(one) for one in sent] == [
        (name, first, "marketplace.import") for name in ("de", "en", "fr")
    ]

    # The last product goes: the round notices what the address still says.
    shop.rows("UPDATE products SET is_active = false WHERE vendor_id = :vendor AND sku = 'A-2'")
    with unit_of_work(SYSTEM) as session:
        dispatch(session, _ROUND)
    assert run_until_idle(["default"], timeout_seconds=60)
    outcomes = shop.rows(
        "SELECT e.language, j.result ->> 'outcome', (j.result ->> 'gone')::int FROM feed_exports e "
        "JOIN jobs j ON j.id = e.job_id WHERE j.parent_id <> :first ORDER BY e.language",
        first=first,
    )
    assert [tuple(one) for one in outcomes] == [
        ("de", "unchanged", 0),
        ("en", "unchanged", 0),
        ("fr", "sent", 1),
    ]
