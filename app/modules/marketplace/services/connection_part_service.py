"""The parts of a connection's page: how it is, what waits, what differs, the past, the addresses, the last calls."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.i18n import FALLBACK, LANGUAGES, format_money, has_message
from app.core.ids import to_public
from app.modules.marketplace.contracts import CONNECTORS, Ability, CheckOutcome
from app.modules.marketplace.enums import ActKind, ActState, DriftKind
from app.modules.marketplace.models.channel_call import ChannelCall
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.letzshop_order import ExternalRecord
from app.modules.marketplace.models.outgoing_act import OutgoingAct
from app.modules.marketplace.services import (
    act_service,
    connection_edit_service,
    connection_service,
    directory_service,
    export_sending_service,
    feed_link_service,
    listing_drift_service,
)
from app.modules.marketplace.services.feed_export_service import EXPORT_PREFIX
from app.modules.pagekit.details import Block, Fact
from app.modules.pagekit.job_view import JobView
from app.modules.pages import PageContext
from app.tasks.lookup import find_job

RECORD_PREFIX, ACT_PREFIX = "xor", "oac"
TELL = "marketplace.acts.tell"
CHECK_TONES: Mapping[str, str] = {
    "ok": "success",
    "not_configured": "warning",
    "unreachable": "warning",
    "bad_key": "danger",
    "missing_role": "danger",
    "schema_drift": "danger",
    "never": "neutral",
}
ACT_TONES: Mapping[str, str] = {"waiting": "info", "done": "success", "refused": "danger"}
_SHOWN, _CALLS = 10, 20
_F = "marketplace.connection_fields"
_TEMPLATES = "marketplace/vendor"


def connector_name(code: str) -> str:
    """What people call a marketplace; its code while no module knows it."""
    return next((one.name for one in CONNECTORS.implementations() if one.code == code), code)


def can(row: Connection, ability: Ability) -> bool:
    """Whether the marketplace of a connection can do something."""
    found = connection_service.find_connector(row.vendor_id, row.connector)
    return found is not None and ability in found.abilities


def access_word(row: Connection) -> str:
    """Under which text what the connector asks for is changed: it is a key where something of it is secret."""
    return "rotate" if any(one.is_secret for one in connection_edit_service.fields_of(row)) else "access"


def fault_text(ctx: PageContext, code: str) -> str:
    """What a fault of an order means: one of ours, or of another module's connector."""
    keys = (f"marketplace.faults.{code}", f"errors.{code}")
    return next((ctx.t(key) for key in keys if has_message(FALLBACK, key)), code)


def check_notice(ctx: PageContext, row: Connection, *, is_checking: bool) -> tuple[str, str] | None:
    """What the last test found and what is done about it; or that the connection is off."""
    if is_checking:
        return "info", ctx.t("marketplace.connection.checking")
    if row.check_outcome not in (None, CheckOutcome.OK):
        return CHECK_TONES[str(row.check_outcome)], ctx.t(
            f"marketplace.check_texts.{row.check_outcome}", name=connector_name(row.connector)
        )
    if not row.is_on:
        return "info", ctx.t("marketplace.connection.is_off")
    return None


def blocks(ctx: PageContext, row: Connection) -> list[Block]:
    """All parts that the marketplace can have, and that have something to say."""
    return [
        *_findings(ctx, row),
        *_history(ctx, row),
        *_acts(ctx, row),
        *_parked(ctx, row),
        *_drifts(ctx, row),
        *_addresses(ctx, row),
        _calls(ctx, row),
        _facts(ctx, row),
    ]


def _block(ctx: PageContext, part: str, order: int, *, is_flush: bool = False, **context: Any) -> Block:
    here = ctx.url("marketplace.vendor.connection", connection_id=ctx.path["connection_id"])
    may = "marketplace.connections.manage" in ctx.who.permissions
    return Block(
        part,
        ctx.t(f"marketplace.connection.{part}"),
        template=f"{_TEMPLATES}/connection_{part}.html",
        context={"here": here, "may": may, **context},
        order=order,
        is_flush=is_flush,
    )


def _findings(ctx: PageContext, row: Connection) -> list[Block]:
    if not row.check_findings and not row.check_detail:
        return []
    return [_block(ctx, "findings", 10, findings=row.check_findings, detail=row.check_detail)]


def _history(ctx: PageContext, row: Connection) -> list[Block]:
    if not can(row, Ability.HISTORY):
        return []
    job = find_job(ctx.session, row.history_job_id)
    view = JobView.of(job, ctx.t("marketplace.connection.history_reading")) if job else None
    counted = job.result if job and isinstance(job.result, dict) else {}
    numbers = {name: value for name, value in counted.items() if type(value) is int}
    labels = {
        name: ctx.t(f"marketplace.history_counts.{name}")
        if has_message(FALLBACK, f"marketplace.history_counts.{name}")
        else name
        for name in numbers
    }
    error = job.error_message if job and job.state == "failed" else None
    return [_block(ctx, "history", 20, row=row, view=view, numbers=numbers, labels=labels, error=error)]


def _acts(ctx: PageContext, row: Connection) -> list[Block]:
    found = ctx.session.execute(
        select(OutgoingAct, ExternalRecord.number)
        .join(ExternalRecord, ExternalRecord.id == OutgoingAct.record_id)
        .where(OutgoingAct.connection_id == row.id, OutgoingAct.state != ActState.DONE)
        .order_by(OutgoingAct.state, OutgoingAct.due_at)
        .limit(_SHOWN)
    ).all()
    if not found:
        return []
    shown = [act_row(ctx, act, number) for act, number in found]
    return [_block(ctx, "acts", 30, is_flush=True, rows=shown, all_url=ctx.url("marketplace.vendor.acts"))]


def act_row(ctx: PageContext, act: OutgoingAct, number: str) -> dict[str, Any]:
    """An act as tables show it."""
    key = to_public(ACT_PREFIX, act.id)
    return {
        "act": act,
        "number": number,
        "tone": ACT_TONES[act.state],
        "record_url": ctx.url(
            "marketplace.vendor.external_order", record_id=to_public(RECORD_PREFIX, act.record_id)
        ),
        "retry_url": f"{ctx.url('marketplace.vendor.acts')}/{key}/retry",
    }


def _parked(ctx: PageContext, row: Connection) -> list[Block]:
    found = ctx.session.scalars(
        select(ExternalRecord)
        .where(ExternalRecord.connection_id == row.id, ExternalRecord.fault.is_not(None))
        .order_by(ExternalRecord.id)
        .limit(_SHOWN)
    ).all()
    if not found:
        return []
    shown = [
        (
            one,
            ctx.url("marketplace.vendor.external_order", record_id=to_public(RECORD_PREFIX, one.id)),
            fault_text(ctx, one.fault or ""),
        )
        for one in found
    ]
    all_url = ctx.url("marketplace.vendor.external_orders", state="parked")
    return [_block(ctx, "parked", 40, is_flush=True, rows=shown, all_url=all_url)]


def _drifts(ctx: PageContext, row: Connection) -> list[Block]:
    if not can(row, Ability.LISTINGS):
        return []
    found = ctx.session.execute(listing_drift_service.select_drifts(row.id).limit(_SHOWN * 5)).all()
    shown = [(one, said(ctx, one.kind, one.ours), said(ctx, one.kind, one.theirs)) for one in found]
    is_partial = row.listings_walk is not None
    return [_block(ctx, "drifts", 50, is_flush=bool(shown), rows=shown, is_partial=is_partial)]


def differences(ctx: PageContext, record: ExternalRecord) -> dict[str, Any]:
    """The pieces of an order of which both sides say different things, with what will be told of each, for a template:
    rows (piece, ours, theirs, what is told), is_tellable."""
    left = act_service.untold(ctx.session, record) if record.drift else {}
    told: dict[str, str] = {}
    for kind, units in left.items():
        told |= {
            unit: "back" if kind is ActKind.RETURN else "yes" if yes else "no" for unit, yes in units.items()
        }

    def state(word: str | None) -> str:
        return ctx.t(f"marketplace.unit_states.{word}") if word else "–"

    rows = [
        (
            one["unit"],
            state(one["ours"]),
            state(one["theirs"]),
            ctx.t(f"marketplace.differences.tell_{told.get(one['unit'], 'nothing')}"),
        )
        for one in record.drift or ()
    ]
    url = ctx.url("marketplace.vendor.external_order", record_id=to_public(RECORD_PREFIX, record.id))
    return {
        "rows": rows,
        "is_tellable": bool(left),
        "may_tell": TELL in ctx.who.permissions,
        "tell_url": f"{url}/tell-again",
    }


def said(ctx: PageContext, kind: str, value: int | None) -> str:
    """A price or an availability in words."""
    if value is None:
        return "–"
    if kind == DriftKind.AVAILABILITY:
        return ctx.t("ui.yes" if value else "ui.no")
    return format_money(ctx.language, value, "EUR")


def _addresses(ctx: PageContext, row: Connection) -> list[Block]:
    if not can(row, Ability.FEED) or "marketplace.exports.view" not in ctx.who.permissions:
        return []
    shown = []
    for language in LANGUAGES:
        sent = export_sending_service.find_sent(ctx.session, language)
        address = feed_link_service.feed_address(ctx.session, vendor_id=ctx.vendor.id, language=language)
        export_url = (
            ctx.url("marketplace.vendor.export", export_id=to_public(EXPORT_PREFIX, sent.id))
            if sent
            else None
        )
        shown.append((language, address, sent, export_url))
    name = connector_name(row.connector)
    used = [one for one in shown if one[2] is not None]
    return [_block(ctx, "addresses", 60, links=used or shown[:1], name=name, has_files=bool(used))]


def _calls(ctx: PageContext, row: Connection) -> Block:
    found = ctx.session.scalars(
        select(ChannelCall)
        .where(ChannelCall.connection_id == row.id)
        .order_by(ChannelCall.id.desc())
        .limit(_CALLS)
    ).all()
    return _block(ctx, "calls", 70, is_flush=bool(found), rows=found)


def _facts(ctx: PageContext, row: Connection) -> Block:
    access = connection_edit_service.access_of(ctx.session, row)
    shop = directory_service.shop_of(ctx.session, row.connector, row.vendor_id)
    facts = [
        Fact(ctx.t(f"{_F}.synced_at"), row.synced_at, "datetime"),
        Fact(ctx.t(f"{_F}.next_sync_at"), row.next_sync_at if row.is_on else None, "datetime"),
        Fact(ctx.t(f"{_F}.interval"), row.interval_seconds, "duration"),
        Fact(ctx.t(f"{_F}.failures"), row.failures, "number"),
        Fact(ctx.t(f"{_F}.checked_at"), row.checked_at, "datetime"),
        Fact(ctx.t(f"{_F}.connected_at"), row.connected_at, "datetime"),
    ]
    for asked in connection_edit_service.fields_of(row):
        value = access.values.get(asked.name)
        if value or asked.is_required:
            facts.append(Fact(ctx.t(asked.label_key), value, "code"))
        if asked.is_secret:
            facts.append(Fact(ctx.t(f"{_F}.key_set_at"), access.set_at, "datetime"))
    if shop is not None:
        facts.append(Fact(ctx.t(f"{_F}.shop"), shop.name))
    return Block("facts", ctx.t("marketplace.connection.facts"), facts, column="side", order=10)


def is_unfinished(session: Session, job_id: UUID | None) -> bool:
    """Whether a job waits or runs."""
    job = find_job(session, job_id)
    return job is not None and job.state in ("queued", "running")
