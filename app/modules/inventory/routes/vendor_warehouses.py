"""Warehouses: the list, a new one, changing one, and putting one out of use."""

import re
from collections.abc import Mapping
from typing import Any

from app.core.errors import FieldError, ValidationFailedError
from app.modules.inventory.exceptions import WarehouseCodeTakenError, WarehouseInUseError
from app.modules.inventory.models.level import Warehouse
from app.modules.inventory.services import list_service as lists
from app.modules.inventory.services import warehouse_service
from app.modules.inventory.services.warehouse_service import WAREHOUSE_PREFIX
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FieldProblem, FormSpec
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Link, ListSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_F, _EDIT = "inventory.fields", "inventory.settings.edit"
_FIRST_PRIORITY = 100

mount_list(
    router,
    ListSpec(
        page_id="inventory.vendor.warehouses",
        texts="inventory.warehouses",
        select=lists.select_warehouses,
        key=Warehouse.id,
        columns=(
            Column("code", f"{_F}.code", "code", sort=Warehouse.code),
            Column("name", f"{_F}.name", is_wide=True),
            Column("priority", f"{_F}.priority", "number", sort=Warehouse.priority),
            Column("on_hand", f"{_F}.on_hand", "number"),
            Column("reserved", f"{_F}.reserved", "number"),
            Column("is_default", f"{_F}.is_default", "flag"),
            Column(
                "state",
                f"{_F}.state",
                "badge",
                text_prefix="inventory.warehouse_states",
                tones={"used": "success", "archived": "neutral"},
            ),
        ),
        default_sort="priority",
        search=lambda words: (
            Warehouse.name.icontains(words, autoescape=True)
            | Warehouse.code.istartswith(words, autoescape=True)
        ),
        actions=(Link("inventory.pages.new_warehouse", "inventory.vendor.new_warehouse", _EDIT, "plus"),),
        row_page="inventory.vendor.warehouse",
        row_id="warehouse_id",
        prefix=WAREHOUSE_PREFIX,
        icon="warehouse",
        has_intro=True,
    ),
)


def _code(typed: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,20}", typed):
        raise FieldProblem("inventory.new_warehouse.code_refused")
    return typed.upper()


def _priority(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit()) or int(typed) > 10**6:
        raise FieldProblem("ui.form.number")
    return int(typed)


_NAME = Field("name", f"{_F}.name", max_length=100)
_PRIORITY = Field(
    "priority",
    f"{_F}.priority",
    max_length=7,
    clean=_priority,
    hint_key="inventory.new_warehouse.priority_hint",
    attrs={"inputmode": "numeric"},
)


def _back(ctx: PageContext) -> tuple[str, str]:
    return ctx.url("inventory.vendor.warehouses"), ctx.t("inventory.pages.warehouses")


def _create(ctx: PageContext, values: Mapping[str, Any]) -> str:
    try:
        warehouse_service.create_warehouse(
            ctx.session, ctx.vendor.id, code=values["code"], name=values["name"], priority=values["priority"]
        )
    except WarehouseCodeTakenError as error:
        refused = FieldError("code", "taken", error.message_key, error.params)
        raise ValidationFailedError(errors=[refused]) from None
    return ctx.url("inventory.vendor.warehouses")


mount_form(
    router,
    FormSpec(
        "inventory.vendor.new_warehouse",
        "inventory.new_warehouse",
        (
            Field(
                "code", f"{_F}.code", max_length=20, clean=_code, hint_key="inventory.new_warehouse.code_hint"
            ),
            _NAME,
            _PRIORITY,
        ),
        _create,
        load=lambda _ctx: {"priority": _FIRST_PRIORITY},
        back=_back,
    ),
)


def _warehouse(ctx: PageContext) -> Warehouse:
    return warehouse_service.get_warehouse(ctx.session, public_id(WAREHOUSE_PREFIX, ctx.path["warehouse_id"]))


def _load(ctx: PageContext) -> Mapping[str, Any]:
    found = _warehouse(ctx)
    return {
        "name": found.name,
        "priority": found.priority,
        "is_default": found.is_default,
        "is_archived": found.archived_at is not None,
        "version": found.version,
    }


def _save(ctx: PageContext, values: Mapping[str, Any]) -> str:
    found = _warehouse(ctx)
    warehouse_service.change_warehouse(
        ctx.session,
        found,
        name=values["name"],
        priority=values["priority"],
        is_default=values["is_default"],
    )
    try:
        if values["is_archived"] and found.archived_at is None:
            warehouse_service.archive_warehouse(ctx.session, found)
        elif not values["is_archived"] and found.archived_at is not None:
            warehouse_service.restore_warehouse(ctx.session, found)
    except WarehouseInUseError as error:
        refused = FieldError("is_archived", "in_use", error.message_key, error.params)
        raise ValidationFailedError(errors=[refused]) from None
    return ctx.url("inventory.vendor.warehouses")


mount_form(
    router,
    FormSpec(
        "inventory.vendor.warehouse",
        "inventory.warehouse",
        (
            _NAME,
            _PRIORITY,
            Field(
                "is_default",
                f"{_F}.is_default",
                "checkbox",
                is_required=False,
                hint_key="inventory.warehouse.default_hint",
            ),
            Field(
                "is_archived",
                f"{_F}.is_archived",
                "checkbox",
                is_required=False,
                hint_key="inventory.warehouse.archived_hint",
            ),
        ),
        _save,
        load=_load,
        title=lambda ctx: _warehouse(ctx).code,
        back=_back,
    ),
)
