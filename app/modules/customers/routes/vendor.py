"""The vendor's customers: the list."""

from collections.abc import Sequence

from app.modules.customers.enums import CustomerStatus
from app.modules.customers.models.customer import Customer
from app.modules.customers.services import customer_service
from app.modules.customers.services.customer_service import PREFIX
from app.modules.customers.services.detail_service import STATUS_TONES
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, Link, ListSpec, RowLink, View
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")

_EDIT = "customers.customers.edit"
_F = "customers.fields"
_YES_NO = (("yes", "ui.yes"), ("no", "ui.no"))


def _is_yes(chosen: Sequence[str]) -> list[bool]:
    return [one == "yes" for one in chosen]


CUSTOMERS = ListSpec(
    page_id="customers.vendor.customers",
    texts="customers.customers",
    select=lambda _session, _language: customer_service.select_customers(),
    key=Customer.id,
    columns=(
        Column("name", f"{_F}.name", is_wide=True),
        Column("email", f"{_F}.email", sort=Customer.email_norm),
        Column("company_name", f"{_F}.company_name", sort=Customer.company_name, is_default=False),
        Column("phone", f"{_F}.phone", is_default=False),
        Column("status", f"{_F}.status", "badge", text_prefix="customers.status", tones=STATUS_TONES),
        Column("orders_count", f"{_F}.orders_count", "number", sort=Customer.orders_count),
        Column("spent_cents", f"{_F}.spent_cents", "money", sort=Customer.spent_cents),
        Column("last_order_at", f"{_F}.last_order_at", "date", sort=Customer.last_order_at),
        Column("source_channel", f"{_F}.source_channel", "code", is_default=False),
        Column("language", f"{_F}.language", "badge", text_prefix="core.languages", is_default=False),
        Column("created_at", f"{_F}.created_at", "datetime", sort=Customer.created_at, is_default=False),
    ),
    default_sort="-created_at",
    search=customer_service.matching,
    filters=(
        Filter(
            "status",
            f"{_F}.status",
            lambda chosen: Customer.status.in_(chosen),
            options=[(one.value, f"customers.status.{one}") for one in CustomerStatus],
        ),
        Filter(
            "ordered",
            "customers.customers.has_ordered",
            lambda chosen: (Customer.orders_count > 0).in_(_is_yes(chosen)),
            options=_YES_NO,
        ),
        Filter(
            "company",
            "customers.customers.is_company",
            lambda chosen: Customer.company_name.is_not(None).in_(_is_yes(chosen)),
            options=_YES_NO,
        ),
        Filter(
            "channel",
            f"{_F}.source_channel",
            lambda chosen: Customer.source_channel == chosen[0],
            kind="text",
        ),
    ),
    views=(
        View("returning", "customers.customers.views.returning", "ordered=yes&sort=-orders_count"),
        View("companies", "customers.customers.views.companies", "company=yes"),
        View("blocked", "customers.customers.views.blocked", "status=blocked"),
    ),
    actions=(
        Link("customers.pages.new_customer", "customers.vendor.new_customer", _EDIT, "plus"),
        Link("customers.pages.imports", "customers.vendor.imports", _EDIT, "upload"),
    ),
    row_page="customers.vendor.customer",
    row_id="customer_id",
    row_links=(
        RowLink("customers.actions.edit", "customers.vendor.edit_customer", "customer_id", _EDIT, "pencil"),
    ),
    prefix=PREFIX,
    icon="users",
    has_intro=True,
    is_in_palette=True,
)
mount_list(router, CUSTOMERS)
