"""The addresses at which others fetch the vendor's files."""

from typing import Any

from fastapi import Response

from app.core.i18n import LANGUAGES
from app.core.ids import to_public
from app.modules.marketplace.services import export_sending_service, feed_link_service
from app.modules.marketplace.services.feed_export_service import EXPORT_PREFIX
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")

_CREATE = "marketplace.exports.create"


@router.page("marketplace.vendor.export_links")
def export_links(ctx: PageContext) -> Response:
    """An address for each language, and what it gives now."""
    here = ctx.url("marketplace.vendor.export_links")
    return ctx.render(
        "marketplace/vendor/export_links.html",
        back=(ctx.url("marketplace.vendor.exports"), ctx.t("marketplace.exports.title")),
        links=[_link(ctx, language) for language in LANGUAGES],
        renew_url=f"{here}/renew" if _CREATE in ctx.who.permissions else None,
    )


@router.action("/exports/addresses/renew", permission=_CREATE)
def renew_links(ctx: PageContext) -> Response:
    """End the addresses that were given out, and make others."""
    feed_link_service.renew_link(ctx.session, vendor_id=ctx.vendor.id)
    ctx.flash("success", "marketplace.export_links.renewed")
    return ctx.redirect("marketplace.vendor.export_links")


def _link(ctx: PageContext, language: str) -> dict[str, Any]:
    sent = export_sending_service.find_sent(ctx.session, language)
    return {
        "language": language,
        "address": feed_link_service.feed_address(ctx.session, vendor_id=ctx.vendor.id, language=language),
        "sent": sent,
        "export_url": ctx.url("marketplace.vendor.export", export_id=to_public(EXPORT_PREFIX, sent.id))
        if sent
        else None,
    }
