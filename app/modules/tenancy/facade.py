"""What other modules may ask of tenancy."""

from app.modules.tenancy.services.audit_service import record as record_audit
from app.modules.tenancy.services.tenant_service import (
    create_company,
    create_platform,
    create_role,
    create_vendor,
    find_vendor,
    get_vendor,
)
from app.modules.tenancy.services.user_service import add_membership, create_user

__all__ = [
    "add_membership",
    "create_company",
    "create_platform",
    "create_role",
    "create_user",
    "create_vendor",
    "find_vendor",
    "get_vendor",
    "record_audit",
]
