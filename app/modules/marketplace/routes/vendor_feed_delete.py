"""Removing a feed, after saying what goes with it."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.i18n import format_number
from app.modules.marketplace.models.feed import Feed
from app.modules.marketplace.services import feed_edit_service, feed_service
from app.modules.marketplace.services.feed_service import FEED_PREFIX
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FieldProblem, FormSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")


def _own(ctx: PageContext) -> Feed:
    return feed_service.get_feed(ctx.session, public_id(FEED_PREFIX, ctx.path["feed_id"]))


def _fields(ctx: PageContext) -> Sequence[Field]:
    feed = _own(ctx)
    rows = format_number(ctx.language, feed_edit_service.count_rows(ctx.session, feed.id))

    def same_name(typed: str) -> str:
        if typed != feed.name:
            raise FieldProblem("marketplace.feed_delete.other_name", name=feed.name)
        return typed

    return (
        Field("goes", "", "note", label=ctx.t("marketplace.feed_delete.goes", rows=rows)),
        Field("stays", "", "note", label=ctx.t("marketplace.feed_delete.stays")),
        Field("name", "", label=ctx.t("marketplace.feed_delete.name", name=feed.name), clean=same_name),
    )


def _delete(ctx: PageContext, _values: Mapping[str, Any]) -> str:
    feed_edit_service.delete_feed(ctx.session, _own(ctx).id)
    return ctx.url("marketplace.vendor.feeds")


mount_form(
    router,
    FormSpec(
        "marketplace.vendor.feed_delete",
        "marketplace.feed_delete",
        _fields,
        _delete,
        back=lambda ctx: (ctx.url("marketplace.vendor.feed", feed_id=ctx.path["feed_id"]), _own(ctx).name),
        is_danger=True,
        in_read_only=True,
    ),
)
