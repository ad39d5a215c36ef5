"""Who carries parcels: the carriers that everybody has, and a vendor's own."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.modules.orders.exceptions import OrderInputError
from app.modules.orders.models.shipment import Carrier

_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
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


def list_carriers(session: Session) -> list[CarrierView]:
    """The carriers that the vendor can choose: the usual ones, its own words for them, and its own ones."""
    own = session.scalars(select(Carrier).order_by(Carrier.name)).all()
    said = {row.code for row in own}
    return [
        *(one for one in _USUAL if one.code not in said),
        *(CarrierView(row.code, row.name, row.tracking_url, True) for row in own if row.is_active),
    ]


def carrier_codes(session: Session) -> set[str]:
    """The codes of the carriers that can be chosen."""
    return {one.code for one in list_carriers(session)}


def tracking_link(carrier: CarrierView | None, number: str | None) -> str | None:
    """Where a parcel can be followed; None where that is not known."""
    if carrier is None or not carrier.tracking_url or not number:
        return None
    return carrier.tracking_url.replace(_PLACE, quote(number, safe=""))


def save_carrier(
    session: Session, vendor_id: object, carrier: CarrierView, *, is_active: bool = True
) -> Carrier:
    """Make or change a carrier of the vendor's own. Raises OrderInputError."""
    if not _CODE.fullmatch(carrier.code):
        raise OrderInputError("code", "carrier_code")
    if not carrier.name.strip():
        raise OrderInputError("name", "title")
    url = (carrier.tracking_url or "").strip() or None
    if url and not (url.startswith("https://") and _PLACE in url):
        raise OrderInputError("tracking_url", "tracking_url")
    row = session.scalars(select(Carrier).where(Carrier.code == carrier.code)).one_or_none()
    if row is None:
        row = Carrier(vendor_id=vendor_id, code=carrier.code)
        session.add(row)
    row.name, row.tracking_url, row.is_active = carrier.name.strip(), url, is_active
    session.flush()
    return row
