"""Signing up: a company, its shop and its owner, whose address is proved. All functions need the identity scope."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from app.core import security
from app.core.database import SYSTEM, acting_in
from app.core.ids import to_public
from app.modules.tenancy.exceptions import NoAccessError
from app.modules.tenancy.models.user import User
from app.modules.tenancy.services import (
    audit_service,
    company_service,
    record_service,
    session_service,
    user_service,
    vendor_service,
)
from app.modules.tenancy.services.session_service import Browser


@dataclass(frozen=True, slots=True)
class NewOwner:
    """Who signs up. Name and password (hashed) count where the address has no account yet."""

    email: str
    name: str = ""
    password_hash: str | None = None


@dataclass(frozen=True, slots=True)
class NewShop:
    """What is signed up. ``language``: the shop's and its pages' first one."""

    platform_id: UUID
    company: str
    code: str
    name: str
    language: str
    tax_number: str = ""


@dataclass(frozen=True, slots=True)
class SignedUp:
    """What came of it. ``token``: the owner's first session; None where the account was there and has to sign in."""

    user_id: UUID
    company_id: UUID
    vendor_id: UUID
    token: str | None


def has_account(session: Session, email: str) -> bool:
    """Whether somebody who may sign in has an address."""
    user = user_service.find_user(session, email)
    return user is not None and user.is_active


def new_owner(email: str, name: str, password: str) -> NewOwner:
    """Somebody without an account. Raises ValidationFailedError at ``name`` and ``password``."""
    name = record_service.require_text("name", name)
    user_service.require_strong_password(password, email, name)
    return NewOwner(email, name, security.hash_password(password))


def check_shop(session: Session, shop: NewShop) -> NewShop:
    """The shop as it would be stored. Raises ValidationFailedError at its fields, CodeTakenError."""
    return NewShop(
        platform_id=shop.platform_id,
        company=record_service.require_text("company", shop.company),
        name=record_service.require_text("name", shop.name),
        code=vendor_service.require_free_code(session, shop.code),
        language=shop.language,
        tax_number=shop.tax_number.strip(),
    )


def sign_up(session: Session, owner: NewOwner, shop: NewShop, browser: Browser | None = None) -> SignedUp:
    """Make company, shop and owner in one transaction; the address must have been proved.

    Raises as ``check_shop``, PlatformSuspendedError, and NoAccessError for an account that was switched off.
    """
    shop = check_shop(session, shop)
    user = user_service.find_user(session, owner.email)
    if user is not None and not user.is_active:
        raise NoAccessError
    is_new = user is None
    user_id = user.id if user else _make_user(session, owner, shop.language)
    with acting_in(session, SYSTEM):
        company_id = company_service.create_company(
            session, name=shop.company, contact_email=owner.email, tax_number=shop.tax_number
        )
        vendor_id = vendor_service.create_vendor(
            session,
            company_id=company_id,
            platform_ids=[shop.platform_id],
            code=shop.code,
            name=shop.name,
            language=shop.language,
        )
    user_service.add_membership(session, user_id, company_id=company_id)
    with acting_in(session, SYSTEM):
        target = to_public("vnd", vendor_id)
        audit_service.record(
            session, "tenancy.signed_up", vendor_id=vendor_id, actor_id=user_id, target=target, code=shop.code
        )
    token = session_service.open_first(session, user_id, "vendor", browser or Browser()) if is_new else None
    return SignedUp(user_id, company_id, vendor_id, token)


def _make_user(session: Session, owner: NewOwner, language: str) -> UUID:
    user_id = user_service.create_user(session, email=owner.email, name=owner.name, password=None)
    user = session.get_one(User, user_id)
    user.password_hash, user.language = owner.password_hash, language
    session.flush()
    return user_id
