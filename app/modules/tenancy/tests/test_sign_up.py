"""Signing up: company, shop and owner in one go."""

from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from app.core.database import SYSTEM, IdentityScope, unit_of_work
from app.core.errors import ValidationFailedError
from app.modules.tenancy.exceptions import CodeTakenError, NoAccessError
from app.modules.tenancy.facade import (
    Browser,
    NewOwner,
    NewShop,
    check_shop,
    find_vendor,
    has_account,
    list_platforms,
    new_owner,
    sign_up,
)
from app.modules.tenancy.services import session_service
from app.testing.database import Database

EMAIL, PASSWORD = "lea@eisleck.example", "regen iwwer Wolz am Abrëll"


def platform_id() -> UUID:
    with unit_of_work(SYSTEM) as session:
        return list_platforms(session)[0].id


def shop(code: str = "eisleck", company: str = "Eisleck S.à r.l.", name: str = "Eisleck") -> NewShop:
    return NewShop(platform_id(), company, code, name, "lb", " LU12345678 ")


def test_a_new_owner_is_signed_in_to_the_new_shop(world: Database) -> None:
    with unit_of_work(IdentityScope()) as session:
        assert not has_account(session, EMAIL)
        made = sign_up(session, new_owner(EMAIL, "Lea", PASSWORD), shop(), Browser("192.0.2.1"))
        assert has_account(session, EMAIL.upper())
    vendor = find_vendor(vendor_id=made.vendor_id)
    assert vendor is not None
    assert (vendor.code, vendor.name, vendor.company_id) == ("EISLECK", "Eisleck", made.company_id)
    assert (vendor.default_language, vendor.platform_ids) == ("lb", (platform_id(),))
    with unit_of_work(IdentityScope()) as session:
        assert made.token is not None
        held = session_service.find_session(session, "vendor", made.token)
        assert held is not None
        assert held[1].id == made.user_id
        assert [place.code for place in session_service.list_places(session, made.user_id)] == ["EISLECK"]
        assert session_service.sign_in(session, "vendor", EMAIL, PASSWORD, Browser()).token
    with world.owner_engine.connect() as connection:
        audit = connection.execute(
            text("SELECT actor_id FROM audit_log WHERE action = 'tenancy.signed_up' AND vendor_id = :id"),
            {"id": made.vendor_id},
        )
        assert audit.scalars().all() == [made.user_id]


@pytest.mark.usefixtures("world")
def test_a_known_owner_gets_another_shop_and_no_session() -> None:
    with unit_of_work(IdentityScope()) as session:
        made = sign_up(session, NewOwner("Owner@moselle.example"), shop())
        assert made.token is None
        places = session_service.list_places(session, made.user_id)
    assert {"EISLECK", "MOSELLE"} <= {place.code for place in places}


@pytest.mark.usefixtures("world")
def test_what_cannot_be_is_said_at_its_field() -> None:
    for wrong, field in (
        (shop(company=" "), "company"),
        (shop(name=""), "name"),
        (shop(code="moselle"), "code"),
        (shop(code="m s"), "code"),
    ):
        with unit_of_work(IdentityScope()) as session, pytest.raises(ValidationFailedError) as caught:
            check_shop(session, wrong)
        assert [error.pointer for error in caught.value.errors] == [field]
    for name, password, field in (("", PASSWORD, "name"), ("Lea", "short", "password")):
        with pytest.raises(ValidationFailedError) as caught:
            new_owner(EMAIL, name, password)
        assert {error.pointer for error in caught.value.errors} == {field}


def test_who_was_switched_off_cannot_come_back_this_way(owner_engine: Engine, world: Database) -> None:
    with owner_engine.begin() as connection:
        connection.execute(
            text("UPDATE users SET is_active = false WHERE email_norm = 'owner@moselle.example'")
        )
    with pytest.raises(NoAccessError), unit_of_work(IdentityScope()) as session:
        sign_up(session, NewOwner("owner@moselle.example"), shop())
    assert find_vendor(code="EISLECK") is None


@pytest.mark.usefixtures("world")
def test_a_code_is_given_once() -> None:
    with unit_of_work(IdentityScope()) as session:
        sign_up(session, new_owner(EMAIL, "Lea", PASSWORD), shop())
    with pytest.raises(CodeTakenError), unit_of_work(IdentityScope()) as session:
        sign_up(session, new_owner("max@eisleck.example", "Max", PASSWORD), shop())
    with unit_of_work(IdentityScope()) as session:
        assert not has_account(session, "max@eisleck.example")
