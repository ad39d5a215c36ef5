"""Companies, vendors, platforms and users in the operator's API."""

from typing import Annotated, Any

from fastapi import Query

from app.core.database import IdentityScope, acting_in
from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.pages import read_list
from app.modules.tenancy.models.tenant import Company, Platform, Vendor
from app.modules.tenancy.schemas.people import Place, UserDetails, UserItem, UserQuery
from app.modules.tenancy.schemas.tenants import (
    CompanyChange,
    CompanyDetails,
    CompanyItem,
    CompanyQuery,
    NewCompany,
    PlatformChange,
    PlatformDetails,
    PlatformItem,
    PlatformQuery,
    VendorChange,
    VendorDetails,
    VendorItem,
    VendorQuery,
)
from app.modules.tenancy.services import company_service, platform_service, user_service, vendor_service

router = ApiRouter()


@router.admin("GET", "/companies", permission="tenancy.companies.view")
def companies_list(ctx: ApiContext, query: Annotated[CompanyQuery, Query()]) -> Page[CompanyItem]:
    """List companies."""
    return read_list(
        ctx,
        "tenancy.admin.companies",
        query,
        lambda row: CompanyItem(
            id=to_public("cmp", row.id),
            name=row.name,
            contact_email=row.contact_email,
            tax_number=row.tax_number,
            is_active=row.is_active,
            vendors=row.vendors,
            created_at=row.created_at,
        ),
    )


@router.admin("GET", "/companies/{company_id}", permission="tenancy.companies.view")
def companies_get(ctx: ApiContext, company_id: str) -> CompanyDetails:
    """Get a company."""
    return _company(company_service.get_company(ctx.session, key_of("cmp", company_id)))


@router.admin("POST", "/companies", permission="tenancy.companies.manage", status=201)
def companies_create(ctx: ApiContext, company: NewCompany) -> CompanyDetails:
    """Make a company."""
    key = company_service.create_company(ctx.session, **company.model_dump())
    ctx.location(f"/admin/companies/{to_public('cmp', key)}")
    return _company(company_service.get_company(ctx.session, key))


@router.admin("PATCH", "/companies/{company_id}", permission="tenancy.companies.manage", needs_version=True)
def companies_update(ctx: ApiContext, company_id: str, change: CompanyChange) -> CompanyDetails:
    """Change a company."""
    company = company_service.get_company(ctx.session, key_of("cmp", company_id))
    version = ctx.check_version(company.version)
    present = {name: getattr(company, name) for name in CompanyChange.model_fields}
    company_service.update_company(
        ctx.session, company.id, **(present | change.model_dump(exclude_unset=True)), version=version
    )
    return _company(company)


def _company(row: Company) -> CompanyDetails:
    return CompanyDetails(
        id=to_public("cmp", row.id),
        name=row.name,
        contact_email=row.contact_email,
        tax_number=row.tax_number,
        is_active=row.is_active,
        suspended_reason=row.suspended_reason,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )


@router.admin("GET", "/vendors", permission="tenancy.vendors.view")
def vendors_list(ctx: ApiContext, query: Annotated[VendorQuery, Query()]) -> Page[VendorItem]:
    """List vendors."""
    return read_list(
        ctx,
        "tenancy.admin.vendors",
        query,
        lambda row: VendorItem(
            id=to_public("vnd", row.id),
            code=row.code,
            name=row.name,
            company=row.company,
            platforms=row.platforms or [],
            default_language=row.default_language,
            is_active=row.is_active,
            created_at=row.created_at,
        ),
    )


@router.admin("GET", "/vendors/{vendor_id}", permission="tenancy.vendors.view")
def vendors_get(ctx: ApiContext, vendor_id: str) -> VendorDetails:
    """Get a vendor."""
    return _vendor(ctx, vendor_service.get_vendor_record(ctx.session, key_of("vnd", vendor_id)))


@router.admin("PATCH", "/vendors/{vendor_id}", permission="tenancy.vendors.manage", needs_version=True)
def vendors_update(ctx: ApiContext, vendor_id: str, change: VendorChange) -> VendorDetails:
    """Change a vendor's name or languages."""
    vendor = vendor_service.get_vendor_record(ctx.session, key_of("vnd", vendor_id))
    version = ctx.check_version(vendor.version)
    present = {name: getattr(vendor, name) for name in VendorChange.model_fields}
    vendor_service.update_vendor(
        ctx.session, vendor.id, **(present | change.model_dump(exclude_unset=True)), version=version
    )
    return _vendor(ctx, vendor)


def _vendor(ctx: ApiContext, row: Vendor) -> VendorDetails:
    platforms = vendor_service.list_platform_ids(ctx.session, row.id)
    return VendorDetails(
        id=to_public("vnd", row.id),
        code=row.code,
        name=row.name,
        company_id=to_public("cmp", row.company_id),
        platform_ids=sorted(to_public("plt", key) for key in platforms),
        subdomain=row.subdomain,
        default_language=row.default_language,
        dashboard_language=row.dashboard_language,
        is_active=row.is_active,
        suspended_reason=row.suspended_reason,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )


@router.admin("GET", "/platforms", permission="tenancy.platforms.view")
def platforms_list(ctx: ApiContext, query: Annotated[PlatformQuery, Query()]) -> Page[PlatformItem]:
    """List platforms."""
    return read_list(
        ctx,
        "tenancy.admin.platforms",
        query,
        lambda row: PlatformItem(
            id=to_public("plt", row.id),
            code=row.code,
            name=row.name,
            is_active=row.is_active,
            vendors=row.vendors,
            created_at=row.created_at,
        ),
    )


@router.admin("GET", "/platforms/{platform_id}", permission="tenancy.platforms.view")
def platforms_get(ctx: ApiContext, platform_id: str) -> PlatformDetails:
    """Get a platform."""
    return _platform(platform_service.get_platform(ctx.session, key_of("plt", platform_id)))


@router.admin("PATCH", "/platforms/{platform_id}", permission="tenancy.platforms.manage", needs_version=True)
def platforms_update(ctx: ApiContext, platform_id: str, change: PlatformChange) -> PlatformDetails:
    """Rename a platform."""
    platform = platform_service.get_platform(ctx.session, key_of("plt", platform_id))
    version = ctx.check_version(platform.version)
    wanted = {"name": platform.name} | change.model_dump(exclude_unset=True)
    platform_service.update_platform(ctx.session, platform.id, **wanted, version=version)
    return _platform(platform)


def _platform(row: Platform) -> PlatformDetails:
    return PlatformDetails(
        id=to_public("plt", row.id),
        code=row.code,
        name=row.name,
        is_active=row.is_active,
        suspended_reason=row.suspended_reason,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )


@router.admin("GET", "/users", permission="tenancy.users.view")
def users_list(ctx: ApiContext, query: Annotated[UserQuery, Query()]) -> Page[UserItem]:
    """List users."""
    return read_list(ctx, "tenancy.admin.users", query, lambda row: UserItem(**_user(row, row.has_two_step)))


@router.admin("GET", "/users/{user_id}", permission="tenancy.users.view")
def users_get(ctx: ApiContext, user_id: str) -> UserDetails:
    """Get a user with the places they belong to."""
    with acting_in(ctx.session, IdentityScope()):
        user = user_service.get_user(ctx.session, key_of("usr", user_id))
        places = user_service.list_belongings(ctx.session, user.id)
    return UserDetails(
        **_user(user, user.totp_confirmed_at is not None),
        places=[Place(kind=one.kind, name=one.name, role=one.role) for one in places],
    )


def _user(row: Any, has_two_step: bool) -> dict[str, Any]:
    names = ("name", "email", "is_super_admin", "is_active", "last_sign_in_at")
    shown = {name: getattr(row, name) for name in names}
    return {"id": to_public("usr", row.id), "has_two_step": has_two_step, **shown}
