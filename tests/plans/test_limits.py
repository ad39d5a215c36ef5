"""What a plan limits: claims under a lock, whoever writes; what is over the limit is read-only."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import IdentityScope, TenantScope, unit_of_work
from app.core.errors import ConfigurationError, UnavailableError
from app.core.i18n import MessageKey, translate
from app.core.ids import to_public
from app.modules import entitlements
from app.modules.api import ROOT
from app.modules.catalog.services import product_edit_service
from app.modules.catalog.tests.test_edit import FACTS, send
from app.modules.entitlements import Allowance, LimitReachedError, SurplusError
from app.modules.marketplace.services import source_service, undo_service
from app.modules.marketplace.tests.conftest import Shop, counts, feed, row
from app.modules.tenancy.services import domain_service, role_service, user_service
from app.modules.tenancy.tests.steps import link_in, mails_to, post, token_in
from app.modules.texts import load_texts
from app.testing.api_keys import make_key
from app.testing.browsing import sign_in
from app.testing.working import work
from tests.api.conftest import holder_of
from tests.plans.conftest import HOME, OWNER
from tests.plans.plan.definition import EXTRA, THINGS, Plans

PRODUCTS, DOMAINS, TEAM = "catalog.products", "tenancy.custom_domains", "tenancy.team_members"
WRITERS = 16


def together(write: Callable[[int], object]) -> int:
    """So many writers at once; how many were let through."""
    barrier = Barrier(WRITERS)

    def one(number: int) -> bool:
        barrier.wait()
        try:
            write(number)
        except LimitReachedError:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as writers:
        return sum(writers.map(one, range(WRITERS)))


def make_product(session: Session, vendor_id: UUID, sku: str) -> UUID:
    facts = {"price_cents": 100, "is_active": True}
    return product_edit_service.create_product(
        session, vendor_id=vendor_id, sku=sku, facts=facts, texts={}
    ).id


@pytest.fixture
def filled(shop: Shop, plan: Plans) -> list[str]:
    """Three products, the oldest first, of which the plan allows two."""
    with shop.session() as session:
        found = [to_public("prd", make_product(session, shop.vendor_id, f"F-{n}")) for n in range(3)]
    plan.limits[PRODUCTS] = 2
    return found


def number_of(shop: Shop, table: str) -> int:
    found: int = shop.rows(f"SELECT count(*) FROM {table} WHERE vendor_id = :vendor")[0][0]
    return found


def test_parallel_writers_of_what_is_counted_pass_no_limit(shop: Shop, plan: Plans) -> None:
    plan.limits[DOMAINS] = number_of(shop, "domains") + 5

    def write(number: int) -> None:
        with shop.session() as session:
            domain_service.add_domain(session, shop.vendor_id, f"shop-{number}.example")

    assert together(write) == 5
    assert number_of(shop, "domains") == plan.limits[DOMAINS]


def test_parallel_writers_of_a_period_pass_no_limit(shop: Shop, plan: Plans) -> None:
    plan.limits[THINGS] = 5

    def write(_number: int) -> None:
        with shop.session() as session:
            entitlements.consume(session, shop.vendor_id, THINGS)

    assert together(write) == 5
    with shop.session() as session:
        assert entitlements.allowance(session, shop.vendor_id, THINGS) == Allowance(5, 5)
        assert entitlements.allowance(session, shop.vendor_id, THINGS).is_full


def test_what_is_refused_or_rolled_back_takes_nothing(shop: Shop, plan: Plans) -> None:
    plan.limits[THINGS] = 3
    with shop.session() as session:
        with pytest.raises(LimitReachedError) as refused:
            entitlements.consume(session, shop.vendor_id, THINGS, 4)
        entitlements.consume(session, shop.vendor_id, THINGS, 1)
    assert refused.value.params["limit"] == 3
    with shop.session() as session:
        entitlements.consume(session, shop.vendor_id, THINGS, 2)
        session.rollback()
    with shop.session() as session:
        assert entitlements.take(session, shop.vendor_id, THINGS, 7) == 2
        assert entitlements.take(session, shop.vendor_id, THINGS, 7) == 0
        assert entitlements.allowance(session, shop.vendor_id, THINGS).left == 0


def test_without_a_limit_nobody_waits_but_periods_are_counted(shop: Shop, plan: Plans) -> None:
    with shop.session() as session:
        entitlements.consume(session, shop.vendor_id, PRODUCTS)
        assert "lock" not in plan.asked
        assert entitlements.take(session, shop.vendor_id, THINGS, 9) == 9
        assert entitlements.allowance(session, shop.vendor_id, THINGS) == Allowance(None, 9)


def test_who_cannot_be_asked_lets_nobody_through(shop: Shop, plan: Plans) -> None:
    plan.failing = True
    with pytest.raises(UnavailableError), shop.session() as session:
        make_product(session, shop.vendor_id, "X-1")
    for ask in (entitlements.is_allowed, entitlements.require):
        with pytest.raises(UnavailableError), shop.session() as session:
            ask(session, shop.vendor_id, EXTRA)
    assert shop.product("X-1") is None


def test_where_nobody_knows_plans_all_is_allowed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entitlements.ENTITLEMENTS.__class__, "find_for", lambda self, vendor_id: None)
    with shop.session() as session:
        entitlements.consume(session, shop.vendor_id, THINGS, 10**6)
        entitlements.require(session, shop.vendor_id, EXTRA)
        entitlements.check_editable(session, shop.vendor_id, PRODUCTS, lambda: 10**6)
        assert entitlements.allowance(session, shop.vendor_id, PRODUCTS).limit is None


def test_a_feature_that_nobody_declares_is_an_error(shop: Shop) -> None:
    with shop.session() as session, pytest.raises(ConfigurationError):
        entitlements.consume(session, shop.vendor_id, "plan.gone")


def test_the_refusal_names_the_feature_in_the_readers_language() -> None:
    load_texts()
    params = {"what": MessageKey("catalog.features.products"), "limit": 200}
    shown = translate("de", "errors.framework.limit_reached", **params)
    assert shown.startswith("Produkte: Ihr Abonnement erlaubt 200")


def test_the_form_of_a_product_keeps_what_was_typed(owner: TestClient, shop: Shop, plan: Plans) -> None:
    plan.limits[PRODUCTS] = number_of(shop, "products")
    page = send(owner, f"{HOME}/products/new", sku="NEW-1")
    assert page.status_code == 403
    assert "your plan allows" in page.text
    assert 'value="NEW-1"' in page.text
    assert shop.product("NEW-1") is None
    plan.limits[PRODUCTS] += 1
    assert send(owner, f"{HOME}/products/new", sku="NEW-1").status_code == 303


def test_a_surplus_product_is_read_and_put_away_but_not_changed(
    owner: TestClient, shop: Shop, filled: list[str]
) -> None:
    pages = [f"{HOME}/products/{product_id}" for product_id in filled]
    assert owner.get(pages[2]).status_code == 200
    assert send(owner, f"{pages[2]}/edit", **FACTS, title_fr="Chaise").status_code == 403
    assert post(owner, f"{pages[2]}/state", {"to": "deactivate"}, page=pages[2]).status_code == 403
    assert send(owner, f"{pages[1]}/edit", **FACTS, title_fr="Chaise").status_code == 303
    assert post(owner, f"{pages[0]}/state", {"to": "archive"}, page=pages[0]).status_code == 303
    assert send(owner, f"{pages[2]}/edit", **FACTS, title_fr="Chaise").status_code == 303
    assert post(owner, f"{pages[0]}/state", {"to": "restore"}, page=pages[0]).status_code == 403
    assert shop.product("F-0").archived_at is not None


def test_many_at_once_do_what_fits_and_name_the_rest(
    owner: TestClient, shop: Shop, filled: list[str], plan: Plans
) -> None:
    form = {"action": "deactivate", "ids": filled}
    assert post(owner, f"{HOME}/products/bulk", form, page=f"{HOME}/products").status_code == 303
    assert [shop.product(f"F-{n}").is_active for n in range(3)] == [False, False, True]
    form = {"action": "archive", "ids": filled}
    post(owner, f"{HOME}/products/bulk", form, page=f"{HOME}/products")
    form = {"action": "restore", "ids": filled}
    page = f"{HOME}/products/archived"
    assert post(owner, f"{page}/bulk", form, page=page).status_code == 303
    assert [shop.product(f"F-{n}").archived_at is None for n in range(3)] == [True, True, False]


def test_the_api_refuses_to_change_a_surplus_product(
    client: TestClient, shop: Shop, filled: list[str]
) -> None:
    key = make_key(holder_of("MOSELLE"))
    answers = [
        client.patch(
            f"{ROOT}/vendor/products/{product_id}",
            json={"brand": "Gutt"},
            headers={"Authorization": f"Bearer {key}", "If-Match": "*"},
        )
        for product_id in filled
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 403]
    assert answers[2].json()["code"] == "framework.over_limit"
    assert "larger plan" in answers[2].json()["detail"]


def test_an_import_takes_what_fits_and_can_be_undone(shop: Shop, plan: Plans) -> None:
    before = number_of(shop, "products")
    plan.limits[PRODUCTS] = before + 3
    done = shop.run(feed([row(n) for n in range(5)]))
    assert counts(done) == (3, 0, 0, 2)
    failed = shop.rows("SELECT line, errors FROM feed_row_errors WHERE vendor_id = :vendor ORDER BY line")
    assert [(line, errors[0]["code"]) for line, errors in failed] == [
        (5, "catalog.over_limit"),
        (6, "catalog.over_limit"),
    ]
    plan.limits[PRODUCTS] = 0
    with shop.session() as session:
        undo_service.start_undo(session, done.row.id, user_id=None)
    work()
    assert number_of(shop, "products") == before
    plan.limits[PRODUCTS] = before + 3
    shop.run(feed([row(n) for n in range(5)]))
    again = shop.run(feed([row(n) for n in range(5)]))
    assert counts(again) == (0, 0, 3, 2), "what was refused is tried at each import"
    plan.limits[PRODUCTS] = None
    assert counts(shop.run(feed([row(n) for n in range(5)]))) == (2, 0, 3, 0)


def test_an_import_leaves_a_surplus_product_alone(shop: Shop, plan: Plans) -> None:
    shop.run(feed([row(n) for n in range(3)]))
    plan.limits[PRODUCTS] = number_of(shop, "products") - 1
    done = shop.run(feed([row(n, brand="Gutt") for n in range(3)]))
    assert counts(done) == (0, 2, 0, 1)
    assert [shop.product(f"A-{n}").brand for n in range(3)] == ["Gutt", "Gutt", "Moselwerk"]
    with shop.session() as session:
        undo_service.start_undo(session, done.row.id, user_id=None)
    work()
    assert shop.product("A-0").brand == "Moselwerk"


def test_all_or_nothing_is_nothing_over_the_limit(shop: Shop, plan: Plans) -> None:
    plan.limits[PRODUCTS] = before = number_of(shop, "products")
    plan.limits[PRODUCTS] += 1
    done = shop.run(feed([row(n) for n in range(2)]), policy="all-or-nothing")
    assert done.job
    assert done.job.state == "failed"
    assert number_of(shop, "products") == before


def test_copying_source_rows_stops_at_the_limit(shop: Shop, plan: Plans) -> None:
    plan.limits[PRODUCTS] = number_of(shop, "products") + 1
    shop.run(feed([row(n) for n in range(3)]))
    shop.rows("DELETE FROM products WHERE vendor_id = :vendor AND sku LIKE 'A-%'")
    plan.limits[PRODUCTS] = None
    shop.run(feed([row(n) for n in range(3)]))
    shop.rows("DELETE FROM products WHERE vendor_id = :vendor AND sku LIKE 'A-%'")
    plan.limits[PRODUCTS] = number_of(shop, "products") + 1
    ids = [one.id for one in shop.rows("SELECT id FROM marketplace_products WHERE vendor_id = :vendor")]
    with shop.session() as session:
        assert source_service.copy_to_catalogue(session, ids) == 1
        assert len(source_service.list_uncopied(session, ids)) == len(ids) - 1


@contextmanager
def invited(client: TestClient, shop: Shop, *names: str) -> Iterator[list[str]]:
    """Ask people to join, as the owner; the statuses of the answers."""
    found = shop.rows("SELECT id FROM roles WHERE vendor_id = :vendor LIMIT 1")
    role = to_public("rol", found[0].id)
    sign_in(client, "vendor", OWNER)
    yield [
        post(
            client,
            f"{HOME}/team/invite",
            {"email": f"{name}@moselle.example", "role": role, "language": "en"},
        ).status_code
        for name in names
    ]


def test_invitations_count_and_joining_is_checked_again(client: TestClient, shop: Shop, plan: Plans) -> None:
    with shop.session() as session:
        used = entitlements.allowance(session, shop.vendor_id, TEAM).used
    plan.limits[TEAM] = used + 1
    with invited(client, shop, "first", "second") as statuses:
        assert statuses == [303, 403]
    work()
    link = link_in(mails_to("first@moselle.example", "/invitation")[-1])
    client.cookies.clear()
    form = {"token": token_in(link), "name": "Gast", "password": "Kachkeis-mat-Moschter-7"}
    plan.limits[TEAM] = used
    assert post(client, "/invitation", form, page="/vendor/sign-in").status_code == 403
    assert shop.rows("SELECT accepted_at FROM invitations WHERE vendor_id = :vendor")[-1].accepted_at is None
    plan.limits[TEAM] = used + 1
    assert post(client, "/invitation", form, page="/vendor/sign-in").status_code == 303
    with unit_of_work(IdentityScope()) as session:
        assert entitlements.allowance(session, shop.vendor_id, TEAM).used == used + 1


def test_an_expired_invitation_is_sent_again_only_where_it_fits(
    client: TestClient, shop: Shop, plan: Plans
) -> None:
    with invited(client, shop, "first") as statuses:
        assert statuses == [303]
    shop.rows("UPDATE invitations SET expires_at = :past", past=clock.system_now())
    found = shop.rows("SELECT id FROM invitations WHERE vendor_id = :vendor ORDER BY id")[-1].id
    url = f"{HOME}/team/invitations/{to_public('inv', found)}/resend"
    with shop.session() as session:
        plan.limits[TEAM] = entitlements.allowance(session, shop.vendor_id, TEAM).used
    assert post(client, url, page=f"{HOME}/team/invite").status_code == 403
    plan.limits[TEAM] += 1
    assert post(client, url, page=f"{HOME}/team/invite").status_code == 303


def test_the_operator_claims_in_the_vendors_name(shop: Shop, plan: Plans) -> None:
    plan.limits[DOMAINS] = number_of(shop, "domains")
    with pytest.raises(LimitReachedError), unit_of_work(TenantScope(shop.vendor_id)) as session:
        domain_service.add_domain(session, shop.vendor_id, "one-more.example")
    with unit_of_work(IdentityScope()) as session:
        with pytest.raises(LimitReachedError):
            entitlements.consume(session, shop.vendor_id, DOMAINS)
        setting = session.execute(text("SELECT current_setting('app.vendor_id', true)")).scalar_one()
    assert not setting, "the former scope returns"


def test_a_page_that_needs_a_feature_says_how_to_get_it(owner: TestClient, plan: Plans) -> None:
    assert owner.get(f"{HOME}/extra").text == "the extra"
    plan.limits[EXTRA] = 0
    page = owner.get(f"{HOME}/extra")
    assert page.status_code == 403
    assert f'href="{HOME}/plan"' in page.text


def test_editing_is_checked_by_age(shop: Shop, plan: Plans) -> None:
    plan.limits[PRODUCTS] = 2
    with shop.session() as session:
        entitlements.check_editable(session, shop.vendor_id, PRODUCTS, lambda: 2)
        with pytest.raises(SurplusError):
            entitlements.check_editable(session, shop.vendor_id, PRODUCTS, lambda: 3)


def test_a_surplus_member_keeps_the_role_and_can_leave(owner: TestClient, shop: Shop, plan: Plans) -> None:
    with shop.session() as session:
        role_id = role_service.create_role(
            session, vendor_id=shop.vendor_id, name="Packer", permissions=["tenancy.team.view"]
        )
    with unit_of_work(IdentityScope()) as session:
        user = user_service.create_user(session, email="late@moselle.example", name="Late", password=None)
        user_service.add_membership(session, user, vendor_id=shop.vendor_id, role_id=role_id)
    found = shop.rows("SELECT id FROM memberships WHERE vendor_id = :vendor ORDER BY id")
    plan.limits[TEAM] = len(found) - 1
    pages = [f"{HOME}/team/{to_public('mbr', row.id)}" for row in (found[0], found[-1])]
    form = {"role_id": to_public("rol", role_id)}
    assert [send(owner, f"{page}/role", **form).status_code for page in pages] == [303, 403]
    assert owner.get(pages[1]).status_code == 200
    assert post(owner, f"{pages[0]}/remove", page=pages[0]).status_code == 303
    assert send(owner, f"{pages[1]}/role", **form).status_code == 303


def test_a_surplus_host_is_not_checked_again(owner: TestClient, shop: Shop, plan: Plans) -> None:
    with shop.session() as session:
        domain_service.add_domain(session, shop.vendor_id, "second.example")
    found = shop.rows("SELECT id FROM domains WHERE vendor_id = :vendor ORDER BY id")
    plan.limits[DOMAINS] = len(found) - 1
    pages = [f"{HOME}/domains/{to_public('dom', row.id)}" for row in (found[0], found[-1])]
    assert [post(owner, f"{page}/check", page=page).status_code for page in pages] == [303, 403]
    assert post(owner, f"{pages[0]}/remove", page=pages[0]).status_code == 303
    assert post(owner, f"{pages[1]}/check", page=pages[1]).status_code == 303
