"""The tenants of the demo: one platform, two companies, three vendors, an admin, owners and team members."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.database import IdentityScope, acting_in
from app.modules import lifecycle
from app.modules.registry import modules
from app.modules.setup import DemoLogin
from app.modules.tenancy.contracts import DEMO_PASSWORD
from app.modules.tenancy.models.tenant import Platform
from app.modules.tenancy.services import (
    company_service,
    domain_service,
    invitation_service,
    operator_role_service,
    platform_service,
    role_service,
    user_service,
    vendor_service,
)
from app.modules.tenancy.services.identity_service import all_permissions


@dataclass(frozen=True, slots=True)
class _Vendor:
    code: str
    name: str
    language: str


_COMPANIES: tuple[tuple[str, str, str, Sequence[_Vendor]], ...] = (
    (
        "Maison Moselle S.à r.l.",
        "Marie Weber",
        "owner@moselle.example",
        (_Vendor("MOSELLE", "Maison Moselle", "fr"), _Vendor("GUTLAND", "Gutland Kids", "de")),
    ),
    (
        "Minett Outdoor S.A.",
        "Luc Schmit",
        "owner@minett.example",
        (_Vendor("MINETT", "Minett Outdoor", "en"),),
    ),
)

_TEAM = (
    ("MOSELLE", "team@moselle.example", "Tom Team"),
    ("MINETT", "team@minett.example", "Tessy Team"),
)


def seed(session: Session) -> list[DemoLogin]:
    """Make the demo tenants, once; returns the logins to print."""
    if session.scalar(select(Platform.id).where(Platform.code == "demo")) is None:
        _create(session)
    return [
        DemoLogin("Operator", "/admin", "admin@wizamart.example", DEMO_PASSWORD),
        DemoLogin("Support (reads, acts as vendors)", "/admin", "support@wizamart.example", DEMO_PASSWORD),
        DemoLogin("Owner of MOSELLE and GUTLAND", "/vendor", "owner@moselle.example", DEMO_PASSWORD),
        DemoLogin("Team member of MOSELLE (views only)", "/vendor", "team@moselle.example", DEMO_PASSWORD),
        DemoLogin("Owner of MINETT", "/vendor", "owner@minett.example", DEMO_PASSWORD),
    ]


def _create(session: Session) -> None:
    platform_id = platform_service.create_platform(session, code="demo", name="Demo platform")
    lifecycle.enable_all(session, platform_id, by="demo data")
    _create_user(session, "admin@wizamart.example", "Ada Operator", is_super_admin=True)
    support_id = _create_user(session, "support@wizamart.example", "Sam Support", platform_id=platform_id)
    support = operator_role_service.get_built_in(session, "support")
    with acting_in(session, IdentityScope()):
        operator_role_service.grant(session, support_id, support.id)
    vendor_ids: dict[str, UUID] = {}
    for name, owner_name, owner, vendors in _COMPANIES:
        company_id = company_service.create_company(session, name=name, contact_email=owner)
        for vendor in vendors:
            vendor_ids[vendor.code] = vendor_service.create_vendor(
                session,
                company_id=company_id,
                platform_ids=[platform_id],
                code=vendor.code,
                name=vendor.name,
                language=vendor.language,
            )
        _create_user(session, owner, owner_name, company_id=company_id)
    viewing = [code for code in all_permissions("vendor", modules()) if code.endswith(".view")]
    for code, email, name in _TEAM:
        vendor_id = vendor_ids[code]
        role_id = role_service.create_role(session, vendor_id=vendor_id, name="Viewer", permissions=viewing)
        user_id = _create_user(session, email, name, vendor_id=vendor_id, role_id=role_id)
        target = invitation_service.Target(vendor_id, role_id=role_id)
        guest = f"new@{code.lower()}.example"
        invitation_service.invite(session, guest, target, by=user_id, language="en")
        domain_service.add_domain(session, vendor_id, f"shop.{code.lower()}.example")


def _create_user(
    session: Session, email: str, name: str, *, is_super_admin: bool = False, **place: UUID
) -> UUID:
    with acting_in(session, IdentityScope()):
        user_id = user_service.create_user(
            session, email=email, name=name, password=DEMO_PASSWORD, is_super_admin=is_super_admin
        )
        if place:
            user_service.add_membership(session, user_id, **place)
    return user_id
