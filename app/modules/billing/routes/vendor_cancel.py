"""Ending the subscription with its period."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.i18n import format_date
from app.core.ids import to_public
from app.modules.billing.enums import CancelFeedback, SubscriptionStatus
from app.modules.billing.services import stripe_request_service, subscription_service
from app.modules.billing.services.asking_service import asker
from app.modules.billing.services.stripe_request_service import REQUEST_PREFIX
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")
_PLAN = "billing.vendor.plan"


def _fields(ctx: PageContext) -> Sequence[Field]:
    """What happens, and why they leave."""
    found = subscription_service.find_subscription(ctx.session, ctx.vendor.id)
    note: list[Field] = []
    if found is not None:
        is_trial = found.status == SubscriptionStatus.TRIAL and found.trial_ends_at is not None
        end = found.trial_ends_at if is_trial and found.trial_ends_at else found.period_end
        date = format_date(ctx.language, end, "long", timezone=ctx.time_zone)
        note = [Field("what", "", "note", label=ctx.t("billing.cancel.what", date=date))]
    reason = Field(
        "reason",
        "billing.cancel.reason",
        "textarea",
        is_required=False,
        hint_key="billing.cancel.reason_hint",
        max_length=500,
    )
    feedback = Field(
        "feedback",
        "billing.cancel.feedback",
        "radios",
        is_required=False,
        options=[(one.value, f"billing.cancel_feedback.{one}") for one in CancelFeedback],
    )
    return [*note, feedback, reason]


def _save(ctx: PageContext, values: Mapping[str, Any]) -> str:
    feedback = CancelFeedback(values["feedback"]) if values["feedback"] else None
    asked = stripe_request_service.ask_cancel(
        ctx.session, ctx.vendor.id, asker(ctx), values["reason"], feedback
    )
    if asked is None:
        ctx.flash("success", "billing.done.cancel")
        return ctx.url(_PLAN)
    return ctx.url("billing.vendor.request", asked=to_public(REQUEST_PREFIX, asked))


mount_form(
    router,
    FormSpec(
        "billing.vendor.cancel",
        "billing.cancel",
        _fields,
        _save,
        back=lambda ctx: (ctx.url(_PLAN), ctx.t("billing.pages.plan")),
        is_danger=True,
        in_read_only=True,
    ),
)
