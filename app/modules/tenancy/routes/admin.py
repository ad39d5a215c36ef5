"""Admin pages of tenancy."""

from fastapi import Response

from app.modules.pages import PageContext
from app.modules.routing import AreaRouter
from app.modules.tenancy.services import tenant_service

router = AreaRouter("admin")


@router.page("tenancy.admin.vendors")
def vendors(ctx: PageContext) -> Response:
    """All vendors of the admin's platforms."""
    return ctx.render("tenancy/admin/vendors.html", vendors=tenant_service.list_vendors(ctx.session))
