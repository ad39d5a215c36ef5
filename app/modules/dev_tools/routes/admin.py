"""The gallery of the UI kit, and the map of all pages."""

from types import SimpleNamespace

from fastapi import Response

from app.core import clock
from app.modules.menu import AREA_ROOTS, pages
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("admin")


@router.page("dev-tools.admin.gallery")
def gallery(ctx: PageContext) -> Response:
    """Every macro of the kit once; the template is the reference by example."""
    return ctx.render(
        "dev-tools/admin/gallery.html",
        active=False,
        query="gloves",
        started=clock.system_now(),
        rows=[SimpleNamespace(name="Bowl", cents=4692), SimpleNamespace(name="Bell", cents=990)],
        filters=[
            {
                "name": name,
                "label": name.capitalize(),
                "value": "",
                "options": [("draft", "Draft"), ("live", "Live")],
            }
            for name in ("status", "channel", "stock", "brand")
        ],
        errors={"name": "Write a name."} if "errors" in ctx.request.query_params else {},
    )


@router.page("dev-tools.admin.pages")
def page_map(ctx: PageContext) -> Response:
    """All declared pages, with address, kind and permission."""
    found = sorted(pages().values(), key=lambda page: (page.area, page.path))
    return ctx.render("dev-tools/admin/pages.html", pages=found, roots=AREA_ROOTS)
