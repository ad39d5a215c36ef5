"""The vendor's page of wishes."""

from app.modules.wishlist.models.wish import Wish
from fastapi import Response
from sqlalchemy import select

from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")


@router.page("wishlist.vendor.wishes")
def wishes(ctx: PageContext) -> Response:
    """All wishes."""
    found = ctx.session.scalars(select(Wish).order_by(Wish.id)).all()
    return ctx.render("wishlist/wishes.html", wishes=found)
