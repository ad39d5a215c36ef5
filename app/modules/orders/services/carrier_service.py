"""Who carries parcels: the carriers that everybody has, and a vendor's own."""

from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.ids import to_public
from app.modules.orders.exceptions import CarrierNotFoundError
from app.modules.orders.models.shipment import Carrier
from app.modules.tenancy.facade import record_audit

CARRIER_PREFIX = "car"
_PLACE = "{number}"


@dataclass(frozen=True, slots=True)
class CarrierView:
    """A carrier; ``tracking_url`` has ``{number}`` where the tracking number stands."""

    code: str
    name: str
    tracking_url: str | None
    is_own: bool = False


_USUAL = (
    CarrierView("greco", "Greco", "https://dispatchweb.fr/Tracky/Home/{number}"),
    CarrierView(
        "post-lu",
        "POST Luxembourg",
        "https://www.post.lu/en/particuliers/colis-courrier/track-and-trace#/search/{number}",
    ),
    CarrierView("dhl", "DHL", "https://www.dhl.com/en/express/tracking.html?AWB={number}"),
    CarrierView("dpd", "DPD", "https://tracking.dpd.de/status/en_US/parcel/{number}"),
    CarrierView("ups", "UPS", "https://www.ups.com/track?tracknum={number}"),
    CarrierView("gls", "GLS", "https://gls-group.eu/track/{number}"),
    CarrierView("colissimo", "Colissimo", "https://www.laposte.fr/outils/suivre-vos-envois?code={number}"),
)


def list_carriers(session: Session, *, is_all: bool = False) -> list[CarrierView]:
    """The carriers that the vendor can choose: the usual ones, its own words for them, and its own ones. ``is_all``:
    also those that were put away, which parcels still name."""
    own = session.scalars(select(Carrier).order_by(Carrier.name)).all()
    said = {row.code for row in own}
    return [
        *(one for one in _USUAL if one.code not in said),
        *(CarrierView(row.code, row.name, row.tracking_url, True) for row in own if is_all or row.is_active),
    ]


def get_carrier(session: Session, carrier_id: UUID) -> Carrier:
    """A carrier of the vendor's own. Raises CarrierNotFoundError."""
    row = session.get(Carrier, carrier_id)
    if row is None:
        raise CarrierNotFoundError
    return row


def find_carrier(session: Session, code: str) -> Carrier | None:
    """The vendor's own carrier with a code, or its own words for a usual one."""
    return session.scalar(select(Carrier).where(Carrier.code == code))


def save_carrier(
    session: Session, vendor_id: UUID, row: Carrier | None, carrier: CarrierView, is_active: bool
) -> None:
    """Make a carrier, or change one; the code stays, as parcels name it. One that is not active cannot be chosen."""
    if row is None:
        row = Carrier(vendor_id=vendor_id, code=carrier.code)
        session.add(row)
    row.name, row.tracking_url, row.is_active = carrier.name, carrier.tracking_url, is_active
    session.flush()
    target = to_public(CARRIER_PREFIX, row.id)
    record_audit(session, "orders.carrier_changed", vendor_id=vendor_id, target=target, name=row.name)


def is_tracking_url(text: str) -> bool:
    """Whether parcels can be followed there: an https address with a place for the number."""
    return text.startswith("https://") and _PLACE in text and " " not in text


def carrier_codes(session: Session) -> set[str]:
    """The codes of the carriers that can be chosen."""
    return {one.code for one in list_carriers(session)}


def tracking_link(carrier: CarrierView | None, number: str | None) -> str | None:
    """Where a parcel can be followed; None where that is not known."""
    if carrier is None or not carrier.tracking_url or not number:
        return None
    return carrier.tracking_url.replace(_PLACE, quote(number, safe=""))
