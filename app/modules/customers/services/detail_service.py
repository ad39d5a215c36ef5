"""What the page of a customer shows, for the vendor and for the operator."""

from collections.abc import Sequence

from app.core.i18n import format_money, locale_of
from app.core.ids import to_public
from app.modules.customers.contracts import Address, SavedAddress
from app.modules.customers.models.customer import Customer
from app.modules.customers.services import customer_edit_service, data_request_service
from app.modules.customers.services.customer_service import PREFIX, summary_of
from app.modules.pagekit.details import Block, Fact
from app.modules.pages import PageContext

_F = "customers.fields"
# They have names, but are no countries of ISO 3166.
_NONE = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "XK", "ZZ"})
STATUS_TONES = {"active": "success", "inactive": "neutral", "blocked": "danger"}
STATE_TONES = {
    "waiting": "warning",
    "refused": "neutral",
    "queued": "info",
    "running": "info",
    "succeeded": "success",
    "failed": "danger",
}


def title_of(ctx: PageContext, customer: Customer) -> str:
    """The name, or what stands in its place once the person is erased."""
    return summary_of(customer).name or ctx.t("customers.customer.nameless")


def badges(ctx: PageContext, customer: Customer) -> list[tuple[str, str]]:
    """State of the record."""
    if customer.erased_at is not None:
        return [("neutral", ctx.t("customers.customer.erased"))]
    if customer.merged_into_id is not None:
        return [("neutral", ctx.t("customers.customer.merged"))]
    return [(STATUS_TONES[customer.status], ctx.t(f"customers.status.{customer.status}"))]


def notice(ctx: PageContext, customer: Customer) -> tuple[str, str] | None:
    """What has to be known before anything is done."""
    if customer.erased_at is not None:
        return "info", ctx.t("customers.customer.erased_notice")
    if customer.blocked_reason:
        return "warning", ctx.t("customers.customer.blocked_notice", reason=customer.blocked_reason)
    return None


def contact_block(ctx: PageContext, customer: Customer) -> Block:
    """Who it is."""
    facts = [
        Fact(
            ctx.t(f"{_F}.email"),
            customer.email,
            "link" if customer.email else "text",
            f"mailto:{customer.email}" if customer.email else None,
        ),
        Fact(ctx.t(f"{_F}.phone"), customer.phone),
        Fact(ctx.t(f"{_F}.company_name"), customer.company_name),
        Fact(ctx.t(f"{_F}.vat_number"), customer.vat_number, "code"),
        Fact(ctx.t(f"{_F}.language"), ctx.t(f"core.languages.{customer.language}")),
    ]
    return Block("contact", ctx.t("customers.customer.contact"), facts, order=10)


def spend_block(ctx: PageContext, customer: Customer) -> Block:
    """What they bought so far."""
    spent = format_money(ctx.language, customer.spent_cents, "EUR")
    facts = [
        Fact(ctx.t(f"{_F}.orders_count"), customer.orders_count, "number"),
        Fact(ctx.t(f"{_F}.spent_cents"), spent),
        Fact(ctx.t(f"{_F}.first_order_at"), customer.first_order_at, "date"),
        Fact(ctx.t(f"{_F}.last_order_at"), customer.last_order_at, "date"),
        Fact(ctx.t(f"{_F}.source_channel"), customer.source_channel, "code"),
        Fact(ctx.t(f"{_F}.created_at"), customer.created_at, "datetime"),
    ]
    return Block("spend", ctx.t("customers.customer.spend"), facts, column="side", order=10)


def addresses_block(ctx: PageContext, customer: Customer, *, can_edit: bool) -> Block:
    """The address book."""
    found = customer_edit_service.list_addresses(ctx.session, customer.id)
    public = to_public(PREFIX, customer.id)

    def shown(one: SavedAddress) -> dict[str, object]:
        key = to_public("adr", one.id)
        here = "customers.vendor.edit_address"
        return {
            "lines": address_lines(ctx, one.address),
            "phone": one.address.phone,
            "is_shipping_default": one.is_shipping_default,
            "is_billing_default": one.is_billing_default,
            "edit_url": ctx.url(here, address_id=key) if can_edit else None,
        }

    context = {
        "addresses": [shown(one) for one in found],
        "new_url": ctx.url("customers.vendor.new_address", customer_id=public) if can_edit else None,
    }
    template = "customers/addresses.html"
    return Block("addresses", ctx.t("customers.customer.addresses"), (), template, context, order=30)


def address_lines(ctx: PageContext, address: Address) -> list[str]:
    """An address as people read it, with the country's name in the page's language."""
    country = country_names(ctx.language).get(address.country, address.country) if address.country else None
    return [*address.lines(), *filter(None, [country])]


def country_names(language: str) -> dict[str, str]:
    """Names of the countries by ISO 3166 alpha-2."""
    names = locale_of(language).territories
    return {
        code: name for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in _NONE
    }


def consents_block(ctx: PageContext, customer: Customer, *, can_edit: bool) -> Block:
    """What they agreed to."""
    public = to_public(PREFIX, customer.id)
    context = {
        "consents": customer_edit_service.list_consents(ctx.session, customer.id),
        "change_url": ctx.url("customers.vendor.consent", customer_id=public) if can_edit else None,
    }
    template = "customers/consents.html"
    title = ctx.t("customers.customer.consents")
    return Block("consents", title, (), template, context, column="side", order=30)


def data_block(ctx: PageContext, customer: Customer) -> Block | None:
    """Copies and erasures that were asked for; none where nobody asked."""
    asked = data_request_service.list_requests(ctx.session, customer.id)
    if not asked:
        return None

    def shown(one: data_request_service.RequestWithJob) -> dict[str, object]:
        key = to_public(data_request_service.REQUEST_PREFIX, one.row.id)
        has_file = one.row.storage_key is not None and ctx.area == "vendor"
        return {
            "row": one.row,
            "state": one.state,
            "tone": STATE_TONES.get(one.state, "neutral"),
            "file_url": f"{ctx.url('customers.vendor.customers')}/exports/{key}" if has_file else None,
        }

    context = {"requests": [shown(one) for one in asked]}
    template = "customers/requests.html"
    return Block("data", ctx.t("customers.customer.data"), (), template, context, column="side", order=40)


def is_working(blocks: Sequence[Block]) -> bool:
    """Whether a request among the blocks is being done: the page then looks again by itself."""
    return any(
        entry["state"] in ("queued", "running")
        for block in blocks
        for entry in block.context.get("requests", ())
    )
