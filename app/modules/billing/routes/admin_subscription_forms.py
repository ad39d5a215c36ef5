"""What the operator does with a subscription by a form: trial, plan, paid period, cancellation, exceptions."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.errors import ValidationFailedError
from app.core.ids import to_public
from app.modules.billing.contracts import By, OverrideInput
from app.modules.billing.enums import ChangeSource, Interval
from app.modules.billing.exceptions import BillingException
from app.modules.billing.models.subscription import Subscription
from app.modules.billing.services import (
    limit_service,
    stripe_request_service,
    subscription_service,
    tier_service,
)
from app.modules.billing.services import operator_list_service as lists
from app.modules.billing.services.history_service import SUBSCRIPTION_PREFIX
from app.modules.entitlements import features
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FormSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id
from app.modules.tenancy.facade import find_vendor

router = AreaRouter("admin")
_F = "billing.admin.fields"
Act = Callable[[PageContext, Subscription, By, Mapping[str, Any]], UUID | None]


def _subscription(ctx: PageContext) -> Subscription:
    return lists.get_subscription(ctx.session, public_id(SUBSCRIPTION_PREFIX, ctx.path["subscription_id"]))


def _back(ctx: PageContext) -> tuple[str, str]:
    found = _subscription(ctx)
    vendor = find_vendor(vendor_id=found.vendor_id)
    url = ctx.url("billing.admin.subscription", subscription_id=to_public(SUBSCRIPTION_PREFIX, found.id))
    return url, vendor.name if vendor else ctx.t("billing.admin_pages.subscription")


def _mount(
    name: str,
    fields: Sequence[Field],
    act: Act,
    load: Callable[[PageContext], Mapping[str, Any]] = lambda _ctx: {},
    *,
    is_danger: bool = False,
) -> None:
    """A form whose act is done at once (None) or asked of Stripe (the request's id)."""

    def save(ctx: PageContext, values: Mapping[str, Any]) -> str:
        by = By(ChangeSource.USER, ctx.who.user_id)
        try:
            asked = act(ctx, _subscription(ctx), by, values)
        except ValidationFailedError:
            raise
        except BillingException as error:  # said above the form, with everything typed kept
            raise ValidationFailedError(
                error.detail, message_key=error.message_key, **error.params
            ) from error
        ctx.flash("info" if asked else "success", "billing.admin.asked" if asked else "billing.admin.done")
        return _back(ctx)[0]

    mount_form(
        router,
        FormSpec(
            f"billing.admin.subscription_{name}",
            f"billing.admin.subscription_{name}",
            fields,
            save,
            load=load,
            back=_back,
            has_intro=True,
            is_danger=is_danger,
        ),
    )


def _extend(ctx: PageContext, found: Subscription, by: By, values: Mapping[str, Any]) -> UUID | None:
    return stripe_request_service.ask_trial_extension(
        ctx.session, found.vendor_id, by, values["days"], values["reason"]
    )


def _change(ctx: PageContext, found: Subscription, by: By, values: Mapping[str, Any]) -> UUID | None:
    tier, interval = values["tier"], values["interval"]
    return stripe_request_service.ask_change(ctx.session, found.vendor_id, by, tier, interval)


def _activate(ctx: PageContext, found: Subscription, by: By, values: Mapping[str, Any]) -> None:
    tier, interval = values["tier"], values["interval"]
    subscription_service.activate(ctx.session, found.vendor_id, tier, by, interval)


def _cancel(ctx: PageContext, found: Subscription, by: By, values: Mapping[str, Any]) -> UUID | None:
    return stripe_request_service.ask_cancel(ctx.session, found.vendor_id, by, values["reason"])


def _set_limit(ctx: PageContext, found: Subscription, by: By, values: Mapping[str, Any]) -> None:
    expires_at = None
    if values["expires_at"] is not None:  # the whole of that day, where the operator is
        after = values["expires_at"] + timedelta(days=1)
        expires_at = datetime.combine(after, time(), ZoneInfo(ctx.time_zone)).astimezone(UTC)
    wanted = OverrideInput(values["limit_value"], values["reason"], expires_at)
    limit_service.add_override(ctx.session, found.vendor_id, values["feature_code"], wanted, by)


def _tiers(ctx: PageContext) -> Sequence[tuple[str, str]]:
    found = tier_service.list_tiers(ctx.session, _subscription(ctx).platform_id)
    return [(one.code, tier_service.name_of(one.names, ctx.language)) for one in found]


def _features(ctx: PageContext) -> Sequence[tuple[str, str]]:
    return [(code, ctx.t(one.label_key)) for code, one in features().items()]


def _plan(ctx: PageContext) -> Mapping[str, Any]:
    found = _subscription(ctx)
    tier = tier_service.get_tier(ctx.session, found.tier_id)
    return {"tier": tier.code, "interval": found.interval}


def _reason(*, is_required: bool = True) -> Field:
    return Field("reason", f"{_F}.reason", "textarea", is_required=is_required, max_length=500)


_PLAN = (
    Field("tier", f"{_F}.tier", "radios", options=_tiers),
    Field(
        "interval",
        f"{_F}.interval",
        "radios",
        options=[(one.value, f"billing.intervals.{one}") for one in Interval],
    ),
)
_mount("trial", (Field("days", f"{_F}.days", "number", max_length=3), _reason()), _extend)
_mount("plan", _PLAN, _change, _plan)
_mount("activate", _PLAN, _activate, _plan)
_mount("cancel", (_reason(is_required=False),), _cancel, is_danger=True)
_mount(
    "limit",
    (
        Field("feature_code", f"{_F}.feature", "select", options=_features),
        Field(
            "limit_value",
            f"{_F}.limit",
            "number",
            is_required=False,
            hint_key="billing.admin.hints.limit_value",
            max_length=12,
        ),
        _reason(),
        Field(
            "expires_at",
            f"{_F}.expires_at",
            "date",
            is_required=False,
            hint_key="billing.admin.hints.expires_at",
        ),
    ),
    _set_limit,
)
