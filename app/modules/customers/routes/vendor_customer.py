"""A customer's page, and what is done there."""

from fastapi import Response
from fastapi.responses import FileResponse

from app.core.ids import to_public
from app.modules.customers.enums import CustomerStatus, RequestKind
from app.modules.customers.models.customer import Customer
from app.modules.customers.services import customer_edit_service, data_request_service, detail_service
from app.modules.customers.services.customer_service import PREFIX, get_row
from app.modules.customers.services.data_request_service import REQUEST_PREFIX
from app.modules.menu import pages
from app.modules.pagekit.details import Action, Detail, show_detail
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter, public_id

router = AreaRouter("vendor")

_EDIT, _DATA = "customers.customers.edit", "customers.data.manage"


@router.page("customers.vendor.customer")
def customer(ctx: PageContext, customer_id: str) -> Response:
    """Who it is, what they bought, agreed to and asked for, and what became of it."""
    found = get_row(ctx.session, public_id(PREFIX, customer_id))
    if found.merged_into_id is not None:
        return ctx.redirect("customers.vendor.customer", customer_id=to_public(PREFIX, found.merged_into_id))
    can_edit = _EDIT in ctx.who.permissions and found.erased_at is None
    data = detail_service.data_block(ctx, found) if _DATA in ctx.who.permissions else None
    blocks = [
        detail_service.contact_block(ctx, found),
        detail_service.spend_block(ctx, found),
        detail_service.addresses_block(ctx, found, can_edit=can_edit),
        detail_service.consents_block(ctx, found, can_edit=can_edit),
        *filter(None, [data]),
    ]
    actions = _actions(ctx, customer_id, found)
    return show_detail(
        ctx,
        Detail(
            found.id,
            detail_service.title_of(ctx, found),
            blocks,
            subtitle=found.company_name,
            back=(ctx.url("customers.vendor.customers"), ctx.t("customers.pages.customers")),
            badges=detail_service.badges(ctx, found),
            actions=actions[:1],
            more=actions[1:],
            target=customer_id,
            notice=detail_service.notice(ctx, found),
            refresh=detail_service.is_working(blocks),
        ),
    )


@router.action("/customers/{customer_id}/unblock", permission=_EDIT)
def unblock(ctx: PageContext, customer_id: str) -> Response:
    """Serve somebody again."""
    customer_edit_service.unblock_customer(ctx.session, get_row(ctx.session, public_id(PREFIX, customer_id)))
    ctx.flash("success", "customers.done.unblocked")
    return ctx.redirect("customers.vendor.customer", customer_id=customer_id)


@router.action("/customers/addresses/{address_id}/delete", permission=_EDIT)
def delete_address(ctx: PageContext, address_id: str) -> Response:
    """Take an address out of the book."""
    key = customer_edit_service.delete_address(ctx.session, public_id("adr", address_id))
    ctx.flash("success", "customers.done.address_deleted")
    return ctx.redirect("customers.vendor.customer", customer_id=to_public(PREFIX, key))


@router.action("/customers/{customer_id}/export", permission=_DATA, in_read_only=True)
def export_data(ctx: PageContext, customer_id: str) -> Response:
    """Have a copy made of everything that is stored of the person."""
    found = get_row(ctx.session, public_id(PREFIX, customer_id))
    data_request_service.ask(ctx.session, found, RequestKind.EXPORT, user_id=ctx.who.user_id)
    ctx.flash("info", "customers.done.export_asked")
    return ctx.redirect("customers.vendor.customer", customer_id=customer_id)


@router.action("/customers/exports/{data_request_id}", permission=_DATA, method="GET", in_read_only=True)
def export_file(ctx: PageContext, data_request_id: str) -> Response:
    """The copy; the customer's page, where there is none or no more."""
    row, _ = data_request_service.get_request(ctx.session, public_id(REQUEST_PREFIX, data_request_id))
    name = to_public(PREFIX, row.customer_id)
    path = data_request_service.find_file(row)
    if path is None:
        ctx.page = pages()["customers.vendor.customer"]
        return customer(ctx, name)
    return ctx.finish(FileResponse(path, media_type="application/zip", filename=f"{name}.zip"))


def _actions(ctx: PageContext, customer_id: str, found: Customer) -> list[Action]:
    """The first is the main one."""
    if found.erased_at is not None:
        return []
    url = ctx.url("customers.vendor.customer", customer_id=customer_id)

    def link(name: str, icon: str) -> Action:
        return Action(ctx.t(f"customers.actions.{name}"), f"{url}/{name}", icon, is_post=False)

    actions = []
    if _EDIT in ctx.who.permissions:
        actions.append(link("edit", "pencil"))
        if found.status == CustomerStatus.BLOCKED:
            actions.append(Action(ctx.t("customers.actions.unblock"), f"{url}/unblock", "circle-play"))
        else:
            actions.append(link("block", "ban"))
    if _DATA in ctx.who.permissions:
        export = Action(ctx.t("customers.actions.export"), f"{url}/export", "download")
        actions += [link("merge", "users"), export, link("erase", "trash-2")]
    return actions
