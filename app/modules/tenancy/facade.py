"""What other modules may ask of tenancy."""

from app.modules.tenancy.services.audit_service import record as record_audit
from app.modules.tenancy.services.audit_service import user_names
from app.modules.tenancy.services.company_service import create_company
from app.modules.tenancy.services.figure_service import count_tenants, list_known_vendors
from app.modules.tenancy.services.identity_service import admin_holder, vendor_holder
from app.modules.tenancy.services.place_service import list_users_with, other_places
from app.modules.tenancy.services.platform_service import create_platform, list_platforms
from app.modules.tenancy.services.role_service import create_role
from app.modules.tenancy.services.session_service import Browser
from app.modules.tenancy.services.sign_up_service import (
    NewOwner,
    NewShop,
    SignedUp,
    check_shop,
    has_account,
    new_owner,
    sign_up,
)
from app.modules.tenancy.services.user_service import (
    add_membership,
    create_user,
    find_users,
    normalise_email,
    require_email,
)
from app.modules.tenancy.services.vendor_service import create_vendor, find_vendor, get_vendor, vendor_names

__all__ = [
    "Browser",
    "NewOwner",
    "NewShop",
    "SignedUp",
    "add_membership",
    "admin_holder",
    "check_shop",
    "count_tenants",
    "create_company",
    "create_platform",
    "create_role",
    "create_user",
    "create_vendor",
    "find_users",
    "find_vendor",
    "get_vendor",
    "has_account",
    "list_known_vendors",
    "list_platforms",
    "list_users_with",
    "new_owner",
    "normalise_email",
    "other_places",
    "record_audit",
    "require_email",
    "sign_up",
    "user_names",
    "vendor_holder",
    "vendor_names",
]
