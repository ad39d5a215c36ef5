"""Taxes: the rates of the member states, a vendor's own, and the report of the One Stop Shop."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from fastapi import Response

from app.core import clock
from app.modules.orders.services import invoice_settings_service, oss_report_service
from app.modules.orders.services.document_export_service import journal_line
from app.modules.orders.services.document_paper_service import country_name, percent
from app.modules.orders.services.oss_report_service import Quarter, ReportLine
from app.modules.orders.services.tax_service import EU_STATES, TAX_CLASSES, rate_for, rates_abroad
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FieldProblem, FormSpec
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("vendor")

_VIEW, _EDIT = "orders.documents.view", "orders.settings.edit"
_ZONE = "Europe/Luxembourg"
_QUARTERS = 6
_CSV_COLUMNS = ("country", "rate", "net", "vat", "corrects")
_CLASSES = tuple(name for name in TAX_CLASSES if name != "zero")


@router.page("orders.vendor.vat_rates")
def vat_rates(ctx: PageContext) -> Response:
    """What each state charges for each class of goods."""
    day = clock.today(_ZONE)
    columns = [{"label": ctx.t("orders.document_fields.country")}]
    columns += [{"label": ctx.t(f"catalog.tax_class.{name}"), "kind": "num"} for name in _CLASSES]
    return ctx.render(
        "orders/documents/vat_rates.html",
        rows=[_row(ctx, code, day) for code in _states(ctx)],
        columns=[*columns, {"label": ctx.t("orders.vat.known")}],
        day=day,
        may_edit=_EDIT in ctx.who.permissions,
    )


def _home(ctx: PageContext) -> str:
    settings = invoice_settings_service.find_settings(ctx.session, ctx.vendor.id)
    return settings.country if settings else "LU"


def _states(ctx: PageContext) -> list[str]:
    """The member states by name, the vendor's own first."""
    home = _home(ctx)
    return sorted(EU_STATES, key=lambda code: (code != home, country_name(ctx.language, code)))


def _row(ctx: PageContext, country: str, day: date) -> dict[str, Any]:
    is_abroad = country != _home(ctx)
    used = rates_abroad(ctx.session, ctx.vendor.id, country, day) if is_abroad else {}
    rates = []
    for name in _CLASSES:
        usual = rate_for(ctx.session, country, name, day, is_abroad=is_abroad)
        rate = used.get(name, usual)
        rates.append({"text": percent(ctx.language, rate), "is_own": rate != usual})
    known = invoice_settings_service.rates_of(ctx.session, country, day)
    shown = ", ".join(percent(ctx.language, rate) for rate in known)
    return {"name": country_name(ctx.language, country), "rates": rates, "known": shown}


def _state_options(ctx: PageContext) -> list[tuple[str, str]]:
    return [(code, country_name(ctx.language, code)) for code in _states(ctx) if code != _home(ctx)]


def _rate(typed: str) -> int:
    try:
        rate = Decimal(typed.replace("%", "").replace(",", ".").strip()) * 100
    except InvalidOperation:
        raise FieldProblem("orders.vat.rate_wrong") from None
    if not rate.is_finite() or rate != rate.to_integral_value() or not 0 <= rate <= 5000:
        raise FieldProblem("orders.vat.rate_wrong")
    return int(rate)


def _save_rate(ctx: PageContext, values: Mapping[str, Any]) -> str:
    country, tax_class, rate = values["country"], values["tax_class"], values["rate"]
    if rate == "":
        invoice_settings_service.drop_rate(ctx.session, ctx.vendor.id, country, tax_class)
    else:
        invoice_settings_service.set_rate(ctx.session, ctx.vendor.id, country, tax_class, rate)
    return ctx.url("orders.vendor.vat_rates")


mount_form(
    router,
    FormSpec(
        "orders.vendor.vat_rate",
        "orders.vat_rate",
        (
            Field("country", "orders.document_fields.country", "select", options=_state_options),
            Field(
                "tax_class",
                "catalog.fields.tax_class",
                "select",
                options=[(name, f"catalog.tax_class.{name}") for name in _CLASSES],
            ),
            Field(
                "rate",
                "orders.vat.rate",
                is_required=False,
                max_length=8,
                hint_key="orders.vat.rate_hint",
                clean=_rate,
                attrs={"inputmode": "decimal"},
            ),
        ),
        _save_rate,
        back=lambda ctx: (ctx.url("orders.vendor.vat_rates"), ctx.t("orders.document_pages.vat_rates")),
        has_intro=True,
    ),
)


def _asked(ctx: PageContext) -> Quarter:
    """The quarter that the address names, as ``2026-3``; else the present one."""
    year, _, number = ctx.request.query_params.get("quarter", "").partition("-")
    if year.isdecimal() and number in ("1", "2", "3", "4") and 2021 <= int(year[:5]) <= 2200:
        return Quarter(int(year), int(number))
    return Quarter.of(clock.now())


@router.page("orders.vendor.oss_report")
def oss_report(ctx: PageContext) -> Response:
    """How far from the threshold, and what is to be declared for a quarter."""
    chosen, present = _asked(ctx), Quarter.of(clock.now())
    here = ctx.url("orders.vendor.oss_report")
    quarters, one = [], present
    for _ in range(_QUARTERS):
        quarters.append(one)
        one = one.before
    tabs = [
        (
            ctx.t("orders.oss.quarter_name", year=one.year, number=one.number),
            f"{here}?quarter={one.year}-{one.number}",
            one == chosen,
        )
        for one in quarters
    ]
    lines = oss_report_service.report(ctx.session, chosen)
    settings = invoice_settings_service.find_settings(ctx.session, ctx.vendor.id)
    years = (present.year, present.year - 1)
    return ctx.render(
        "orders/documents/oss_report.html",
        standings=[oss_report_service.standing(ctx.session, ctx.vendor.id, year) for year in years],
        lines=lines,
        sums=(sum(line.net_cents for line in lines), sum(line.vat_cents for line in lines)),
        quarter=chosen,
        tabs=tabs,
        csv_url=f"{here}/csv?quarter={chosen.year}-{chosen.number}",
        percent=lambda rate: percent(ctx.language, rate),
        country=lambda code: country_name(ctx.language, code),
        is_registered=bool(settings and settings.oss_since),
        settings_url=ctx.url("orders.vendor.invoice_settings"),
    )


@router.action("/invoices/oss/csv", permission=_VIEW, method="GET")
def oss_csv(ctx: PageContext) -> Response:
    """A quarter's report as CSV."""
    quarter = _asked(ctx)
    lines = oss_report_service.report(ctx.session, quarter)
    text = "\ufeff" + "".join(journal_line(cells) for cells in (_CSV_COLUMNS, *map(_cells, lines)))
    name = f"oss-{ctx.vendor.code.lower()}-{quarter.year}-q{quarter.number}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return ctx.finish(Response(text, media_type="text/csv; charset=utf-8", headers=headers))


def _cells(line: ReportLine) -> list[str]:
    amounts = [f"{Decimal(one).scaleb(-2):.2f}" for one in (line.rate_bp, line.net_cents, line.vat_cents)]
    corrected = f"{line.corrects.year}-Q{line.corrects.number}" if line.corrects else ""
    return [line.country, *amounts, corrected]
