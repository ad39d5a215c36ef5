"""What a form asks of parcels, where goods are sent and where their numbers are put right."""

from collections.abc import Mapping
from typing import Any

from app.core.errors import ValidationFailedError
from app.modules.orders.contracts import NewParcel
from app.modules.orders.services import carrier_service
from app.modules.pagekit.forms import Field
from app.modules.pages import PageContext

_MOST_PARCELS = 50


def parcel_fields(ctx: PageContext) -> list[Field]:
    """Who carries the parcels, and their numbers."""
    carriers = [(one.code, one.name) for one in carrier_service.list_carriers(ctx.session)]
    return [
        Field(
            "carrier",
            "orders.forms.carrier",
            "select",
            is_required=False,
            options=lambda ctx: [("", ctx.t("orders.forms.no_carrier")), *carriers],
            section_key="orders.forms.parcels",
        ),
        Field(
            "tracking",
            "orders.forms.tracking",
            "textarea",
            is_required=False,
            hint_key="orders.forms.tracking_hint",
            max_length=2000,
        ),
    ]


def parcels_of(values: Mapping[str, Any]) -> list[NewParcel]:
    """A parcel for each tracking number; one without where there is a carrier only."""
    numbers = [line.strip() for line in values["tracking"].splitlines() if line.strip()]
    if len(numbers) > _MOST_PARCELS:
        raise ValidationFailedError("Too many parcels.", message_key="orders.forms.too_many_parcels")
    if numbers and not values["carrier"]:
        raise ValidationFailedError("No carrier.", message_key="orders.forms.carrier_missing")
    if values["carrier"] and not numbers:
        return [NewParcel(values["carrier"])]
    return [NewParcel(values["carrier"], number) for number in numbers]
