"""What a vendor's documents say of it."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.modules.orders.exceptions import DocumentRefusedError
from app.modules.orders.models.tax import InvoiceSettings, TaxClassRate, VatRate
from app.modules.tenancy.facade import record_audit

FIELDS = (
    *("legal_name", "legal_form", "line1", "line2", "postcode", "city", "country"),
    *("vat_number", "trade_register", "business_permit", "email", "phone", "iban", "bic"),
    *("prefix", "due_days", "footers", "is_small_business", "oss_since", "issue_when", "is_mailed"),
)
_TARGET = "invoice-settings"
_NEEDED = ("legal_name", "line1", "postcode", "city")


def find_settings(session: Session, vendor_id: UUID) -> InvoiceSettings | None:
    """The vendor's settings, if it has any."""
    return session.get(InvoiceSettings, vendor_id)


def missing(settings: InvoiceSettings | None) -> list[str]:
    """The fields without which the law allows no invoice."""
    if settings is None:
        return [*_NEEDED, "vat_number"]
    lacking = [name for name in _NEEDED if not getattr(settings, name)]
    # A small business may be known to the tax office by its trade register number alone.
    if not settings.vat_number and not (settings.is_small_business and settings.trade_register):
        lacking.append("vat_number")
    return lacking


def get_complete(session: Session, vendor_id: UUID) -> InvoiceSettings:
    """The vendor's settings, with all that an invoice needs. Raises DocumentRefusedError."""
    settings = find_settings(session, vendor_id)
    if settings is None or missing(settings):
        raise DocumentRefusedError("settings", message_key="errors.orders.document_settings")
    return settings


def save_settings(session: Session, vendor_id: UUID, values: Mapping[str, Any]) -> InvoiceSettings:
    """Set what is named of FIELDS; makes the settings where there are none."""
    settings = find_settings(session, vendor_id)
    if settings is None:
        settings = InvoiceSettings(vendor_id=vendor_id)
        session.add(settings)
    for name, value in values.items():
        setattr(settings, name, value)
    session.flush()
    record_audit(session, "orders.invoice_settings_changed", vendor_id=vendor_id, target=_TARGET)
    return settings


def seller_of(settings: InvoiceSettings) -> dict[str, Any]:
    """What a document keeps of the seller."""
    name = " ".join(filter(None, [settings.legal_name, settings.legal_form]))
    kept = (
        *("line1", "line2", "postcode", "city", "country", "vat_number", "trade_register", "business_permit"),
        *("email", "phone", "iban", "bic"),
    )
    found = {"name": name, **{field: getattr(settings, field) for field in kept}}
    return {key: value for key, value in found.items() if value}


def set_rate(session: Session, vendor_id: UUID, country: str, tax_class: str, rate_bp: int) -> TaxClassRate:
    """Charge a rate of one's own for a class in another state."""
    found = session.scalar(
        select(TaxClassRate).where(TaxClassRate.country == country, TaxClassRate.tax_class == tax_class)
    )
    if found is None:
        found = TaxClassRate(vendor_id=vendor_id, country=country, tax_class=tax_class, rate_bp=rate_bp)
        session.add(found)
    found.rate_bp = rate_bp
    session.flush()
    details: dict[str, Any] = {"country": country, "tax_class": tax_class, "rate_bp": rate_bp}
    record_audit(session, "orders.tax_rate_set", vendor_id=vendor_id, target=_TARGET, **details)
    return found


def drop_rate(session: Session, vendor_id: UUID, country: str, tax_class: str) -> None:
    """Go by the suggestion again."""
    found = session.scalar(
        select(TaxClassRate).where(TaxClassRate.country == country, TaxClassRate.tax_class == tax_class)
    )
    if found is not None:
        session.delete(found)
        session.flush()
        details: dict[str, Any] = {"country": country, "tax_class": tax_class}
        record_audit(session, "orders.tax_rate_dropped", vendor_id=vendor_id, target=_TARGET, **details)


def rates_of(session: Session, country: str, on: date) -> list[int]:
    """The rates (basis points) that a state has on a day, highest first."""
    holds = (VatRate.country == country, VatRate.valid_from <= on)
    rows = session.execute(select(VatRate.rate_bp, VatRate.valid_to).where(*holds))
    return sorted({rate for rate, ends in rows if ends is None or ends >= on}, reverse=True)
