"""Companies, vendors, platforms and users in the operator's API."""

from typing import Annotated

from fastapi import Query

from app.core.database import IdentityScope, acting_in
from app.core.ids import to_public
from app.modules.api import ApiContext, ApiRouter, Page, key_of
from app.modules.api.answers import shown
from app.modules.api.pages import read_list
from app.modules.tenancy.models.tenant import Company, Platform, Vendor
from app.modules.tenancy.schemas.people import Place, RoleItem, RoleQuery, UserDetails, UserItem, UserQuery
from app.modules.tenancy.schemas.tenants import (
    CompanyChange,
    CompanyDetails,
    CompanyItem,
    CompanyQuery,
    NewCompany,
    NewPlatform,
    NewVendor,
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
    return read_list(ctx, "tenancy.admin.companies", query, lambda row: shown(CompanyItem, row, "cmp"))


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
    return shown(CompanyDetails, row, "cmp")


@router.admin("GET", "/vendors", permission="tenancy.vendors.view")
def vendors_list(ctx: ApiContext, query: Annotated[VendorQuery, Query()]) -> Page[VendorItem]:
    """List vendors."""
    return read_list(
        ctx,
        "tenancy.admin.vendors",
        query,
        lambda row: shown(VendorItem, row, "vnd", platforms=row.platforms or []),
    )


@router.admin("GET", "/vendors/{vendor_id}", permission="tenancy.vendors.view")
def vendors_get(ctx: ApiContext, vendor_id: str) -> VendorDetails:
    """Get a vendor."""
    return _vendor(ctx, vendor_service.get_vendor_record(ctx.session, key_of("vnd", vendor_id)))


@router.admin("POST", "/vendors", permission="tenancy.vendors.manage", status=201)
def vendors_create(ctx: ApiContext, vendor: NewVendor) -> VendorDetails:
    """Make a vendor of a company on one or more platforms."""
    company = company_service.get_company(ctx.session, key_of("cmp", vendor.company_id))
    key = vendor_service.create_vendor(
        ctx.session,
        company_id=company.id,
        platform_ids=[key_of("plt", one) for one in vendor.platform_ids],
        code=vendor.code,
        name=vendor.name,
        language=vendor.default_language,
    )
    ctx.location(f"/admin/vendors/{to_public('vnd', key)}")
    return _vendor(ctx, vendor_service.get_vendor_record(ctx.session, key))


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
    return shown(
        VendorDetails,
        row,
        "vnd",
        company_id=to_public("cmp", row.company_id),
        platform_ids=sorted(to_public("plt", key) for key in platforms),
    )


@router.admin("GET", "/platforms", permission="tenancy.platforms.view")
def platforms_list(ctx: ApiContext, query: Annotated[PlatformQuery, Query()]) -> Page[PlatformItem]:
    """List platforms."""
    return read_list(ctx, "tenancy.admin.platforms", query, lambda row: shown(PlatformItem, row, "plt"))


@router.admin("GET", "/platforms/{platform_id}", permission="tenancy.platforms.view")
def platforms_get(ctx: ApiContext, platform_id: str) -> PlatformDetails:
    """Get a platform."""
    return _platform(platform_service.get_platform(ctx.session, key_of("plt", platform_id)))


@router.admin("POST", "/platforms", permission="tenancy.platforms.manage", status=201)
def platforms_create(ctx: ApiContext, platform: NewPlatform) -> PlatformDetails:
    """Make a platform."""
    key = platform_service.create_platform(ctx.session, code=platform.code, name=platform.name)
    ctx.location(f"/admin/platforms/{to_public('plt', key)}")
    return _platform(platform_service.get_platform(ctx.session, key))


@router.admin("PATCH", "/platforms/{platform_id}", permission="tenancy.platforms.manage", needs_version=True)
def platforms_update(ctx: ApiContext, platform_id: str, change: PlatformChange) -> PlatformDetails:
    """Rename a platform."""
    platform = platform_service.get_platform(ctx.session, key_of("plt", platform_id))
    version = ctx.check_version(platform.version)
    wanted = {"name": platform.name} | change.model_dump(exclude_unset=True)
    platform_service.update_platform(ctx.session, platform.id, **wanted, version=version)
    return _platform(platform)


def _platform(row: Platform) -> PlatformDetails:
    return shown(PlatformDetails, row, "plt")


@router.admin("GET", "/roles", permission="tenancy.operator_roles.view")
def operator_roles_list(ctx: ApiContext, query: Annotated[RoleQuery, Query()]) -> Page[RoleItem]:
    """List the roles of the operator's people."""
    return read_list(ctx, "tenancy.admin.roles", query, lambda row: shown(RoleItem, row, "orl"))


@router.admin("GET", "/users", permission="tenancy.users.view")
def users_list(ctx: ApiContext, query: Annotated[UserQuery, Query()]) -> Page[UserItem]:
    """List users."""
    return read_list(ctx, "tenancy.admin.users", query, lambda row: shown(UserItem, row, "usr"))


@router.admin("GET", "/users/{user_id}", permission="tenancy.users.view")
def users_get(ctx: ApiContext, user_id: str) -> UserDetails:
    """Get a user with the places they belong to."""
    with acting_in(ctx.session, IdentityScope()):
        user = user_service.get_user(ctx.session, key_of("usr", user_id))
        places = user_service.list_belongings(ctx.session, user.id)
    return shown(
        UserDetails,
        user,
        "usr",
        has_two_step=user.totp_confirmed_at is not None,
        places=[Place(kind=one.kind, name=one.name, role=one.role) for one in places],
    )
