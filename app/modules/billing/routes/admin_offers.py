"""What is done alike with plans and add-ons: sold no more, sold again, told to Stripe."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Response
from sqlalchemy.orm import Session

from app.modules.billing.contracts import By
from app.modules.billing.enums import ChangeSource
from app.modules.billing.services import addon_service, stripe_request_service, tier_service
from app.modules.billing.services import operator_list_service as lists
from app.modules.billing.services.addon_service import ADDON_PREFIX
from app.modules.billing.services.tier_service import TIER_PREFIX
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("admin")


@dataclass(frozen=True, slots=True)
class _Kind:
    """``name``: tier or addon; ``get`` gives one of the reader's platforms, the others do something with it."""

    name: str
    prefix: str
    get: Callable[[Session, UUID], Any]
    archive: Callable[[Session, UUID], None]
    restore: Callable[[Session, UUID], None]
    sync: Callable[[Session, UUID, By], UUID]


_KINDS = (
    _Kind(
        "tier",
        TIER_PREFIX,
        lists.get_tier,
        tier_service.archive_tier,
        tier_service.restore_tier,
        stripe_request_service.ask_tier_sync,
    ),
    _Kind(
        "addon",
        ADDON_PREFIX,
        lists.get_addon,
        addon_service.archive_addon,
        addon_service.restore_addon,
        stripe_request_service.ask_addon_sync,
    ),
)


def _mount(kind: _Kind) -> None:
    param = f"{kind.name}_id"

    def act(name: str, tone: str, text_key: str, work: Callable[[PageContext, UUID], object]) -> None:
        def done(ctx: PageContext) -> Response:
            key: UUID = kind.get(ctx.session, public_id(kind.prefix, ctx.path[param])).id
            work(ctx, key)
            ctx.flash(tone, text_key)
            return ctx.redirect(f"billing.admin.{kind.name}", **{param: ctx.path[param]})

        done.__name__ = f"{name}_{kind.name}"
        router.action(f"/billing/{kind.name}s/{{{param}}}/{name}", permission="billing.manage_tiers")(done)

    act("archive", "success", "billing.admin.archived", lambda ctx, key: kind.archive(ctx.session, key))
    act("restore", "success", "billing.admin.restored", lambda ctx, key: kind.restore(ctx.session, key))
    act(
        "sync",
        "info",
        "billing.admin.asked",
        lambda ctx, key: kind.sync(ctx.session, key, By(ChangeSource.USER, ctx.who.user_id)),
    )


for _kind in _KINDS:
    _mount(_kind)
