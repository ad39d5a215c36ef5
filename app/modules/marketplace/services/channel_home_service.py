"""What marketplaces put on the home pages: steps of the setup, what waits, and their part of an order's page."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.i18n import LANGUAGES, ntranslate
from app.core.ids import to_public
from app.modules.core.contracts import SetupStep, Tile, WorkItem
from app.modules.marketplace.contracts import Ability, CheckOutcome
from app.modules.marketplace.enums import ActState
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.models.outgoing_act import OutgoingAct
from app.modules.marketplace.services import connection_service, export_sending_service, record_service
from app.modules.marketplace.services.connection_part_service import (
    RECORD_PREFIX,
    act_row,
    can,
    connector_name,
    differences,
)
from app.modules.marketplace.services.connection_service import CONNECTION_PREFIX
from app.modules.pagekit.details import Block
from app.modules.pages import PageContext

_VIEW, _MANAGE = "marketplace.connections.view", "marketplace.connections.manage"


def setup_steps(ctx: PageContext, session: Session) -> Sequence[SetupStep]:
    """Connect a marketplace, see the connection tested, have the feeds fetched, fetch the orders of the past."""
    if (
        ctx.area != "vendor"
        or _MANAGE not in ctx.who.permissions
        or not connection_service.connectors(ctx.vendor.id)
    ):
        return ()
    connections = connection_service.list_connections(session)
    first = connections[0] if connections else None
    page = ctx.url("marketplace.vendor.new_connection")
    if first is not None:
        page = ctx.url("marketplace.vendor.connection", connection_id=to_public(CONNECTION_PREFIX, first.id))
    name = connector_name(first.connector) if first else ctx.t("marketplace.setup.a_marketplace")
    done = {
        "connect": first is not None,
        "test": any(one.check_outcome == CheckOutcome.OK for one in connections),
        "feeds": any(export_sending_service.find_sent(session, one) for one in LANGUAGES),
        "history": any(one.history_done_at for one in connections),
    }
    if first is not None and not can(first, Ability.HISTORY):
        del done["history"]
    return [
        SetupStep(
            ctx.t(f"marketplace.setup.{step}", name=name),
            ctx.t(f"marketplace.setup.{step}_text", name=name),
            f"{page}#addresses" if first and step == "feeds" else page,
            is_done,
            order=40 + number,
        )
        for number, (step, is_done) in enumerate(done.items())
    ]


def worklist(ctx: PageContext, session: Session) -> Sequence[WorkItem]:
    """Orders that could not be placed, what marketplaces refused, connections that fail; the operator's over all."""
    permission = _VIEW if ctx.area == "vendor" else "marketplace.channels.view"
    if permission not in ctx.who.permissions:
        return ()
    parked = select(func.count()).select_from(ExternalRecord).where(ExternalRecord.fault.is_not(None))
    refused = select(func.count()).select_from(OutgoingAct).where(OutgoingAct.state == ActState.REFUSED)
    failing = select(func.count()).select_from(Connection).where(Connection.is_on, Connection.failures > 2)
    if ctx.area == "vendor":
        urls = {
            "parked": ctx.url("marketplace.vendor.external_orders", state="parked"),
            "refused": ctx.url("marketplace.vendor.acts", state="refused"),
            "failing": ctx.url("marketplace.vendor.connections"),
        }
    else:
        urls = dict.fromkeys(("parked", "refused"), ctx.url("marketplace.admin.hub", tab="exceptions"))
        urls["failing"] = ctx.url("marketplace.admin.hub", tab="settings")
    found = []
    for name, statement in (("parked", parked), ("refused", refused), ("failing", failing)):
        count = session.scalar(statement) or 0
        if count:
            text = ntranslate(ctx.language, f"marketplace.worklist.{name}", count)
            found.append(WorkItem(text, count, urls[name], "danger" if name == "refused" else "warning"))
    return found


def tiles(ctx: PageContext, session: Session) -> Sequence[Tile]:
    """Orders of marketplaces that are still to be decided there."""
    if _VIEW not in ctx.who.permissions or not connection_service.list_connections(session):
        return ()
    open_there = select(func.count()).select_from(ExternalRecord).where(ExternalRecord.is_open)
    count = session.scalar(open_there) or 0
    url = ctx.url("marketplace.vendor.external_orders", state="open")
    return (Tile(ctx.t("marketplace.tiles.open_orders"), count, url, "warning" if count else "neutral"),)


def order_blocks(ctx: PageContext, page_id: str, record_id: UUID) -> Sequence[Block]:
    """On an order's page: its pieces as the marketplace has them, and what it was told."""
    if page_id != "orders.vendor.order" or _VIEW not in ctx.who.permissions:
        return ()
    record = record_service.find_record(ctx.session, record_id)
    if record is None:
        return ()
    context = {
        "record": record,
        "url": ctx.url("marketplace.vendor.external_order", record_id=to_public(RECORD_PREFIX, record.id)),
        "rows": [
            act_row(ctx, one, record.number) for one in record_service.list_acts(ctx.session, record.id)
        ],
        "may": _MANAGE in ctx.who.permissions,
        "differences": differences(ctx, record),
    }
    title = ctx.t("marketplace.order_block.title")
    template = "marketplace/vendor/order_block.html"
    return (Block("marketplace", title, template=template, context=context, order=45),)
