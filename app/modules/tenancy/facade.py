"""What other modules may ask of tenancy."""

from app.modules.tenancy.services.audit_service import record as record_audit
from app.modules.tenancy.services.audit_service import user_names
from app.modules.tenancy.services.company_service import create_company
from app.modules.tenancy.services.figure_service import count_tenants
from app.modules.tenancy.services.identity_service import admin_holder, vendor_holder
from app.modules.tenancy.services.place_service import list_users_with, other_places
from app.modules.tenancy.services.platform_service import create_platform, list_platforms
from app.modules.tenancy.services.role_service import create_role
from app.modules.tenancy.services.user_service import add_membership, create_user, find_users
from app.modules.tenancy.services.vendor_service import create_vendor, find_vendor, get_vendor, vendor_names

__all__ = [
    "add_membership",
    "admin_holder",
    "count_tenants",
    "create_company",
    "create_platform",
    "create_role",
    "create_user",
    "create_vendor",
    "find_users",
    "find_vendor",
    "get_vendor",
    "list_platforms",
    "list_users_with",
    "other_places",
    "record_audit",
    "user_names",
    "vendor_holder",
    "vendor_names",
]
