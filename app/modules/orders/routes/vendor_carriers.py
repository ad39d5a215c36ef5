"""A vendor's own carriers, and its own words for those that everybody has."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, case, select

from app.core.errors import FieldError, ValidationFailedError
from app.modules.orders.models.shipment import Carrier
from app.modules.orders.services import carrier_service
from app.modules.orders.services.carrier_service import CARRIER_PREFIX, CarrierView
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FieldProblem, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")
_T, _EDIT = "orders.carriers", "orders.settings.edit"
_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


def _select(*_: object) -> Select[Any]:
    state = case((Carrier.is_active, "used"), else_="put_away")
    columns = (Carrier.id, Carrier.code, Carrier.name, Carrier.tracking_url, state.label("state"))
    return select(*columns)


mount_list(
    router,
    ListSpec(
        page_id="orders.vendor.carriers",
        texts=_T,
        select=_select,
        key=Carrier.id,
        columns=(
            Column("name", f"{_T}.name", sort=Carrier.name),
            Column("code", f"{_T}.code", "code", sort=Carrier.code),
            Column("tracking_url", f"{_T}.tracking_url", "code", is_wide=True),
            Column(
                "state",
                "orders.fields.status",
                "badge",
                text_prefix=f"{_T}.states",
                tones={"used": "success", "put_away": "neutral"},
            ),
        ),
        default_sort="name",
        search=lambda words: (
            Carrier.name.icontains(words, autoescape=True) | Carrier.code.istartswith(words, autoescape=True)
        ),
        actions=(Link("orders.pages.new_carrier", "orders.vendor.new_carrier", _EDIT, "plus"),),
        row_page="orders.vendor.carrier",
        row_id="carrier_id",
        prefix=CARRIER_PREFIX,
        icon="truck",
        has_intro=True,
    ),
)


def _code(typed: str) -> str:
    if not _CODE.fullmatch(typed):
        raise FieldProblem("orders.errors.carrier_code")
    return typed


def _tracking(typed: str) -> str:
    if not carrier_service.is_tracking_url(typed):
        raise FieldProblem(f"{_T}.tracking_url_wrong")
    return typed


_FIELDS = (
    Field("name", f"{_T}.name", max_length=60),
    Field(
        "tracking_url",
        f"{_T}.tracking_url",
        is_required=False,
        max_length=300,
        clean=_tracking,
        hint_key=f"{_T}.tracking_url_hint",
    ),
)


def _back(ctx: PageContext) -> tuple[str, str]:
    return ctx.url("orders.vendor.carriers"), ctx.t("orders.pages.carriers")


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    if carrier_service.find_carrier(ctx.session, values["code"]) is not None:
        raise ValidationFailedError(errors=[FieldError("code", "taken", f"{_T}.code_taken", {})])
    said = CarrierView(values["code"], values["name"], values["tracking_url"] or None)
    carrier_service.save_carrier(ctx.session, ctx.vendor.id, None, said, is_active=True)
    return ctx.url("orders.vendor.carriers")


mount_form(
    router,
    FormSpec(
        "orders.vendor.new_carrier",
        "orders.new_carrier",
        (Field("code", f"{_T}.code", max_length=40, clean=_code, hint_key=f"{_T}.code_hint"), *_FIELDS),
        _create,
        back=_back,
        has_intro=True,
    ),
)


def _carrier(ctx: PageContext) -> Carrier:
    return carrier_service.get_carrier(ctx.session, public_id(CARRIER_PREFIX, ctx.path["carrier_id"]))


def _load(ctx: PageContext) -> Mapping[str, Any]:
    row = _carrier(ctx)
    return {name: getattr(row, name) for name in ("name", "tracking_url", "is_active", "version")}


def _save(ctx: PageContext, values: Mapping[str, Any]) -> str:
    row = _carrier(ctx)
    said = CarrierView(row.code, values["name"], values["tracking_url"] or None)
    carrier_service.save_carrier(ctx.session, ctx.vendor.id, row, said, is_active=values["is_active"])
    return ctx.url("orders.vendor.carriers")


mount_form(
    router,
    FormSpec(
        "orders.vendor.carrier",
        "orders.carrier",
        (*_FIELDS, Field("is_active", f"{_T}.is_active", "checkbox", is_required=False)),
        _save,
        load=_load,
        title=lambda ctx: _carrier(ctx).name,
        back=_back,
    ),
)
